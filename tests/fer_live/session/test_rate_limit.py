import numpy as np
import pytest

from fer_live.session.rate_limit import RateLimit


@pytest.mark.parametrize(
    ("source_fps", "wanted"), [(30, 12), (60, 12), (25, 10), (10, 12), (30, 29)]
)
def test_no_more_than_wanted_come_through_and_evenly(source_fps: float, wanted: float):
    jitter = np.random.default_rng(1).uniform(-0.003, 0.003, 1000)
    times = np.arange(1000) / source_fps + jitter
    limit = RateLimit()
    assert all(limit.lets_through(time) for time in times[:5])
    limit.per_second = wanted
    taken = [time for time in times if limit.lets_through(time)]
    rate = (len(taken) - 1) / (taken[-1] - taken[0])
    assert rate == pytest.approx(min(wanted, source_fps), rel=0.03)
    assert np.diff(taken).max() < 1 / wanted + 1.5 / source_fps + 0.01


@pytest.mark.parametrize("jump_s", [-1000.0, -0.5, 5.0, 1e6])
def test_another_clock_or_a_pause_holds_nothing_up(jump_s: float):
    limit = RateLimit()
    limit.per_second = 10
    first = [time for time in np.arange(0, 2, 0.03) if limit.lets_through(time)]
    again = [time for time in np.arange(2, 4, 0.03) + jump_s if limit.lets_through(time)]
    assert len(first) == pytest.approx(20, abs=1)
    assert len(again) == pytest.approx(20, abs=1)
