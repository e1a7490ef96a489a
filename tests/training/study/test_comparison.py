"""Differences image by image, on made-up rows whose difference is known."""

import numpy as np
import pytest

from training.loop.figures import packed, unpacked
from training.study.comparison import Difference, paired_difference, right_images


def row(accuracy: float, n_images: int = 4000, *, seeds: int = 5, noise: float = 0.0):
    """Which images are right, by seed: hard images are the same for all seeds and rows."""
    hardness = np.random.default_rng(0).random(n_images)
    spread = np.random.default_rng(1).normal(0, noise, seeds)
    return {seed: hardness < accuracy + spread[seed] for seed in range(seeds)}


def test_classes_of_images_survive_a_cell():
    classes = np.array([0, 7, 7, 3, 255])
    assert unpacked(packed(classes)).tolist() == classes.tolist()


def test_nothing_to_compare():
    assert paired_difference({}, row(0.5)) is None
    assert paired_difference({9: np.ones(3, dtype=bool)}, row(0.5, 3)) is None


def test_a_difference_that_all_images_and_seeds_share():
    found = paired_difference(row(0.72), row(0.70))
    assert found.mean == pytest.approx(2.0, abs=0.4)
    assert found.interval[0] < found.mean < found.interval[1]
    assert found.verdict == "better"
    assert paired_difference(row(0.70), row(0.72)).verdict == "worse"
    assert found.n_images == 4000 and len(found.by_seed) == 5


def test_the_same_row_twice_is_as_good():
    found = paired_difference(row(0.7), row(0.7))
    assert found.interval == (0, 0)
    assert found.verdict == "as good"


def test_seeds_that_disagree_widen_the_interval():
    """The standard error of a mean of five seeds is their deviation / sqrt(5), times 1.96."""
    found = paired_difference(row(0.7, noise=0.02), row(0.7))
    deviation = np.std(found.by_seed, ddof=1)
    width = found.interval[1] - found.interval[0]
    assert width == pytest.approx(2 * 1.96 * deviation / np.sqrt(5), rel=0.25)
    assert found.verdict == "open"


def test_few_images_widen_the_interval():
    """Of n images a tenth differ either way: a standard error of sqrt(0.2 / n) for one seed."""
    random = np.random.default_rng(3)
    ours, theirs = random.random((2, 1000)) < 0.1
    found = paired_difference({1: ours}, {1: theirs})
    width = found.interval[1] - found.interval[0]
    assert width == pytest.approx(2 * 1.96 * 100 * np.sqrt(0.18 / 1000), rel=0.1)
    assert found.verdict == "open: one seed"


@pytest.mark.parametrize(
    ("interval", "inner", "verdict"),
    [
        ((0.01, 0.3), (0.05, 0.25), "better"),
        ((-0.3, -0.01), (-0.25, -0.05), "worse"),
        ((-0.45, 0.5), (-0.4, 0.45), "as good"),
        ((-0.6, 0.3), (-0.51, 0.2), "open"),
    ],
)
def test_how_a_difference_is_judged(
    interval: tuple[float, float], inner: tuple[float, float], verdict: str
):
    other = ((-9.0, 9.0), (-9.0, 9.0))
    assert Difference(0.0, (0.0, 0.0), interval, inner, 100, *other).verdict == verdict
    found = Difference(0.0, (0.0, 0.0), *other, 100, interval, inner)
    assert (found.verdict, found.two_way_verdict) == ("open", verdict)


@pytest.mark.parametrize(
    ("n_seeds", "seed_spread", "wide_at_least"),
    [(5, 0.0, 0.95), (5, 0.01, 0.95), (5, 0.04, 0.85), (3, 0.04, 0.8), (2, 0.04, 0.75)],
)
def test_the_intervals_hold_true_ties(n_seeds: int, seed_spread: float, wide_at_least: float):
    """Rows of one accuracy whose hard images are partly the same: 120 times the difference is 0.

    The interval of the rules is too narrow where few seeds vary much; the two-way one allows for
    their number.
    """
    random = np.random.default_rng(5)
    held = np.zeros((120, 2), dtype=bool)
    for trial in range(len(held)):
        hardness = random.random(600)
        ours, theirs = (
            {
                seed: hardness + own + random.normal(0, 0.13, 600)
                < 0.7 + random.normal(0, seed_spread)
                for seed in range(n_seeds)
            }
            for own in random.normal(0, 0.13, (2, 600))
        )
        found = paired_difference(ours, theirs)
        held[trial] = [low <= 0 <= high for low, high in (found.interval, found.two_way)]
    wide, two_way = held.mean(axis=0)
    assert wide >= wide_at_least
    assert two_way >= (0.85 if n_seeds == 2 else 0.9)
    if n_seeds == 2:
        assert two_way > wide, "a normal stretch is too little for two seeds"


def test_the_two_way_interval_of_two_quiet_seeds_is_a_number_and_not_endless():
    lead = np.array([[-1, -1, 0], [0, 0, -1]])
    found = paired_difference(
        {seed: row == 1 for seed, row in enumerate(lead)},
        {seed: row == -1 for seed, row in enumerate(lead)},
    )
    assert np.isfinite(found.two_way).all()
    random = np.random.default_rng(7)
    widths = []
    for _ in range(50):  # seeds that differ by their images' chance alone
        ours, theirs = (
            {seed: random.random(2000) < 0.7 for seed in range(2)} for _ in ("ours", "theirs")
        )
        low, high = paired_difference(ours, theirs).two_way
        widths.append(high - low)
    normal = 2 * 1.96 * 100 * np.sqrt(0.42 / 2000 / 2)
    assert 0.7 * normal < np.median(widths) < 2 * normal


def test_of_one_seed_the_two_way_interval_is_that_of_its_images():
    ours, theirs = np.random.default_rng(3).random((2, 1000)) < 0.1
    found = paired_difference({1: ours}, {1: theirs})
    width = found.two_way[1] - found.two_way[0]
    assert width == pytest.approx(found.interval[1] - found.interval[0], rel=0.1)


def test_images_of_several_sets_go_together():
    truth, predicted = np.array([0, 1, 1]), np.array([0, 1, 0])
    figures = {"predicted": packed(predicted), "truth": packed(truth)}
    withheld = {"predicted": packed(truth), "truth": packed(truth)}
    cell = {
        "seed": 4,
        "split": "PublicTest",
        "rule": "argmax",
        "metrics": figures,
        "other_metrics": {"withheld": withheld},
    }
    found = right_images(
        [cell, {**cell, "seed": 5, "other_metrics": {}}], ("PublicTest argmax", "withheld")
    )
    assert list(found) == [4], "a cell that was not measured on all is left out"
    assert found[4].tolist() == [True, True, False, True, True, True]
