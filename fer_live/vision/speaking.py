"""Tells whether somebody speaks, by how steadily the mouth moves."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import UInt8Array

_MOUTH = (slice(0.65, 0.96), slice(0.25, 0.75))
_REST = (slice(0.17, 0.54), slice(0.125, 0.875))
"""Rows and columns of a crop, in fractions of its side: the mouth, and eyes and forehead."""
_MOVES_FROM = 0.03
"""Mean change of the mouth's pixels in a 30th of a second, in standard deviations of the face. At
rest it is 0.01 to 0.02 on the test clips, and 0.08 to 0.10 in speech."""
_MORE_THAN_THE_REST = 1.2
"""A head that turns or a camera that shakes moves all of the face."""
_MEMORY_S = 1.0
_NOT_BELOW, _WHOLLY_FROM = 0.35, 0.6
"""Share of the last second in which the mouth moves. A smile or a yawn begins and ends within
0.3 s each."""
_FRAME_S = 1 / 30
_LONGEST_STEP_S = 0.2
_FORGET_AFTER_S = 3.0


@dataclass(slots=True, eq=False)
class _Mouth:
    face: NDArray[np.float32]
    moving: float
    time_s: float


class SpeechMeter:
    """Follows the mouth of each track: 0 where it rests or moves once, 1 where it keeps moving.

    An open mouth is read as surprise and bared teeth as happiness, each word anew. What tells
    speech from an expression is time: an expression moves the mouth once, and then it stays. The
    thresholds were chosen on eight clips, of which three show somebody who speaks.
    """

    def __init__(self) -> None:
        self._states: dict[int, _Mouth] = {}

    def update(self, track_id: int, crop: UInt8Array, time_s: float) -> float:
        """Look at a track's next face.

        Args:
            track_id: The number of the face.
            crop: (S, S) uint8, the upright face that the network reads.
            time_s: The frame's own clock.

        Returns:
            How surely the person speaks, 0 to 1; 0 at the first frame of a track.
        """
        face = _standardized(crop)
        state = self._states.get(track_id)
        step_s = 0.0 if state is None else time_s - state.time_s
        if state is None or step_s < 0 or state.face.shape != face.shape:
            self._states[track_id] = _Mouth(face, 0.0, time_s)
            return 0.0
        if step_s > 0:
            step_s = min(step_s, _LONGEST_STEP_S)
            change = np.abs(face - state.face)
            mouth, rest = (float(change[part].mean()) for part in _parts(len(face)))
            # Over a longer step more has changed, though not in proportion: the mouth comes back.
            enough = _MOVES_FROM * math.sqrt(max(step_s / _FRAME_S, 0.5))
            moves = mouth > enough and mouth > _MORE_THAN_THE_REST * rest
            state.moving += (1 - math.exp(-step_s / _MEMORY_S)) * (moves - state.moving)
            state.face, state.time_s = face, time_s
        return min(max((state.moving - _NOT_BELOW) / (_WHOLLY_FROM - _NOT_BELOW), 0.0), 1.0)

    def forget_unseen(self, time_s: float) -> None:
        """Drop the state of tracks that have ended."""
        self._states = {
            track_id: state
            for track_id, state in self._states.items()
            if time_s - state.time_s <= _FORGET_AFTER_S
        }

    def reset(self) -> None:
        """Forget everything: the next frame is of another source."""
        self._states.clear()


def _standardized(crop: UInt8Array) -> NDArray[np.float32]:
    """The crop (S, S) with mean 0 and deviation 1, so that light does not count."""
    face = crop.astype(np.float32)
    return np.asarray((face - face.mean()) / (face.std() + 5.0), dtype=np.float32)


@cache
def _parts(side: int) -> tuple[tuple[slice, slice], ...]:
    """Rows and columns of the mouth, and of the rest, of a crop of `side` pixels."""
    return tuple((_span(rows, side), _span(columns, side)) for rows, columns in (_MOUTH, _REST))


def _span(part: slice, side: int) -> slice:
    return slice(round(part.start * side), round(part.stop * side))
