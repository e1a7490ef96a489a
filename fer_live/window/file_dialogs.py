"""Asks for files; no other file of the app opens a file dialog.

Qt notes the folders of its dialogs in a file of its own that every program of the account can read,
outside of the app's folders, and under Windows and macOS in the registry and the preferences. A
folder may be called after a person, so nothing of it is kept.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from PyQt6.QtCore import QSettings
from PyQt6.QtWidgets import QFileDialog, QWidget

_SCOPE, _WHOSE = QSettings.Scope.UserScope, "QtProject"
_NOWHERE = os.devnull
"""No file can be made below it."""
_NOTED = ("FileDialog/lastVisited", "FileDialog/history", "FileDialog/shortcuts")


def ask_to_open(parent: QWidget | None, title: str, kinds: str = "") -> str:
    """A file that is there; empty where the person chose none. `kinds` are Qt's filters."""
    with _noting_nothing():
        return QFileDialog.getOpenFileName(parent, title, "", kinds)[0]


def ask_to_open_several(parent: QWidget | None, title: str) -> list[str]:
    """Files that are there; empty where the person chose none."""
    with _noting_nothing():
        return QFileDialog.getOpenFileNames(parent, title)[0]


def ask_to_save(
    parent: QWidget | None, title: str, suggested: str, kinds: str, *, may_replace: bool = True
) -> str:
    """A file to write; empty where the person chose none. Without `may_replace` the dialog does not
    ask before it takes one that is there, for a caller that refuses it."""
    asks = QFileDialog.Option(0) if may_replace else QFileDialog.Option.DontConfirmOverwrite
    with _noting_nothing():
        return QFileDialog.getSaveFileName(parent, title, suggested, kinds, "", asks)[0]


@contextmanager
def _noting_nothing() -> Iterator[None]:
    """Keep Qt's notes from the disk: where a file takes them, there is none, also after a kill;
    elsewhere what stood there before is put back."""
    QSettings.setPath(QSettings.Format.NativeFormat, _SCOPE, _NOWHERE)  # where there are files
    before = {key: QSettings(_SCOPE, _WHOSE).value(key) for key in _NOTED}
    try:
        yield
    finally:
        notes = QSettings(_SCOPE, _WHOSE)
        for key, value in before.items():
            if value is None:
                notes.remove(key)
            else:
                notes.setValue(key, value)
