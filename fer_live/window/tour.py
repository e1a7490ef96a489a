"""The tour: three steps over the window that point at what it shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from fer_live.base.translation import mark, tr
from fer_live.window.enter_key import press_by_enter
from fer_live.window.translated import Translated

if TYPE_CHECKING:
    from fer_live.window.main_window import MainWindow

_CARD_WIDTH, _GAP_PX, _RADIUS_PX = 340, 12, 8
_DIM = QColor(8, 12, 18, 150)


@dataclass(frozen=True, slots=True)
class TourStep:
    """One step: what it says, and the widgets that it points at."""

    title: str
    text: str
    targets: Callable[["MainWindow"], Sequence[QWidget | None]]


STEPS = (
    TourStep(
        mark("Every face has a box"),
        mark(
            "Above it stand the face's number, what its expression looks like, and how probable "
            "that is. A face keeps its number while it stays in the picture. Click a face, or "
            "press N, to follow another one."
        ),
        lambda w: (w.live.view,),
    ),
    TourStep(
        mark("Bars and timeline"),
        mark(
            "The bars show all expressions of the followed face now, the timeline its last half "
            "minute. B and T hide and show them. They say what a face looks like, not what "
            "somebody feels."
        ),
        lambda w: (w.live.panel, w.live.timeline),
    ),
    TourStep(
        mark("Record, and where it looked"),
        mark(
            "Record keeps video and expressions on this computer, for the tab Review. Where it "
            "looked lays over each face what spoke for its label. Help (F1) has every key, and "
            "this tour again."
        ),
        lambda w: tuple(
            w.toolbar.widgetForAction(w.action[name]) for name in ("record", "heat_map")
        ),
    ),
)


class Tour(QObject):
    """Shows the steps over the window: `begin` now, `begin_soon` once there is a picture."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        self._wanted = False
        self._sheet: _TourSheet | None = None
        window.first_painted.connect(self._begin_if_wanted)

    @property
    def is_on(self) -> bool:
        """Whether a step is shown."""
        return self._sheet is not None

    def begin_soon(self) -> None:
        """Show the first step as soon as the first picture is there."""
        self._wanted = True

    def begin(self) -> None:
        """Show the first step, or take up the tour that is on from its beginning."""
        self._wanted = False
        self.end()
        self._window.pages.turn_to("live")
        self._sheet = _TourSheet(self._window, self.end)
        self._sheet.show()

    def end(self) -> None:
        """Take the tour away; the window has the keys again."""
        if self._sheet is not None:
            self._window.removeEventFilter(self._sheet)
            self._sheet.hide()
            self._sheet.deleteLater()
            self._sheet = None
            self._window.setFocus()

    def _begin_if_wanted(self) -> None:
        if self._wanted:
            self.begin()


class _TourSheet(Translated, QWidget):
    """Lies over the whole window, dims what a step is not about, and holds the card.

    Tab and the arrows go round its buttons, Enter presses one, Escape skips. The window's own keys
    work on, so that a step can be tried at once.
    """

    def __init__(self, window: "MainWindow", end: Callable[[], None]) -> None:
        super().__init__(window)
        self._window, self._end = window, end
        self._step = 0
        self._title, self._text, self._count = QLabel(), QLabel(), QLabel()
        self._skip, self._back, self._next = QPushButton(), QPushButton(), QPushButton()
        self._skip.clicked.connect(end)
        self._back.clicked.connect(lambda: self._go(-1))
        self._next.clicked.connect(lambda: self._go(1))
        self._card = self._make_card()
        window.installEventFilter(self)
        self.translate()

    def _make_card(self) -> QFrame:
        card = QFrame(self)
        card.setObjectName("card")
        font = self._title.font()
        font.setPointSizeF(font.pointSizeF() * 1.2)
        font.setBold(True)
        self._title.setFont(font)
        self._text.setWordWrap(True)
        buttons = QHBoxLayout()
        buttons.addWidget(self._count)
        buttons.addStretch()
        for button in (self._skip, self._back, self._next):
            buttons.addWidget(button)
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(8)
        column.addWidget(self._title)
        column.addWidget(self._text)
        column.addLayout(buttons)
        return card

    def _go(self, steps: int) -> None:
        if self._step + steps == len(STEPS):
            self._end()
        else:
            self._step += steps
            self.translate()
            self._next.setFocus()

    def translate(self) -> None:
        step = STEPS[self._step]
        self.setAccessibleName(tr("Tour"))
        self._title.setText(tr(step.title))
        self._text.setText(tr(step.text))
        self._card.setAccessibleName(f"{tr(step.title)}. {tr(step.text)}")
        self._count.setText(tr("{number} of {count}", number=self._step + 1, count=len(STEPS)))
        is_last = self._step == len(STEPS) - 1
        self._skip.setText(tr("Skip"))
        self._skip.setVisible(not is_last)
        self._back.setText(tr("Back"))
        self._back.setVisible(self._step > 0)
        self._next.setText(tr("Done") if is_last else tr("Next"))
        self._arrange()

    def showEvent(self, event: object) -> None:  # noqa: N802  # Qt's name
        self.raise_()
        self._arrange()
        self._next.setFocus()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  # Qt's name
        moved = (QEvent.Type.Resize, QEvent.Type.LayoutRequest)
        if watched is self._window and event is not None and event.type() in moved:
            self._arrange()
        return False

    def _arrange(self) -> None:
        """Over the whole window; the card where it hides as little as can be of the targets."""
        self.setGeometry(self._window.rect())
        inside = self.rect().adjusted(_GAP_PX, _GAP_PX, -_GAP_PX, -_GAP_PX)
        width = min(_CARD_WIDTH, inside.width())
        self._text.setFixedWidth(width - 32)
        self._card.adjustSize()
        places = _places(self._targets(), inside, self._card.rect())
        self._card.move(places[0])
        self.update()

    def _targets(self) -> list[QRect]:
        widgets = [w for w in STEPS[self._step].targets(self._window) if w and w.isVisible()]
        return [QRect(w.mapTo(self._window, QPoint()), w.size()) for w in widgets]

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  # Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dimmed = QPainterPath()
        dimmed.addRect(QRectF(self.rect()))
        holes = QPainterPath()
        for target in self._targets():
            holes.addRoundedRect(QRectF(target), _RADIUS_PX, _RADIUS_PX)
        painter.fillPath(dimmed - holes, _DIM)
        painter.setPen(QPen(self.palette().highlight().color(), 2))
        painter.drawPath(holes)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  # Qt's name
        if event is None:
            return
        if event.key() == Qt.Key.Key_Escape:
            self._end()
        elif not press_by_enter(self, event):
            super().keyPressEvent(event)

    def focusNextPrevChild(self, next: bool) -> bool:  # noqa: N802  # Qt's names
        buttons = [b for b in (self._skip, self._back, self._next) if b.isVisible()]
        if not buttons:  # it is being taken away
            return False
        focused = self.focusWidget()
        place = buttons.index(focused) if focused in buttons else -1
        buttons[(place + (1 if next else -1)) % len(buttons)].setFocus()
        return True

    def mousePressEvent(self, event: object) -> None:  # noqa: N802  # Qt's name
        """What lies below is not clicked by mistake."""


def _places(targets: Sequence[QRect], inside: QRect, card: QRect) -> list[QPoint]:
    """Where the card can stand, that first which hides least of the targets."""
    around = QRect()
    for target in targets:
        around = around.united(target)
    if around.isNull():
        around = QRect(inside.center(), inside.center())
    middle = around.center() - card.center()
    wanted = [
        QPoint(middle.x(), around.bottom() + _GAP_PX),
        QPoint(middle.x(), around.top() - card.height() - _GAP_PX),
        QPoint(around.left() - card.width() - _GAP_PX, middle.y()),
        QPoint(around.right() + _GAP_PX, middle.y()),
        QPoint(inside.left(), inside.bottom() - card.height()),
        QPoint(inside.right() - card.width(), inside.bottom() - card.height()),
        middle,
    ]
    kept = [
        QPoint(
            max(min(point.x(), inside.right() - card.width()), inside.left()),
            max(min(point.y(), inside.bottom() - card.height()), inside.top()),
        )
        for point in wanted
    ]
    return sorted(kept, key=lambda at: _hidden(targets, QRect(at, card.size())))


def _hidden(targets: Sequence[QRect], card: QRect) -> int:
    both = [target.intersected(card) for target in targets]
    return sum(one.width() * one.height() for one in both if not one.isEmpty())
