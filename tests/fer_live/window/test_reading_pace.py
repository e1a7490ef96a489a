"""A computer that is too slow to read every face twice is told so once."""

import pytest

from fer_live.session import reading_pace
from fer_live.sources.choice import Demo
from fer_live.window.notices import Notice
from tests.helpers.window import wait_for_pictures

SLOW = "This computer is slow: each face is read once, not twice"


def test_a_slow_computer_is_told_once_whatever_is_changed(
    qtbot, open_window, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(reading_pace, "_MAX_MS", 0.0)
    monkeypatch.setattr(reading_pace, "_N_FRAMES", 5)
    window, meter = open_window(Demo())
    said: list[Notice] = []
    window.feeds.chosen.news.said.connect(said.append)

    def reads_once() -> bool:
        return window.pipeline.answers.readings == 1

    wait_for_pictures(qtbot, meter)
    qtbot.waitUntil(reads_once, timeout=30_000)
    window.preferences.change({"calm": 0.8})
    qtbot.waitUntil(reads_once, timeout=30_000)
    wait_for_pictures(qtbot, meter, 10)
    assert [notice.text for notice in said] == [SLOW] and reads_once()


def test_who_asked_for_two_readings_keeps_them(qtbot, open_window, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading_pace, "_MAX_MS", 0.0)
    monkeypatch.setattr(reading_pace, "_N_FRAMES", 5)
    window, meter = open_window(Demo())
    window.preferences.change({"readings": 2})
    wait_for_pictures(qtbot, meter, 12)
    assert window.pipeline.answers.readings == 2
