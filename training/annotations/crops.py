"""Cuts every face of a data set as the app would cut it out of a frame."""

import cv2
import numpy as np

from fer_live.datatypes import UInt8Array
from fer_live.model.manifest import CropGeometry
from fer_live.vision.alignment import align_face
from fer_live.vision.detector import FaceDetector
from training.annotations.enlarged import Measured, annotate
from training.config import TrainConfig

_MARGIN_SHARE = 4
"""The detector wants to see around a face: a quarter of the side, the edge repeated."""


def cut_as_the_app_does(config: TrainConfig) -> Measured:
    """Find the face in each image that a config trains on, and cut it as the app does.

    The images are enlarged to 192 pixels and get a margin, their edge repeated. An image in which
    the app's detector finds nothing keeps its own crop.
    """
    with FaceDetector("short") as detector:

        def cut(face: UInt8Array, side: int) -> UInt8Array | None:
            return _cut(detector, face, side)

        return annotate(
            config, "crops", (), cut, {"crop": CropGeometry().model_dump(), "detector": "short"}
        )


def _cut(detector: FaceDetector, face: UInt8Array, side: int) -> UInt8Array | None:
    margin = len(face) // _MARGIN_SHARE
    padded = cv2.copyMakeBorder(face, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    image_bgr = np.asarray(cv2.cvtColor(padded, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
    found = detector.detect(image_bgr, 0.0)
    return align_face(image_bgr, found[0], side, CropGeometry()) if found else None
