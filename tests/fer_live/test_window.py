import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QImage, QPainter
from PyQt6.QtWidgets import QPushButton

from fer_live.app import LiveOptions, pipeline_loader, source_opener
from fer_live.camera import PacedClip, SyntheticCamera
from fer_live.errors import SourceError
from fer_live.metering import Meter
from fer_live.pipeline import Pipeline
from fer_live.smoothing import UNSURE
from fer_live.ui.main_window import MainWindow
from fer_live.ui.overlay import Hud, _free_place, expression_color, paint_result


def missing_camera() -> SyntheticCamera:
    raise SourceError("camera 0: not there")


@pytest.fixture
def open_window(qtbot, demo_clip: Path):
    windows = []

    def build(open_source, mirror: bool = False) -> tuple[MainWindow, Meter]:
        meter = Meter()
        window = MainWindow(
            open_source,
            lambda: PacedClip(demo_clip),
            pipeline_loader(LiveOptions(provider="cpu")),
            meter,
            mirror=mirror,
        )
        windows.append(window)
        qtbot.addWidget(window)
        window.show()
        return window, meter

    yield build
    for window in windows:
        window.stop()


def test_a_clip_is_shown_with_its_faces(qtbot, open_window, demo_clip: Path):
    window, meter = open_window(source_opener(LiveOptions(source=str(demo_clip))))
    assert window.message == "Loading…"
    with qtbot.waitSignal(window.first_painted, timeout=30_000):
        pass
    qtbot.waitUntil(lambda: meter.painted >= 15, timeout=10_000)
    window.stop()
    figures = meter.summary()
    assert window.message == ""
    assert figures["faces"] >= figures["processed"] > 0
    assert figures["captured"] == figures["processed"] + figures["dropped"]
    assert figures["first_overlay_s"] > 0
    assert figures["latency_ms"]["p50"] > 0


def test_a_missing_camera_offers_retry_and_the_demo(qtbot, open_window):
    window, meter = open_window(missing_camera, mirror=True)
    with qtbot.waitSignal(window.failed, timeout=30_000):
        pass
    assert window.message == "camera 0: not there"
    buttons = {b.text().replace("&", ""): b for b in window.findChildren(QPushButton)}
    assert all(button.isVisible() for button in buttons.values())
    with qtbot.waitSignal(window.failed, timeout=5_000):
        qtbot.mouseClick(buttons["Retry"], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(window.first_painted, timeout=30_000):
        qtbot.mouseClick(buttons["Show the demo"], Qt.MouseButton.LeftButton)
    assert not buttons["Retry"].isVisible()
    assert meter.painted >= 1


class BrokenPipeline:
    """Reads the first frame and fails on every other."""

    def __init__(self) -> None:
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


def test_a_pipeline_that_fails_for_good_does_not_leave_a_still_picture(qtbot):
    gray = np.full((120, 160, 3), 90, np.uint8)
    window = MainWindow(
        lambda: SyntheticCamera([gray], 10_000, paced=True),
        missing_camera,
        BrokenPipeline,  # type: ignore[arg-type]
        Meter(),
        mirror=False,
    )
    qtbot.addWidget(window)
    window.show()
    try:
        qtbot.waitUntil(lambda: "out of memory" in window.message, timeout=20_000)
    finally:
        window.stop()


def test_images_and_folders_of_images_are_shown(
    qtbot, open_window, demo_frames: list[np.ndarray], tmp_path: Path
):
    cv2.imwrite(str(tmp_path / "a.png"), demo_frames[20])
    for source in (tmp_path, tmp_path / "a.png"):
        window, meter = open_window(source_opener(LiveOptions(source=str(source))))
        with qtbot.waitSignal(window.first_painted, timeout=30_000):
            pass
        window.stop()
        assert meter.faces >= 1


def test_a_picture_without_a_face_says_so(qtbot, open_window):
    gray = np.full((120, 160, 3), 90, np.uint8)
    window, _ = open_window(lambda: SyntheticCamera([gray], 10_000, paced=True))
    with qtbot.waitSignal(window.first_painted, timeout=30_000):
        pass
    assert window.message == "No face in view"


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


def test_every_expression_has_its_own_colour():
    from fer_live.manifest import EXPRESSIONS

    colors = {expression_color(label).name() for label in (*EXPRESSIONS, UNSURE)}
    assert len(colors) == 9


def test_the_window_appears_before_the_heavy_imports():
    """It says "Loading" while the inference thread imports mediapipe."""
    code = (
        "import sys; import fer_live.cli, fer_live.app, fer_live.ui.main_window; "
        "heavy = {'mediapipe', 'onnxruntime', 'pyarrow', 'torch'} & sys.modules.keys(); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
