"""Shows how far a retraining is: as a bar for a person, as JSON lines for the window."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

SHARES = {"faces": 0.1, "learn": 0.7, "prove": 0.05, "export": 0.15}
"""The share of the whole time that each stage takes, roughly."""

OnProgress = Callable[[str, float], None]
"""Is called with a stage and the share of it that is done, 0 to 1."""


def done_of_all(stage: str, done: float) -> float:
    """The share of the whole retraining that is done, 0 to 1, given the share of one stage."""
    stages = list(SHARES)
    before = sum(SHARES[name] for name in stages[: stages.index(stage)])
    return before + SHARES[stage] * done


@contextmanager
def show_bar() -> Iterator[OnProgress]:
    """Show progress as a bar on stderr, where that is a terminal."""
    with tqdm(
        total=100, bar_format="{desc}: {percentage:3.0f}% |{bar}| {remaining} left", disable=None
    ) as bar:

        def report(stage: str, done: float) -> None:
            bar.set_description_str(stage, refresh=False)
            bar.update(max(done_of_all(stage, done) * 100 - bar.n, 0))

        yield report


@contextmanager
def tell_program() -> Iterator[OnProgress]:
    """Print one JSON object per report on stdout, for programs.

    Its keys are "stage", "done" (0 to 1, of the whole) and "left_s" (seconds, None at first).
    """
    began_s = time.monotonic()

    def report(stage: str, done: float) -> None:
        share = done_of_all(stage, done)
        left_s = None
        if share > 0.05:
            left_s = round((time.monotonic() - began_s) * (1 - share) / share)
        print(json.dumps({"stage": stage, "done": round(share, 4), "left_s": left_s}), flush=True)

    yield report
