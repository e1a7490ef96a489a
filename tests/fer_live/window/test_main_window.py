import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import (
    QPushButton,
)

from fer_live.base.settings import load_settings
from fer_live.sources.choice import Demo, Location
from fer_live.sources.source import FrameSource
from tests.helpers.window import GRAY, Missing, Pictures, wait_for_pictures


def test_a_clip_is_shown_with_its_faces(qtbot, open_window, demo_clip: Path):
    window, meter = open_window(Location(str(demo_clip)))
    assert window.message == "Loading…"
    with qtbot.waitSignal(window.first_painted, timeout=60_000):
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
    with qtbot.waitSignal(window.failed, timeout=60_000):
        pass
    assert window.message == "camera 0: not there"
    buttons = {b.text().replace("&", ""): b for b in window.live.card.findChildren(QPushButton)}
    assert all(button.isVisible() for button in buttons.values())
    with qtbot.waitSignal(window.failed, timeout=60_000):
        qtbot.mouseClick(buttons["Retry"], Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(window.first_painted, timeout=60_000):
        qtbot.mouseClick(buttons["Show the demo"], Qt.MouseButton.LeftButton)
    assert not buttons["Retry"].isVisible()
    assert meter.painted >= 1


def test_images_and_folders_of_images_are_shown(
    qtbot, open_window, demo_frames: list[np.ndarray], tmp_path: Path
):
    folder = tmp_path / "photos"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), demo_frames[20])
    for source in (folder, folder / "a.png"):
        window, meter = open_window(Location(str(source)))
        with qtbot.waitSignal(window.first_painted, timeout=60_000):
            pass
        window.stop()
        assert meter.faces >= 1


def test_a_picture_without_a_face_says_so(qtbot, open_window):
    window, _ = open_window(GRAY)
    with qtbot.waitSignal(window.first_painted, timeout=60_000):
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
    qtbot.waitUntil(lambda: window.pipeline is not None, timeout=60_000)  # loads meanwhile
    assert not opened
    accept = next(b for b in window.findChildren(QPushButton) if "begin" in b.text())
    qtbot.mouseClick(accept, Qt.MouseButton.LeftButton)
    wait_for_pictures(qtbot, meter)
    assert load_settings()[0].notice_accepted_on


def test_what_happened_is_said_beside_a_warning_and_on_every_tab(qtbot, open_window):
    window, meter = open_window(Demo())
    wait_for_pictures(qtbot, meter)
    window.pipeline.classifier.warning = "the CPU runs"
    window.say("saved")
    wait_for_pictures(qtbot, meter)
    assert window.live.view._lines[1] == "the CPU runs"
    window.pages.turn_to("review")
    window.say("ended")
    assert window.notices.texts == ("saved", "ended")
    assert window.notices.isVisible()


def test_a_snapshot_is_a_picture_with_its_overlay(qtbot, open_window, own_home: Path, demo_frames):
    window, meter = open_window(Pictures((demo_frames[20],)))
    wait_for_pictures(qtbot, meter)
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    (path,) = (own_home / "snapshots").iterdir()
    saved = cv2.imread(str(path)).astype(int)
    assert saved.shape == demo_frames[20].shape
    assert 0.001 < (np.abs(saved - demo_frames[20]) > 20).mean() < 0.2


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


def test_the_window_appears_before_the_heavy_imports():
    """It says "Loading" while the inference thread imports mediapipe."""
    code = (
        "import sys; import fer_live.commands.cli, fer_live.window.main_window; "
        "heavy = {'av', 'mediapipe', 'onnxruntime', 'pyarrow', 'torch'} & sys.modules.keys(); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_other_tabs_are_made_after_the_first_picture_or_when_asked_for(qtbot, open_window):
    window, meter = open_window(GRAY)
    assert window.later._review is None and window.later._personal is None
    wait_for_pictures(qtbot, meter)
    qtbot.waitUntil(lambda: window.later._personal is not None, timeout=10_000)
    assert window.later._review is not None
    window, _ = open_window(GRAY)
    window.action["review"].trigger()
    assert window.later.review.isVisible()
    assert window.later._personal is None
    window.stop()
