"""The screen before the first picture: what the app reads, where data stays, what it is not for."""

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.translation import tr
from fer_live.sources.camera import list_cameras
from fer_live.sources.choice import Camera, Demo, SourceChoice
from fer_live.window.translated import Translated, as_sentence
from fer_live.window.widgets.sample_face import SampleFace

_CARD_WIDTH = 620
_DRAWN_FROM_HEIGHT = 620
"""In a lower window the text has the room."""


class FirstStart(Translated, QWidget):
    """Asks once whether the notice was understood; `accepted` or `declined` tells the answer.

    `accepted` brings whether to calibrate the model to the person as soon as there is a picture.
    `source` is then what to begin with. Cameras are listed, and none is opened.
    """

    accepted = pyqtSignal(bool)
    declined = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._first: SourceChoice = Camera()
        self._picture = SampleFace()
        self._title, self._text, self._ask = QLabel(), QLabel(), QLabel()
        font = self._title.font()
        font.setPointSizeF(font.pointSizeF() * 1.6)
        self._title.setFont(font)
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._sources = QComboBox()
        self._ask.setBuddy(self._sources)
        self._accept, self._decline = QPushButton(), QPushButton()
        self._calibrate = QPushButton()
        self._accept.setDefault(True)
        self._accept.clicked.connect(lambda: self.accepted.emit(False))
        self._calibrate.clicked.connect(lambda: self.accepted.emit(True))
        self._decline.clicked.connect(self.declined)
        self._lay_out()
        self.offer(self._first)

    def _lay_out(self) -> None:
        asking = QHBoxLayout()
        asking.addWidget(self._ask)
        asking.addWidget(self._sources, 1)
        buttons = QHBoxLayout()
        for button in (self._accept, self._calibrate, self._decline):
            buttons.addWidget(button)
        buttons.addStretch()
        card = QFrame()
        card.setObjectName("card")
        card.setMaximumWidth(_CARD_WIDTH)
        column = QVBoxLayout(card)
        column.setContentsMargins(24, 22, 24, 22)
        column.setSpacing(12)
        column.addWidget(self._picture)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addLayout(asking)
        column.addLayout(buttons)
        middle = QWidget()
        row = QHBoxLayout(middle)
        row.addStretch()
        row.addWidget(card, 8, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch()
        page = QScrollArea()
        page.setWidgetResizable(True)
        page.setFrameShape(QFrame.Shape.NoFrame)
        page.setWidget(middle)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(page)

    @property
    def source(self) -> SourceChoice:
        """What the person wants to begin with."""
        chosen: SourceChoice = self._sources.currentData()
        return chosen

    def offer(self, first: SourceChoice) -> None:
        """List what one can begin with: `first`, which is chosen, the cameras, and the demo."""
        self._first = first
        self.translate()

    def showEvent(self, event: object) -> None:  # noqa: N802  # Qt's name
        self._accept.setFocus()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  # Qt's name
        super().resizeEvent(event)
        self._picture.setVisible(self.height() >= _DRAWN_FROM_HEIGHT)

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
        self._picture.describe()
        self._ask.setText(tr("Begin &with"))
        self._sources.setAccessibleName(tr("Begin &with").replace("&", ""))
        self._list_sources()
        self._accept.setText(tr("Understood, begin"))
        self._calibrate.setText(tr("Begin, and calibrate to my face"))
        self._decline.setText(tr("Quit"))

    def _list_sources(self) -> None:
        chosen = self.source.name if self._sources.count() else self._first.name
        cameras = [(name, Camera(n, device=name)) for n, name in list_cameras().items()]
        listed: list[tuple[str, SourceChoice]] = [*cameras, (as_sentence(tr("demo")), Demo())]
        if self._first.name not in [choice.name for _, choice in listed]:
            listed.insert(0, (self._name_of_first(), self._first))
        self._sources.clear()
        for name, choice in listed:
            self._sources.addItem(name, choice)
        names = [choice.name for _, choice in listed]
        wanted = chosen if chosen in names else self._first.name
        self._sources.setCurrentIndex(names.index(wanted))

    def _name_of_first(self) -> str:
        if isinstance(self._first, Camera):
            return as_sentence(tr("camera {number}", number=self._first.number))
        return self._first.name
