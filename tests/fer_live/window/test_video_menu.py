from pathlib import Path

from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QContextMenuEvent, QGuiApplication
from PyQt6.QtWidgets import QApplication, QMenu, QWidget

from fer_live.window.translated import plain
from fer_live.window.widgets.timeline import Timeline
from fer_live.window.widgets.video_view import VideoView
from tests.helpers.recordings import recorded, two_faces
from tests.helpers.results import LABELS
from tests.helpers.window import GRAY, Pictures, wait_for_pictures


def middle_of_the_face(view: VideoView, box_xyxy) -> QPoint:
    area = view._area(view._result)
    scale = area.width() / view._result.frame.image_bgr.shape[1]
    x1, y1, x2, y2 = box_xyxy
    return QPointF(
        area.left() + scale * (x1 + x2) / 2, area.top() + scale * (y1 + y2) / 2
    ).toPoint()


def menu_at(qtbot, view: QWidget, at: QPoint) -> QMenu:
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.mapToGlobal(at))
    QApplication.sendEvent(view, event)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def texts(menu: QMenu) -> list[str]:
    return [plain(action.text()) for action in menu.actions() if not action.isSeparator()]


def test_the_right_button_offers_what_can_be_done_with_a_face_and_its_picture(
    qtbot, open_window, demo_frames
):
    window, _ = open_window(Pictures((demo_frames[20],)))
    qtbot.waitUntil(lambda: bool(window.live._faces), timeout=60_000)
    face, view = window.live._faces[0], window.live.view
    followed: list[int] = []
    window.live.follow = followed.append  # type: ignore[method-assign]
    at = middle_of_the_face(view, face.box_xyxy)
    menu = menu_at(qtbot, view, at)
    assert texts(menu) == [
        f"Follow face {face.track_id}",
        "Follow the largest face",
        "Snapshot",
        "Copy the picture",
        "Record",
        "Where it looked",
        "Mirror the camera",
        "Small, always in front",
        "Full screen",
    ]
    menu.actions()[0].trigger()
    assert followed == [face.track_id]
    menu.close()
    beside = menu_at(qtbot, view, QPoint(2, 2))
    assert texts(beside)[0] == "Follow the largest face", "no face is under the pointer"
    beside.close()


def test_the_right_button_in_a_review_offers_what_can_be_done_with_the_recording(
    qtbot, open_window, own_home: Path
):
    recorded(own_home / "recordings", two_faces(1.0))
    window, _ = open_window(GRAY)
    window.action["review"].trigger()
    view = window.later.review.pane.view
    qtbot.waitUntil(lambda: window.later.review.can_play and bool(view._result), timeout=60_000)
    qtbot.waitUntil(lambda: bool(view._result.faces), timeout=60_000)
    face = view._result.faces[0]
    menu = menu_at(qtbot, view, middle_of_the_face(view, face.box_xyxy))
    assert texts(menu)[0] == f"Follow face {face.track_id}"
    assert {"Play or pause", "Mark what is shown…", "Export…"} < set(texts(menu))
    menu.actions()[0].trigger()
    assert window.later.review.beside.chosen == face.track_id
    menu.close()


def test_the_right_button_on_a_timeline_offers_what_its_legend_does(qtbot):
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.show_live(LABELS, 10.0)
    timeline.show_legend(False)
    timeline.show()
    timeline.legend.chips[LABELS[0]].setChecked(False)
    menu = menu_at(qtbot, timeline, QPoint(90, 20))
    by_text = {action.text(): action for action in menu.actions()}
    assert not by_text["Back to now"].isEnabled()
    by_text["Lines"].trigger()
    assert timeline.plot.as_lines
    by_text["Show every expression"].trigger()
    assert timeline.plot.off == frozenset()
    menu.close()


def test_the_right_button_follows_nobody_by_itself(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    clicked: list[int] = []
    window.live.view.face_clicked.connect(clicked.append)
    qtbot.mouseClick(window.live.view, Qt.MouseButton.RightButton)
    assert clicked == []
    qtbot.mouseClick(window.live.view, Qt.MouseButton.LeftButton)
    assert clicked == [0]


def test_the_picture_is_copied_in_its_own_size(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    window.action["copy_picture"].trigger()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert (clipboard.image().width(), clipboard.image().height()) == (160, 120)
