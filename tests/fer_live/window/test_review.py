from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt, QUrl
from PyQt6.QtGui import QDesktopServices, QGuiApplication
from PyQt6.QtWidgets import QMessageBox

from fer_live.recording.recorder import list_recordings
from fer_live.sources.choice import Demo
from fer_live.window.dialogs.report_dialog import ReportDialog
from tests.helpers.window import wait_for_pictures


def test_a_recording_is_made_and_reviewed(
    qtbot, open_window, own_home: Path, tmp_path: Path, monkeypatch
):
    window, meter = open_window(Demo())
    wait_for_pictures(qtbot, meter, 3)
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    worker = window.feeds.chosen.recording._output.worker
    qtbot.waitUntil(lambda: worker.written >= 40, timeout=60_000)
    assert "●" in window.live.view._lines[0]
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    window.feeds.chosen.recording.wait()
    (recording,) = list_recordings(own_home / "recordings")
    assert len({row["frame"] for row in recording.rows()}) >= 30
    assert recording.folder.stat().st_mode & 0o077 == 0
    assert recording.about.began_at.tzinfo is not None
    first = datetime.fromisoformat(str(recording.rows()[0]["utc"]))
    assert abs((first - recording.about.began_at).total_seconds()) < 2, "beside another log"

    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    review = window.later.review
    assert review.pane.view._result is not None
    assert review.pane.view._result.faces
    # Between two frames: the video counts in whole milliseconds, so at a frame either may be shown.
    times = sorted({float(row["time_s"]) for row in recording.rows()})
    shown, following = next(pair for pair in pairwise(times) if pair[1] > 0.5)
    at_s = round((shown + following) / 2, 3)
    review.seek(at_s)
    assert review.pane.view._result.frame.captured_at_s == pytest.approx(shown, abs=2e-3)
    qtbot.keyClicks(review.markers.line, "a smile")
    qtbot.keyClick(review.markers.line, Qt.Key.Key_Return)
    (span,) = recording.markers()
    assert (span.text, span.from_s, span.to_s) == ("a smile", at_s, at_s)
    assert span.utc is not None
    assert abs((span.utc - first).total_seconds() - at_s) < 0.002
    review.seek(0.0)
    review.markers.table.cellClicked.emit(0, 2)
    assert review.playback.position_s == at_s
    review.playback.toggle()
    qtbot.waitUntil(lambda: review.playback.position_s > at_s + 0.2, timeout=60_000)
    review.playback.toggle()
    opened: list[str] = []

    def refuse(url: QUrl) -> bool:
        opened.append(url.toLocalFile())
        return False

    monkeypatch.setattr(QDesktopServices, "openUrl", refuse)
    report = tmp_path / "report.html"
    review.exports.reports.write(recording, report, with_pictures=True)
    assert not review.exports.button.isEnabled()
    qtbot.waitUntil(lambda: bool(opened), timeout=60_000)
    assert opened == [str(report)]
    page = report.read_text()
    assert "a smile" in page
    assert page.count("data:image/jpeg;base64,") >= 1
    (box,) = [w for w in window.findChildren(QMessageBox) if w.isVisible()]
    assert box.informativeText() == str(report), "no browser opened, so it is said where it lies"
    copy = next(button for button in box.buttons() if button.text() == "Copy")
    copy.click()
    assert QGuiApplication.clipboard().text() == str(report)
    assert review.exports.button.isEnabled()


def test_pictures_are_off_until_they_are_wanted(qtbot):
    dialog = ReportDialog(None)
    qtbot.addWidget(dialog)
    assert not dialog.with_pictures
    assert "show who was recorded" in dialog.warning.text()
    dialog.pictures.click()
    assert dialog.with_pictures
