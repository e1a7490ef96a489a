"""The screen before the first picture: what the app reads, where data stays, what it is not for."""

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from fer_live.base.translation import tr
from fer_live.window.translated import Translated

_TEXT_WIDTH = 560


class FirstStart(Translated, QWidget):
    """Asks once whether the notice was understood; `accepted` or `declined` tells the answer.

    `accepted` brings whether to calibrate the model to the person as soon as there is a picture.
    """

    accepted = pyqtSignal(bool)
    declined = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._title, self._text = QLabel(), QLabel()
        font = self._title.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        self._title.setFont(font)
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._accept, self._decline = QPushButton(), QPushButton()
        self._calibrate = QPushButton()
        self._accept.setDefault(True)
        self._accept.clicked.connect(lambda: self.accepted.emit(False))
        self._calibrate.clicked.connect(lambda: self.accepted.emit(True))
        self._decline.clicked.connect(self.declined)
        buttons = QHBoxLayout()
        buttons.addWidget(self._accept)
        buttons.addWidget(self._calibrate)
        buttons.addWidget(self._decline)
        buttons.addStretch()
        column = QVBoxLayout()
        column.addStretch()
        column.addWidget(self._title)
        column.addSpacing(8)
        column.addWidget(self._text)
        column.addSpacing(16)
        column.addLayout(buttons)
        column.addStretch()
        inner = QWidget()
        inner.setLayout(column)
        inner.setMaximumWidth(_TEXT_WIDTH)
        row = QHBoxLayout(self)
        row.addStretch()
        row.addWidget(inner, 1)
        row.addStretch()
        self.translate()

    def showEvent(self, event: object) -> None:  # noqa: N802  # Qt's name
        self._accept.setFocus()

    def translate(self) -> None:
        self._title.setText(tr("Before the camera opens"))
        points = (
            tr(
                "FER Live finds the faces in the picture and says what their expressions look "
                "like. It cannot know what anybody feels."
            ),
            tr(
                "Everything stays on this computer. Nothing is sent anywhere, and nothing is "
                "recorded unless you press Record or Capture."
            ),
            tr(
                "It is not for judging people: not at work, not in class, not in interviews. In "
                "the European Union inferring emotions there is forbidden."
            ),
            tr("Ask the people whose faces are in the picture."),
        )
        items = "".join(f"<p style='margin:0 0 9px 0'>{point}</p>" for point in points)
        self._text.setText(items)
        self._accept.setText(tr("Understood, begin"))
        self._calibrate.setText(tr("Begin, and calibrate to my face"))
        self._decline.setText(tr("Quit"))
