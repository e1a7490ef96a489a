"""An expression of one's own, on a population of embeddings that is made up."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from fer_live.model.head import Head
from fer_live.model.manifest import CropGeometry, EmbeddingStatistics, Manifest
from fer_live.personal.calibration import (
    Calibrated,
    CalibrationStart,
    Embedded,
    calibrate_embedded,
    read_probs,
)
from fer_live.personal.embedding_alignment import no_alignment
from fer_live.personal.own_expression import (
    against_of,
    gather_own_evidence,
    with_own_rows,
)
from fer_live.personal.own_faces import CropChange
from fer_live.vision.classifier import ExpressionClassifier

COMMON, N_VALUES = ("neutral", "happiness", "surprise", "anger"), 24
MEANS = 0.5 * np.random.default_rng(0).normal(size=(4, N_VALUES))
STATISTICS = EmbeddingStatistics(
    class_means=tuple(map(tuple, MEANS.tolist())),
    spread=(0.8,) * N_VALUES,
    class_shares=(0.4, 0.3, 0.2, 0.1),
    n=1000,
)
HEAD = Head((MEANS / 0.64).astype(np.float32), (-(MEANS**2).sum(axis=1) / 1.28).astype(np.float32))
OFFSET = 0.5 * np.random.default_rng(9).normal(size=N_VALUES)
"""Where a person's faces lie, compared with others'."""
WINK, FROWN = (0.6 * np.random.default_rng(seed).normal(size=N_VALUES) for seed in (3, 4))


def start_with(own: tuple[str, ...] = (), rows: Head | None = None) -> CalibrationStart:
    manifest = Manifest(
        labels=(*COMMON, *own),
        own_labels=own,
        input_side=48,
        crop=CropGeometry(),
        embedding=STATISTICS,
    )
    classifier = cast(ExpressionClassifier, SimpleNamespace(manifest=manifest))
    return CalibrationStart(Path(), classifier, HEAD, rows or HEAD.rows([]), STATISTICS)


def faces(label: int, n: int, seed: int, moved: np.ndarray = OFFSET) -> np.ndarray:
    """Of one person, who differs from frame to frame less than people do from each other."""
    return MEANS[label] + moved + 0.3 * np.random.default_rng(seed).normal(size=(n, N_VALUES))


def person(
    takes: list[tuple[int, np.ndarray]], own: tuple[str, ...] = ("wink",), clips: int = 0
) -> Embedded:
    """`takes`: the number of a label and the embeddings of its faces."""
    labels = np.concatenate([np.full(len(found), label) for label, found in takes])
    names = np.concatenate([np.full(len(found), f"t{k}") for k, (_, found) in enumerate(takes)])
    embeddings = np.concatenate([found for _, found in takes])
    return Embedded(
        CropChange(),
        faces(0, clips, 50),
        embeddings,
        embeddings[:, None],
        labels,
        names,
        np.arange(len(labels)),
        labels < len(COMMON),
        own,
    )


def takes_of(*labels: int, n: int = 10) -> list[tuple[int, np.ndarray]]:
    """Label 4 is the wink, 5 the frown; both are shown on a neutral face."""
    shown = {4: WINK, 5: FROWN}
    return [
        (label, faces(0 if label in shown else label, n, k) + shown.get(label, 0.0))
        for k, label in enumerate(labels)
    ]


def learnt(start: CalibrationStart, of: Embedded) -> tuple[Calibrated, Head]:
    everything = np.ones(len(of.labels), dtype=bool)
    common = calibrate_embedded(start, of, everything, 0.1)
    return common, with_own_rows(start, of, common, everything)


def answers(start: CalibrationStart, head: Head, embeddings: np.ndarray) -> np.ndarray:
    return read_probs(start, head, embeddings).argmax(axis=1)


@pytest.mark.parametrize(
    ("rest", "clips"), [((0, 0), 0), ((0, 1, 2, 3), 0), ((), 30), ((1, 1), 30)]
)
def test_it_is_told_from_the_face_at_rest_and_from_other_people(rest: tuple[int, ...], clips: int):
    start = start_with()
    _, head = learnt(start, person(takes_of(4, 4, *rest), clips=clips))
    assert (answers(start, head, faces(0, 200, 90) + WINK) == 4).mean() > 0.9
    for label in range(4):
        assert (answers(start, head, faces(label, 200, 91)) == 4).mean() < 0.05, label
    # Of 24 numbers, in which other people differ from each other more than by a wink.
    guests = MEANS[0] + 0.8 * np.random.default_rng(7).normal(size=(500, N_VALUES))
    assert (answers(start, head, guests) == 4).mean() < 0.3


def test_the_answers_among_the_common_labels_are_as_without_it():
    """Not nearly: its takes change no weight of theirs, whatever else was learnt."""
    start = start_with()
    for others in ((), (0, 0), (0, 1, 2, 3)):
        common, head = learnt(start, person(takes_of(4, 4, *others), clips=20))
        without = takes_of(4, 4, *others)[2:] or [(0, np.empty((0, N_VALUES)))]
        expected, _ = learnt(start, person(without, own=(), clips=20))
        np.testing.assert_array_equal(common.head.weights, expected.head.weights)
        np.testing.assert_array_equal(head.weights[:4], expected.head.weights)
        np.testing.assert_array_equal(head.bias[:4], expected.head.bias)


def test_two_of_them_are_told_apart():
    start = start_with()
    _, head = learnt(start, person(takes_of(4, 4, 5, 5, 0, 0), own=("wink", "frown")))
    assert (answers(start, head, faces(0, 200, 90) + WINK) == 4).mean() > 0.9
    assert (answers(start, head, faces(0, 200, 91) + FROWN) == 5).mean() > 0.9


def test_one_without_takes_stays_and_one_with_takes_is_learnt_anew():
    _, first = learnt(start_with(), person(takes_of(4, 4, 0, 0)))
    again = start_with(("wink",), first.rows([4]))
    both = ("wink", "frown")
    _, head = learnt(again, person(takes_of(5, 5), own=both, clips=30))
    assert (answers(again, head, faces(0, 200, 90) + WINK) == 4).mean() > 0.9
    assert (answers(again, head, faces(0, 200, 91) + FROWN) == 5).mean() > 0.9
    unmoved, kept = learnt(again, person(takes_of(0, 0)))
    expected = first.rows([4]).after_affine(unmoved.alignment.scale, unmoved.alignment.shift)
    np.testing.assert_array_equal(kept.weights[4:], expected.weights)
    _, anew = learnt(again, person(takes_of(4, 4, 0, 0)))
    np.testing.assert_array_equal(anew.weights, first.weights)
    nothing = Embedded(
        *(CropChange(), np.empty((0, N_VALUES)), np.empty((0, N_VALUES))),
        *(np.empty((0, 2, N_VALUES)), np.empty(0, int), np.empty(0, str), np.empty(0, int)),
        *(np.empty(0, bool), ()),
    )
    _, forgotten = learnt(again, nothing)
    np.testing.assert_array_equal(forgotten.weights, HEAD.weights)


@pytest.mark.parametrize(
    ("labels", "recall", "alarms", "against"),
    [
        ((4, 4, 0, 0, 1, 1), 0.9, 0.05, "takes"),
        ((4, 0, 0), None, 0.05, "takes"),
        ((4, 4), 0.9, None, "other people alone"),
        ((4, 4, 5, 5), 0.9, 0.05, "other people alone"),
    ],
)
def test_what_speaks_for_it_is_told(labels, recall, alarms, against: str):
    own = ("wink", "frown") if 5 in labels else ("wink",)
    start, of = start_with(), person(takes_of(*labels), own)
    found = gather_own_evidence(start, of, learnt(start, of)[0])["wink"]
    assert (found.n_takes, found.against) == (labels.count(4), against)
    assert (found.recall is None) == (recall is None)
    assert (found.false_alarms is None) == (alarms is None)
    assert recall is None or found.recall >= recall  # type: ignore[operator]
    assert alarms is None or found.false_alarms <= alarms  # type: ignore[operator]


@pytest.mark.parametrize(
    ("labels", "clips", "against"),
    [
        ((4,), 0, "other people alone"),
        ((4,), 5, "clips"),
        ((4, 0), 5, "takes"),
        ((4, 1), 0, "takes"),
        ((4, 1), 5, "takes and clips"),
    ],
)
def test_clips_stand_in_for_the_face_at_rest(labels, clips: int, against: str):
    assert against_of(start_with(), person(takes_of(*labels), clips=clips)) == against


def test_nothing_of_ones_own_is_nothing_to_tell():
    start, of = start_with(), person(takes_of(0, 0, 1, 1), own=())
    none = Calibrated(HEAD, no_alignment(N_VALUES), None)
    assert gather_own_evidence(start, of, none) == {}
