"""The form of every data set: one uint8 array of faces, and their labels where there are any."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.errors import DataError


@dataclass(frozen=True, slots=True, eq=False)
class FaceImages:
    """Faces without labels: `images` (N, S, S) uint8 gray; lists name them by their `ids` (N,)."""

    name: str
    images: UInt8Array
    ids: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, slots=True, eq=False)
class LabeledImages:
    """Faces with labels, one row per face.

    Args:
        name: What data this is, in one line.
        classes: The names of the C classes.
        images: (N, S, S) uint8 gray, each the crop of one face, S pixels wide and high.
        labels: (N,) int64, numbers into `classes`.
        ids: (N,) str, name the images in lists: rows or file names of the data set.
        votes: (N, C) float32, the raters' distributions, which sum to 1; None where nobody knows
            them.

    Raises:
        ValueError: The arrays are not of N images and C classes; the message tells the shapes.
    """

    name: str
    classes: tuple[str, ...]
    images: UInt8Array
    labels: NDArray[np.int64]
    ids: NDArray[np.str_]
    votes: FloatArray | None = None

    def __post_init__(self) -> None:
        n = len(self.labels)
        if self.images.ndim != 3 or self.images.shape[0] != n or len(self.ids) != n:
            raise ValueError(f"images: expected ({n}, S, S), got {self.images.shape}")
        if self.votes is not None and self.votes.shape != (n, len(self.classes)):
            raise ValueError(f"votes: expected ({n}, {len(self.classes)}), got {self.votes.shape}")

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, chosen: NDArray[np.bool_]) -> "LabeledImages":
        """Keep the images that `chosen` (N,) marks; where these are all, nothing is copied."""
        if chosen.all():
            return self
        return replace(
            self,
            images=self.images[chosen],
            labels=self.labels[chosen],
            ids=self.ids[chosen],
            votes=None if self.votes is None else self.votes[chosen],
        )

    def with_images(self, images: UInt8Array) -> "LabeledImages":
        """Put other images (N, S, S) under the same labels."""
        return replace(self, images=images)

    def in_classes(self, classes: tuple[str, ...]) -> "LabeledImages":
        """Number the labels by `classes`, which must hold every class that occurs."""
        if self.classes == classes:
            return self
        places = [classes.index(c) if c in classes else -1 for c in self.classes]
        labels = np.array(places, dtype=np.int64)[self.labels]
        return replace(self, classes=classes, labels=labels, votes=None)

    def resized(self, side: int) -> "LabeledImages":
        """Resize every image to `side` pixels."""
        return replace(self, images=resize_faces(self.images, side))


def check_new(seen: dict[str, int], name: str, line: int, where: str) -> None:
    """Note the line that names an image; `DataError` where an earlier one did, for it would count
    twice, perhaps with two labels."""
    if name in seen:
        raise DataError(f"{where}: names {name} a second time, after line {seen[name]}")
    seen[name] = line


def resize_faces(images: UInt8Array, side: int) -> UInt8Array:
    """Resize faces, (N, S, S) -> (N, side, side); the same array where nothing changes."""
    if images.shape[1:] == (side, side):
        return images
    method = cv2.INTER_AREA if side < images.shape[1] else cv2.INTER_CUBIC
    resized = [cv2.resize(image, (side, side), interpolation=method) for image in images]
    return np.asarray(resized, dtype=np.uint8)
