"""Facial movements after FACS (Ekman, Friesen & Hager 2002) as shifts of the mesh's points.

Lengths are in distances of the pupils, x to the picture's right and y down, both in the upright
face. Only what can be told from a picture at rest is moved: no wrinkle is painted.
"""

import numpy as np

from tools.demo.face_mesh import LOWER_LIP, UPPER_LIP

_LEFT_UPPER_LID, _LEFT_LOWER_LID = (
    (246, 161, 160, 159, 158, 157, 173),
    (7, 163, 144, 145, 153, 154, 155),
)
_RIGHT_UPPER_LID, _RIGHT_LOWER_LID = (
    (466, 388, 387, 386, 385, 384, 398),
    (249, 390, 373, 374, 380, 381, 382),
)
_OUTER_LOWER_LIP = (146, 91, 181, 84, 17, 314, 405, 321, 375)
_MIRROR = {
    50: 280,
    55: 285,
    61: 291,
    70: 300,
    98: 327,
    105: 334,
    107: 336,
    40: 270,
    37: 267,
    181: 405,
}


class FaceMoves:
    """The movements of one face at rest: each is (P, 2), the shifts at full strength.

    Args:
        points_xyz: (P, 3) of its mesh.
        pupils_xy: (2, 2) the pupils at the picture's left and right.
    """

    def __init__(self, points_xyz: np.ndarray, pupils_xy: np.ndarray) -> None:
        self.eyes_px = float(np.hypot(*(pupils_xy[1] - pupils_xy[0])))
        self._at = (points_xyz[:, :2] - pupils_xy.mean(axis=0)) / self.eyes_px
        self.moves = {
            "inner_brow_raise": self._both((55, 107), (0, -0.20), 0.22),
            "outer_brow_raise": self._both((105, 70), (0, -0.20), 0.22),
            "brow_lower": self._both((55, 107), (0.07, 0.15), 0.22)
            + self._both((105,), (0.03, 0.08), 0.16),
            "upper_lid_raise": self._lids(-0.075, upper=True),
            "lid_tighten": self._lids(-0.05, upper=False) + self._lids(0.03, upper=True),
            "blink": self._blink(),
            "cheek_raise": self._both((50,), (0, -0.12), 0.22),
            "nose_wrinkle": self._both((98,), (0, -0.12), 0.14)
            + self._both((55,), (0.02, 0.08), 0.16),
            "upper_lip_raise": self._above_mouth(self._both((37, 40), (0, -0.12), 0.14)),
            "lip_corner_pull": self._both((61,), (-0.13, -0.16), 0.22),
            "lip_corner_pull_left": self._bump(61, (-0.13, -0.16), 0.22),
            "lip_corner_depress": self._both((61,), (-0.02, 0.15), 0.17),
            "chin_raise": self._bump(17, (0, -0.10), 0.16) + self._bump(152, (0, -0.05), 0.2),
            "lip_stretch": self._both((61,), (-0.14, 0.04), 0.2),
            "lip_pucker": self._both((61,), (0.16, 0.0), 0.16),
            "lower_lip_depress": self._below_mouth(self._both((181,), (0, 0.12), 0.16)),
            "jaw_drop": self._jaw(),
        }

    def shifts(self, strengths: dict[str, float]) -> np.ndarray:
        """(P, 2) in pixels: the sum of the movements, each times its strength."""
        total = np.zeros_like(self._at)
        for name, strength in strengths.items():
            total += strength * self.moves[name]
        return self._never_crossed(total) * self.eyes_px

    def _bump(self, point: int, shift: tuple[float, float], reach: float) -> np.ndarray:
        away = ((self._at - self._at[point]) ** 2).sum(axis=1)
        return np.exp(-away / (2 * reach**2))[:, None] * np.array(shift)

    def _both(
        self, points: tuple[int, ...], shift: tuple[float, float], reach: float
    ) -> np.ndarray:
        """The same at either side; `shift` is that of the picture's left."""
        left = [self._bump(point, shift, reach) for point in points]
        right = [self._bump(_MIRROR[point], (-shift[0], shift[1]), reach) for point in points]
        return np.asarray(np.mean(left, axis=0) + np.mean(right, axis=0))

    def _lids(self, shift: float, *, upper: bool) -> np.ndarray:
        lids = (_LEFT_UPPER_LID, _RIGHT_UPPER_LID) if upper else (_LEFT_LOWER_LID, _RIGHT_LOWER_LID)
        move = np.zeros_like(self._at)
        for lid in lids:
            profile = np.sin(np.pi * np.arange(1, 8) / 8)
            for point, share in zip(lid, profile, strict=True):
                near = self._bump(point, (0, shift * float(share)), 0.05)
                move = np.where(np.abs(near) > np.abs(move), near, move)
        return move

    def _blink(self) -> np.ndarray:
        move = np.zeros_like(self._at)
        for uppers, lowers in (
            (_LEFT_UPPER_LID, _LEFT_LOWER_LID),
            (_RIGHT_UPPER_LID, _RIGHT_LOWER_LID),
        ):
            for upper, lower in zip(uppers, lowers, strict=True):
                gap = float(self._at[lower, 1] - self._at[upper, 1])
                near = self._bump(upper, (0, 0.92 * gap), 0.05)
                move = np.where(np.abs(near) > np.abs(move), near, move)
            for lower in lowers:
                move[lower] = 0
        return move

    def _mouth_line(self) -> np.ndarray:
        """(P,) y of the line between the lips above or below each point."""
        line = (self._at[list(UPPER_LIP)] + self._at[list(LOWER_LIP)]) / 2
        return np.asarray(np.interp(self._at[:, 0], line[:, 0], line[:, 1]))

    def _is_below_mouth(self) -> np.ndarray:
        below = self._at[:, 1] > self._mouth_line()
        below[list(LOWER_LIP[1:-1])] = True
        below[list(UPPER_LIP)] = False
        return np.asarray(below)

    def _above_mouth(self, move: np.ndarray) -> np.ndarray:
        return move * ~self._is_below_mouth()[:, None]

    def _below_mouth(self, move: np.ndarray) -> np.ndarray:
        return move * self._is_below_mouth()[:, None]

    def _jaw(self) -> np.ndarray:
        """The lower lip and the chin fall, least at the mouth's corners and towards the ears."""
        left, right = self._at[UPPER_LIP[0]], self._at[UPPER_LIP[-1]]
        middle, half = (left[0] + right[0]) / 2, (right[0] - left[0]) / 2
        aside = np.abs(self._at[:, 0] - middle) / half
        under = np.clip((self._at[:, 1] - self._mouth_line()) / 0.30, 0, 1)
        fall = np.exp(-((np.maximum(aside - 0.4, 0) / 1.3) ** 2)) * under**0.5
        lip = np.sqrt(np.clip(1 - aside**2, 0, 1))
        share = np.maximum(fall * (0.35 + 0.65 * under), 0.0)
        inside = [*LOWER_LIP[1:-1], *_OUTER_LOWER_LIP]
        share[inside] = 0.95 * lip[inside] + 0.05 * share[inside]
        below = self._is_below_mouth()
        chin = float(self._at[152, 1])
        fade = np.clip(1 - (self._at[:, 1] - chin) / 1.0, 0, 1)
        share = share * below * fade
        share[[61, 291, 78, 308]] = 0.25
        return np.stack([np.zeros_like(share), 0.42 * share], axis=1)

    def _never_crossed(self, shifts: np.ndarray) -> np.ndarray:
        """A lower lip that would come above the upper one meets it."""
        shifts = shifts.copy()
        for upper, lower in zip(UPPER_LIP[1:-1], LOWER_LIP[1:-1], strict=True):
            gap = (self._at[lower] + shifts[lower] - self._at[upper] - shifts[upper])[1]
            if gap < 0.005:
                shifts[lower, 1] += (0.005 - gap) / 2
                shifts[upper, 1] -= (0.005 - gap) / 2
        return shifts
