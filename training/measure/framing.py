"""Measures where faces lie in a data set's images, from which `CropGeometry` has its defaults."""

from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from fer_live.vision.alignment import LEFT_EYE, MOUTH, RIGHT_EYE
from fer_live.vision.detector import FaceDetector
from training.data.fer2013 import SIDE, load_fer2013
from training.data.sources import split_source

_N_IMAGES = 3000
_ENLARGE = 4
_MARGIN = SIDE // 2


def measure_framing(data: str) -> dict[str, Any]:
    """Run the app's detector on FER2013 Training images; medians in fractions of the side.

    Images are enlarged 4 times and given a margin of half a side (their edge repeated), because the
    detector wants to see around a face. 3,000 images are drawn with seed 0.
    """
    _, folder = split_source(data, ("fer2013",))
    images = load_fer2013(folder).select("Training", "fer2013").images
    chosen = np.random.default_rng(0).choice(
        len(images), min(_N_IMAGES, len(images)), replace=False
    )
    keypoints = []
    with FaceDetector("short") as detector:
        for image in tqdm(images[chosen], desc="detecting", unit="img", disable=None):
            padded = cv2.copyMakeBorder(
                image, _MARGIN, _MARGIN, _MARGIN, _MARGIN, cv2.BORDER_REPLICATE
            )
            large = cv2.resize(
                padded, None, fx=_ENLARGE, fy=_ENLARGE, interpolation=cv2.INTER_CUBIC
            )
            image_bgr = np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
            found = detector.detect(image_bgr, 0.0)
            if found:
                keypoints.append((found[0].keypoints_xy / _ENLARGE - _MARGIN) / SIDE)
    points = np.array(keypoints)
    between_eyes = (points[:, LEFT_EYE] + points[:, RIGHT_EYE]) / 2
    center = (between_eyes + points[:, MOUTH]) / 2
    eye_distance = np.linalg.norm(points[:, RIGHT_EYE] - points[:, LEFT_EYE], axis=1)
    eye_mouth = np.linalg.norm(points[:, MOUTH] - between_eyes, axis=1)
    return {
        "n_images": len(chosen),
        "n_found": len(points),
        "eye_distance": round(float(np.median(eye_distance)), 3),
        "eye_mouth_distance": round(float(np.median(eye_mouth)), 3),
        "center_x": round(float(np.median(center[:, 0])), 3),
        "center_y": round(float(np.median(center[:, 1])), 3),
    }
