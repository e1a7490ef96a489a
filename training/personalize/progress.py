"""Shows how far a retraining is: as a bar for a person, as JSON lines for the window."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from tqdm import tqdm

from fer_live.plain_text import say

STAGES = ("faces", "calibrate", "learn", "export")
_USUAL_S = {"faces": 5.0, "calibrate": 8.0, "learn": 0.0, "export": 20.0}
"""Until more is known: on two cores, of a minute of clips and eight takes."""
_TRUSTED_SHARE = 0.15
"""Of a stage, from which on its own speed tells how long it takes."""
_SMOOTHING = 0.15
"""How much of a new estimate is believed at once; the rest counts down as the clock runs."""
_NOTHING: Mapping[str, float] = {}


class OnProgress(Protocol):
    """Is told a stage and the share of it that is done, 0 to 1, and, where they became known, the
    seconds that stages take in all."""

    def __call__(
        self, stage: str, done: float, expected_s: Mapping[str, float] = _NOTHING, /
    ) -> None: ...


class TimeLeft:
    """Tells how far a retraining is and about how long it still takes.

    The time that is left is None until every stage to come is known: whether there are gradient
    steps decides over seconds or minutes. Then it runs down with the clock and is led, not thrown,
    to what the speed so far says.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began_s = self._stage_began_s = self._told_s = clock()
        self._stage = STAGES[0]
        self._expected_s = dict(_USUAL_S)
        self._is_known = False
        self._left_s: float | None = None
        self.done = 0.0

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._began_s

    def tell(self, stage: str, done: float, expected_s: Mapping[str, float]) -> float | None:
        """Take a report; the seconds that are left, where they can be told."""
        now_s = self._clock()
        if stage != self._stage:
            self._stage, self._stage_began_s = stage, now_s
        self._expected_s.update(expected_s)
        # What "learn" takes is the last thing to become known.
        self._is_known |= "learn" in expected_s or stage == "export"
        in_stage_s = now_s - self._stage_began_s
        whole_s = self._expected_s[stage]
        if done > _TRUSTED_SHARE:
            whole_s = in_stage_s / done
        here_s = max(whole_s * (1 - done), 0.0)
        later_s = sum(self._expected_s[name] for name in STAGES[STAGES.index(stage) + 1 :])
        told = max(now_s - self._began_s, 1e-9)
        self.done = max(self.done, told / (told + here_s + later_s))
        if self._is_known:
            self._left_s = self._led_to(here_s + later_s, now_s)
        self._told_s = now_s
        return self._left_s

    def _led_to(self, estimate_s: float, now_s: float) -> float:
        if self._left_s is None:
            return estimate_s
        counted_s = max(self._left_s - (now_s - self._told_s), 0.0)
        return counted_s + _SMOOTHING * (estimate_s - counted_s)


@contextmanager
def show_bar() -> Iterator[OnProgress]:
    """Show progress as a bar on stderr, where that is a terminal."""
    time_left = TimeLeft()
    with tqdm(
        total=100, bar_format="{desc}: {percentage:3.0f}% |{bar}| {postfix}", disable=None
    ) as bar:

        def report(stage: str, done: float, expected_s: Mapping[str, float] = _NOTHING, /) -> None:
            left_s = time_left.tell(stage, done, expected_s)
            bar.set_description_str(stage, refresh=False)
            if left_s is not None:
                bar.set_postfix_str(f"about {left_s / 60:.1f} min left", refresh=False)
            bar.update(max(time_left.done * 100 - bar.n, 0))

        yield report


@contextmanager
def tell_program() -> Iterator[OnProgress]:
    """Print one JSON object per report on stdout, for programs.

    Its keys are "stage", "done" (0 to 1, of the whole), "elapsed_s" and "left_s" (seconds, None
    while it cannot be told).
    """
    time_left = TimeLeft()

    def report(stage: str, done: float, expected_s: Mapping[str, float] = _NOTHING, /) -> None:
        left_s = time_left.tell(stage, done, expected_s)
        told = {
            "stage": stage,
            "done": round(min(time_left.done, 1.0), 4),
            "elapsed_s": round(time_left.elapsed_s, 1),
            "left_s": None if left_s is None else round(left_s),
        }
        say(json.dumps(told))

    yield report
