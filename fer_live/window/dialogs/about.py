"""What this is, which version, and under which licence."""

from PyQt6.QtCore import PYQT_VERSION_STR, QT_VERSION_STR
from PyQt6.QtWidgets import QMessageBox, QWidget

from fer_live import __version__
from fer_live.base.translation import tr


def show_about(parent: QWidget) -> QMessageBox:
    """Open the box; it does not wait for an answer."""
    box = QMessageBox(parent)
    box.setWindowTitle(tr("About FER Live"))
    box.setIconPixmap(parent.windowIcon().pixmap(64))
    box.setText(f"<b>FER Live {__version__}</b>")
    box.setInformativeText(
        tr(
            "Reads facial expressions from a camera, on this computer alone. A label is what an "
            "expression looks like, not what somebody feels.\n\nLicence: GPL 3 or later. "
            "Icons: Lucide (ISC). Qt {qt}, PyQt {pyqt}.",
            qt=QT_VERSION_STR,
            pyqt=PYQT_VERSION_STR,
        )
    )
    box.open()
    return box
