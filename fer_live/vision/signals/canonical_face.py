"""MediaPipe's canonical face model, read from the landmarker's own bundle."""

import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray
from fer_live.model.assets import asset

_BUNDLE = "face_landmarker.task"
_METADATA = "geometry_pipeline_metadata_landmarks.binarypb"
_MESH, _VERTEX_BUFFER, _INDEX_BUFFER = 1, 3, 4
"""Fields of mediapipe/tasks/cc/vision/face_geometry/proto: canonical_mesh, and of Mesh3d."""
_NUMBERS_A_VERTEX = 5


@dataclass(frozen=True, slots=True, eq=False)
class CanonicalFace:
    """A face at rest that looks straight ahead.

    Args:
        vertices_cm: (468, 3) float32 centimetres: x to the image's right, y up, z to the camera.
        triangles: (n, 3) numbers of vertices.
    """

    vertices_cm: FloatArray
    triangles: NDArray[np.int64]


@cache
def canonical_face() -> CanonicalFace:
    """The canonical face; its file is read once."""
    with zipfile.ZipFile(io.BytesIO(asset(_BUNDLE).read_bytes())) as bundle:
        metadata = bundle.read(_METADATA)
    mesh = next(value for field, value in _fields(metadata) if field == _MESH)
    floats = b"".join(value for field, value in _fields(mesh) if field == _VERTEX_BUFFER)
    numbers = [n for field, value in _fields(mesh) if field == _INDEX_BUFFER for n in _ints(value)]
    # Of a vertex's five numbers, the last two are its place on a texture.
    vertices = np.frombuffer(floats, "<f4").reshape(-1, _NUMBERS_A_VERTEX)[:, :3]
    return CanonicalFace(np.ascontiguousarray(vertices), np.reshape(numbers, (-1, 3)))


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a protocol buffer's message, in order; a number as its bytes on the wire."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == 2:
            size, at = _varint(message, at)
        else:
            size = struct.calcsize("<f") if kind == 5 else _varint(message, at)[1] - at
        yield key >> 3, message[at : at + size]
        at += size


def _ints(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        yield value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at
