"""Levels, ranges and bands of a timeline, and what they cost on two hours of three faces."""

import time
from itertools import pairwise

import numpy as np
import pytest
from PyQt6.QtGui import QColor

from fer_live.recording.episodes import Times
from fer_live.recording.face_curve import FaceCurve
from fer_live.window.widgets.episode_list import episodes_of
from fer_live.window.widgets.timeline_band import Band, BandLook
from fer_live.window.widgets.timeline_levels import CurveLevels
from fer_live.window.widgets.timeline_range import TimeRange, ticks

N_LABELS = 8
LOOK = BandLook(
    tuple(QColor.fromHsv(40 * place, 200, 200) for place in range(N_LABELS)),
    QColor("black"),
    (True,) * N_LABELS,
)


def random_curve(n: int, number: int = 1, *, seed: int = 0) -> FaceCurve:
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.ones(N_LABELS), n).astype(np.float32)
    shown = (np.arange(n) // 90 % N_LABELS).astype(np.uint16)
    names = [f"label{place}" for place in range(N_LABELS)]
    return FaceCurve(number, np.arange(n) / 30, probs, shown, names)


def slow_means(curve: FaceCurve, edges_s: Times) -> np.ndarray:
    means = []
    for begin, end in pairwise(edges_s):
        inside = curve.probs[(curve.times_s >= begin) & (curve.times_s < end)]
        means.append(inside.mean(axis=0) if len(inside) else np.full(N_LABELS, np.nan))
    return np.array(means)


def test_a_face_that_was_never_seen_has_empty_columns():
    curve = FaceCurve.of(1, np.zeros(0), np.zeros((0, 8), np.float32), [])
    assert np.isnan(CurveLevels(curve).columns(np.arange(5.0))).all()
    assert episodes_of([curve]) == []


@pytest.mark.parametrize("column_s", [0.1, 0.9, 1.0, 3.7, 16.0, 60.0])
def test_columns_are_means_at_any_level(column_s: float):
    curve = random_curve(60_000)
    edges_s = np.arange(11) * column_s
    means = CurveLevels(curve).columns(edges_s)
    # Levels are means over times that may reach over an edge: a quarter of a column at most.
    tolerance = 1e-5 if column_s < 1 else 0.12
    np.testing.assert_allclose(means, slow_means(curve, edges_s), atol=tolerance)
    np.testing.assert_allclose(means.sum(axis=1), 1, atol=1e-4)


def test_short_gaps_are_filled_and_long_ones_are_not():
    probs = np.eye(8, dtype=np.float32)[[0, 1, 2]]
    curve = FaceCurve.of(1, np.array([1.05, 1.45, 3.05]), probs, ["a", "b", "c"])
    means = CurveLevels(curve).columns(np.arange(0, 41) * 0.1)
    seen = [None if np.isnan(row[0]) else int(row.argmax()) for row in means]
    assert seen[10:14] == [0, 0, 0, 0]
    assert seen[14] == 1
    assert seen[15:30] == [None] * 15
    assert seen[30] == 2
    assert seen[:10] == [None] * 10


def test_a_gap_is_a_gap_at_every_level():
    curve = random_curve(60_000)
    is_kept = (curve.times_s < 500) | (curve.times_s > 1000)
    cut = FaceCurve(
        1, curve.times_s[is_kept], curve.probs[is_kept], curve.shown[is_kept], curve.names
    )
    for column_s in (0.1, 1.0, 20.0):
        edges_s = np.arange(0, 2000, column_s)
        empty = np.isnan(CurveLevels(cut).columns(edges_s)[:, 0])
        middles = edges_s[:-1] + column_s / 2
        inside = (middles > 500 + column_s) & (middles < 1000 - column_s)
        assert (empty == inside).mean() > 0.97
        assert empty[inside].all()


def test_a_band_scrolled_is_the_band_painted_at_once():
    levels = CurveLevels(random_curve(3000))
    scrolled, whole = Band(), Band()
    for first in [0, 1, 5, 40, 39, 20, 400, 100]:
        scrolled.show((120, 40), LOOK, first, 0.1, levels.columns, 1e9)
    whole.show((120, 40), LOOK, 100, 0.1, levels.columns, 1e9)
    columns = np.arange(100, 220) % 120
    np.testing.assert_array_equal(scrolled._ring[:, columns], whole._ring[:, columns])


def test_what_is_not_final_is_painted_again():
    band, calls = Band(), []

    def columns(edges_s: Times) -> np.ndarray:
        calls.append(len(edges_s) - 2)
        return np.full((len(edges_s) - 1, N_LABELS), 1 / N_LABELS, np.float32)

    band.show((100, 20), LOOK, 0, 1.0, columns, 90.5)
    band.show((100, 20), LOOK, 0, 1.0, columns, 99.5)
    band.show((100, 20), LOOK, 1, 1.0, columns, 1e9)
    band.show((100, 20), LOOK, 1, 1.0, columns, 1e9)
    assert calls == [100, 10, 2]


@pytest.mark.parametrize(
    ("from_s", "span_s", "n_most", "expected"),
    [
        (0.0, 30.0, 6, [0, 5, 10, 15, 20, 25, 30]),
        (-30.0, 30.0, 10, [-30, -25, -20, -15, -10, -5, 0]),
        (12.3, 2.0, 4, [12.5, 13.0, 13.5, 14.0]),
        (0.0, 7200.0, 4, [0, 1800, 3600, 5400, 7200]),
    ],
)
def test_ticks_are_round_times(from_s, span_s, n_most, expected):
    assert ticks(from_s, span_s, n_most) == pytest.approx(expected)


def test_a_range_stays_inside_what_there_is():
    shown = TimeRange.whole(100.0)
    shown.zoom(1000, 99.9)
    assert (shown.span_s, shown.to_s) == (1.0, pytest.approx(99.9 + 0.001 * 1.0, abs=0.01))
    shown.pan(50.0)
    assert shown.to_s == 100.0
    shown.pan(-500.0)
    assert shown.from_s == 0.0
    shown.zoom(0.0001, 0.0)
    assert (shown.from_s, shown.span_s) == (0.0, 100.0)
    live = TimeRange.live(1000.0, 30.0, 600.0)
    live.pan(-10_000.0)
    assert (live.from_s, live.follows) == (400.0, False)
    live.advance(1100.0)
    assert live.from_s == 500.0, "what is no longer kept is not shown"
    live.pan(10_000.0)
    assert (live.to_s, live.follows) == (1100.0, True)


def test_two_hours_of_three_faces_open_at_once_and_scroll():
    """Opening builds the levels; scrolling at 4K width paints new columns alone, zooming a screen.

    In units of one plain pass over the same numbers, since the machine may be busy.
    """
    curves = [random_curve(216_000, number, seed=number) for number in (1, 2, 3)]

    def seconds(call, n: int = 1) -> float:
        begun_s = time.process_time()
        for _ in range(n):
            call()
        return (time.process_time() - begun_s) / n

    unit_s = min(
        seconds(lambda: [curve.probs.cumsum(axis=0) for curve in curves]) for _ in range(3)
    )
    made: list[CurveLevels] = []
    opening_s = seconds(lambda: made.extend(CurveLevels(curve) for curve in curves))
    assert opening_s <= 8 * unit_s
    levels, band = made[0], Band()
    size = (3840, 152)
    screens = [(0, span_s / 3840) for span_s in (7200.0, 720.0, 72.0, 7.2)]
    for first, column_s in screens:
        zooming_s = seconds(
            lambda: band.show(size, LOOK, first, column_s, levels.columns, 1e9)  # noqa: B023
        )
        assert zooming_s <= 8 * unit_s, column_s
    before = band.n_painted
    firsts = iter(range(1, 400))

    def scroll() -> None:
        band.show(size, LOOK, next(firsts), 7.2 / 3840, levels.columns, 1e9)

    scrolling_s = seconds(scroll, 200)
    assert band.n_painted - before == 200
    assert scrolling_s <= zooming_s / 5
