from dataclasses import replace

import cv2
import numpy as np
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QApplication

from fer_live.window.grid.tile import LiveTile
from fer_live.window.live_page import LivePage
from fer_live.window.widgets.timeline_canvas import TimelineCanvas
from tests.helpers.results import LABELS, result
from tests.helpers.window import Pictures, wait_for_pictures


def test_faces_of_one_size_do_not_take_turns_and_a_gap_stays_empty(qtbot):
    page, tile = LivePage(), LiveTile(lambda _: None)
    page.add(tile)
    qtbot.addWidget(page)
    page.resize(600, 500)
    page.show()

    def show(time_s: float, *sides: int) -> None:
        shown = result(0, time_s, n_faces=len(sides))
        faces = tuple(
            replace(face, box_xyxy=np.array([0, 0, side, side], np.float32))
            for face, side in zip(shown.faces, sides, strict=True)
        )
        shown = replace(shown, faces=faces)
        tile.show_result(shown, LABELS, mirror=False, lines=("", ""))
        QApplication.processEvents()

    show(10.0, 40, 39)
    show(10.1, 39, 40)
    assert tile.followed == 1
    show(10.2, 39, 60)
    assert tile.followed == 2
    show(20.0, 39, 60)
    plot = tile.timeline.plot
    assert plot.means_at(2, 15.0) is None, "nothing is known of that time"
    assert plot.means_at(2, 20.0) is not None
    shown = {time_s: color_at(plot, time_s) for time_s in (10.2, 15.0, 20.0)}
    assert shown[15.0] == plot.palette().color(QPalette.ColorRole.AlternateBase).name()
    assert shown[10.2] != shown[15.0] != shown[20.0]
    page.resize(800, 500)
    assert color_at(plot, 10.2) == shown[10.2], "the past is painted anew"


def color_at(plot: TimelineCanvas, time_s: float) -> str:
    """Near the bottom of the band, just before the end of a moment's column."""
    x = round(plot.x_of(time_s) - 0.5)
    return plot.grab().toImage().pixelColor(x, int(plot.plot.bottom()) - 6).name()


def test_a_click_follows_a_face_and_a_key_the_next(qtbot, open_window, demo_frames):
    """Two faces side by side; the larger one is followed until another is clicked."""
    small = cv2.resize(demo_frames[20], None, fx=0.6, fy=0.6)
    padded = cv2.copyMakeBorder(
        small, 0, demo_frames[20].shape[0] - small.shape[0], 0, 0, cv2.BORDER_CONSTANT
    )
    window, meter = open_window(Pictures((np.hstack([demo_frames[20], padded]),)))
    wait_for_pictures(qtbot, meter)
    qtbot.waitUntil(lambda: len(window.live._faces) == 2, timeout=60_000)
    faces = sorted(window.live._faces, key=lambda face: face.box_xyxy[0])
    assert window.live.followed == faces[0].track_id
    view = window.live.view
    area = view._area(view._result)
    x1, y1, x2, y2 = faces[1].box_xyxy
    scale = area.width() / view._result.frame.image_bgr.shape[1]
    place = QPointF(area.left() + scale * (x1 + x2) / 2, area.top() + scale * (y1 + y2) / 2)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=place.toPoint())
    qtbot.waitUntil(lambda: window.live.followed == faces[1].track_id, timeout=60_000)
    assert str(faces[1].track_id) in window.live.panel.accessibleDescription()
    qtbot.keyClick(window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: window.live.followed == faces[0].track_id, timeout=60_000)
