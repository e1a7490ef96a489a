"""What stands in place of the picture where there is no source: why, and what to do instead."""

from collections.abc import Callable

import cv2
import numpy as np
from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QIcon, QImage, QPixmap
from PyQt6.QtWidgets import QGridLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from fer_live.base.translation import tr
from fer_live.datatypes import UInt8Array
from fer_live.errors import SourceError
from fer_live.sources.camera import CameraSource, list_cameras
from fer_live.window.background import Background
from fer_live.window.icons import icon
from fer_live.window.translated import Translated

_PICTURE = QSize(160, 120)
_MOST_CAMERAS = 6
_SETTLING_FRAMES = 8
"""The first pictures of a camera are dark, until it knows the light."""


class ChooseSourceCard(Translated, QWidget):
    """Cameras with a picture of each, and buttons; each signal is what a button asks for.

    `camera_chosen` brings number and name. The pictures are taken on a thread of their own, one
    camera after the other, and kept nowhere.
    """

    camera_chosen = pyqtSignal(int, str)
    retry = pyqtSignal()
    open_file = pyqtSignal()
    show_demo = pyqtSignal()
    examine = pyqtSignal()

    def __init__(self, list_them: Callable[[], dict[int, str]] = list_cameras) -> None:
        super().__init__()
        self._list_them = list_them
        self._background = Background(self)
        self._why, self._or = QLabel(), QLabel()
        for label in (self._why, self._or):
            label.setWordWrap(True)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._cameras = QWidget()
        self._grid = QGridLayout(self._cameras)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._buttons = [QPushButton() for _ in range(4)]
        signals = (self.retry, self.open_file, self.show_demo, self.examine)
        row = QGridLayout()
        row.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for number, (button, signal) in enumerate(zip(self._buttons, signals, strict=True)):
            button.clicked.connect(signal)
            row.addWidget(button, number // 2, number % 2)
        column = QVBoxLayout(self)
        column.addStretch()
        column.addWidget(self._why)
        column.addSpacing(12)
        column.addWidget(self._cameras)
        column.addWidget(self._or)
        column.addLayout(row)
        column.addStretch()
        self.translate()

    def show_reason(self, why: str) -> None:
        """Say why there is no picture, and list the cameras that are there now."""
        self._why.setText(why)
        self.setAccessibleName(why)
        self._clear()
        found = list(self._list_them().items())[:_MOST_CAMERAS]
        self._cameras.setVisible(bool(found))
        for place, (number, name) in enumerate(found):
            self._grid.addWidget(self._camera(number, name), place // 3, place % 3)

    def wait(self) -> None:
        """Block until no camera is open for its picture any more."""
        self._background.wait()

    def translate(self) -> None:
        texts = (
            tr("&Retry"),
            tr("&Open a file…"),
            tr("Show the &demo"),
            tr("&Check this computer…"),
        )
        for button, text in zip(self._buttons, texts, strict=True):
            button.setText(text)
        self._or.setText(tr("Or:"))

    def _camera(self, number: int, name: str) -> QToolButton:
        button = QToolButton()
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setIconSize(_PICTURE)
        button.setIcon(icon("video"))
        button.setText(name)
        button.setToolTip(name)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(lambda: self.camera_chosen.emit(number, name))

        def show(picture: object) -> None:
            if isinstance(picture, QImage) and button.parent() is not None:
                button.setIcon(QIcon(QPixmap.fromImage(picture)))

        self._background.run(lambda: _picture_of(number), show)
        return button

    def _clear(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()


def _picture_of(number: int) -> QImage:
    """A small picture of what this camera sees now. Raises `SourceError`."""
    camera = CameraSource(number)
    try:
        for _ in range(_SETTLING_FRAMES):
            frame = camera.read()
    finally:
        camera.close()
    if frame is None:
        raise SourceError(f"camera {number}: no picture")
    return _to_image(frame.image_bgr)


def _to_image(image_bgr: UInt8Array) -> QImage:
    height, width = image_bgr.shape[:2]
    scale = min(_PICTURE.width() / width, _PICTURE.height() / height)
    small = cv2.resize(image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    mirrored = np.ascontiguousarray(small[:, ::-1])
    return QImage(
        mirrored.tobytes(),
        mirrored.shape[1],
        mirrored.shape[0],
        mirrored.strides[0],
        QImage.Format.Format_BGR888,
    ).copy()
