import json

import numpy as np
import pytest

from training.personalize.gradient import plan_for
from training.personalize.progress import STAGES, TimeLeft, tell_program


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_the_time_left_is_not_told_before_it_is_known_and_never_jumps():
    """Steps that take three times as long as planned, as on a computer that is busy."""
    clock = Clock()
    time_left = TimeLeft(clock)
    for stage in ("faces", "calibrate"):
        for done in (0.0, 0.5):
            clock.now_s += 4
            assert time_left.tell(stage, done, {}) is None
    told, shares = [], []
    for step in range(300):
        left_s = time_left.tell("learn", step / 300, {"learn": 100.0})
        assert left_s is not None
        told.append(left_s)
        shares.append(time_left.done)
        clock.now_s += 1.0
    assert told[0] == pytest.approx(120, abs=1), "and the export"
    assert np.abs(np.diff(told)).max() < 40
    assert max(told) < 300
    assert abs(told[150] - 170) < 20
    assert told[-1] < 40
    assert (np.diff(shares) >= 0).all()
    clock.now_s += 1
    last = time_left.tell("export", 1.0, {"export": 2.0})
    assert last is not None and last < 30
    assert time_left.elapsed_s == pytest.approx(317)


def test_programs_are_told_one_object_a_line(capsys: pytest.CaptureFixture[str]):
    with tell_program() as report:
        report("faces", 0.5)
        report("export", 0.0, {"export": 2.0})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["stage"] for line in lines] == ["faces", "export"]
    assert all(line["stage"] in STAGES and line["elapsed_s"] >= 0 for line in lines)
    assert (lines[0]["left_s"], lines[1]["left_s"]) == (None, 2)


@pytest.mark.parametrize(
    ("a_step_s", "limit_s", "steps"),
    [(0.1, 300, 300), (1.0, 0, 0), (1.0, 600, 175), (1.0, 300, 0), (10.0, 300, 0)],
)
def test_steps_are_fewer_where_the_time_is_short_and_none_where_too_few_are_left(
    a_step_s: float, limit_s: float, steps: int
):
    plan = plan_for(300, 3, a_step_s, limit_s)
    assert plan.steps == steps
    assert (plan.seconds <= limit_s) == (steps > 0)
