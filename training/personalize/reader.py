"""Lets the closed form read faces by a network of the toolkit's, as by an exported model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.errors import ModelError
from fer_live.model.assets import CHECKPOINT, CPU_MODEL
from fer_live.model.head import Head
from fer_live.model.manifest import EmbeddingStatistics, Manifest
from fer_live.personal.calibration import CalibrationStart
from training.measure.embedding import embed
from training.measure.evaluate import read_faces
from training.models.resnet import ExpressionNet


@dataclass(frozen=True, slots=True, eq=False)
class NetworkReader:
    """A network that reads faces (N, S, S) uint8 as an `ExpressionClassifier` does."""

    network: ExpressionNet
    manifest: Manifest

    def classify(self, faces: UInt8Array) -> FloatArray:
        """Probabilities (N, C)."""
        return read_faces(self.network, self.manifest, faces)

    def embed(self, faces: UInt8Array) -> FloatArray:
        """Embeddings (N, D)."""
        return embed(self.network, np.ascontiguousarray(faces))


def variants_of(checkpoint: Path, manifest: Manifest) -> Path | None:
    """The folder of the ONNX files that were made from a checkpoint: the shipped one's, and those
    of an installed model. None where the files beside it are of another model, or not there."""
    folder = checkpoint.parent
    if checkpoint.name != CHECKPOINT or not (folder / CPU_MODEL).is_file():
        return None
    try:
        found = CalibrationStart.open(folder)
    except ModelError:
        return None
    same = ("labels", "crop", "temperature", "embedding", "architecture", "training")
    is_same = all(getattr(found.manifest, name) == getattr(manifest, name) for name in same)
    return folder if is_same else None


def open_network(
    network: ExpressionNet, manifest: Manifest, statistics: EmbeddingStatistics
) -> CalibrationStart:
    """A network as the start of a calibration; it has no folder of exported files."""
    head = head_of(network)
    reader = NetworkReader(network, manifest)
    return CalibrationStart(Path(), reader, head, head.rows(slice(0)), statistics)


def head_of(network: ExpressionNet) -> Head:
    """Copy the classifier of a network."""
    layer = network.classifier
    return Head(
        layer.weight.detach().numpy().astype(np.float32),
        layer.bias.detach().numpy().astype(np.float32),
    )
