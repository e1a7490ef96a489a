"""Who does what when, and the four tiles side by side."""

from collections.abc import Iterator

import cv2
import numpy as np

from fer_live.datatypes import UInt8Array
from tools.demo.looks import LOOKS, PLAYS, Absence
from tools.demo.portraits import PORTRAITS, TILE_WH
from tools.demo.rig import Pose, Rig

SECONDS, FPS = 24, 25
_GAP_PX = 16
FRAME_WH = (4 * TILE_WH[0] + 5 * _GAP_PX, TILE_WH[1] + 2 * _GAP_PX)
_CHANGE_S, _BLINK_S, _WALK_S = 0.5, 0.26, 1.3
_EYES = ("upper_lid_raise", "lid_tighten")
_ABOVE_BGR, _BELOW_BGR = np.array((58.0, 50, 44)), np.array((38.0, 31, 27))


def pose_at(name: str, time_s: float) -> Pose:
    """The pose of this person; the same again after `SECONDS`, so that the clip has no end."""
    seed = 1.7 * [portrait.name for portrait in PORTRAITS].index(name)
    play = PLAYS[name]
    strengths = _strengths(name, time_s)
    blink = max((_bump(time_s - at, _BLINK_S) for at in play.blinks), default=0.0)
    for eye in _EYES:
        if eye in strengths:
            strengths[eye] *= 1 - blink
    strengths["blink"] = blink
    return Pose(
        strengths,
        turn_degrees=7 * _swing(time_s, 3, seed) + 4 * _swing(time_s, 7, 2 * seed),
        roll_degrees=3.0 * _swing(time_s, 4, seed + 1) + 1.5 * _swing(time_s, 9, seed),
        shift_xy=(
            0.20 * _swing(time_s, 3, seed + 0.4) + 0.05 * _swing(time_s, 8, seed),
            0.07 * _swing(time_s, 5, seed + 2) + 0.02 * _swing(time_s, 11, seed),
        ),
        nearer=1 + 0.045 * _swing(time_s, 2, seed + 3),
        aside_px=_aside(play.absence, time_s),
        light=1 + 0.06 * _swing(time_s, 2, seed + 1) + 0.02 * _swing(time_s, 7, seed),
    )


def compose(tiles: list[UInt8Array]) -> UInt8Array:
    """One frame, (H, W, 3) uint8 BGR of `FRAME_WH`: the tiles with round corners on calm ground."""
    width, height = FRAME_WH
    down = np.linspace(0, 1, height)[:, None, None]
    frame = np.broadcast_to(
        _ABOVE_BGR + (_BELOW_BGR - _ABOVE_BGR) * down, (height, width, 3)
    ).copy()
    corners = _round_corners()
    for place, tile in enumerate(tiles):
        left = _GAP_PX + place * (TILE_WH[0] + _GAP_PX)
        into = frame[_GAP_PX : _GAP_PX + TILE_WH[1], left : left + TILE_WH[0]]
        into[:] = into * (1 - corners) + tile * corners
    return np.asarray(np.round(frame), np.uint8)


def frames(rigs: dict[str, Rig]) -> Iterator[UInt8Array]:
    """Every frame of the clip, in order."""
    for number in range(SECONDS * FPS):
        yield compose([rig.draw(pose_at(name, number / FPS)) for name, rig in rigs.items()])


def _strengths(name: str, time_s: float) -> dict[str, float]:
    """Of the looks of this person, each as far as it has come and not yet gone."""
    acts = PLAYS[name].acts
    total: dict[str, float] = {}
    for number, (begins_s, look) in enumerate(acts):
        ends_s = acts[number + 1][0] if number + 1 < len(acts) else SECONDS + acts[0][0]
        share = _come_and_gone(time_s, begins_s, ends_s)
        for move, strength in LOOKS[name][look].items():
            total[move] = total.get(move, 0.0) + share * strength
    return total


def _come_and_gone(time_s: float, begins_s: float, ends_s: float) -> float:
    around = (time_s - SECONDS, time_s, time_s + SECONDS)
    return max(
        _smooth((at - begins_s) / _CHANGE_S + 0.5) - _smooth((at - ends_s) / _CHANGE_S + 0.5)
        for at in around
    )


def _aside(absence: Absence | None, time_s: float) -> float:
    if absence is None:
        return 0.0
    gone = _smooth((time_s - absence.leaves_s) / _WALK_S)
    back = _smooth((time_s - absence.returns_s) / _WALK_S)
    return 1.15 * TILE_WH[0] * (gone - back)


def _smooth(share: float) -> float:
    share = min(max(share, 0.0), 1.0)
    return share * share * (3 - 2 * share)


def _bump(since_s: float, lasts_s: float) -> float:
    return float(np.sin(np.pi * since_s / lasts_s)) if 0 < since_s < lasts_s else 0.0


def _swing(time_s: float, times: int, phase: float) -> float:
    return float(np.sin(2 * np.pi * times * time_s / SECONDS + phase))


def _round_corners(radius: int = 14) -> np.ndarray:
    width, height = TILE_WH
    mask = np.zeros((height * 4, width * 4), np.uint8)
    r = radius * 4
    cv2.rectangle(mask, (r, 0), (width * 4 - r - 1, height * 4), 255, -1)
    cv2.rectangle(mask, (0, r), (width * 4, height * 4 - r - 1), 255, -1)
    for x in (r, width * 4 - r - 1):
        for y in (r, height * 4 - r - 1):
            cv2.circle(mask, (x, y), r, 255, -1)
    small = cv2.resize(mask, TILE_WH, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)[..., None] / 255
