from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from fer_live.recording.history import ExpressionHistory, Moment
from fer_live.window.widgets import faces_list
from fer_live.window.widgets.faces_list import FacesList, shares_of
from tests.helpers.results import result
from tests.helpers.window import open_demo_window, wait_for_pictures

PROBS = np.full(8, 1 / 8, np.float32)


def moments(*parts: tuple[str, float, float]) -> list[Moment]:
    """Label, from, to: a moment every 1/30 s."""
    return [
        Moment(float(time), PROBS, label)
        for label, start, end in parts
        for time in np.arange(start, end - 1e-9, 1 / 30)
    ]


def test_shares_count_time_and_not_frames_and_only_the_last_minute():
    seen = moments(("neutral", 0, 30), ("happiness", 100, 120), ("neutral", 120, 130))
    shares = shares_of(seen, 130.0)
    assert shares == pytest.approx({"happiness": 2 / 3, "neutral": 1 / 3}, abs=0.01)
    # A face that was away did not show its last label meanwhile.
    away = moments(("neutral", 0, 1), ("anger", 50, 51))
    assert shares_of(away, 51.0)["anger"] == pytest.approx(0.5, abs=0.15)
    assert shares_of([], 5.0) == {"": 1.0}


def test_each_face_has_a_row_with_portrait_and_shares_and_leaves_after_a_minute(
    qtbot, monkeypatch, two_faces_result
):
    monkeypatch.setattr(faces_list, "_EVERY_S", 0.0)
    shown = FacesList()
    qtbot.addWidget(shown)
    labels = ("neutral", "happiness")
    history = ExpressionHistory()
    history.add(two_faces_result)
    shown.show_faces(two_faces_result, history.all(), labels, 2)
    assert shown.count() == 2
    assert shown.item(0).text() == "face 1: neutral\nmostly neutral, 100%"
    assert shown.item(1).text() == "face 2: happiness\nmostly happiness, 100%"
    assert shown.currentRow() == 1
    red = shown.item(0).icon().pixmap(44, 44).toImage().pixelColor(22, 22)
    assert (red.red(), red.blue()) == (255, 0)
    later = replace(two_faces_result.frame, captured_at_s=30.0)
    gone = replace(two_faces_result, frame=later, faces=two_faces_result.faces[:1])
    history.add(gone)
    shown.show_faces(gone, history.all(), labels, 1)
    assert "out of view" in shown.item(1).text()
    last = replace(gone, frame=replace(later, captured_at_s=61.0))
    history.add(last)
    shown.show_faces(last, history.all(), labels, 1)
    assert shown.count() == 1
    shown.start_over()
    assert shown.count() == 0


def test_a_row_that_is_chosen_is_followed_and_the_key_hides_the_list(qtbot):
    window = open_demo_window(qtbot)
    shown = window.live.faces
    qtbot.waitUntil(lambda: shown.count() > 0, timeout=30_000)
    chosen: list[int] = []
    shown.chosen.connect(chosen.append)
    rect = shown.visualItemRect(shown.item(0))
    qtbot.mouseClick(shown.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert len(chosen) == 1
    assert window.live._chosen == chosen[0]
    qtbot.keyClick(window, Qt.Key.Key_A)
    assert not shown.isVisible()
    wait_for_pictures(qtbot, window._meter)


@pytest.fixture
def two_faces_result():
    first = result(0, 0.0)
    image = np.zeros((240, 320, 3), np.uint8)
    image[:, :160] = (0, 0, 255)
    faces = tuple(
        replace(
            first.faces[0],
            track_id=number,
            box_xyxy=np.array([left, 80, left + 60, 140], np.float32),
            shown_label=label,
        )
        for number, left, label in ((1, 40, "neutral"), (2, 220, "happiness"))
    )
    return replace(first, frame=replace(first.frame, image_bgr=image), faces=faces)
