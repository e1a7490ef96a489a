"""The switch for head, eyes and mouth, and what it shows."""

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from fer_live.base.settings import load_settings
from fer_live.session.options import LiveOptions, given
from fer_live.sources.choice import Demo
from fer_live.window.widgets.signals_panel import SignalsPanel, texts_of
from tests.helpers.results import face_signals
from tests.helpers.window import ON_CPU, wait_for_pictures


def test_the_switch_measures_shows_and_is_kept(qtbot, open_window):
    window, meter = open_window(Demo())
    wait_for_pictures(qtbot, meter)
    assert window.live.signals.isHidden()
    assert not window.pipeline.with_signals
    qtbot.keyClick(window, Qt.Key.Key_E)
    assert window.action["signals"].isChecked()
    assert load_settings()[0].signals
    assert window.live.signals.isVisible()
    qtbot.waitUntil(
        lambda: any(face.signals is not None for face in window.live._faces), timeout=30_000
    )
    qtbot.waitUntil(lambda: window.live.signals.texts()["eyes"] == "open", timeout=30_000)
    qtbot.keyClick(window, Qt.Key.Key_E)
    assert window.live.signals.isHidden()
    wait_for_pictures(qtbot, meter, 5)
    assert all(face.signals is None for face in window.live._faces)


def test_bars_and_signals_are_hidden_each_by_itself(qtbot, open_window):
    window, _ = open_window(Demo(), ON_CPU.but(signals=True, show_panel=False, show_faces=False))
    assert window.live.signals.isVisible()
    assert not window.live.panel.isVisible()
    window.preferences.change({"signals": False})
    assert not window.live.beside.isVisible()
    window.preferences.change({"show_panel": True})
    assert window.live.panel.isVisible()


def test_an_output_that_needs_the_signals_switches_them_on(qtbot, open_window):
    window, meter = open_window(Demo())
    wait_for_pictures(qtbot, meter)
    assert window.data_out.switch("vmc", "127.0.0.1:39539") == ""
    assert window.preferences.now.signals
    assert window.pipeline.with_signals


@pytest.mark.parametrize(("option", "expected"), [(None, {}), (True, {"signals": True})])
def test_the_command_line_holds_for_one_window(option, expected):
    assert given(LiveOptions(signals=option)) == expected


@pytest.mark.parametrize(
    ("changes", "row", "text"),
    [
        ({}, "head", "20° left, 10° up"),
        ({}, "tilt", "5° left"),
        ({"head_deg": np.zeros(3, np.float32)}, "tilt", "upright"),
        ({"head_deg": np.zeros(3, np.float32)}, "head", "straight"),
        ({"head_deg": np.float32([-30, -8, 0])}, "head", "30° right, 8° down"),
        ({}, "gaze", "2° left, 3° up"),
        ({"gaze_deg": np.zeros((2, 2), np.float32)}, "gaze", "into the camera"),
        ({}, "eyes", "open"),
        ({"eyes_open": np.float32([0.05, 0.3])}, "eyes", "left closed"),
        ({"eyes_open": np.float32([0.3, 0.05])}, "eyes", "right closed"),
        ({"eyes_open": np.float32([0.05, 0.05])}, "eyes", "closed"),
        ({}, "blinks", "3, 15 a minute"),
        ({}, "mouth", "open"),
        ({"mouth_open": 0.01}, "mouth", "closed"),
    ],
)
def test_figures_are_in_words(changes, row: str, text: str):
    assert texts_of(face_signals(**changes))[row] == text


def test_a_face_that_is_not_measured_has_dashes(qtbot):
    panel = SignalsPanel()
    qtbot.addWidget(panel)
    panel.show_signals(face_signals())
    assert panel.texts()["mouth"] == "open"
    panel.show_signals(None)
    assert panel.texts()["mouth"] == "open", "at most five times a second"
    panel._shown_at_s = 0.0
    panel.show_signals(None)
    assert set(panel.texts().values()) == {"–"}
