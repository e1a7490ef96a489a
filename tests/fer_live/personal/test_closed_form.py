"""Calibration in closed form, on a population of embeddings that is made up."""

from dataclasses import replace

import numpy as np
import pytest

from fer_live.model.head import Head
from fer_live.model.manifest import EmbeddingStatistics
from fer_live.personal.embedding_alignment import UNKNOWN, align_embeddings, no_alignment
from fer_live.personal.own_head import (
    HOLDS,
    Rows,
    fit_head,
    labeled_rows,
    minimize,
    other_people,
    probabilities,
)
from tests.helpers.embeddings import HEAD, MEANS, N_CLASSES, N_VALUES, STATISTICS, faces

EQUAL = np.full(N_CLASSES, 1 / N_CLASSES)


def recall(head: Head, embeddings: np.ndarray, labels: np.ndarray) -> float:
    read = probabilities(head, embeddings, 1.0).argmax(axis=1)
    return float(np.mean([(read[labels == c] == c).mean() for c in range(N_CLASSES)]))


def aligned(embeddings: np.ndarray, labels: np.ndarray | None = None) -> Head:
    known = np.full(len(embeddings), UNKNOWN) if labels is None else labels
    found = align_embeddings(embeddings, known, HEAD, 1.0, STATISTICS)
    return HEAD.after_affine(found.scale, found.shift)


@pytest.mark.parametrize("n_a_class", [(20, 20, 20, 20), (80, 10, 10, 10)])
def test_a_moved_person_is_found_without_a_label_whatever_they_show_most(n_a_class):
    tested = faces((100,) * N_CLASSES, moved=1.0, seed=2)
    clip, _ = faces(n_a_class, moved=1.0)
    assert recall(HEAD, *tested) < 0.85
    assert recall(aligned(clip), *tested) > recall(HEAD, *tested) + 0.03


def test_one_face_of_each_expression_is_worth_something():
    tested = faces((100,) * N_CLASSES, moved=1.0, seed=2)
    clip, _ = faces((2,) * N_CLASSES, moved=1.0)
    assert recall(aligned(clip), *tested) > recall(HEAD, *tested) + 0.03


def test_a_person_who_looks_like_others_stays_as_they_are():
    tested = faces((100,) * N_CLASSES, seed=2)
    clip, _ = faces((40,) * N_CLASSES)
    assert abs(recall(aligned(clip), *tested) - recall(HEAD, *tested)) < 0.02


def test_a_clip_of_one_expression_moves_next_to_nothing():
    """The model's own answer alone says which one it is, and may be wrong."""
    clip, _ = faces((60, 0, 0, 0))
    found = align_embeddings(clip, np.full(60, UNKNOWN), HEAD, 1.0, STATISTICS)
    varied, _ = faces((15,) * N_CLASSES)
    all_four = align_embeddings(varied, np.full(60, UNKNOWN), HEAD, 1.0, STATISTICS)
    assert found.variety < 1.5 and all_four.variety > 3.5
    assert found.strength < 0.2 < 0.6 < all_four.strength


def test_the_rest_face_alone_is_a_reference():
    tested = faces((100,) * N_CLASSES, moved=1.0, seed=2)
    rest, labels = faces((6, 0, 0, 0), moved=1.0)
    assert recall(aligned(rest, labels), *tested) > recall(HEAD, *tested) + 0.03


def test_no_face_changes_nothing():
    found = align_embeddings(np.empty((0, N_VALUES)), np.empty(0, int), HEAD, 1.0, STATISTICS)
    assert found.strength == 0
    folded = HEAD.after_affine(found.scale, found.shift)
    np.testing.assert_array_equal(folded.weights, HEAD.weights)


def test_calibrating_again_begins_where_the_last_one_ended():
    """Other people as this person's: with those statistics, the same faces need no further move."""
    clip, _ = faces((40,) * N_CLASSES, moved=1.0)
    unknown = np.full(len(clip), UNKNOWN)
    found = align_embeddings(clip, unknown, HEAD, 1.0, STATISTICS)
    moved = found.statistics_before(STATISTICS)
    np.testing.assert_allclose(found(np.array(moved.class_means)), MEANS, atol=1e-4)
    head = HEAD.after_affine(found.scale, found.shift)
    again = align_embeddings(clip, unknown, head, 1.0, moved)
    left = np.abs(again(clip) - clip).mean() / np.abs(found(clip) - clip).mean()
    assert left < 0.25


def test_one_label_of_each_expression_makes_a_head_that_keeps_other_people():
    tested, others = faces((100,) * N_CLASSES, 1.0, 2), faces((100,) * N_CLASSES, 0.0, 3)
    shown, labels = faces((1,) * N_CLASSES, moved=1.0)
    takes = np.arange(len(labels)).astype(str)
    rows = labeled_rows(shown, labels, takes, EQUAL).and_also(other_people(STATISTICS, HEAD, 1.0))
    head = fit_head(HEAD, rows, 1.0, HOLDS[0], 0.8)
    assert recall(head, *tested) > recall(HEAD, *tested) + 0.01
    assert recall(head, *others) > recall(HEAD, *others) - 0.03
    alone = fit_head(HEAD, labeled_rows(shown, labels, takes, EQUAL), 1.0, HOLDS[1], 0.8)
    assert recall(head, *others) > recall(alone, *others)


def test_balanced_labels_do_not_teach_that_all_expressions_are_as_frequent():
    """With the prior corrected, the classifier that fits the labels already is left as it is."""
    shares = np.array([0.7, 0.1, 0.1, 0.1])
    natural = replace(HEAD, bias=(HEAD.bias + np.log(shares)).astype(np.float32))
    shown, labels = faces((300,) * N_CLASSES)
    takes = np.arange(len(labels)).astype(str)
    kept = fit_head(natural, labeled_rows(shown, labels, takes, shares), 1.0, 0.01, 0.8)
    lost = fit_head(natural, labeled_rows(shown, labels, takes, EQUAL), 1.0, 0.01, 0.8)
    before, after, balanced = (
        probabilities(head, shown, 1.0).mean(axis=0)[0] for head in (natural, kept, lost)
    )
    assert abs(after - before) < abs(balanced - before) / 2


def test_takes_of_one_expression_count_alike_however_long_they_are():
    labels = np.array([0, 0, 0, 0, 1])
    takes = np.array(["a", "a", "a", "b", "c"])
    rows = labeled_rows(np.zeros((5, 2)), labels, takes, np.array([0.5, 0.5]))
    np.testing.assert_allclose(rows.counts, [1 / 12, 1 / 12, 1 / 12, 1 / 4, 1 / 2])


def test_the_optimizer_finds_the_least_of_a_bowl():
    generator = np.random.default_rng(0)
    factor = generator.normal(size=(30, 12))
    matrix, lowest = factor.T @ factor + np.eye(12), generator.normal(size=12)

    def bowl(point: np.ndarray) -> tuple[float, np.ndarray]:
        away = point - lowest
        return float(away @ matrix @ away) + 1e-3, 2 * matrix @ away

    np.testing.assert_allclose(minimize(bowl, np.zeros(12)), lowest, atol=0.01)


def test_nothing_to_fit_leaves_the_head():
    empty = Rows(
        np.empty((0, N_VALUES)), np.empty((0, N_CLASSES)), np.empty(0), np.empty((0, N_CLASSES))
    )
    head = fit_head(HEAD, empty, 1.0, HOLDS[0], 0.8)
    np.testing.assert_allclose(head.weights, HEAD.weights, rtol=1e-5)
    assert no_alignment(3)(np.ones((1, 3))).tolist() == [[1, 1, 1]]


def test_other_people_vary_as_their_class_does():
    """One class varies twice as much along the one direction as all do, another not at all."""
    direction = np.zeros(N_VALUES)
    direction[0] = 3.0
    scales = ((1.0,), (2.0,), (0.0,), (1.0,))
    varied = STATISTICS.model_copy(
        update={"directions": (tuple(direction),), "class_scales": scales, "spread": (1e-6,) * 24}
    )
    drawn = other_people(varied, HEAD, 1.0).embeddings.reshape(N_CLASSES, -1, N_VALUES)
    spreads = drawn[:, :, 0].std(axis=1)
    np.testing.assert_allclose(spreads, [3, 6, 0, 3], rtol=0.3, atol=1e-3)
    with pytest.raises(ValueError, match="disagree in size"):
        EmbeddingStatistics.model_validate({**varied.model_dump(), "class_scales": ((1.0,),)})


def test_an_alignment_keeps_what_other_people_are_answered():
    """Everybody is read through it; the classifier is changed so that they are read as before."""
    clip, _ = faces((40,) * N_CLASSES, moved=1.0)
    found = align_embeddings(clip, np.full(len(clip), UNKNOWN), HEAD, 1.0, STATISTICS)
    others = other_people(STATISTICS, HEAD, 1.0)
    moved = others.moved(found)
    assert len(moved.embeddings) == 2 * len(others.embeddings)
    assert moved.counts.sum() == pytest.approx(others.counts.sum())
    kept = fit_head(HEAD, moved, 1.0, HOLDS[0], 0.8).after_affine(found.scale, found.shift)
    alone = HEAD.after_affine(found.scale, found.shift)
    tested = faces((200,) * N_CLASSES, seed=3)
    assert recall(kept, *tested) > recall(alone, *tested)
