"""Faces that are taken by row, from memory or from files larger than it."""

import hashlib
import mmap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray, UInt8Array
from training.data.labeled_images import LabeledImages

_CHUNK = 4096


class FacePool:
    """Rows of several arrays of faces, one after another; nothing is copied until it is taken.

    The arrays may be mapped from disk (`numpy.memmap`). What was read of them is given back to the
    system at once, which keeps it for all processes as long as there is room: a page that is
    touched brings a megabyte around it into this process's memory, so that a few thousand rows
    would fill it. Giving back takes 0.15 ms a batch.

    Args:
        parts: Arrays (N, S, S) uint8 of one side, each with the rows (K,) int64 that count.
    """

    def __init__(self, parts: Iterable[tuple[UInt8Array, NDArray[np.int64]]]) -> None:
        self._parts = tuple(parts)
        self._ends = np.cumsum([len(rows) for _, rows in self._parts], dtype=np.int64)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @property
    def in_memory(self) -> bool:
        """Whether no part is mapped from disk."""
        return not any(isinstance(images, np.memmap) for images, _ in self._parts)

    def take(self, rows: NDArray[np.int64]) -> UInt8Array:
        """Copy the faces of some rows, in their order: (len(rows), S, S) uint8."""
        side = self._parts[0][0].shape[1]
        faces = np.empty((len(rows), side, side), dtype=np.uint8)
        which = np.searchsorted(self._ends, rows, side="right")
        for number, (images, own) in enumerate(self._parts):
            places = np.flatnonzero(which == number)
            begin = self._ends[number] - len(own)
            faces[places] = images[own[rows[places] - begin]]
            give_back(images)
        return faces

    def all(self) -> UInt8Array:
        """Copy all faces, (N, S, S) uint8."""
        return self.take(np.arange(len(self)))

    def chunks(self, rows: NDArray[np.int64] | None = None) -> Iterator[UInt8Array]:
        """Yield the faces of some rows, or all, a few thousand at a time."""
        chosen = np.arange(len(self)) if rows is None else rows
        for begin in range(0, len(chosen), _CHUNK):
            yield self.take(chosen[begin : begin + _CHUNK])

    def __add__(self, other: "FacePool") -> "FacePool":
        return FacePool((*self._parts, *other._parts))


@dataclass(frozen=True, slots=True, eq=False)
class LabeledFaces:
    """Labeled faces of a run, as `LabeledImages` but with the faces in a pool."""

    name: str
    classes: tuple[str, ...]
    faces: FacePool
    labels: NDArray[np.int64]
    votes: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def rows_of(cls, data: LabeledImages, rows: NDArray[np.int64]) -> "LabeledFaces":
        """Take some rows of a data set, without a copy of its images."""
        votes = None if data.votes is None else data.votes[rows]
        faces = FacePool([(data.images, rows)])
        return cls(data.name, data.classes, faces, data.labels[rows], votes)


def give_back(images: UInt8Array) -> None:
    """Let the system have the memory into which a mapped array was read; other arrays stay."""
    mapped = getattr(images, "_mmap", None)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def fingerprints(images: UInt8Array) -> Iterator[bytes]:
    """Yield 16 bytes for each image (N, S, S), the same for equal images alone."""
    for begin in range(0, len(images), _CHUNK):
        for image in np.ascontiguousarray(images[begin : begin + _CHUNK]):
            yield hashlib.blake2b(image, digest_size=16).digest()
        give_back(images)
