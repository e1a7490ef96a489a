"""Compares an exported model with the network that it came from."""

from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime as ort
import torch

from export.to_onnx import DeployedNet, serialize
from fer_live.datatypes import UInt8Array
from fer_live.errors import FerLiveError, PrecisionError

MAX_DIFFERENCE_FP32 = 1e-4
MAX_DIFFERENCE_FP16 = 2e-2
MIN_AGREEMENT = 0.9


@dataclass(frozen=True, slots=True)
class Parity:
    """How an exported model compares with its network on `n_faces` faces.

    `max_difference` is the largest difference of any probability. `agreement` is the share of faces
    that get the same label from both. `heat_map_difference` is the largest mean difference of a
    heat map, among the faces with the same label. `embedding_difference` is the mean difference of
    the embeddings' numbers, in standard deviations of all of them.
    """

    n_faces: int
    max_difference: float
    heat_map_difference: float
    agreement: float
    embedding_difference: float = 0.0


def compare(deployed: DeployedNet, model: onnx.ModelProto, faces: UInt8Array) -> Parity:
    """Run network and model on `faces` (N, S, S) uint8: torch in fp32, ONNX Runtime on the CPU."""
    session = ort.InferenceSession(serialize(model), providers=["CPUExecutionProvider"])
    fixed = session.get_inputs()[0].shape[0]
    size = fixed if isinstance(fixed, int) else len(faces)
    n_batches = -(-len(faces) // size)
    faces = np.resize(faces, (n_batches * size, *faces.shape[1:]))  # the last batch is filled up
    batches = np.split(faces[:, None], n_batches)
    answers = [session.run(list(deployed.outputs), {"faces": batch}) for batch in batches]
    exported = [np.concatenate(parts) for parts in zip(*answers, strict=True)]
    with torch.inference_mode():
        original = [values.numpy() for values in deployed(torch.from_numpy(faces[:, None]))]
    of_probs, of_heat_maps, of_embeddings = (
        np.abs(a - b) for a, b in zip(exported, original, strict=True)
    )
    same_label = exported[0].argmax(1) == original[0].argmax(1)
    of_faces = of_heat_maps[same_label].mean(axis=(1, 2))
    return Parity(
        len(faces),
        float(of_probs.max()),
        float(of_faces.max(initial=0)),
        float(same_label.mean()),
        float(of_embeddings.mean() / max(float(original[2].std()), 1e-6)),
    )


def require_fp32_parity(parity: Parity) -> None:
    """Refuse an fp32 export that does not compute what the network does."""
    _require(parity, MAX_DIFFERENCE_FP32)


def require_fp16_parity(parity: Parity) -> None:
    """Refuse a half-precision export whose numbers overflow, or are too coarse."""
    _require(parity, MAX_DIFFERENCE_FP16)


def _require(parity: Parity, limit: float) -> None:
    difference = max(parity.max_difference, parity.heat_map_difference, parity.embedding_difference)
    if not difference <= limit:
        raise FerLiveError(
            f"the exported model differs from the network by {difference:.2g}, more "
            f"than {limit:g}; nothing was written"
        )


def require_agreement(parity: Parity) -> None:
    """Refuse a model of lower precision that reads real faces differently.

    One face alone decides nothing: of the few faces of a person, it may lie between two labels.
    """
    n_differing = (1 - parity.agreement) * parity.n_faces
    if not n_differing <= max(1.0, (1 - MIN_AGREEMENT) * parity.n_faces) + 1e-6:
        raise PrecisionError(
            f"the exported model gives another label on {1 - parity.agreement:.0%} of the faces, "
            f"more than {1 - MIN_AGREEMENT:.0%}; nothing was written. Are these real face crops?"
        )
