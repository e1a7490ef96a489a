from dataclasses import replace

import numpy as np
import pytest

from fer_live.datatypes import FaceResult
from fer_live.window.widgets.face_column import FaceColumn
from fer_live.window.widgets.face_panel import FacePanel, _remark
from tests.helpers.results import LABELS, result


def face(**changes: object) -> FaceResult:
    return replace(result(0, 0.0, happy=0.2).faces[0], **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        (
            {"quality_reason": "dark", "shown_label": "", "shown_confidence": None},
            "Turn to the light",
        ),
        ({"quality_reason": "small"}, ""),
        ({"quality_reason": "nobody knows it", "shown_label": ""}, ""),
        ({"shown_label": "", "shown_confidence": None}, ""),
    ],
)
def test_the_panel_says_what_a_person_can_do(changes: dict[str, object], said: str):
    assert _remark(face(**changes), LABELS) == said


def test_while_a_label_is_held_its_challenger_is_named_with_its_lead():
    held = face(
        smoothed_probs=np.array([0.3, 0.45], np.float32),
        shown_label="neutral",
        shown_confidence=0.3,
    )
    assert _remark(held, LABELS) == "happiness leads by 15%"


def test_a_screen_reader_hears_the_advice(qtbot):
    panel = FacePanel()
    qtbot.addWidget(panel)
    unsure = face(shown_label="", shown_confidence=None, quality_reason="cut")
    panel.show_face(unsure, LABELS)
    assert panel.accessibleDescription() == "face 1: unsure, move into the picture"
    panel.show_face(face(), LABELS)
    assert panel.accessibleDescription() == "face 1: neutral"


def test_in_a_low_window_the_column_scrolls_and_its_bars_stay_readable(qtbot):
    column = FaceColumn()
    qtbot.addWidget(column)
    column.panel.show_face(face(), LABELS)
    column.resize(190, 250)
    column.show()
    bar = column.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    assert column.panel.height() >= column.panel.minimumSizeHint().height()
    column.resize(190, 720)
    qtbot.waitUntil(lambda: bar.maximum() == 0)
    column.resize(190, 250)
    for part in (column.faces, column.plane, column.signals):
        part.hide()
    qtbot.waitUntil(lambda: bar.maximum() == 0)


def test_many_expressions_of_ones_own_make_it_higher(qtbot):
    panel = FacePanel()
    qtbot.addWidget(panel)
    low = panel.minimumSizeHint().height()
    labels = tuple(f"own {k}" for k in range(20))
    many = face(smoothed_probs=np.full(20, 0.05, np.float32), shown_label="own 1")
    panel.show_face(many, labels)
    assert panel.minimumSizeHint().height() > low + 100
    assert panel.sizeHint().height() >= panel.minimumSizeHint().height()
