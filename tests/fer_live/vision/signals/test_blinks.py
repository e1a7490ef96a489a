"""Blinks of eyes whose openings are made up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_live.vision.signals.blinks import BlinkCounter

OPEN = 0.3


def counted(openings: list[float] | list[tuple[float, float]], fps: float = 30) -> BlinkCounter:
    counter = BlinkCounter()
    for frame, opening in enumerate(openings):
        counter.update(np.broadcast_to(np.float32(opening), 2), frame / fps)
    return counter


@pytest.mark.parametrize(
    ("openings", "n_blinks"),
    [
        ([], 0),
        ([OPEN] * 60, 0),
        ([OPEN] * 30 + [0.05] * 4 + [OPEN] * 30, 1),
        ([OPEN] * 30 + [0.05] + [OPEN] * 30, 1),
        ([OPEN] * 30 + [0.2] * 3 + [OPEN] * 30, 1),
        ([OPEN] * 30 + ([0.05] * 4 + [OPEN] * 6) * 5, 5),
        ([OPEN] * 30 + [0.05] * 30 + [OPEN] * 30, 0),  # closed for a second
        ([OPEN] * 30 + [0.27] * 4 + [OPEN] * 30, 0),  # a little lower
        ([0.02] * 30 + [0.05, 0.02] * 30, 0),  # closed from the start, with noise
        ([0.02] * 30 + [OPEN] * 30, 0),  # opened for the first time
        ([OPEN] * 30 + [0.05] * 5, 0),  # not open again yet
        ([OPEN] * 30 + [(0.05, OPEN)] * 4 + [OPEN] * 30, 0),  # a wink
        ([0.19] * 30 + [0.04] * 4 + [0.19] * 30, 1),  # narrow eyes
    ],
)
def test_what_counts_as_a_blink(openings: list[float], n_blinks: int):
    assert counted(openings).n_blinks == n_blinks


def test_a_blink_is_told_once_when_the_lids_open_again():
    counter = BlinkCounter()
    openings = [OPEN] * 30 + [0.05] * 4 + [0.15, 0.25] + [OPEN] * 30
    told = [
        frame
        for frame, opening in enumerate(openings)
        if counter.update(np.full(2, opening, np.float32), frame / 30)
    ]
    assert told == [34]


def test_a_gap_is_not_watched_and_no_blink():
    counter = BlinkCounter()
    for time_s in np.arange(0, 1, 1 / 30):
        counter.update(np.full(2, OPEN, np.float32), time_s)
    counter.update(np.full(2, 0.05, np.float32), 1.0)
    assert not counter.update(np.full(2, OPEN, np.float32), 9.0)
    assert counter.n_blinks == 0
    assert counter.watched_s == pytest.approx(1.0)


@given(st.lists(st.floats(0, 1, width=32), max_size=90), st.sampled_from([10, 15, 30, 60]))
def test_any_openings_are_counted_without_trouble(openings: list[float], fps: int):
    counter = counted(openings, fps)
    assert 0 <= counter.n_blinks <= max(len(openings) // 2, 0)
    assert counter.watched_s == pytest.approx(max(len(openings) - 1, 0) / fps)
