from dataclasses import replace

import numpy as np
import pytest

from fer_live.datatypes import FaceResult
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
