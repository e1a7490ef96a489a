"""Describes a face by its looks, so that two pictures of one person lie near each other.

What it gives is biometric data. It is for grouping the faces of one recording, offline and where
the person asked for it: kept in memory while that runs, and written nowhere.
"""

from pathlib import Path

import cv2
import numpy as np

from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.model.assets import asset
from fer_live.model.manifest import CropGeometry
from fer_live.vision.classifier import onnx_runtime

DESCRIPTOR_MODEL = "face_descriptor.onnx"
DESCRIPTOR_SIDE = 150
DESCRIPTOR_CROP = CropGeometry(
    eye_distance=0.353, eye_mouth_distance=0.40, center_x=0.4935, center_y=0.51
)
"""Where dlib's mean face has eyes and mouth in a chip with a padding of a quarter."""

SAME_PERSON_LIMIT = 0.400
"""Two faces whose descriptors are nearer than this are one person's. Set on FairFace: of pairs of
the same sex, age band and group 0.5 % are nearer in the group where that is most frequent."""

_SHARPNESS_SIDE = 40
_MIDDLE = slice(DESCRIPTOR_SIDE // 6, DESCRIPTOR_SIDE - DESCRIPTOR_SIDE // 6)
_MEAN, _SPREAD, _LEAST_SPREAD = 118.0, 48.0, 8.0
_BATCH = 16


class FaceDescriptor:
    """dlib's descriptor (public domain; `assets/make_face_descriptor.py`), on one CPU thread.

    Each face is brought to the same sharpness and light before, and described as it is and
    mirrored: as it comes, a blurred picture of a person is as far from a sharp one as another
    person. 10 to 25 ms a face.
    """

    def __init__(self, model: Path | None = None) -> None:
        runtime = onnx_runtime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = runtime.InferenceSession(
            str(model or asset(DESCRIPTOR_MODEL)), options, providers=["CPUExecutionProvider"]
        )

    def describe(self, faces: UInt8Array) -> FloatArray:
        """(N, 150, 150) uint8 gray crops by `DESCRIPTOR_CROP` -> (N, 128) float32; N may be 0."""
        if len(faces) == 0:
            return np.zeros((0, 128), np.float32)
        alike = np.stack([_in_one_light(face) for face in faces])
        both = (self._run(alike) + self._run(alike[:, :, ::-1])) / 2
        return np.asarray(both, np.float32)

    def _run(self, faces: UInt8Array) -> FloatArray:
        batches = [
            self._session.run(None, {"faces": np.ascontiguousarray(faces[i : i + _BATCH, None])})[0]
            for i in range(0, len(faces), _BATCH)
        ]
        return np.concatenate(batches)


def _in_one_light(face: UInt8Array) -> UInt8Array:
    """A face with the sharpness, mean and spread of gray that all get."""
    small = cv2.resize(face, (_SHARPNESS_SIDE, _SHARPNESS_SIDE), interpolation=cv2.INTER_AREA)
    soft = cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    middle = soft[_MIDDLE, _MIDDLE]
    spread = max(float(middle.std()), _LEAST_SPREAD)
    even = (soft - middle.mean()) / spread * _SPREAD + _MEAN
    return np.asarray(np.clip(even, 0, 255), np.uint8)
