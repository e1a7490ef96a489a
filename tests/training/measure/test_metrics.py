import numpy as np
import pytest

from training.measure.metrics import expected_calibration_error, measure, wilson_interval

LABELS = ("a", "b", "c")


def probs(*winners: int, confidence: float = 0.8) -> np.ndarray:
    rest = (1 - confidence) / 2
    return np.where(np.eye(3)[list(winners)] == 1, confidence, rest).astype(np.float32)


def test_figures_of_a_batch_computed_by_hand():
    # True a a a b b: predicted a a b b a; c never occurs.
    metrics = measure(probs(0, 0, 1, 1, 0), np.array([0, 0, 0, 1, 1]), LABELS)
    assert metrics.confusion == [[2, 1, 0], [1, 1, 0], [0, 0, 0]]
    assert metrics.accuracy == pytest.approx(3 / 5)
    assert metrics.recall == {"a": pytest.approx(2 / 3), "b": pytest.approx(1 / 2), "c": None}
    assert metrics.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert metrics.macro_f1 == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert metrics.ece == pytest.approx(0.8 - 3 / 5, abs=1e-6)


def test_a_face_not_found_counts_as_wrong():
    metrics = measure(probs(0), np.array([0]), LABELS, np.array([0, 1]))
    assert (metrics.n, metrics.n_undetected) == (3, 2)
    assert metrics.accuracy == pytest.approx(1 / 3)
    assert metrics.recall == {"a": 0.5, "b": 0.0, "c": None}


def test_nothing_to_measure_and_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="no image"):
        measure(np.zeros((0, 3), np.float32), np.zeros(0, np.int64), LABELS)
    with pytest.raises(ValueError, match="expected"):
        measure(probs(0), np.array([0, 1]), LABELS)


def test_ece_of_sure_and_right_is_zero_and_of_sure_and_wrong_is_one():
    assert expected_calibration_error(probs(0, 1, confidence=1.0), np.array([0, 1])) == 0
    assert expected_calibration_error(probs(0, 1, confidence=1.0), np.array([1, 0])) == 1
    assert expected_calibration_error(np.zeros((0, 3), np.float32), np.zeros(0, np.int64)) == 0


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(0, 10, 0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1)]
)
def test_intervals_of_shares_are_those_of_the_published_tables(hits, n, low, high):
    assert wilson_interval(hits, n) == pytest.approx((low, high), abs=1e-4)


def test_a_recall_has_an_interval_around_it_and_a_label_that_does_not_occur_none():
    metrics = measure(probs(0, 0, 1, 1, 0), np.array([0, 0, 0, 1, 1]), LABELS)
    assert metrics.recall_interval["c"] is None
    for label in "ab":
        low, high = metrics.recall_interval[label]
        assert low < metrics.recall[label] < high
