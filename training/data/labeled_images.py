"""What every labeled data set becomes: one uint8 tensor of faces and their targets."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray, UInt8Array


@dataclass(frozen=True, slots=True, eq=False)
class LabeledImages:
    """`images` (N, S, S) uint8 gray; `labels` (N,) int64 into `classes`; `votes` (N, C) or None.

    `votes` rows are the raters' distributions and sum to 1. `name` says what this is, in one line.
    """

    name: str
    classes: tuple[str, ...]
    images: UInt8Array
    labels: NDArray[np.int64]
    votes: FloatArray | None = None

    def __post_init__(self) -> None:
        n = len(self.labels)
        if self.images.ndim != 3 or self.images.shape[0] != n:
            raise ValueError(f"images: expected ({n}, S, S), got {self.images.shape}")
        if self.votes is not None and self.votes.shape != (n, len(self.classes)):
            raise ValueError(f"votes: expected ({n}, {len(self.classes)}), got {self.votes.shape}")

    def __len__(self) -> int:
        return len(self.labels)


def resize_faces(images: UInt8Array, side: int) -> UInt8Array:
    """(N, S, S) -> (N, side, side), the same array where nothing changes."""
    if images.shape[1:] == (side, side):
        return images
    method = cv2.INTER_AREA if side < images.shape[1] else cv2.INTER_CUBIC
    resized = [cv2.resize(image, (side, side), interpolation=method) for image in images]
    return np.asarray(resized, dtype=np.uint8)
