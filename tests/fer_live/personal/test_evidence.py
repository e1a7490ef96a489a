import numpy as np
import pytest

from fer_live.personal.evidence import MAX_FOLDS, Evidence, take_folds, weigh
from fer_live.personal.proof import MIN_TAKES


def takes_of(n_labels: int, n_takes: int, n_faces: int) -> tuple[np.ndarray, np.ndarray]:
    labels = np.repeat(np.arange(n_labels), n_takes * n_faces)
    numbers = np.tile(np.repeat(np.arange(n_takes), n_faces), n_labels)
    return labels, np.char.add(labels.astype(str), np.char.add("/", numbers.astype(str)))


def test_a_fold_holds_whole_takes_one_of_each_expression():
    labels, takes = takes_of(3, 2, 5)
    everything = np.ones(len(labels), dtype=bool)
    folds = take_folds(labels, takes, everything)
    assert [sorted(set(takes[fold])) for fold in folds] == [
        ["0/0", "1/0", "2/0"],
        ["0/1", "1/1", "2/1"],
    ]
    assert (np.sum(folds, axis=0) == 1).all()
    one_left = take_folds(labels, takes, ~folds[0])
    assert one_left == [], "with one take of each there is nothing to leave out"
    labels, takes = takes_of(2, 7, 1)
    many = take_folds(labels, takes, np.ones(14, dtype=bool))
    assert len(many) == MAX_FOLDS and (np.sum(many, axis=0) == 1).all()


def test_an_expression_with_one_take_is_always_learned():
    labels = np.array([0, 0, 1])
    folds = take_folds(labels, np.array(["a", "b", "c"]), np.ones(3, dtype=bool))
    assert not any(fold[2] for fold in folds)


@pytest.mark.parametrize(
    ("n_takes", "n_better", "verdict"),
    [
        (0, 0, "too few takes"),
        (MIN_TAKES - 1, MIN_TAKES - 1, "too few takes"),
        (8, 8, "proven"),
        (8, 7, "proven"),
        (8, 1, "unproven"),
        (8, 0, "against"),
        (8, -3, "against"),
    ],
)
def test_takes_decide(n_takes: int, n_better: int, verdict: str):
    before = np.zeros(n_takes, dtype=bool)
    after = np.zeros(n_takes, dtype=bool)
    if n_better < 0:
        before[:-n_better] = True
    else:
        after[:n_better] = True
    if n_takes == 0:
        assert Evidence().verdict == verdict
        return
    labels = np.arange(n_takes) % 4
    found = weigh(before, after, labels, np.arange(n_takes).astype(str))
    assert found.verdict == verdict
    assert found.n_takes == n_takes
    assert found.n_right_after == max(n_better, 0)


def test_every_expression_and_every_take_counts_alike():
    """A hundred faces of one take are one observation, and six neutral takes are one expression."""
    labels = np.r_[np.zeros(105, int), np.ones(1, int)]
    takes = np.r_[["n0"] * 100, ["n1", "n2", "n3", "n4", "n5"], ["a"]]
    after = np.r_[np.ones(100, bool), np.zeros(5, bool), [True]]
    found = weigh(np.zeros(106, bool), after, labels, takes)
    assert found.after == pytest.approx((1 / 6 + 1) / 2)
