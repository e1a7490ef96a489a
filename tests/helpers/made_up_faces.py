"""Good pictures of a face, spoilt in one known way each, in a strength that can be set."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from fer_live.datatypes import UInt8Array

FRAME_WH = (640, 480)
_GAMMA = 2.2
_EYE_DISTANCE = 0.363
"""Of the side that a face's crop has, as the shipped models have it."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """A good picture (H, W, 3) uint8 with one face, and its key points (6, 2) in pixels."""

    image_bgr: UInt8Array
    keypoints_xy: np.ndarray

    @property
    def middle_xy(self) -> np.ndarray:
        """Midway between eyes and mouth."""
        eyes, mouth = self.keypoints_xy[:2].mean(axis=0), self.keypoints_xy[3]
        return np.asarray((eyes + mouth) / 2)

    @property
    def unit(self) -> float:
        """The side of its crop, in pixels."""
        left, right, mouth = self.keypoints_xy[[0, 1, 3]]
        down = np.linalg.norm(mouth - (left + right) / 2)
        return float(max(np.linalg.norm(right - left) / _EYE_DISTANCE, down / 0.39))

    def at(self, x: float, y: float) -> tuple[int, int]:
        """A place of the picture, in units to the right of the middle and below it, upright."""
        across = self.keypoints_xy[1] - self.keypoints_xy[0]
        across = across / max(float(np.linalg.norm(across)), 1e-6)
        down = np.array([-across[1], across[0]])
        place = self.middle_xy + self.unit * (x * across + y * down)
        return round(float(place[0])), round(float(place[1]))


Spoil = Callable[[Portrait, float, np.random.Generator], UInt8Array]


def in_frame(portrait: Portrait, side: float, center_xy: tuple[float, float]) -> UInt8Array:
    """The portrait in a frame of 640x480, its crop `side` pixels large, its edges repeated."""
    scale = side / portrait.unit
    image = portrait.image_bgr
    if scale < 0.5:  # in steps, or it would alias
        image = cv2.resize(image, None, fx=2 * scale, fy=2 * scale, interpolation=cv2.INTER_AREA)
    left = image.shape[1] / portrait.image_bgr.shape[1]
    move = np.array(center_xy) - scale * portrait.middle_xy
    matrix = np.array([[scale / left, 0, move[0]], [0, scale / left, move[1]]])
    frame = cv2.warpAffine(
        image, matrix, FRAME_WH, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(frame, np.uint8)


def small(portrait: Portrait, side: float, _: np.random.Generator) -> UInt8Array:
    """Few pixels: the whole picture is shrunk until the crop is `side` pixels large."""
    scale = side / portrait.unit
    image = portrait.image_bgr
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def dark(portrait: Portrait, light: float, generator: np.random.Generator) -> UInt8Array:
    """A share `light` of the light, and a sensor's noise of 3 of 255."""
    image = _lit(portrait.image_bgr, np.float32(light))
    return _uint8(image + generator.normal(0, 3, image.shape))


def backlit(portrait: Portrait, light: float, generator: np.random.Generator) -> UInt8Array:
    """A bright window behind: the head has a share `light` of its light."""
    height, width = portrait.image_bgr.shape[:2]
    head = np.zeros((height, width), np.float32)
    size = round(0.62 * portrait.unit), round(0.85 * portrait.unit)
    cv2.ellipse(head, portrait.at(0, 0.05), size, 0, 0, 360, 1.0, -1)
    body_left, body_top = portrait.at(-1.2, 0.85)
    cv2.rectangle(head, (body_left, body_top), (portrait.at(1.2, 9)[0], height), 1.0, -1)
    head = cv2.GaussianBlur(head, (0, 0), 0.04 * portrait.unit)[..., None]
    lit = _lit(portrait.image_bgr, np.float32(light))
    lit = lit + generator.normal(0, 2, lit.shape)
    return _uint8(head * lit + (1 - head) * 245)


def bright(portrait: Portrait, light: float, _: np.random.Generator) -> UInt8Array:
    """Overexposed: `light` times as much light."""
    return _uint8(_lit(portrait.image_bgr, np.float32(light)))


def defocused(portrait: Portrait, sigma: float, _: np.random.Generator) -> UInt8Array:
    """Out of focus: a Gaussian blur of `sigma` 48ths of the crop's side."""
    return _uint8(cv2.GaussianBlur(portrait.image_bgr, (0, 0), sigma * portrait.unit / 48))


def moved(portrait: Portrait, length: float, generator: np.random.Generator) -> UInt8Array:
    """Moved while it was taken: a line of `length` 48ths of the crop's side, in any direction."""
    length_px = length * portrait.unit / 48
    size = 2 * int(np.ceil(length_px / 2)) + 1
    kernel = np.zeros((size, size), np.float32)
    angle = generator.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * length_px / 2
    ends = (np.rint(size // 2 + sign * reach).astype(int).tolist() for sign in (-1, 1))
    cv2.line(kernel, *ends, 1.0)  # type: ignore[call-overload]
    return _uint8(cv2.filter2D(portrait.image_bgr, -1, kernel / kernel.sum()))


def turned(portrait: Portrait, degrees: float, generator: np.random.Generator) -> UInt8Array:
    """The head turned to the left or the right by `degrees`, as an egg with a nose would look."""
    sign = 1 if generator.random() < 0.5 else -1
    return _rotated(portrait, float(sign * degrees))


def mouth_covered(portrait: Portrait, height: float, generator: np.random.Generator) -> UInt8Array:
    """A mask, a hand or a cup over the mouth, up to `height` of the crop above it."""
    image = portrait.image_bgr.copy()
    mouth_y = 0.195
    kind = generator.integers(3)
    if kind == 0:  # a mask: smooth, and as wide as the face
        corners = [(-0.48, mouth_y - height), (0.48, mouth_y - height), (0.3, 0.6), (-0.3, 0.6)]
        shape = np.array([portrait.at(x, y) for x, y in corners])
        _fill(image, shape, _cloth(image.shape, generator, portrait.unit))
    elif kind == 1:  # a fist or the back of a hand: as the forehead, with fingers
        _fill(image, _finger_shapes(portrait, mouth_y + 0.06, height), _skin(portrait, generator))
    else:  # a cup or a telephone: one colour
        x = generator.uniform(-0.08, 0.08)
        corners = [(x - 0.26, mouth_y - height), (x + 0.26, mouth_y - height)]
        corners += [(x + 0.24, mouth_y + 0.45), (x - 0.24, mouth_y + 0.45)]
        shape = np.array([portrait.at(*corner) for corner in corners])
        _fill(image, shape, _plain(image.shape, generator))
    return image


def eyes_covered(portrait: Portrait, height: float, generator: np.random.Generator) -> UInt8Array:
    """Dark glasses, hands or hair over both eyes, `height` of the crop above and below."""
    image = portrait.image_bgr.copy()
    eye_x, eye_y = 0.5 * _EYE_DISTANCE, -0.195
    kind = generator.integers(3)
    if kind == 0:  # dark glasses with a bridge
        dark_glass = np.full(image.shape, generator.integers(8, 45), np.uint8)
        for x in (-eye_x, eye_x):
            size = round((0.155) * portrait.unit), round(height * portrait.unit)
            oval = cv2.ellipse2Poly(portrait.at(x, eye_y + 0.02), size, 0, 0, 360, 10)
            _fill(image, oval, dark_glass)
        bridge = [(-0.06, eye_y - 0.03), (0.06, eye_y - 0.03), (0.06, eye_y), (-0.06, eye_y)]
        _fill(image, np.array([portrait.at(x, y) for x, y in bridge]), dark_glass)
    elif kind == 1:  # a hand before the eyes
        _fill(image, _finger_shapes(portrait, eye_y, height), _skin(portrait, generator))
    else:  # hair, a cap or a cloth from above
        corners = [(-0.5, -0.75), (0.5, -0.75), (0.47, eye_y + height), (-0.47, eye_y + height)]
        shape = np.array([portrait.at(x, y) for x, y in corners])
        _fill(image, shape, _cloth(image.shape, generator, portrait.unit))
    return image


def cut(portrait: Portrait, share: float, generator: np.random.Generator) -> UInt8Array:
    """Half out of the picture: `share` of the crop is beyond an edge."""
    side = 200.0
    width, height = FRAME_WH
    beyond = side * (0.5 - share)
    x, y = generator.uniform(0.35, 0.65) * width, generator.uniform(0.4, 0.6) * height
    places = ((beyond, y), (width - beyond, y), (x, beyond), (x, height - beyond))
    return in_frame(portrait, side, places[generator.integers(4)])


CAUSES: dict[str, dict[str, Spoil]] = {
    "small": {"small": small},
    "dark": {"dark": dark, "backlit": backlit},
    "bright": {"bright": bright},
    "blurred": {"defocused": defocused, "moved": moved},
    "turned": {"turned": turned},
    "covered": {"mouth covered": mouth_covered, "eyes covered": eyes_covered},
    "cut": {"cut": cut},
}
"""The word for what is wrong -> the ways in which it is made up."""


def _uint8(image: np.ndarray) -> UInt8Array:
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


def _lit(image: UInt8Array, light: np.float32) -> np.ndarray:
    """With `light` times the light, through a display's gamma, not clipped."""
    return np.asarray(255 * (light * (image / np.float32(255)) ** _GAMMA) ** (1 / _GAMMA))


def _fill(image: UInt8Array, shape: np.ndarray, texture: np.ndarray) -> None:
    mask = np.zeros(image.shape[:2], np.float32)
    cv2.fillPoly(mask, [shape] if shape.ndim == 2 else list(shape), 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), 1.2)[..., None]
    image[:] = _uint8(mask * texture + (1 - mask) * image)


def _finger_shapes(portrait: Portrait, y: float, height: float) -> np.ndarray:
    """Four fingers that lie across, (4, n, 2)."""
    shapes = []
    for k in range(4):
        top = y - height + k * height / 2
        low = top + height / 2
        corners = [(-0.42, top), (0.42, top + 0.02), (0.42, low), (-0.42, low + 0.02 * height)]
        shapes.append([portrait.at(*corner) for corner in corners])
    return np.array(shapes)


def _skin(portrait: Portrait, generator: np.random.Generator) -> np.ndarray:
    """The colour of the face's own cheek, shaded as fingers are."""
    x, y = portrait.at(0.0, -0.1)
    reach = max(round(0.06 * portrait.unit), 1)
    image = portrait.image_bgr
    patch = image[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]
    color = patch.reshape(-1, 3).mean(axis=0) * generator.uniform(0.75, 1.15)
    rows = np.arange(image.shape[0], dtype=np.float32)[:, None, None]
    period = 0.11 * portrait.unit
    shade = 1 - 0.18 * np.abs(np.sin(np.pi * (rows - y) / period)) ** 6
    grain = _soft_noise(image.shape, 0.03 * portrait.unit, generator)
    return np.asarray(color * shade + 4 * grain)


def _cloth(shape: tuple[int, ...], generator: np.random.Generator, unit: float) -> np.ndarray:
    """One colour with soft folds."""
    folds = _soft_noise(shape, 0.24 * unit, generator)
    base = generator.uniform(20, 235, 3) if generator.random() < 0.5 else generator.uniform(20, 235)
    return np.asarray(base + generator.uniform(3, 14) * folds)


def _soft_noise(
    shape: tuple[int, ...], pixels: float, generator: np.random.Generator
) -> np.ndarray:
    """Noise whose grains are so many pixels large, (H, W, 1)."""
    height, width = shape[:2]
    size = max(round(height / pixels), 1), max(round(width / pixels), 1)
    grains = generator.normal(0, 1, size).astype(np.float32)
    return np.asarray(cv2.resize(grains, (width, height), interpolation=cv2.INTER_CUBIC)[..., None])


def _plain(shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """One colour, lighter at one side."""
    ramp = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :, None]
    gray, steepness = generator.uniform(20, 235), generator.uniform(-25, 25)
    return np.asarray(np.broadcast_to(gray + steepness * ramp, shape))


def _rotated(portrait: Portrait, yaw_deg: float) -> UInt8Array:
    """Every pixel of the head moved as it would on a turned egg with a nose, the rest as it is."""
    unit, (mid_x, mid_y) = portrait.unit, portrait.at(0, -0.05)
    image = portrait.image_bgr
    half_w, half_h, depth = 0.5 * unit, 0.8 * unit, 0.9 * unit
    step = 0.6  # more than one point a pixel, or the turned head would have holes
    ys, xs = np.mgrid[-half_h:half_h:step, -half_w:half_w:step].astype(np.float32)
    picture = cv2.remap(
        image,
        xs + np.float32(mid_x),
        ys + np.float32(mid_y),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    inside = 1 - (xs / half_w) ** 2 - (ys / half_h) ** 2
    keep = inside > 0
    xs, ys, colors = xs[keep], ys[keep], picture[keep]
    zs = depth * np.sqrt(inside[keep])
    nose_x, nose_y = portrait.keypoints_xy[2] - (mid_x, mid_y)
    bump = ((xs - nose_x) / (0.1 * unit)) ** 2 + ((ys - nose_y + 0.05 * unit) / (0.16 * unit)) ** 2
    zs = zs + 0.2 * unit * np.exp(-bump)
    yaw = np.radians(yaw_deg)
    moved_x, moved_z = xs * np.cos(yaw) + zs * np.sin(yaw), zs * np.cos(yaw) - xs * np.sin(yaw)
    order = np.argsort(moved_z)
    columns = np.clip(np.rint(moved_x[order] + mid_x), 0, image.shape[1] - 1).astype(int)
    rows = np.clip(np.rint(ys[order] + mid_y), 0, image.shape[0] - 1).astype(int)
    # What the head leaves free shows what lies beside it.
    few = cv2.resize(image, (12, 9), interpolation=cv2.INTER_AREA)
    out = cv2.resize(few, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    drawn = np.zeros(image.shape[:2], np.uint8)
    out[rows, columns], drawn[rows, columns] = colors[order], 1
    holes = cv2.morphologyEx(drawn, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)) - drawn
    return np.asarray(cv2.inpaint(out, holes, 3, cv2.INPAINT_TELEA), np.uint8)
