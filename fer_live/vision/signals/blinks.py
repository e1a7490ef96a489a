"""Counts the blinks of one face."""

import numpy as np

from fer_live.datatypes import FloatArray

_STARTS_BELOW, _EACH_BELOW = 0.72, 0.85
"""Of the opening that is usual for these eyes: the mean of both, and each."""
_REOPENED = 0.33
"""Of the way back, after which a blink is over."""
_READY_ABOVE = 0.8
_MAX_S = 0.5
"""Longer is closing the eyes, or looking down."""
_LOST_S = 0.5
_WIDER_S, _NARROWER_S = 0.15, 3.0
"""How fast what is usual follows."""
_LEAST = 0.17
"""No open eye is narrower than this: lids that are closed from the start are not usual."""


class BlinkCounter:
    """Finds the moments at which both lids, having closed for at most half a second, open again.

    An eye's opening is compared with what is usual for it, because eyes differ, and so do the same
    eyes that look down. It needs 15 measurements a second: at 10, short blinks fall between two.

    Attributes:
        n_blinks: How many there were.
        watched_s: For how long the eyes were watched, gaps of more than half a second left out.
    """

    def __init__(self) -> None:
        self.n_blinks = 0
        self.watched_s = 0.0
        self._usual: FloatArray | None = None
        self._seen_at_s = 0.0
        self._closing_since_s: float | None = None
        self._narrowest = 1.0
        self._is_ready = False

    def update(self, eyes_open: FloatArray, time_s: float) -> bool:
        """Take in how far both eyes are open, (2,); whether a blink has just ended."""
        passed_s = time_s - self._seen_at_s
        if self._usual is None or not 0 <= passed_s <= _LOST_S:
            self._closing_since_s, self._is_ready, passed_s = None, False, 0.0
        self._seen_at_s = time_s
        self.watched_s += passed_s
        share = eyes_open / self._follow(eyes_open, passed_s)
        is_blink = self._look(share, time_s - passed_s, time_s)
        self.n_blinks += is_blink
        return is_blink

    def _follow(self, eyes_open: FloatArray, passed_s: float) -> FloatArray:
        usual = eyes_open if self._usual is None else self._usual
        time_constant_s = np.where(eyes_open > usual, _WIDER_S, _NARROWER_S)
        usual = usual + (eyes_open - usual) * (1 - np.exp(-passed_s / time_constant_s))
        self._usual = np.maximum(usual, _LEAST).astype(np.float32)
        return self._usual

    def _look(self, share: FloatArray, before_s: float, now_s: float) -> bool:
        both = float(share.mean())
        if self._closing_since_s is None:
            self._is_ready = self._is_ready or both > _READY_ABOVE
            if self._is_ready and both < _STARTS_BELOW and float(share.max()) < _EACH_BELOW:
                self._closing_since_s, self._narrowest, self._is_ready = before_s, both, False
            return False
        self._narrowest = min(self._narrowest, both)
        if now_s - self._closing_since_s > _MAX_S:
            self._closing_since_s = None
            return False
        if both < self._narrowest + _REOPENED * (1 - self._narrowest):
            return False
        self._closing_since_s = None
        return True
