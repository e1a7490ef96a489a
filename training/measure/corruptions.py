"""What a webcam does to a face, each in three strengths: for measuring, not for training.

The method of Hendrycks & Dietterich, "Benchmarking Neural Network Robustness to Common
Corruptions" (ICLR 2019), with what goes wrong before a webcam. Training has its own, random forms
of these (`data/augment.py`).
"""

from collections.abc import Callable

import cv2
import numpy as np

from fer_live.datatypes import UInt8Array
from fer_live.model.manifest import CropGeometry

STRENGTHS = (1, 2, 3)

_CROP = CropGeometry()
_EYES_Y = _CROP.center_y - _CROP.eye_mouth_distance / 2
_MOUTH_Y = _CROP.center_y + _CROP.eye_mouth_distance / 2
_PIXELS_OF_STRENGTHS = 48
"""The side of a face for which strengths in pixels are given; they grow with the side."""

Corruption = Callable[[UInt8Array, int, np.random.Generator], UInt8Array]
"""(face (S, S) uint8, strength 1 to 3, random numbers) -> face of the same shape."""


def corrupt(name: str, faces: UInt8Array, strength: int, seed: int = 0) -> UInt8Array:
    """Corrupt every face of (N, S, S) uint8; the same seed gives the same images."""
    if strength not in STRENGTHS:
        raise ValueError(f"strength: expected one of {STRENGTHS}, got {strength}")
    generator = np.random.default_rng([seed, strength])
    corrupted = [CORRUPTIONS[name](face, strength, generator) for face in faces]
    return np.array(corrupted, dtype=np.uint8).reshape(faces.shape)


def small_face(face: UInt8Array, strength: int, _: np.random.Generator) -> UInt8Array:
    """A face far away: 2/3, 1/2 and 1/3 of the pixels a side, enlarged again."""
    side = len(face)
    fewer = max(round(side / (1.5, 2.0, 3.0)[strength - 1]), 1)
    small = cv2.resize(face, (fewer, fewer), interpolation=cv2.INTER_AREA)
    return _uint8(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR))


def defocus(face: UInt8Array, strength: int, _: np.random.Generator) -> UInt8Array:
    """Gaussian blur of 0.7, 1.2 and 2 pixels."""
    sigma = (0.7, 1.2, 2.0)[strength - 1] * len(face) / _PIXELS_OF_STRENGTHS
    return _uint8(cv2.GaussianBlur(face, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))


def motion(face: UInt8Array, strength: int, generator: np.random.Generator) -> UInt8Array:
    """A line of 3, 5 and 9 pixels, in any direction."""
    length = (3, 5, 9)[strength - 1] * len(face) / _PIXELS_OF_STRENGTHS
    size = 2 * int(np.ceil(length / 2)) + 1
    kernel = np.zeros((size, size), dtype=np.float32)
    angle = generator.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    begin, end = (np.rint(size // 2 + sign * reach).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, begin, end, 1.0)
    blurred = cv2.filter2D(face, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    return _uint8(blurred)


def noise(face: UInt8Array, strength: int, generator: np.random.Generator) -> UInt8Array:
    """A sensor in the dark: Gaussian noise of 8, 16 and 28 of 255."""
    return _uint8(face + generator.normal(0, (8, 16, 28)[strength - 1], face.shape))


def jpeg(face: UInt8Array, strength: int, _: np.random.Generator) -> UInt8Array:
    """JPEG of quality 40, 20 and 10."""
    quality = (40, 20, 10)[strength - 1]
    encoded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return _uint8(np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)))


def dark(face: UInt8Array, strength: int, _: np.random.Generator) -> UInt8Array:
    """Gamma 1.7, 2.5 and 4."""
    return _with_gamma(face, (1.7, 2.5, 4.0)[strength - 1])


def bright(face: UInt8Array, strength: int, _: np.random.Generator) -> UInt8Array:
    """Gamma 1 / 1.7, 1 / 2.5 and 1 / 4."""
    return _with_gamma(face, 1 / (1.7, 2.5, 4.0)[strength - 1])


def side_light(face: UInt8Array, strength: int, generator: np.random.Generator) -> UInt8Array:
    """A window on one side: the other one keeps 0.6, 0.35 and 0.15 of its light."""
    ramp = np.linspace(1, (0.6, 0.35, 0.15)[strength - 1], len(face))
    return _uint8(face * (ramp if generator.random() < 0.5 else ramp[::-1]))


def eyes_covered(face: UInt8Array, strength: int, _: np.random.Generator) -> UInt8Array:
    """Dark glasses, 0.10, 0.18 and 0.26 of the face high."""
    return _covered(face, _EYES_Y, (0.10, 0.18, 0.26)[strength - 1], 0.8, value=25)


def mouth_covered(face: UInt8Array, strength: int, _: np.random.Generator) -> UInt8Array:
    """A light mask or a hand, 0.12, 0.22 and 0.34 of the face high."""
    return _covered(face, _MOUTH_Y, (0.12, 0.22, 0.34)[strength - 1], 0.6, value=190)


def misplaced(face: UInt8Array, strength: int, generator: np.random.Generator) -> UInt8Array:
    """A crop shifted by 0.04, 0.08 and 0.12 of its side, in any direction."""
    angle = generator.uniform(0, 2 * np.pi)
    shift = np.array([np.cos(angle), np.sin(angle)]) * (0.04, 0.08, 0.12)[strength - 1]
    return _warped(face, shift=shift)


def wrong_size(face: UInt8Array, strength: int, generator: np.random.Generator) -> UInt8Array:
    """A crop larger or smaller by a factor of 1.08, 1.16 and 1.25."""
    factor = (1.08, 1.16, 1.25)[strength - 1]
    return _warped(face, scale=factor if generator.random() < 0.5 else 1 / factor)


def rolled(face: UInt8Array, strength: int, generator: np.random.Generator) -> UInt8Array:
    """A crop rolled by 8, 16 and 24 degrees, either way."""
    degrees = (8, 16, 24)[strength - 1]
    return _warped(face, roll_degrees=degrees if generator.random() < 0.5 else -degrees)


CORRUPTIONS: dict[str, Corruption] = {
    function.__name__: function
    for function in (
        small_face,
        defocus,
        motion,
        noise,
        jpeg,
        dark,
        bright,
        side_light,
        eyes_covered,
        mouth_covered,
        misplaced,
        wrong_size,
        rolled,
    )
}

CROP_CORRUPTIONS = ("misplaced", "wrong_size", "rolled")
"""The corruptions that a detector causes, not a camera."""


def _with_gamma(face: UInt8Array, gamma: float) -> UInt8Array:
    return _uint8(255 * (face / 255) ** gamma)


def _covered(
    face: UInt8Array, center_y: float, height: float, width: float, *, value: int
) -> UInt8Array:
    side = len(face)
    top, bottom = (round((center_y + half * height) * side) for half in (-0.5, 0.5))
    left, right = (round((_CROP.center_x + half * width) * side) for half in (-0.5, 0.5))
    covered = face.copy()
    covered[max(top, 0) : bottom, max(left, 0) : right] = value
    return covered


def _warped(
    face: UInt8Array,
    *,
    shift: tuple[float, float] | np.ndarray = (0.0, 0.0),
    scale: float = 1.0,
    roll_degrees: float = 0.0,
) -> UInt8Array:
    """Shift, scale and roll a face around its middle.

    Beyond the edge its last pixels are repeated, as in a live crop.
    """
    side = len(face)
    middle = (_CROP.center_x * side, _CROP.center_y * side)
    matrix = cv2.getRotationMatrix2D(middle, roll_degrees, scale)
    matrix[:, 2] += np.asarray(shift) * side
    warped = cv2.warpAffine(
        face, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return _uint8(warped)


def _uint8(image: np.ndarray) -> UInt8Array:
    return np.asarray(np.clip(np.rint(image), 0, 255), dtype=np.uint8)
