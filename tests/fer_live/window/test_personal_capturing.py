import re
import threading

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QMessageBox

from fer_live.base.settings import Settings, load_settings
from fer_live.personal.clip_recorder import ClipRecorder
from fer_live.personal.clips import list_clips, summarize
from tests.helpers.window import open_demo_window


def test_a_clip_is_captured_with_a_visible_mark(qtbot, monkeypatch):
    window = open_demo_window(qtbot)
    window.set_capturing(True)
    assert window.action["capture"].isChecked()
    qtbot.waitUntil(lambda: "capturing" in window.live.view._lines[0], timeout=60_000)
    qtbot.waitUntil(lambda: window.feeds.chosen.capturing._recorder.n_kept > 5, timeout=60_000)
    window.action["pause"].trigger()
    assert "paused" in window.feeds.chosen.capturing.mark
    kept = window.feeds.chosen.capturing._recorder.n_kept
    captured = window._meter.processed
    qtbot.waitUntil(lambda: window._meter.processed > captured + 20, timeout=60_000)
    assert window.feeds.chosen.capturing._recorder.n_kept <= kept + 1
    window.action["pause"].trigger()
    qtbot.waitUntil(
        lambda: window.feeds.chosen.capturing._recorder.n_kept > kept + 1, timeout=60_000
    )
    window.set_capturing(False)
    assert not window.action["capture"].isChecked()
    assert window.feeds.chosen.capturing.mark == ""
    qtbot.waitUntil(lambda: not window.feeds.chosen.capturing.is_closing, timeout=60_000)
    (clip,) = list_clips()
    assert summarize(clip).n_frames > 5

    page = window.later.personal
    window.pages.turn_to("personal")
    qtbot.waitUntil(lambda: page.clips.list.topLevelItemCount() == 1, timeout=60_000)
    assert page.learning.begin_button.isVisible()
    page.clips.list.selectAll()
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answers.pop(0))
    qtbot.mouseClick(page.clips.delete_button, Qt.MouseButton.LeftButton)
    assert list_clips() == [clip], "the answer was no"
    qtbot.mouseClick(page.clips.delete_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.clips.list.topLevelItemCount() == 0, timeout=60_000)
    assert list_clips() == []
    assert "demo (" in page._said.text(), "in a user's words, not a path"


def test_consent_is_asked_once_and_without_it_nothing_is_captured(qtbot, monkeypatch):
    asked: list[str] = []
    answers = [False, True]

    def confirm(parent, title, question, details, yes):
        asked.append(details)
        return answers.pop(0)

    monkeypatch.setattr("fer_live.window.personal.capturing.confirm", confirm)
    window = open_demo_window(qtbot, Settings(provider="cpu"))
    window.set_capturing(True)
    assert not window.feeds.chosen.capturing.is_on
    window.set_capturing(True)
    assert window.feeds.chosen.capturing.is_on
    window.set_capturing(False)
    window.set_capturing(True)
    assert window.feeds.chosen.capturing.is_on
    window.set_capturing(False)
    assert len(asked) == 2
    assert "Nothing is sent" in asked[0]
    assert load_settings()[0].capture_accepted_on


def test_deleting_the_clip_that_is_captured_ends_it_with_a_word(qtbot):
    window = open_demo_window(qtbot)
    said: list[str] = []
    window.feeds.chosen.capturing.ended.connect(said.append)
    window.set_capturing(True)
    # Not while its files are being made: a folder that grows cannot be deleted.
    qtbot.waitUntil(
        lambda: bool(re.search(r"[1-9]\d* kept", window.feeds.chosen.capturing.mark)),
        timeout=60_000,
    )
    assert len(list_clips()) == 1
    list_clips()[0].delete()
    qtbot.waitUntil(lambda: bool(said), timeout=60_000)
    assert said == ["the clip that was being captured was deleted"]
    assert not window.feeds.chosen.capturing.is_on
    assert list_clips() == []


def test_a_window_that_closes_waits_for_a_clip_that_had_just_ended(qtbot, monkeypatch):
    may_close = threading.Event()
    close = ClipRecorder.close

    def close_late(recorder: ClipRecorder) -> None:
        assert may_close.wait(10)
        close(recorder)

    monkeypatch.setattr(ClipRecorder, "close", close_late)
    window = open_demo_window(qtbot)
    window.set_capturing(True)
    window.set_capturing(False)
    assert window.feeds.chosen.capturing.is_closing
    threading.Timer(0.3, may_close.set).start()
    window.stop()
    assert not window.feeds.chosen.capturing.is_closing
