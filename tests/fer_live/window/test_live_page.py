from dataclasses import replace

import cv2
import numpy as np
from PyQt6.QtCore import QPointF, Qt

from fer_live.window.grid.tile import LiveTile
from fer_live.window.live_page import LivePage
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

    show(10.0, 40, 39)
    show(10.1, 39, 40)
    assert tile.followed == 1
    show(10.2, 39, 60)
    assert tile.followed == 2
    show(20.0, 39, 60)
    timeline = tile.timeline
    column = timeline._column(15.0) % timeline._ring.width()
    assert timeline._ring.pixelColor(column, 5).alpha() == 0, "nothing is known of that time"
    assert timeline._ring.pixelColor(timeline._column(20.0), 5).alpha() == 255
    page.resize(800, 500)
    column = timeline._column(10.2) % timeline._ring.width()
    assert timeline._ring.pixelColor(column, 5).alpha() == 255, "the past is painted anew"


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
