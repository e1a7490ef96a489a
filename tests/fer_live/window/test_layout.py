"""No text is cut, nothing lies over anything, and no window is larger than its screen."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PyQt6.QtCore import QRect
from PyQt6.QtWidgets import QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from tests.helpers.layout import faults_of, screen_named

SCREENS = [
    (480, 360, 1, "en"),
    (640, 480, 1, "ko"),
    (640, 480, 1, "en"),
    (1280, 800, 1, "en"),
    (1920, 1080, 2, "ko"),
    (1920, 1080, 1.5, "en"),
    (3840, 2160, 1, "en"),
    (3840, 2160, 3, "ko"),
]


@pytest.mark.parametrize(("width", "height", "scale", "language"), SCREENS)
def test_every_page_and_dialog_fits_the_screen(
    tmp_path: Path, width: int, height: int, scale: float, language: str
):
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.layout", language],
        env={
            **os.environ,
            "QT_QPA_PLATFORM": screen_named(tmp_path, width, height),
            "QT_SCALE_FACTOR": str(scale),
            "FER_LIVE_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["screen"] == [round(width / scale), round(height / scale)], "the scale was taken"
    assert len(told["states"]) >= 12
    assert told["faults"] == {}


@pytest.fixture
def page(qtbot) -> QWidget:
    page = QWidget()
    qtbot.addWidget(page)
    column = QVBoxLayout(page)
    column.addWidget(QPushButton("A button with a long text"))
    column.addWidget(QLabel("a label"))
    page.resize(400, 200)
    page.show()
    return page


def test_what_fits_has_no_fault(page):
    assert faults_of(page) == []


def test_a_cut_text_is_found(page):
    page.findChild(QPushButton).setFixedWidth(40)
    page.layout().activate()
    assert any("text is cut" in fault for fault in faults_of(page))


def test_an_overlap_is_found(page):
    page.findChild(QLabel).setGeometry(page.findChild(QPushButton).geometry())
    assert any("lies over" in fault for fault in faults_of(page))


def test_a_window_larger_than_the_screen_is_found(page):
    page.setGeometry(QRect(0, 0, 9000, 200))
    assert any("on a screen of" in fault for fault in faults_of(page))


def test_what_cannot_be_scrolled_to_is_found(page):
    from PyQt6.QtCore import Qt

    area, wide = QScrollArea(), QLabel("wide")
    wide.setMinimumWidth(3000)
    area.setWidget(wide)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    page.layout().addWidget(area)
    area.show()
    page.layout().activate()
    assert any("cannot be scrolled" in fault for fault in faults_of(page))
