"""The tab Review as a person uses it: list, faces, player, undo, export, two beside each other."""

import csv
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import QApplication, QFileDialog, QMessageBox, QPushButton

from fer_live.datatypes import HeatMap, Marker
from fer_live.errors import OutputError
from fer_live.recording import opened_video
from fer_live.recording.recorder import Recording
from fer_live.recording.row_index import RowIndex
from fer_live.window.grid.tile import Parts
from fer_live.window.review import opened
from fer_live.window.review.exports import Exports
from fer_live.window.review.playback import SPEEDS
from fer_live.window.review.recording_list import RecordingList
from fer_live.window.review.review_page import ReviewPage
from tests.helpers.recordings import recorded, two_faces
from tests.helpers.window import GRAY, wait_for_pictures

SMILES = [Marker("smile", 1.0)]


def refuse_to_load():
    raise AssertionError


@pytest.fixture
def shelf_folder(own_home: Path) -> Path:
    return own_home / "recordings"


@pytest.fixture
def open_review(qtbot):
    def build(load: Callable = refuse_to_load) -> ReviewPage:
        page = ReviewPage(load)
        qtbot.addWidget(page, before_close_func=lambda p: p.stop())
        page.resize(1100, 700)
        page.show()
        page.refresh()
        return page

    return build


def texts(page: ReviewPage) -> list[str]:
    rows = page.list.rows
    return [rows.item(k).text() for k in range(rows.count()) if not rows.item(k).isHidden()]


def wait_for_looks(qtbot, page: ReviewPage, n: int) -> None:
    qtbot.waitUntil(lambda: len(page.list._known) == n, timeout=60_000)


def answer(monkeypatch, button: QMessageBox.StandardButton) -> None:
    monkeypatch.setattr(QMessageBox, "question", lambda *_: button)


def test_the_list_tells_what_each_recording_is_and_is_found_by_typing(
    qtbot, shelf_folder: Path, open_review
):
    recorded(shelf_folder, two_faces(2), day=20, name="First talk")
    recorded(shelf_folder, two_faces(1), day=21)
    (shelf_folder / "2026-11-01 broken").mkdir()
    page = open_review()
    wait_for_looks(qtbot, page, 2)
    assert [line for line in texts(page) if "cannot be read" in line] == [
        "2026-11-01 broken\ncannot be read"
    ]
    good = [line for line in texts(page) if "cannot" not in line]
    assert good[0].splitlines()[1] == "0:00 · 2 faces · camera 0"
    assert good[1].splitlines()[0] == "First talk"
    assert good[1].splitlines()[2] == "0:01 · 2 faces · camera 0"
    picture = next(
        page.list.rows.item(k).icon().pixmap(96, 54).toImage()
        for k in range(3)
        if "First talk" in page.list.rows.item(k).text()
    )
    assert picture.pixelColor(48, 27).lightness() > 50
    page.list.filter.setText("talk camera")
    assert [line.splitlines()[0] for line in texts(page)] == ["First talk"]
    page.list.filter.setText("2026-11-21")
    assert len(texts(page)) == 1
    assert not [file for file in shelf_folder.rglob("*") if file.suffix in (".png", ".jpg")]


def test_what_cannot_be_read_can_be_deleted_and_says_why(
    qtbot, shelf_folder: Path, open_review, monkeypatch
):
    broken = shelf_folder / "2026-11-01 broken"
    broken.mkdir(parents=True)
    page = open_review()
    assert page.list.current == broken
    assert "recording.json cannot be read" in page.pane.view.message
    assert page._delete.isEnabled() and page._show_folder.isEnabled()
    assert not page.exports.button.isEnabled()
    answer(monkeypatch, QMessageBox.StandardButton.No)
    page._delete.click()
    assert broken.exists()
    answer(monkeypatch, QMessageBox.StandardButton.Yes)
    page._delete.click()
    assert not broken.exists()
    assert texts(page) == []
    assert "No recording yet" in page.pane.view.message


def test_a_face_is_chosen_by_click_key_and_list(qtbot, shelf_folder: Path, open_review):
    recorded(shelf_folder, two_faces(2))
    page = open_review()
    page.show_parts(Parts(plane=True, signals=True), with_heat_map=False)
    page.seek(1.5)
    panel = page.beside.panel
    assert panel.accessibleDescription() == "face 1: neutral", "both are seen as long"
    page.beside.choose_next()
    assert panel.accessibleDescription() == "face 2: happiness"
    assert page.pane.timeline.plot.followed == 2
    page.pane.timeline.face_chosen.emit(1)
    assert panel.accessibleDescription() == "face 1: neutral"
    page.pane.view.face_clicked.emit(2)
    assert panel.accessibleDescription() == "face 2: happiness"
    page.pane.view.face_clicked.emit(0)
    assert page.beside.chosen is None
    qtbot.waitUntil(lambda: page.beside.faces.count() == 2, timeout=10_000)
    page.beside.faces.itemClicked.emit(page.beside.faces.item(0))
    assert page.beside.chosen == 1
    assert page.beside.plane.place_of(2) is not None
    page.show_parts(Parts.none(), with_heat_map=False)
    assert not page.beside.isVisible() and not page.pane.timeline.isVisible()


def test_the_list_of_faces_shows_where_the_recording_stands_still(
    qtbot, shelf_folder: Path, open_review
):
    recorded(shelf_folder, two_faces(2))
    page = open_review()
    page.seek(0.5)
    page.seek(1.9)
    happy = lambda: "happiness" in page.beside.faces.item(1).text().splitlines()[0]  # noqa: E731
    qtbot.waitUntil(lambda: page.beside.faces.count() == 2 and happy(), timeout=10_000)


def test_where_the_model_looked_is_shown_where_it_was_recorded_and_else_said(
    qtbot, shelf_folder: Path, open_review
):
    heat_map = HeatMap(np.ones((2, 2), np.float32), np.eye(2, 3, dtype="f4"))
    results = two_faces(1)
    looked = [
        replace(one, faces=tuple(replace(face, heat_map=heat_map) for face in one.faces))
        for one in results[:15]
    ]
    recorded(shelf_folder, [*looked, *results[15:]])
    page = open_review()
    view = page.pane.view
    assert view._result.faces[0].heat_map is None, "not switched on"
    page.show_parts(Parts(), with_heat_map=True)
    assert view._result.faces[0].heat_map is not None
    assert view._lines[1] == ""
    page.seek(0.9)
    assert view._lines[1] == "Where the model looked was not recorded"
    page.show_parts(Parts(), with_heat_map=False)
    assert view._lines[1] == ""


def test_a_picture_that_has_boxes_already_gets_bars_but_no_second_boxes(
    qtbot, shelf_folder: Path, open_review
):
    recorded(shelf_folder, two_faces(1), with_overlay=True)
    page = open_review()
    page.seek(0.5)
    assert page.pane.view._result.faces == ()
    assert page.pane.view.message == ""
    assert page.beside.panel.accessibleDescription() == "face 1: neutral"


def test_the_player_goes_by_frames_both_ways_and_at_every_speed(
    qtbot, shelf_folder: Path, open_review
):
    recorded(shelf_folder, two_faces(2))
    page = open_review()
    playback = page.playback
    for expected in (1, 2, 3):
        page.step(1)
        assert playback.position_s == pytest.approx(expected / 30, abs=2e-3)
    page.step(-1)
    assert playback.position_s == pytest.approx(2 / 30, abs=2e-3)
    page.seek(99)
    at_end = playback.position_s
    page.step(1)
    assert playback.position_s == at_end == playback.length_s
    page.seek(0)
    page.step(-1)
    assert playback.position_s == 0
    playback.shuttle(1)
    assert (playback.is_playing, playback.speed) == (True, 1.0)
    playback.shuttle(1)
    assert playback.speed == 2.0
    qtbot.waitUntil(lambda: playback.position_s > 0.3, timeout=10_000)
    playback.stop()
    playback.seek(1.0)
    playback.shuttle(-1)
    qtbot.waitUntil(lambda: playback.position_s < 0.8, timeout=10_000)
    qtbot.waitUntil(lambda: not playback.is_playing, timeout=10_000)
    assert playback.position_s == 0
    for speed in SPEEDS:
        page.bar.speed.activated.emit(SPEEDS.index(speed))
        assert playback.speed == speed
    playback.change_speed(1)
    assert playback.speed == SPEEDS[-1]


def test_the_keys_of_editors_work_in_the_review_and_those_of_the_live_tab_there(
    qtbot, open_window, shelf_folder: Path
):
    recorded(shelf_folder, two_faces(2))
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    review = window.later.review
    qtbot.waitUntil(lambda: review.can_play, timeout=10_000)
    qtbot.keyClick(window, Qt.Key.Key_L)
    assert review.playback.is_playing
    qtbot.keyClick(window, Qt.Key.Key_K)
    assert not review.playback.is_playing
    assert window.pages.shows("review"), "K marks in the live tab alone"
    qtbot.keyClick(window, Qt.Key.Key_End)
    assert review.playback.position_s == review.playback.length_s
    qtbot.keyClick(window, Qt.Key.Key_Comma)
    assert review.playback.position_s == pytest.approx(58 / 30, abs=2e-3)
    qtbot.keyClick(window, Qt.Key.Key_Period)
    assert review.playback.position_s == pytest.approx(59 / 30, abs=2e-3)
    qtbot.keyClick(window, Qt.Key.Key_Home)
    assert review.playback.position_s == 0
    qtbot.keyClick(window, Qt.Key.Key_N)
    assert review.beside.chosen == 2
    qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ShiftModifier)
    assert review.beside.chosen is None
    qtbot.keyClick(window, Qt.Key.Key_B)
    assert not review.beside.panel.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert review.playback.is_playing
    button = next(b for b in review.findChildren(QPushButton) if b.text() == "Export…")
    pressed = []
    button.clicked.disconnect()
    button.clicked.connect(lambda: pressed.append(True))
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert pressed and review.playback.is_playing, "the button that has the focus is pressed"


def test_markers_and_names_are_undone_and_done_again(
    qtbot, shelf_folder: Path, open_review, monkeypatch
):
    recording = recorded(shelf_folder, two_faces(2), markers=SMILES)
    page = open_review()
    page.seek(0.5)
    assert page.markers.add("frown")
    assert [span.text for span in recording.markers()] == ["frown", "smile"]
    page.markers.table.selectRow(1)
    page.markers.delete_selected()
    page.renaming.name("A talk")
    assert Recording.open(recording.folder).name == "A talk"
    assert texts(page)[0].splitlines()[0] == "A talk"
    page.changes.undo()
    assert Recording.open(recording.folder).about.name == ""
    page.changes.undo()
    page.changes.undo()
    assert [span.text for span in recording.markers()] == ["smile"]
    page.changes.redo()
    page.changes.redo()
    page.changes.redo()
    assert [span.text for span in recording.markers()] == ["frown"]
    assert Recording.open(recording.folder).name == "A talk"

    def refuse(*_: object) -> None:
        raise OutputError("disk full")

    said: list[str] = []
    monkeypatch.setattr(QMessageBox, "warning", lambda *told: said.append(told[2]))
    monkeypatch.setattr(Recording, "save_markers", refuse)
    n_changes = page.changes.count()
    page.markers.add("lost")
    assert said == ["disk full"]
    assert page.changes.count() == n_changes, "what the disk refused is no change"


def export(qtbot, page: ReviewPage, monkeypatch, path: Path, ask: Callable[[Exports], None]):
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    ask(page.exports)
    qtbot.waitUntil(lambda: not page.work.is_running, timeout=60_000)


def test_rows_picture_and_video_are_exported(
    qtbot, shelf_folder: Path, open_review, tmp_path: Path, monkeypatch
):
    recorded(shelf_folder, two_faces(1), markers=SMILES)
    page = open_review()
    page.seek(0.4)
    export(qtbot, page, monkeypatch, tmp_path / "r.csv", lambda e: e.ask_for_rows())
    with (tmp_path / "r.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 60
    export(qtbot, page, monkeypatch, tmp_path / "p.png", lambda e: e.ask_for_picture())
    assert QImage(str(tmp_path / "p.png")).width() == 128
    export(qtbot, page, monkeypatch, tmp_path / "v.mp4", lambda e: e.ask_for_video())
    assert (tmp_path / "v.mp4").stat().st_size > 1000
    said: list[str] = []
    monkeypatch.setattr(QMessageBox, "warning", lambda *told: said.append(told[2]))
    export(qtbot, page, monkeypatch, tmp_path / "v.avi", lambda e: e.ask_for_video())
    export(qtbot, page, monkeypatch, tmp_path / "no" / "r.csv", lambda e: e.ask_for_rows())
    export(qtbot, page, monkeypatch, tmp_path / "no" / "p.png", lambda e: e.ask_for_picture())
    assert len(said) == 3
    assert ".mp4 or .mkv" in said[0]


def test_a_part_becomes_a_recording_and_is_open_then(qtbot, shelf_folder: Path, open_review):
    whole = recorded(shelf_folder, two_faces(3), markers=[Marker("smile", 1.5)])
    page = open_review()
    page.seek(1.0)
    page.exports.set_in()
    plot = page.pane.timeline.plot
    qtbot.waitUntil(lambda: [s.text for s, _ in plot.placed_marks][:1] == ["part"], timeout=10_000)
    page.seek(2.0)
    page.exports.set_out()
    page.exports.save_part()
    qtbot.waitUntil(lambda: not page.work.is_running, timeout=60_000)
    assert page.list.rows.count() == 2
    assert page.pane.now.recording.folder != whole.folder
    assert page.playback.length_s == pytest.approx(1.0, abs=0.04)
    assert [span.text for span in page.pane.now.recording.markers()] == ["smile"]
    page.seek(0.5)
    page.exports.set_in()
    page.seek(0.2)
    page.exports.set_out()
    assert page.exports.part == (None, page.playback.position_s), "an end before its begin"


def test_work_is_cancelled_and_nothing_is_left(
    qtbot, shelf_folder: Path, open_review, tmp_path: Path, monkeypatch
):
    recorded(shelf_folder, two_faces(1))
    page = open_review()
    begun: list[bool] = []

    def slow(tell: Callable[[float], None]) -> None:
        begun.append(True)
        while True:
            tell(0.1)

    ended: list[object] = []
    page.work.begin("Slow", 1.0, slow, ended.append)
    page.work.begin("Another", 1.0, lambda tell: None, ended.append)
    qtbot.waitUntil(lambda: bool(begun), timeout=10_000)
    assert page.work.dialog.isVisible()
    page.work.dialog.canceled.emit()
    qtbot.waitUntil(lambda: not page.work.is_running, timeout=10_000)
    assert ended == [], "neither what was cancelled nor a second piece of work"


def test_a_video_is_opened_as_a_recording(
    qtbot, shelf_folder: Path, open_review, tmp_path: Path, monkeypatch
):
    class Read:
        def close(self) -> None:
            closed.append(True)

    closed: list[bool] = []
    made = recorded(tmp_path / "elsewhere", two_faces(1))

    def read(path: Path, pipeline: Read, parent: Path, tell: Callable[[float], None]) -> Path:
        tell(0.5)
        return recorded(parent, two_faces(1), name=path.stem).folder

    monkeypatch.setattr(opened_video, "open_video", read)
    page = open_review(Read)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(made.video), ""))
    page._open_video.click()
    qtbot.waitUntil(lambda: not page.work.is_running, timeout=60_000)
    assert closed == [True]
    assert page.pane.now.recording.name == "video"
    said: list[str] = []
    monkeypatch.setattr(QMessageBox, "warning", lambda *told: said.append(told[2]))
    made.video.write_bytes(b"no video")
    page._open_video.click()
    qtbot.waitUntil(lambda: not page.work.is_running, timeout=60_000)
    assert len(said) == 1
    assert "video.mkv" in said[0]


def test_two_recordings_play_together_from_their_begins_or_a_marker(
    qtbot, shelf_folder: Path, open_review
):
    first = recorded(shelf_folder, two_faces(2), day=20, markers=[Marker("start", 0.5)])
    second = recorded(
        shelf_folder, two_faces(3), day=21, markers=[Marker("start", 1.5), Marker("other", 2.0)]
    )
    page = open_review()
    window = page.compare(first.folder)
    assert window is not None
    assert [name.text() for name in window.names] == [second.name, first.name]
    assert window.common_texts() == ["start"]
    window.playback.seek(0.9)
    at_s = [pane.view._result.frame.captured_at_s for pane in window.panes]
    assert at_s == pytest.approx([0.9, 0.9], abs=2e-3)
    window.aligned.setCurrentIndex(1)
    at_s = [pane.view._result.frame.captured_at_s for pane in window.panes]
    assert at_s == pytest.approx([1.5, 0.5], abs=2e-3)
    window.panes[1].timeline.sought.emit(1.0)
    at_s = [pane.view._result.frame.captured_at_s for pane in window.panes]
    assert at_s == pytest.approx([2.0, 1.0], abs=2e-3)
    assert [p.timeline.plot._played_s for p in window.panes] == pytest.approx([2, 1], abs=2e-3)
    window.playback.play()
    qtbot.waitUntil(lambda: window.playback.position_s > 2.2, timeout=10_000)
    window.close()
    assert all(pane.now.player is None for pane in window.panes)


def test_rows_of_hours_are_read_while_the_picture_is_there(
    qtbot, shelf_folder: Path, open_review, monkeypatch
):
    recording = recorded(shelf_folder, two_faces(2))
    (recording.folder / "faces.index.npz").unlink()
    monkeypatch.setattr(opened, "_SOON", 0)
    monkeypatch.setattr(RecordingList, "_look", lambda _: None)
    page = open_review()
    assert page.pane.now.faces is None
    assert page.pane.view._result is not None
    assert page.pane.view.message == "Reading what was recorded…"
    qtbot.waitUntil(lambda: page.pane.now.faces is not None, timeout=10_000)
    assert len(page.pane.view._result.faces) == 2
    assert page.pane.view.message == ""


def test_a_damaged_video_is_said(qtbot, shelf_folder: Path, open_review):
    recording = recorded(shelf_folder, two_faces(1))
    recording.video.write_bytes(b"no video")
    page = open_review()
    assert "video.mkv" in page.pane.view.message
    assert not page.can_play
    assert page._delete.isEnabled()


def test_two_hours_of_three_faces_open_within_two_seconds_and_scroll_at_thirty_a_second(
    qtbot, shelf_folder: Path, open_review, monkeypatch
):
    """In the time of the processor, since other programs may have it at the moment."""
    recorded(shelf_folder, two_faces(2))
    n_frames, rng = 2 * 3600 * 30, np.random.default_rng(0)
    frames = np.repeat(np.arange(n_frames), 3)
    happy = rng.random(3 * n_frames).astype(np.float16)
    index = RowIndex(
        frames / 30,
        np.zeros(3 * n_frames, np.int64),
        frames,
        np.tile(np.arange(1, 4, dtype=np.int32), n_frames),
        np.stack([1 - happy, happy], 1),
        (happy > 0.5).astype(np.int16),
    )
    monkeypatch.setattr(opened, "load_index", lambda *_: index)
    monkeypatch.setattr(RecordingList, "_look", lambda _: None)
    begun_s = time.process_time()
    page = open_review()
    page.show_parts(Parts(plane=True, signals=True), with_heat_map=True)
    QApplication.processEvents()
    assert time.process_time() - begun_s < 2
    assert len(page.pane.now.faces.curves) == 3
    begun_s = time.process_time()
    for number in range(60):
        page.seek(number / 30)
        QApplication.processEvents()
    assert time.process_time() - begun_s < 2
