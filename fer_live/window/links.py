"""Opens a page, file or folder in the person's own programs, and says where it is if none opens."""

from pathlib import Path

from PyQt6.QtCore import QUrl
from PyQt6.QtGui import QDesktopServices, QGuiApplication
from PyQt6.QtWidgets import QMessageBox, QWidget

from fer_live.base.translation import tr


def show_file(parent: QWidget, path: Path) -> None:
    """Open a file or folder; where no program does, say where it lies and offer to copy that."""
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
        _offer_copy(parent, tr("No program opened it. It lies here:"), str(path))


def show_page(parent: QWidget, address: str) -> None:
    """Open a web page; where no browser does, say its address and offer to copy it."""
    if not QDesktopServices.openUrl(QUrl(address)):
        _offer_copy(parent, tr("No browser opened. The address of the page:"), address)


def copy_text(text: str) -> None:
    """Put a text on the clipboard."""
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None, "Qt makes it with the application"
    clipboard.setText(text)


def _offer_copy(parent: QWidget, message: str, where: str) -> None:
    box = QMessageBox(parent)
    box.setWindowTitle("FER Live")
    box.setText(message)
    box.setInformativeText(where)
    copy = box.addButton(tr("Copy"), QMessageBox.ButtonRole.ActionRole)
    box.addButton(QMessageBox.StandardButton.Ok)
    assert copy is not None
    copy.clicked.connect(lambda: copy_text(where))
    box.open()
