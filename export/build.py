"""Builds the ONNX files of a network, and compares each with the network before handing it over."""

import copy
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
import onnx

from export.quantize import to_fp16, to_int8
from export.to_onnx import DeployedNet, add_manifest, serialize, to_onnx
from export.verify import (
    Parity,
    compare,
    require_agreement,
    require_fp16_parity,
    require_fp32_parity,
)
from fer_live.datatypes import UInt8Array
from fer_live.model.manifest import Manifest
from training.models.resnet import ExpressionNet

Precision = Literal["fp32", "fp16", "int8"]

N_CALIBRATION = 512
N_PARITY = 256
"""A model is compared in one batch, so no export is for a larger one (`--batch`)."""


def build_models(
    network: ExpressionNet,
    manifest: Manifest,
    precisions: Sequence[Precision],
    real_faces: UInt8Array | None,
    batch_size: int | None = None,
) -> Iterator[tuple[Precision, bytes, Parity]]:
    """Yield for each precision the content of an ONNX file, and how it compares with `network`.

    `real_faces` (N, S, S) uint8 set the ranges of int8, which needs them; every third of them is
    held out and only compared on. Without real faces, noise is compared on. Raises `FerLiveError`
    where a file would read faces differently.
    """
    if real_faces is None:
        calibration, faces = None, _noise(manifest.input_side)
    else:
        # Every third face is held out: the quantized model is compared on faces it was not set by.
        held_out = np.arange(len(real_faces)) % 3 == 2
        calibration = real_faces[~held_out]
        faces = real_faces[held_out] if held_out.any() else real_faces
    deployed = DeployedNet(network, manifest.temperature).eval()
    exported = to_onnx(network, manifest, batch_size)
    parity = compare(deployed, exported, faces)
    require_fp32_parity(parity)
    for precision in precisions:
        if precision == "fp32":
            yield precision, serialize(exported), parity
            continue
        if precision == "fp16":
            model = to_fp16(copy.deepcopy(exported))  # it is converted in place
        elif calibration is not None:
            model = to_int8(exported, calibration)
        else:
            raise ValueError("real_faces: int8 needs some")
        add_manifest(model, manifest)
        onnx.checker.check_model(model)
        lower = compare(deployed, model, faces)
        if precision == "fp16":
            require_fp16_parity(lower)
        if real_faces is not None:
            require_agreement(lower)
        yield precision, serialize(model), lower


def _noise(side: int) -> UInt8Array:
    """Images (N, side, side) of noise, the same in every call."""
    generator = np.random.default_rng(0)
    return generator.integers(0, 256, (N_PARITY, side, side), dtype=np.uint8)
