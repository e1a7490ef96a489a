"""Times of one clock told by another, also where it is set or the machine is busy."""

import itertools
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from fer_live.base.clocks import moved, offset_s, utc_of


class FakeClock:
    """Goes on by itself at each look."""

    def __init__(self, now_s: float, steps_s: list[float]) -> None:
        self.now_s = now_s
        self._steps = itertools.chain(steps_s, itertools.repeat(1e-6))

    def __call__(self) -> float:
        self.now_s += next(self._steps)
        return self.now_s


def test_the_offset_of_a_clock():
    base = FakeClock(100.0, [])
    assert offset_s(lambda: base.now_s + 5.0, base) == pytest.approx(5.0, abs=1e-5)


@pytest.mark.parametrize("n_slow", [0, 1, 4])
def test_a_thread_that_stood_still_between_two_looks_bends_nothing(n_slow: int):
    """The second look at the base comes 40 ms late, so many times."""
    base = FakeClock(100.0, [1e-6, 0.04] * n_slow)
    assert offset_s(lambda: base.now_s + 5.0, base) == pytest.approx(5.0, abs=1e-5)


def test_a_machine_that_is_always_late_is_told_within_half_of_that():
    base = FakeClock(100.0, [1e-6, 0.04] * 20)
    assert offset_s(lambda: base.now_s + 5.0, base) == pytest.approx(5.0, abs=0.0201)


def test_utc_is_that_of_the_system():
    before = datetime.now(UTC)
    told = utc_of(time.monotonic())
    after = datetime.now(UTC)
    assert (before - told).total_seconds() < 5e-3
    assert (told - after).total_seconds() < 5e-3


def test_the_next_time_that_is_asked_for_follows_a_step_of_the_system_clock(monkeypatch):
    true_time = time.time
    at_s = time.monotonic()
    before = utc_of(at_s)
    monkeypatch.setattr(time, "time", lambda: true_time() + 3600)
    assert (utc_of(at_s) - before).total_seconds() == pytest.approx(3600, abs=5e-3)
    monkeypatch.setattr(time, "time", lambda: true_time() - 3600)
    assert (utc_of(at_s) - before).total_seconds() == pytest.approx(-3600, abs=5e-3)


DAY = datetime(2026, 11, 25, 14, 3, tzinfo=timezone(-timedelta(hours=23, minutes=59)))


@pytest.mark.parametrize("by_s", [1e300, -1e300, 1e17, -1e12, 2.5e11, float("inf"), float("nan")])
def test_no_time_of_a_file_leads_out_of_the_calendar(by_s: float):
    assert moved(DAY, by_s) is None
    assert moved(None, by_s) is None


def test_a_moment_is_moved():
    assert moved(DAY, -60.5) == DAY - timedelta(seconds=60.5)
    last = moved(DAY, (datetime(2999, 12, 31, tzinfo=UTC) - DAY).total_seconds())
    assert last is not None and last.astimezone(UTC) == datetime(2999, 12, 31, tzinfo=UTC)
    assert moved(datetime.max.replace(tzinfo=DAY.tzinfo), 0.0) is None
    assert moved(datetime.min.replace(tzinfo=UTC), 1.0) is None
