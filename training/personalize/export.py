"""The last stage of a retraining: write the new model, as a checkpoint and as both ONNX files."""

import copy
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from fer_live.base.atomic_file import write_atomically
from fer_live.datatypes import UInt8Array
from fer_live.errors import PrecisionError
from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL
from fer_live.model.head import Head, with_head
from fer_live.model.manifest import Manifest
from training.models.checkpoint import MODEL_FILE, save_model
from training.models.resnet import ExpressionNet
from training.personalize.progress import OnProgress

Precision = Literal["fp32", "int8"]
BuildModels = Callable[
    [ExpressionNet, Manifest, Sequence[Precision], UInt8Array],
    Iterable[tuple[str, bytes, object]],
]
"""(network, manifest, precisions, faces (N, S, S) that set the ranges of int8) -> the precision and
content of each ONNX file, and how it compares with the network: `export.build.build_models`, which
this room must not import."""

_MAX_SAMPLE = 768
"""Faces that the int8 model is made and compared with."""


def put_head(network: ExpressionNet, head: Head) -> ExpressionNet:
    """Copy a network with another classifier."""
    changed = copy.deepcopy(network)
    with torch.no_grad():
        changed.classifier.weight.copy_(torch.from_numpy(head.weights))
        changed.classifier.bias.copy_(torch.from_numpy(head.bias))
    return changed


def write_checkpoints(out: Path, network: ExpressionNet, manifest: Manifest) -> None:
    """Write the checkpoint twice, for training and for installation."""
    save_model(out / MODEL_FILE, network, manifest)
    save_model(out / CHECKPOINT, network, manifest)


def write_with_head(out: Path, variants: Path, head: Head, manifest: Manifest) -> None:
    """Write the ONNX files of the start with another classifier: nothing else has changed."""
    for name in (GPU_MODEL, CPU_MODEL):
        write_atomically(out / name, with_head(variants / name, head, manifest))


def build_variants(
    out: Path,
    network: ExpressionNet,
    manifest: Manifest,
    faces: UInt8Array,
    build_models: BuildModels,
    tell: Callable[[str], None],
    on_progress: OnProgress,
) -> None:
    """Export the network; `faces` (N, S, S) of the person, cut as live, set the ranges of int8.

    Where int8 reads too many of them otherwise than the network, the CPU gets fp32 as well, which
    is larger and slower, and reads what the network reads.
    """
    sample = faces[np.linspace(0, len(faces) - 1, min(len(faces), _MAX_SAMPLE)).astype(int)]
    whole = b""
    try:
        for precision, content, _ in build_models(network, manifest, ("fp32", "int8"), sample):
            if precision == "fp32":
                whole = content
                write_atomically(out / GPU_MODEL, whole)
                on_progress("export", 0.5)
            else:
                write_atomically(out / CPU_MODEL, content)
    except PrecisionError:
        tell(
            "the model: in whole numbers it would read too many of your faces otherwise, so it "
            "keeps fractions on every processor; it takes four times the space, and more time"
        )
        write_atomically(out / CPU_MODEL, whole)
