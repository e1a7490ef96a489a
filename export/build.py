"""One network, one precision, one file's content, compared with the network before it is given."""

from typing import Literal

import numpy as np
import onnx

from export.quantize import to_fp16, to_int8
from export.to_onnx import DeployedNet, add_manifest, serialize, to_onnx
from export.verify import Parity, compare, require_agreement, require_fp32_parity
from fer_live.datatypes import UInt8Array
from fer_live.manifest import Manifest
from training.models.resnet import ExpressionNet

Precision = Literal["fp32", "fp16", "int8"]

N_CALIBRATION = 512
N_PARITY = 256


def build_model(
    network: ExpressionNet,
    manifest: Manifest,
    precision: Precision,
    real_faces: UInt8Array | None,
    batch_size: int | None = None,
) -> tuple[bytes, Parity]:
    """The content of an ONNX file, and how it compares with `network`.

    `real_faces` (N, S, S) uint8 set the ranges of int8, which needs them; a third of them is held
    out and only compared on. Without any, noise is compared on. Raises `FerLiveError` where the
    file would read faces differently.
    """
    side = manifest.input_side
    generator = np.random.default_rng(0)
    faces = generator.integers(0, 256, (N_PARITY, side, side), dtype=np.uint8)
    calibration = None
    if real_faces is not None:
        # Every third face is held out: the quantized model is compared on faces it was not set by.
        held_out = np.arange(len(real_faces)) % 3 == 2
        calibration = real_faces[~held_out]
        faces = real_faces[held_out] if held_out.any() else real_faces
    deployed = DeployedNet(network, manifest.temperature).eval()
    model = to_onnx(network, manifest, batch_size)
    parity = compare(deployed, model, faces)
    require_fp32_parity(parity)
    if precision != "fp32":
        if precision == "int8":
            if calibration is None:
                raise ValueError("real_faces: int8 needs some")
            model = to_int8(model, calibration)
        else:
            model = to_fp16(model)
        add_manifest(model, manifest)
        onnx.checker.check_model(model)
        parity = compare(deployed, model, faces)
        if real_faces is not None:
            require_agreement(parity)
    return serialize(model), parity
