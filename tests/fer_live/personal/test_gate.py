"""What takes speak against is tried without the labels, and left out where that is no better."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import fer_live.personal.gate as gate
from fer_live.personal.calibration import Embedded
from fer_live.personal.evidence import Evidence
from fer_live.personal.own_faces import CropChange
from tests.helpers.embeddings import HEAD, N_CLASSES, STATISTICS, faces

AGAINST = Evidence(8, 0.5, 0.5, (-0.1, 0.1), 4, 4)
START = SimpleNamespace(head=HEAD, statistics=STATISTICS, manifest=SimpleNamespace(temperature=1.0))


def person(moved: float) -> Embedded:
    """Two takes of ten faces of each expression, and a varied clip; all moved alike."""
    clip, _ = faces((30,) * N_CLASSES, moved=moved, seed=5)
    labeled, labels = faces((20,) * N_CLASSES, moved=moved, seed=6)
    takes = np.array([f"{label} {n % 2}" for n, label in enumerate(labels.tolist())])
    segments, common = np.arange(len(labels)), np.ones(len(labels), dtype=bool)
    return Embedded(CropChange(), clip, labeled, labeled[:, None], labels, takes, segments, common)


def test_clips_alone_are_taken_where_labels_do_not_help(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gate, "gather_evidence", lambda *_: AGAINST)
    ann = person(moved=2.0)
    fitted, evidence = gate.choose_calibration(START, ann)  # type: ignore[arg-type]
    assert fitted.labels_left_out and fitted.hold is None
    assert evidence.n_takes == 2 * N_CLASSES
    assert evidence.before is not None and evidence.after is not None
    assert evidence.after > evidence.before, "all takes are tested, for none was learned"
    none = replace(ann, unlabeled=ann.unlabeled[:0])
    fitted, evidence = gate.choose_calibration(START, none)  # type: ignore[arg-type]
    assert evidence == AGAINST and not fitted.labels_left_out


def test_labels_are_taken_where_nothing_speaks_against_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gate, "gather_evidence", lambda *_: replace(AGAINST, after=0.6))
    fitted, evidence = gate.choose_calibration(START, person(moved=1.0))  # type: ignore[arg-type]
    assert fitted.hold is not None and evidence.after == 0.6
