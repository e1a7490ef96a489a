"""From flickering probabilities to a calm label."""

import math
from dataclasses import dataclass

import numpy as np

from fer_live.datatypes import FloatArray

UNSURE = ""


@dataclass(frozen=True, slots=True)
class SmoothingConfig:
    """How calm the shown label is, and for how long it outlives a picture that cannot be read.

    Args:
        time_constant_s: Seconds after which a lasting change has come through to 63 %.
        hold_s: Seconds for which a new label must lead before it is shown.
        margin: By how much its smoothed probability must lead that of the shown label, 0 to 1.
        unsure_below: Where no smoothed probability reaches this, 0 to 1, the face reads as unsure.
        blind_s: Seconds for which the label of a face that cannot be read stays before it reads as
            unsure. On clips it is still the same after half a second in 86 % of the cases, after a
            second in 79.
        times_in_speech: While somebody surely speaks, `time_constant_s` and `hold_s` are so many
            times as long.
    """

    time_constant_s: float = 0.10
    hold_s: float = 0.15
    margin: float = 0.10
    unsure_below: float = 0.40
    blind_s: float = 0.5
    times_in_speech: float = 4.0

    @classmethod
    def from_calm(cls, calm: float) -> "SmoothingConfig":
        """Make a configuration from one number, as the slider in the settings does.

        Args:
            calm: 0, quick, to 1, calm; 0.5 is the default.

        Returns:
            The configuration; at either end its times are a third or thrice those of the default.
        """
        times = 9 ** (calm - 0.5)
        return cls(time_constant_s=0.10 * times, hold_s=0.15 * times, margin=0.20 * calm)


@dataclass(slots=True, eq=False)
class _State:
    probs: FloatArray
    shown: str
    time_s: float
    challenger: str
    challenger_since_s: float
    readable_at_s: float


class ExpressionSmoother:
    """Smooths each track's probabilities by time, not by frame count, and holds its label.

    A first-order low-pass: with dt since the track's last frame, the smoothed value moves by
    1 - exp(-dt / time_constant) of the way to the new one, so the frame rate does not matter.
    `config` may be replaced at any time; the next frame goes by it.
    """

    _FORGET_AFTER_S = 3.0

    def __init__(self, labels: tuple[str, ...], config: SmoothingConfig | None = None) -> None:
        self.config = config or SmoothingConfig()
        self._labels = labels
        self._states: dict[int, _State] = {}

    def update(
        self,
        track_id: int,
        probs: FloatArray,
        time_s: float,
        *,
        can_be_read: bool = True,
        speaks: float = 0.0,
    ) -> tuple[FloatArray, str]:
        """Take in (C,) raw probabilities; returns the smoothed ones and the label to show.

        Where the face cannot be read (too dark, half out of the picture), nothing is taken in and
        the label stays, for a moment: a hand that passes changes nothing. Later the smoothed
        probabilities follow again, for whoever looks at them, but the face reads as unsure.

        `speaks`, 0 to 1, says how surely the person speaks; then changes take longer, because an
        open mouth is read as surprise and bared teeth as happiness, each word anew.
        """
        state = self._states.get(track_id)
        if state is None or time_s < state.time_s:
            label = self._winner(probs, UNSURE) if can_be_read else UNSURE
            readable_at_s = time_s if can_be_read else -math.inf
            self._states[track_id] = _State(probs, label, time_s, label, time_s, readable_at_s)
            return probs, label
        if can_be_read:
            state.readable_at_s = time_s
        elif time_s - state.readable_at_s < self.config.blind_s:
            return state.probs, state.shown
        slower = 1 + speaks * (self.config.times_in_speech - 1)
        time_constant_s = max(slower * self.config.time_constant_s, 1e-6)
        weight = 1 - math.exp(-(time_s - state.time_s) / time_constant_s)
        state.probs = (state.probs + weight * (probs - state.probs)).astype(np.float32)
        state.time_s = time_s
        if can_be_read:
            self._let_challenge(state, slower * self.config.hold_s)
        else:
            state.shown = state.challenger = UNSURE
        return state.probs, state.shown

    def forget_unseen(self, time_s: float) -> None:
        """Drop the state of tracks that have ended."""
        self._states = {
            track_id: state
            for track_id, state in self._states.items()
            if time_s - state.time_s <= self._FORGET_AFTER_S
        }

    def reset(self) -> None:
        """Forget everything: the next frame is of another source."""
        self._states.clear()

    def _let_challenge(self, state: _State, hold_s: float) -> None:
        winner = self._winner(state.probs, state.shown)
        if winner != state.challenger:
            state.challenger, state.challenger_since_s = winner, state.time_s
        if state.time_s - state.challenger_since_s >= hold_s:
            state.shown = state.challenger

    def _winner(self, probs: FloatArray, shown: str) -> str:
        """The label that these probabilities alone would put up against the shown one."""
        best = int(probs.argmax())
        if probs[best] < self.config.unsure_below:
            return UNSURE
        if shown == UNSURE or self._labels[best] == shown:
            return self._labels[best]
        lead = float(probs[best] - probs[self._labels.index(shown)])
        return self._labels[best] if lead >= self.config.margin else shown
