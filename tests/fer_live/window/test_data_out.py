import re
from pathlib import Path

from PyQt6.QtCore import Qt

from fer_live.sources.choice import Demo
from tests.helpers.window import wait_for_pictures


def test_data_out_is_switched_on_and_off_by_hand(qtbot, open_window, tmp_path: Path):
    window, meter = open_window(Demo(), outputs={"csv": str(tmp_path / "cli.csv")})
    wait_for_pictures(qtbot, meter, 5)
    qtbot.keyClick(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    dialog = window.data_out.dialog
    csv, card = dialog.card("csv"), dialog.card("jsonl")
    jsonl, where, how = card.check, card.where, card.how
    assert csv.check.isChecked(), "switched on by the command line"
    assert csv.where.text() == str(tmp_path / "cli.csv")
    where.setText(str(tmp_path / "nowhere" / "a.jsonl"))
    qtbot.mouseClick(jsonl, Qt.MouseButton.LeftButton)
    assert not jsonl.isChecked()
    assert "does not exist" in card.trouble.text() and card.trouble.isVisible()
    where.setText(str(tmp_path / "a.jsonl"))
    qtbot.mouseClick(jsonl, Qt.MouseButton.LeftButton)
    assert jsonl.isChecked()
    assert not card.trouble.isVisible()
    wait_for_pictures(qtbot, meter, 10)
    dialog.refresh()
    assert re.fullmatch(r"[1-9]\d* sent, \d+ dropped", how.text())
    qtbot.mouseClick(jsonl, Qt.MouseButton.LeftButton)
    window.data_out.wait()
    written = (tmp_path / "a.jsonl").read_text()
    assert len(written.splitlines()) >= 5
    qtbot.mouseClick(jsonl, Qt.MouseButton.LeftButton)
    assert not jsonl.isChecked()
    assert "is there already" in card.trouble.text()
    assert (tmp_path / "a.jsonl").read_text() == written
    window.stop()
    assert len((tmp_path / "cli.csv").read_text().splitlines()) > 5
