"""What is seen in an open mouth: the portrait's own teeth where it shows any, or painted ones."""

import cv2
import numpy as np

from fer_live.datatypes import UInt8Array
from tools.demo.face_mesh import LOWER_LIP, UPPER_LIP

_DARK_BGR = (0.10, 0.08, 0.20)
_TONGUE_BGR = (0.34, 0.30, 0.52)
_TEETH_BGR = (1.02, 1.24, 1.42)
"""In shares of the face's brightness."""


def paint_mouth(
    drawn: UInt8Array,
    opening: np.ndarray,
    canvas: UInt8Array,
    points_xy: np.ndarray,
    moved_xy: np.ndarray,
) -> UInt8Array:
    """Fill the mouth's opening.

    Args:
        drawn: (H, W, 3) the face with its lips where they belong.
        opening: (H, W) how much of each pixel is between the lips.
        canvas: (H, W, 3) the portrait.
        points_xy: (P, 2) its points.
        moved_xy: (P, 2) where they are now.
    """
    ys, xs = np.nonzero(opening > 0)
    if len(xs) == 0:
        return drawn
    upper, lower = moved_xy[list(UPPER_LIP)], moved_xy[list(LOWER_LIP)]
    along = _share_along(xs, upper)
    top = np.interp(xs, upper[:, 0], upper[:, 1])
    bottom = np.interp(xs, lower[:, 0], lower[:, 1])
    depth, gap = ys - top, np.maximum(bottom - top, 1e-3)
    inside = _cavity(canvas, points_xy, along, depth, gap, _tallest(moved_xy))
    inside = _own_teeth(inside, canvas, points_xy, along, depth)
    # Under the upper lip and at the corners it is darker.
    shade = 0.72 + 0.28 * np.clip(depth / (0.05 * _eyes_px(points_xy)), 0, 1)
    shade *= 0.55 + 0.45 * np.sin(np.pi * np.clip(along, 0.03, 0.97))
    share = opening[ys, xs][:, None]
    out = drawn.astype(np.float32)
    out[ys, xs] = out[ys, xs] * (1 - share) + inside * shade[:, None] * share
    patch = _around(xs, ys, out.shape)
    soft = cv2.GaussianBlur(out[patch], (0, 0), 0.7)
    near = cv2.GaussianBlur(opening, (0, 0), 1.0)[patch][..., None]
    out[patch] = out[patch] * (1 - near) + soft * near
    return np.asarray(np.clip(out, 0, 255), np.uint8)


def _share_along(xs: np.ndarray, lip: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip((xs - lip[0, 0]) / max(lip[-1, 0] - lip[0, 0], 1e-3), 0, 1))


def _tallest(points_xy: np.ndarray) -> float:
    gaps = points_xy[list(LOWER_LIP), 1] - points_xy[list(UPPER_LIP), 1]
    return float(max(gaps.max(), 1e-3))


def _eyes_px(points_xy: np.ndarray) -> float:
    return float(np.hypot(*(points_xy[263] - points_xy[33])) * 0.7)


def _cavity(
    canvas: UInt8Array,
    points_xy: np.ndarray,
    along: np.ndarray,
    depth: np.ndarray,
    gap: np.ndarray,
    tallest: float,
) -> np.ndarray:
    """(N, 3): dark, a tongue below, and the edge of the upper teeth above."""
    eyes = _eyes_px(points_xy)
    bright = _brightness(canvas, points_xy)
    dark, tongue, teeth = (np.array(c) * bright for c in (_DARK_BGR, _TONGUE_BGR, _TEETH_BGR))
    bulge = np.sin(np.pi * along)
    from_below = (gap - depth) / eyes
    is_tongue = np.clip((0.16 * bulge * min(tallest / (0.35 * eyes), 1) - from_below) / 0.06, 0, 1)
    height = min(0.15 * eyes, 0.72 * tallest) * bulge**0.5
    is_teeth = np.clip((height - depth) / 1.5, 0, 1)
    gaps = 0.88 + 0.12 * np.abs(np.cos(np.pi * 8 * along)) ** 0.3
    inside = dark + (tongue - dark) * is_tongue[:, None] * 0.8
    return inside + (teeth * gaps[:, None] - inside) * is_teeth[:, None]


def _own_teeth(
    inside: np.ndarray,
    canvas: UInt8Array,
    points_xy: np.ndarray,
    along: np.ndarray,
    depth: np.ndarray,
) -> np.ndarray:
    """Teeth that the portrait shows stay below the upper lip, as high as they are there."""
    upper, lower = points_xy[list(UPPER_LIP)], points_xy[list(LOWER_LIP)]
    xs = upper[0, 0] + along * (upper[-1, 0] - upper[0, 0])
    top = np.interp(xs, upper[:, 0], upper[:, 1])
    gap = np.interp(xs, lower[:, 0], lower[:, 1]) - top
    pixels = cv2.remap(
        canvas,
        xs.astype(np.float32)[:, None],
        (top + depth).astype(np.float32)[:, None],
        cv2.INTER_LINEAR,
    )[:, 0]
    is_own = np.clip((gap - 2 - depth) / 1.5, 0, 1)[:, None] * (_tallest(points_xy) > 4)
    return inside + (pixels - inside) * is_own


def _brightness(canvas: UInt8Array, points_xy: np.ndarray) -> float:
    """Of the cheeks, the gray level that the inside of the mouth goes by."""
    gray = cv2.cvtColor(canvas, cv2.COLOR_BGR2GRAY)
    spots = [
        gray[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5]
        for x, y in points_xy[[50, 280]]
    ]
    return float(np.median(np.stack(spots)))


def _around(xs: np.ndarray, ys: np.ndarray, shape: tuple[int, ...]) -> tuple[slice, slice]:
    return (
        slice(max(int(ys.min()) - 4, 0), min(int(ys.max()) + 5, shape[0])),
        slice(max(int(xs.min()) - 4, 0), min(int(xs.max()) + 5, shape[1])),
    )
