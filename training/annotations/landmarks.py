"""Measures every face of a data set by MediaPipe's Face Landmarker.

Each measure is the same for a face and its mirror image, so that augmentation, which mirrors half
of the faces, changes none of them.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import BLENDSHAPES, FaceLandmarks, FloatArray, UInt8Array
from fer_live.vision.landmarker import FaceLandmarker
from training.annotations.enlarged import Measured, annotate
from training.config import TrainConfig

_SIDES = ("Left", "Right")
_PAIRS = tuple(name.removesuffix("Left") for name in BLENDSHAPES if name.endswith("Left"))
_SINGLE = tuple(name for name in BLENDSHAPES if not name.endswith(_SIDES))
_ONE_SIDED = (
    *("mouthDimple", "mouthFrown", "mouthPress", "mouthSmile", "mouthStretch", "mouthUpperUp"),
    *("eyeBlink", "eyeSquint", "browDown"),
)
"""Of these the difference between the sides tells something: contempt raises one corner."""

_DISTANCES = {
    "eye opening": ((159, 145), (386, 374)),
    "brow above eye, inner": ((107, 133), (336, 362)),
    "brow above eye, middle": ((105, 159), (334, 386)),
    "brows apart": ((107, 336),),
    "mouth width": ((61, 291),),
    "mouth opening": ((13, 14),),
    "corner to nose": ((61, 1), (291, 1)),
    "upper lip to nose": ((0, 2),),
    "lips high": ((0, 17),),
    "chin to nose": ((152, 1),),
}
"""Pairs of points of MediaPipe's face mesh, as seen in the image: right eye 33 and 133."""
_EYE_CENTERS = ((33, 133), (362, 263))
_MOST_DEVIATIONS = 4.0

MEASURES = (
    *_SINGLE,
    *_PAIRS,
    *(f"{name} one-sided" for name in _ONE_SIDED),
    *_DISTANCES,
    "turned aside",
    "nodded",
)


def measure_landmarks(config: TrainConfig) -> Measured:
    """Measure every face that a config trains on; each measure gets mean 0 and deviation 1.

    Blendshapes are averaged over both sides; of some, the difference between the sides is a measure
    of its own. Distances between points of the mesh, in space, are in distances between the eyes.
    """
    with FaceLandmarker() as landmarker:

        def measure(face: UInt8Array, side: int) -> FloatArray | None:
            found = landmarker.measure(face)
            return None if found is None else measures_of(found)

        measured = annotate(
            config, "landmarks", MEASURES, measure, {"model": "face_landmarker.task"}
        )
    annotations = measured.annotations
    if len(annotations.values) == 0:
        return measured
    values = _standardized(annotations.values)
    return replace(measured, annotations=replace(annotations, values=values))


def measures_of(face: FaceLandmarks) -> FloatArray:
    """Compute the measures of one face, (len(MEASURES),) float32, not standardized yet."""
    shapes = dict(zip(BLENDSHAPES, face.blendshapes.tolist(), strict=True))
    both = {name: [shapes[f"{name}{side}"] for side in _SIDES] for name in _PAIRS}
    points = face.points_xyz
    eyes = [points[list(corners)].mean(axis=0) for corners in _EYE_CENTERS]
    between_eyes = max(float(np.linalg.norm(eyes[0] - eyes[1])), 1e-6)
    distances = [
        np.mean([np.linalg.norm(points[a] - points[b]) for a, b in pairs]) / between_eyes
        for pairs in _DISTANCES.values()
    ]
    ahead_x, ahead_y, _ = face.head_pose[:3, 2] / np.linalg.norm(face.head_pose[:3, 2])
    values = [
        *(shapes[name] for name in _SINGLE),
        *(sum(both[name]) / 2 for name in _PAIRS),
        *(abs(both[name][0] - both[name][1]) for name in _ONE_SIDED),
        *distances,
        abs(np.arcsin(ahead_x)),
        np.arcsin(ahead_y),
    ]
    return np.array(values, dtype=np.float32)


def _standardized(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Take each column of (N, L) to mean 0 and deviation 1, none beyond four deviations."""
    deviation = np.maximum(values.std(axis=0), 1e-6)
    scaled = (values - values.mean(axis=0)) / deviation
    return np.asarray(np.clip(scaled, -_MOST_DEVIATIONS, _MOST_DEVIATIONS), dtype=np.float32)
