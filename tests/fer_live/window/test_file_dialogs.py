"""Dialogs for files leave nothing behind outside of the app's folders."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QApplication, QFileDialog

from fer_live.window import file_dialogs
from fer_live.window.file_dialogs import ask_to_open, ask_to_open_several, ask_to_save

_CHOOSING = """
import sys
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QApplication, QFileDialog, QLineEdit
from fer_live.window.file_dialogs import ask_to_open

application, chosen = QApplication([]), sys.argv[1]

def choose():
    for dialog in application.topLevelWidgets():
        if isinstance(dialog, QFileDialog):
            dialog.setDirectory(chosen.rpartition("/")[0])
            line = dialog.findChild(QLineEdit)
            line.setText(chosen)
            QTest.keyClick(line, Qt.Key.Key_Return)

timer = QTimer()
timer.timeout.connect(choose)
timer.start(200)
if {by_us}:
    print(ask_to_open(None, "Open"))
else:
    print(QFileDialog.getOpenFileName(None, "Open")[0])
"""


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="Qt's notes are no file there")
def test_qts_own_dialog_writes_no_name_of_a_folder(tmp_path: Path):
    """In a process with a home of its own, where Qt would write what it does without us."""
    (tmp_path / "Adaxyz session").mkdir()
    (face := tmp_path / "Adaxyz session" / "face.mp4").touch()
    written = {}
    for by_us in (True, False):
        user = tmp_path / f"user {by_us}"
        user.mkdir()
        own = {"HOME": str(user), "XDG_CONFIG_HOME": str(user), "QT_QPA_PLATFORM": "offscreen"}
        code = _CHOOSING.replace("{by_us}", str(by_us))
        done = subprocess.run(
            [sys.executable, "-c", code, face],
            env=os.environ | own | {"PYTHONPATH": str(Path.cwd())},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.strip() == str(face)
        files = (path for path in user.rglob("*") if path.is_file())
        written[by_us] = [path.name for path in files if b"Adaxyz" in path.read_bytes()]
    assert written == {True: [], False: ["QtProject.conf"]}


@pytest.fixture
def notes(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, object | None]:
    """As it is under Windows and macOS: Qt keeps notes, and a dialog adds to them."""
    monkeypatch.setattr(file_dialogs, "_NOWHERE", str(tmp_path))
    scope = QSettings.Scope.UserScope
    QSettings.setPath(QSettings.Format.NativeFormat, scope, str(tmp_path))
    QSettings(scope, "QtProject").setValue("FileDialog/lastVisited", "file:///before")

    def dialog(*_: object) -> tuple[object, str]:
        kept = QSettings(scope, "QtProject")
        kept.setValue("FileDialog/lastVisited", "file:///Adaxyz")
        kept.setValue("FileDialog/history", ["file:///Adaxyz"])
        return "/Adaxyz/x", ""

    for name in ("getOpenFileName", "getOpenFileNames", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, dialog)
    return {"FileDialog/lastVisited": "file:///before", "FileDialog/history": None}


def test_where_qt_keeps_its_notes_all_the_same_they_are_put_back(
    notes: dict[str, object | None],
):
    for ask in (
        lambda: ask_to_open(None, "Open"),
        lambda: ask_to_open_several(None, "Open"),
        lambda: ask_to_save(None, "Save", "x", "", may_replace=False),
    ):
        assert ask() == "/Adaxyz/x"
        kept = QSettings(QSettings.Scope.UserScope, "QtProject")
        assert {key: kept.value(key) for key in notes} == notes


def test_no_other_file_of_the_app_opens_a_file_dialog():
    package = Path(file_dialogs.__file__).parents[1]
    found = {path.name for path in package.rglob("*.py") if "QFileDialog" in path.read_text()}
    assert found == {"file_dialogs.py"}
