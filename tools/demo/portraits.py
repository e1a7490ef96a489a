"""The four portraits, where they lie, and how each of them sits before its camera."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fer_live.datatypes import UInt8Array

TILE_WH = (300, 496)
"""Pixels of one person's picture in the clip."""
MARGIN_PX = 40
"""What a canvas has beyond its tile on each side, so that heads and cameras can move."""

FREECOL = Path("/usr/share/games/freecol/default/resources/images/foundingFathers")
_INSIDE_FRAME = (slice(76, 398), slice(76, 328))
"""FreeCol paints a gilt frame around its portraits."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """One portrait, and which part of it is shown.

    Args:
        name: Of the person.
        sha256: Of the file, so that the clip is made from the very pictures that NOTICE names.
        eyes_px: Distance of the pupils in the clip, in pixels.
        eyes_at: Where the point between the pupils lies in the tile, in fractions of it.
    """

    name: str
    sha256: str
    eyes_px: float
    eyes_at: tuple[float, float]

    def read(self) -> UInt8Array:
        """The picture as it ships elsewhere, (H, W, 3) uint8 BGR; `SystemExit` if it is another."""
        file = _FILES[self.name]()
        if not file.exists():
            raise SystemExit(f"{file} is missing: apt-get install freecol")
        if hashlib.sha256(file.read_bytes()).hexdigest() != self.sha256:
            raise SystemExit(f"{file} is not the portrait that assets/NOTICE names")
        image = cv2.imread(str(file), cv2.IMREAD_COLOR)
        inside = image[_INSIDE_FRAME] if FREECOL in file.parents else image
        return np.asarray(inside, np.uint8)


def _in_package(package: str, file: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"{package} is missing, which has a portrait: pip install scikit-image")
    return Path(found.submodule_search_locations[0]) / file


_FILES = {
    "Collins": lambda: _in_package("skimage", "data/astronaut.png"),
    "Hopper": lambda: _in_package("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    "Washington": lambda: FREECOL / "georgeWashington.size6.jpg",
    "Franklin": lambda: FREECOL / "benjaminFranklin.size6.jpg",
}

PORTRAITS = (
    Portrait(
        "Collins",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        eyes_px=72,
        eyes_at=(0.50, 0.36),
    ),
    Portrait(
        "Washington",
        "d0c7015bae5508812c52516290e79bd24d2f23d2c21175377da03df9b52f8fa1",
        eyes_px=66,
        eyes_at=(0.44, 0.40),
    ),
    Portrait(
        "Hopper",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
        eyes_px=72,
        eyes_at=(0.50, 0.38),
    ),
    Portrait(
        "Franklin",
        "535e9019969227495e103052e5355b148e07b5b84828beeaded441ad7b867591",
        eyes_px=64,
        eyes_at=(0.52, 0.38),
    ),
)


def canvas(portrait: Portrait, image: UInt8Array, pupils_xy: np.ndarray) -> UInt8Array:
    """The portrait upright and at the clip's scale, with `MARGIN_PX` around its tile.

    Args:
        portrait: Which one.
        image: (H, W, 3) as `read` gives it.
        pupils_xy: (2, 2) the pupils at the picture's left and right, in its pixels.
    """
    across = pupils_xy[1] - pupils_xy[0]
    scale = portrait.eyes_px / float(np.hypot(*across))
    roll = float(np.degrees(np.arctan2(across[1], across[0])))
    middle = pupils_xy.mean(axis=0)
    to_canvas = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), roll, scale)
    target = np.array(TILE_WH) * portrait.eyes_at + MARGIN_PX
    to_canvas[:, 2] += target - middle
    size = (TILE_WH[0] + 2 * MARGIN_PX, TILE_WH[1] + 2 * MARGIN_PX)
    drawn = cv2.warpAffine(
        image, to_canvas, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    white = np.full(image.shape[:2], 255, np.uint8)
    there = cv2.warpAffine(white, to_canvas, size, flags=cv2.INTER_NEAREST) > 0
    return _soft_beyond(np.asarray(drawn, np.uint8), there)


def _soft_beyond(drawn: UInt8Array, there: np.ndarray) -> UInt8Array:
    """Beyond the portrait's edge its last pixels, blurred: first a little, then much."""
    padded = cv2.copyMakeBorder(there.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    inside = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    beyond = cv2.distanceTransform(1 - padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    distance = beyond - inside
    soft = drawn.astype(np.float32)
    for sigma, begins_px, over_px in ((8, -16, 20), (24, -6, 16), (48, 8, 24)):
        share = np.clip((distance - begins_px) / over_px, 0, 1)[..., None]
        soft = soft * (1 - share) + cv2.GaussianBlur(soft, (0, 0), sigma) * share
    return np.asarray(np.clip(soft, 0, 255), np.uint8)
