import re
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from PyQt6.QtCore import QPoint, QPointF, QRectF, Qt
from PyQt6.QtGui import QDesktopServices, QImage, QPainter
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSlider,
    QTabBar,
    QToolButton,
)

from fer_live.base.settings import Settings, load_settings
from fer_live.errors import SourceError
from fer_live.model.manifest import MANIFEST_KEY, CropGeometry, Manifest
from fer_live.painting.overlay import Hud, _free_place, expression_color, paint_result
from fer_live.recording.recorder import list_recordings
from fer_live.session.live import LiveResult
from fer_live.session.meter import Meter
from fer_live.sources.choice import Camera, Demo, Location, SourceChoice
from fer_live.sources.source import FrameSource
from fer_live.vision.pipeline import Pipeline
from fer_live.vision.smoothing import UNSURE
from fer_live.window.app import load_pipeline
from fer_live.window.live_page import LivePage
from fer_live.window.main_window import MainWindow
from tests.helpers.cameras import SyntheticCamera
from tests.helpers.models import save_model
from tests.helpers.results import LABELS, result

ON_CPU = Settings(provider="cpu")


@dataclass(frozen=True)
class Pictures:
    """A source of these pictures, again and again, at 30 a second."""

    images: tuple[np.ndarray, ...]
    is_mirrored: bool = False
    name: str = "pictures"

    def open(self) -> FrameSource:
        return SyntheticCamera(self.images, 100_000, paced=True)


@dataclass(frozen=True)
class Missing:
    is_mirrored: bool = True
    name: str = "camera 0"

    def open(self) -> FrameSource:
        raise SourceError("camera 0: not there")


GRAY = Pictures((np.full((120, 160, 3), 90, np.uint8),))


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def open_window(qtbot):
    windows = []

    def build(
        source: SourceChoice | Pictures | Missing,
        settings: Settings = ON_CPU,
        load=load_pipeline,
        **options,
    ) -> tuple[MainWindow, Meter]:
        meter = Meter()
        window = MainWindow(source, settings, load, meter, **options)
        windows.append(window)
        qtbot.addWidget(window)
        window.show()
        return window, meter

    yield build
    for window in windows:
        window.stop()


def wait_for_pictures(qtbot, meter: Meter, n: int = 3) -> None:
    wanted = meter.painted + n
    qtbot.waitUntil(lambda: meter.painted >= wanted, timeout=30_000)


def test_a_clip_is_shown_with_its_faces(qtbot, open_window, demo_clip: Path):
    window, meter = open_window(Location(str(demo_clip)))
    assert window.message == "Loading…"
    with qtbot.waitSignal(window.first_painted, timeout=30_000):
        pass
    wait_for_pictures(qtbot, meter, 15)
    window.stop()
    figures = meter.summary()
    assert window.message == ""
    assert figures["faces"] >= figures["processed"] > 0
    assert figures["captured"] == figures["processed"] + figures["dropped"]
    assert figures["first_overlay_s"] > 0
    assert figures["latency_ms"]["p50"] > 0


def test_a_missing_camera_offers_retry_and_the_demo(qtbot, open_window):
    window, meter = open_window(Missing())
    with qtbot.waitSignal(window.failed, timeout=30_000):
        pass
    assert window.message == "camera 0: not there"
    buttons = {b.text().replace("&", ""): b for b in window.live.findChildren(QPushButton)}
    assert all(button.isVisible() for button in buttons.values())
    with qtbot.waitSignal(window.failed, timeout=5_000):
        qtbot.mouseClick(buttons["Retry"], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(window.first_painted, timeout=30_000):
        qtbot.mouseClick(buttons["Show the demo"], Qt.MouseButton.LeftButton)
    assert not buttons["Retry"].isVisible()
    assert meter.painted >= 1


class BrokenPipeline:
    """Reads the first frame and fails on every other."""

    def __init__(self, _: Settings) -> None:
        self.pipeline = Pipeline.load(provider="cpu")
        self.labels, self.classifier = self.pipeline.labels, self.pipeline.classifier

    def process(self, frame):
        if frame.index > 0:
            raise RuntimeError("out of memory")
        return self.pipeline.process(frame)

    def reset(self) -> None:
        self.pipeline.reset()

    def close(self) -> None:
        self.pipeline.close()


def test_a_pipeline_that_fails_for_good_does_not_leave_a_still_picture(qtbot, open_window):
    window, _ = open_window(GRAY, load=BrokenPipeline)
    qtbot.waitUntil(lambda: "out of memory" in window.message, timeout=20_000)


def test_images_and_folders_of_images_are_shown(
    qtbot, open_window, demo_frames: list[np.ndarray], tmp_path: Path
):
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), demo_frames[20])
    for source in (folder, folder / "a.png"):
        window, meter = open_window(Location(str(source)))
        with qtbot.waitSignal(window.first_painted, timeout=30_000):
            pass
        window.stop()
        assert meter.faces >= 1


def test_a_picture_without_a_face_says_so(qtbot, open_window):
    window, _ = open_window(GRAY)
    with qtbot.waitSignal(window.first_painted, timeout=30_000):
        pass
    assert window.message == "No face in view"
    assert window.live.panel.accessibleDescription() in ("", "No face in view")


def test_nothing_is_opened_before_the_notice_is_accepted_and_it_is_asked_once(qtbot, open_window):
    opened = []

    @dataclass(frozen=True)
    class Watched(Pictures):
        def open(self) -> FrameSource:
            opened.append(1)
            return super().open()

    window, meter = open_window(Watched(GRAY.images), ask_first=True)
    qtbot.wait(300)
    assert not opened
    qtbot.waitUntil(lambda: window.pipeline is not None, timeout=20_000)  # loads meanwhile
    assert not opened
    accept = next(b for b in window.findChildren(QPushButton) if "begin" in b.text())
    qtbot.mouseClick(accept, Qt.MouseButton.LeftButton)
    wait_for_pictures(qtbot, meter)
    assert load_settings()[0].notice_accepted_on


def test_sources_are_switched_and_the_camera_is_remembered(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    window.choose_source(Demo())
    qtbot.waitUntil(lambda: window.live.followed is not None, timeout=10_000)
    window.choose_source(Camera(3))
    qtbot.waitUntil(lambda: "camera 3" in window.message, timeout=10_000)
    assert load_settings()[0].camera == 3
    window.choose_source(Demo())
    qtbot.waitUntil(lambda: window.message == "", timeout=10_000)


def test_a_camera_is_found_again_by_its_name(monkeypatch: pytest.MonkeyPatch):
    opened: list[int] = []
    monkeypatch.setattr("fer_live.sources.choice.CameraSource", lambda n, mode: opened.append(n))
    cameras = {0: "built in", 2: "desk"}
    monkeypatch.setattr("fer_live.sources.choice.list_cameras", lambda: cameras)
    for camera in (
        Camera(1, device="desk"),
        Camera(0, device="built in"),
        Camera(0, device="gone"),
    ):
        camera.open()
    Camera(1).open()
    assert opened == [2, 0, 0, 1]


def test_what_was_opened_is_offered_again(qtbot, open_window, demo_clip: Path):
    window, _ = open_window(GRAY)
    for where in (str(demo_clip), "rtsp://127.0.0.1:1/x", str(demo_clip)):
        window.choose_source(Location(where))
    recent = (str(demo_clip), "rtsp://127.0.0.1:1/x")
    assert load_settings()[0].recent_locations == recent
    window._fill_source_menu()
    assert demo_clip.name in [action.text() for action in window._source_menu.actions()]


def test_a_broken_model_is_told_and_the_one_before_goes_on(qtbot, open_window, tmp_path: Path):
    window, meter = open_window(Demo())
    wait_for_pictures(qtbot, meter)
    (tmp_path / "broken.onnx").write_text("no model")
    window.change_settings({"model": str(tmp_path / "broken.onnx")})
    qtbot.waitUntil(lambda: "not a model" in window.live._toast, timeout=10_000)
    assert (window.settings.model, load_settings()[0].model) == (None, None), (
        "not at the next start"
    )
    wait_for_pictures(qtbot, meter)
    window.change_settings({"model": None, "detector": "full"})
    qtbot.waitUntil(lambda: window.pipeline.detector.name == "full", timeout=10_000)
    wait_for_pictures(qtbot, meter)


def test_a_kept_model_that_is_broken_gives_way_to_the_shipped_one(
    qtbot, open_window, tmp_path: Path
):
    (tmp_path / "broken.onnx").write_text("no model")
    window, meter = open_window(Demo(), ON_CPU.but(model=str(tmp_path / "broken.onnx")))
    wait_for_pictures(qtbot, meter)
    assert "the one that came with the app is used" in window.live._toast


def test_what_happened_is_said_beside_a_warning_and_on_every_tab(qtbot, open_window):
    window, meter = open_window(Demo())
    wait_for_pictures(qtbot, meter)
    window.pipeline.classifier.warning = "the CPU runs"
    window.say("saved")
    wait_for_pictures(qtbot, meter)
    assert window.live.view._lines[1:] == ("the CPU runs", "saved")
    window._tabs.setCurrentWidget(window.review)
    window.say("ended")
    assert window.statusBar().currentMessage() == "ended"


@dataclass(frozen=True)
class Unplugged:
    """A camera that goes away after some pictures and does not come back."""

    is_mirrored: bool = False
    name: str = "camera 0"

    def open(self) -> FrameSource:
        pictures = tuple(np.full((120, 160, 3), gray, np.uint8) for gray in (90, 91))
        source = SyntheticCamera(pictures, 20, paced=True)
        source.reconnects = True  # type: ignore[misc]
        return source


def test_the_last_picture_of_a_lost_camera_is_not_shown_as_live(qtbot, open_window):
    window, meter = open_window(Unplugged())
    wait_for_pictures(qtbot, meter)
    qtbot.waitUntil(lambda: "trying again" in window.message, timeout=20_000)
    late = window._session
    before = LiveResult(late.source_number, result(0, time.monotonic() - 5))
    late.results.put(before)
    window._take_news()
    assert "trying again" in window.message


def test_two_windows_do_not_undo_each_others_settings(qtbot, open_window):
    one, _ = open_window(GRAY)
    other, _ = open_window(GRAY)
    one.change_settings({"calm": 0.9, "capture_accepted_on": "2026-11-25"})
    other.close()
    kept, _ = load_settings()
    assert (kept.calm, kept.capture_accepted_on) == (0.9, "2026-11-25")


def test_a_resolution_that_the_camera_refuses_is_told(qtbot, open_window, monkeypatch):
    monkeypatch.setattr(Camera, "open", lambda self: GRAY.open())
    window, meter = open_window(Camera(0), ON_CPU.but(camera_size_wh=(1280, 720)))
    wait_for_pictures(qtbot, meter)
    assert window.live._toast == "The camera does not do 1280 x 720; it sends 160 x 120"
    assert "160 x 120" in window._provider


def test_faces_of_one_size_do_not_take_turns_and_a_gap_stays_empty(qtbot):
    page = LivePage(lambda _: None)
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
        page.show_result(shown, LABELS, mirror=False, lines=("", ""))

    show(10.0, 40, 39)
    show(10.1, 39, 40)
    assert page.followed == 1
    show(10.2, 39, 60)
    assert page.followed == 2
    show(20.0, 39, 60)
    timeline = page.timeline
    column = timeline._column(15.0) % timeline._ring.width()
    assert timeline._ring.pixelColor(column, 5).alpha() == 0, "nothing is known of that time"
    assert timeline._ring.pixelColor(timeline._column(20.0), 5).alpha() == 255
    page.resize(800, 500)
    column = timeline._column(10.2) % timeline._ring.width()
    assert timeline._ring.pixelColor(column, 5).alpha() == 255, "the past is painted anew"


def test_a_model_with_other_labels_ends_what_was_written_with_the_old(
    qtbot, open_window, tmp_path: Path
):
    three = Manifest(labels=("a", "b", "c"), input_side=48, crop=CropGeometry())
    model = save_model(tmp_path / "three.onnx", classes=3)
    onnx.helper.set_model_props(model, {MANIFEST_KEY: three.to_json()})
    onnx.save(model, str(tmp_path / "three.onnx"))
    window, meter = open_window(Demo(), outputs={"jsonl": str(tmp_path / "a.jsonl")})
    wait_for_pictures(qtbot, meter, 5)
    window.set_recording(True)
    wait_for_pictures(qtbot, meter, 5)
    window.change_settings({"model": str(tmp_path / "three.onnx")})
    qtbot.waitUntil(lambda: window.pipeline.labels == three.labels, timeout=10_000)
    qtbot.waitUntil(lambda: window._recorder is None, timeout=5_000)
    wait_for_pictures(qtbot, meter)
    assert not window._outputs
    assert window.live.panel._labels == three.labels
    for thread in window._closing:
        thread.join()
    assert "p_happiness" in (tmp_path / "a.jsonl").read_text().splitlines()[-1]


def test_what_the_command_line_says_is_not_kept(qtbot, open_window):
    window, _ = open_window(GRAY, for_now={"detector": "short"})
    assert window.settings.detector == "short"
    window.change_settings({"calm": 0.8})
    kept, _ = load_settings()
    assert (kept.detector, kept.calm) == ("auto", 0.8)


def test_a_click_follows_a_face_and_a_key_the_next(qtbot, open_window, demo_frames):
    """Two faces side by side; the larger one is followed until another is clicked."""
    small = cv2.resize(demo_frames[20], None, fx=0.6, fy=0.6)
    padded = cv2.copyMakeBorder(
        small, 0, demo_frames[20].shape[0] - small.shape[0], 0, 0, cv2.BORDER_CONSTANT
    )
    window, meter = open_window(Pictures((np.hstack([demo_frames[20], padded]),)))
    wait_for_pictures(qtbot, meter)
    qtbot.waitUntil(lambda: len(window.live._faces) == 2, timeout=10_000)
    faces = sorted(window.live._faces, key=lambda face: face.box_xyxy[0])
    assert window.live.followed == faces[0].track_id
    view = window.live.view
    area = view._area(view._result)
    x1, y1, x2, y2 = faces[1].box_xyxy
    scale = area.width() / view._result.frame.image_bgr.shape[1]
    place = QPointF(area.left() + scale * (x1 + x2) / 2, area.top() + scale * (y1 + y2) / 2)
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=place.toPoint())
    qtbot.waitUntil(lambda: window.live.followed == faces[1].track_id, timeout=5_000)
    assert str(faces[1].track_id) in window.live.panel.accessibleDescription()
    qtbot.keyClick(window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: window.live.followed == faces[0].track_id, timeout=5_000)


def test_a_recording_is_made_and_reviewed(
    qtbot, open_window, own_home: Path, tmp_path: Path, monkeypatch
):
    window, meter = open_window(Demo())
    wait_for_pictures(qtbot, meter, 3)
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    wait_for_pictures(qtbot, meter, 40)
    assert "●" in window.live.view._lines[0]
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    for thread in window._closing:
        thread.join()
    (recording,) = list_recordings(own_home / "recordings")
    assert len({row["frame"] for row in recording.rows()}) >= 30
    assert recording.folder.stat().st_mode & 0o077 == 0

    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    review = window.review
    assert review.view._result is not None
    assert review.view._result.faces
    review.seek(0.5)
    # The video counts in whole milliseconds.
    times = sorted({round(float(row["time_s"]), 3) for row in recording.rows()})
    shown = max(time_s for time_s in times if time_s <= 0.5)
    assert review.view._result.frame.captured_at_s == pytest.approx(shown, abs=2e-3)
    qtbot.keyClicks(review._note_text, "a smile")
    qtbot.keyClick(review._note_text, Qt.Key.Key_Return)
    assert [(n.text, n.time_s) for n in recording.notes()] == [("a smile", 0.5)]
    review.seek(0.0)
    review._go_to_note(review._notes.item(0))
    assert review._position_s == 0.5
    review.toggle_play()
    qtbot.waitUntil(lambda: review._position_s > 0.7, timeout=5_000)
    review.toggle_play()
    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    review.export_report(tmp_path / "report.html")
    qtbot.waitUntil(lambda: bool(opened), timeout=30_000)
    assert "a smile" in Path(opened[0]).read_text()


def test_data_out_is_switched_on_and_off_by_hand(qtbot, open_window, tmp_path: Path):
    window, meter = open_window(Demo(), outputs={"csv": str(tmp_path / "cli.csv")})
    wait_for_pictures(qtbot, meter, 5)
    qtbot.keyClick(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    dialog = window._outputs_dialog
    csv, csv_file, _ = dialog._rows["csv"]
    jsonl, where, how = dialog._rows["jsonl"]
    assert csv.isChecked(), "switched on by the command line"
    assert csv_file.text() == str(tmp_path / "cli.csv")
    where.setText(str(tmp_path / "nowhere" / "a.jsonl"))
    qtbot.mouseClick(jsonl, Qt.MouseButton.LeftButton)
    assert not jsonl.isChecked()
    assert "does not exist" in dialog._trouble.text()
    where.setText(str(tmp_path / "a.jsonl"))
    qtbot.mouseClick(jsonl, Qt.MouseButton.LeftButton)
    assert jsonl.isChecked()
    assert dialog._trouble.text() == ""
    wait_for_pictures(qtbot, meter, 10)
    dialog.refresh()
    assert re.fullmatch(r"[1-9]\d* sent, \d+ dropped", how.text())
    qtbot.mouseClick(jsonl, Qt.MouseButton.LeftButton)
    for thread in window._closing:
        thread.join()
    written = (tmp_path / "a.jsonl").read_text()
    assert len(written.splitlines()) >= 5
    qtbot.mouseClick(jsonl, Qt.MouseButton.LeftButton)
    assert not jsonl.isChecked()
    assert "is there already" in dialog._trouble.text()
    assert (tmp_path / "a.jsonl").read_text() == written
    window.stop()
    assert len((tmp_path / "cli.csv").read_text().splitlines()) > 5


def test_a_snapshot_is_a_picture_with_its_overlay(qtbot, open_window, own_home: Path, demo_frames):
    window, meter = open_window(Pictures((demo_frames[20],)))
    wait_for_pictures(qtbot, meter)
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    (path,) = (own_home / "snapshots").iterdir()
    saved = cv2.imread(str(path)).astype(int)
    assert saved.shape == demo_frames[20].shape
    assert 0.001 < (np.abs(saved - demo_frames[20]) > 20).mean() < 0.2


def test_the_language_changes_at_once_everywhere(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    window._show_settings()
    window._show_outputs()
    english = visible_texts(window)
    window.change_settings({"language": "ko"})
    wait_for_pictures(qtbot, meter)
    korean = visible_texts(window)
    window.change_settings({"language": "en"})
    wait_for_pictures(qtbot, meter)
    assert visible_texts(window) == english
    own_names = {"", "FER Live", "English", "한국어", "CPU", "CUDA", "TensorRT"}
    own_names |= {"CSV", "JSONL", "OSC", "WebSocket", "LSL"}
    left = {text for text in english & korean if re.search("[A-Za-z]{3}", text)} - own_names
    assert not left, f"not translated: {left}"
    assert window.message == "No face in view"


def visible_texts(window: MainWindow) -> set[str]:
    texts = {window.message, window._dialog.windowTitle()}
    texts |= {action.text() for action in window.actions()}
    for kind in (QPushButton, QLabel, QToolButton, QCheckBox):
        status = {window._counts, window._latency, window._runs_on}
        texts |= {w.text() for w in window.findChildren(kind) if w not in status}
    for combo in window.findChildren(QComboBox):
        texts |= {combo.itemText(i) for i in range(combo.count())}
    return texts


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(qtbot, open_window):
    window, _ = open_window(GRAY)
    window._show_settings()
    window._show_outputs()
    for kind in (QPushButton, QToolButton, QCheckBox, QComboBox, QSlider, QLineEdit, QListWidget):
        for widget in window.findChildren(kind):
            if widget.objectName().startswith("qt_") or isinstance(widget.parent(), QTabBar):
                continue
            name = widget.accessibleName() or getattr(widget, "text", lambda: "")()
            assert name, f"{widget} has no name"
            assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, f"{name}: not by keyboard"
    shortcuts = [a.shortcut().toString() for a in window.actions()]
    assert len(set(shortcuts)) == len(shortcuts), "two actions have one key"


def test_the_window_fits_a_small_screen(qtbot, open_window):
    window, meter = open_window(Demo())
    wait_for_pictures(qtbot, meter)
    window.resize(640, 480)
    qtbot.wait(50)
    assert (window.width(), window.height()) == (640, 480)
    for widget in (window.live.view, window.live.panel, window.live.timeline):
        assert widget.isVisible()
        assert window.rect().contains(widget.rect().translated(widget.mapTo(window, QPoint())))
    assert window.live.view.width() >= 400


def paint(frame_result, labels, *, mirror: bool, hud: Hud) -> np.ndarray:
    canvas = QImage(640, 480, QImage.Format.Format_RGB32)
    painter = QPainter(canvas)
    paint_result(painter, QRectF(0, 0, 640, 480), frame_result, labels, hud, mirror=mirror)
    painter.end()
    bits = canvas.constBits()
    bits.setsize(canvas.sizeInBytes())
    return np.frombuffer(bits, np.uint8).reshape(480, 640, 4)[:, :, :3].astype(int)


def test_the_mirror_flips_the_picture_and_the_boxes_but_not_the_data(qtbot, demo_frames):
    from fer_live import Frame

    with Pipeline.load(provider="cpu") as pipeline:
        result = pipeline.process(Frame(demo_frames[20], 0, 0.0))
        labels = pipeline.labels
    box = result.faces[0].box_xyxy.copy()
    plain = paint(result, labels, mirror=False, hud=Hud(30, 12))
    mirrored = paint(result, labels, mirror=True, hud=Hud(30, 12))
    np.testing.assert_array_equal(result.faces[0].box_xyxy, box)
    # The bottom strip holds no overlay: there the mirrored picture is the flipped one.
    np.testing.assert_allclose(mirrored[-20:], plain[-20:, ::-1], atol=3)
    color = expression_color(result.faces[0].shown_label)
    bgr = np.array([color.blue(), color.green(), color.red()])
    left_edge, right_edge = round(box[0]), round(box[2])
    middle = round((box[1] + box[3]) / 2)
    assert np.abs(plain[middle, left_edge - 1 : left_edge + 2] - bgr).sum(axis=1).min() < 60
    flipped = 640 - right_edge
    assert np.abs(mirrored[middle, flipped - 1 : flipped + 2] - bgr).sum(axis=1).min() < 60


@pytest.mark.parametrize(
    ("boxes", "expected_left"),
    [
        ([(100, 100, 100, 100)], 210),  # room on the right
        ([(500, 100, 120, 100)], 340),  # only on the left
        ([(100, 100, 100, 100), (205, 100, 150, 150)], 480),  # another face there: lower corner
    ],
)
def test_the_bars_go_where_they_hide_no_face(boxes, expected_left: float):
    rects = [QRectF(*box) for box in boxes]
    place = _free_place(QRectF(0, 0, 150, 120), QRectF(0, 0, 640, 480), rects, rects[0], 10)
    assert place.left() == expected_left
    assert not any(place.intersects(rect) for rect in rects)


# Machado, Oliveira and Fernandes (2009): what the colour-blind see, of linear RGB.
COLOUR_BLIND = {
    "nobody": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


@pytest.mark.parametrize("who", COLOUR_BLIND)
def test_the_colour_blind_tell_the_expressions_apart(who: str):
    from fer_live.model.manifest import EXPRESSIONS

    colors = [expression_color(label) for label in (*EXPRESSIONS, UNSURE)]
    rgb = np.array([color.getRgbF()[:3] for color in colors], np.float32)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(COLOUR_BLIND[who]).T, 0, 1).astype(np.float32)
    lab = cv2.cvtColor(seen[None], cv2.COLOR_LRGB2Lab)[0]
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    assert distances[~np.eye(len(lab), dtype=bool)].min() > 12


def test_the_window_appears_before_the_heavy_imports():
    """It says "Loading" while the inference thread imports mediapipe."""
    code = (
        "import sys; import fer_live.commands.cli, fer_live.window.main_window; "
        "heavy = {'mediapipe', 'onnxruntime', 'pyarrow', 'torch'} & sys.modules.keys(); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
