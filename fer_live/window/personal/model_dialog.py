"""What a model is: for the person who uses it first, and folded away for whoever builds models."""

from PyQt6.QtCore import QSize, Qt, QUrl
from PyQt6.QtGui import QTextCursor
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.translation import tr
from fer_live.personal.about_model import facts
from fer_live.personal.models import InstalledModel, card_as_markdown
from fer_live.window.personal.model_words import name_of
from fer_live.window.widgets.scrolled import Scrolled, resize_within_screen

_FOLDED, _OPEN = QSize(620, 380), QSize(900, 660)
"""The tables of the card are wide."""


class _CardText(QTextBrowser):
    """Text alone: a card comes with a stranger's model, and may name pictures of other places."""

    def loadResource(self, kind: int, name: QUrl) -> object:  # noqa: N802  # Qt's name
        return None


class ModelDialog(QDialog):
    """Raises `ModelError` where the model cannot be read."""

    def __init__(self, parent: QWidget, model: InstalledModel) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(name_of(model))
        self.developer, self.card = QToolButton(), _CardText()
        self._make_card(card_as_markdown(model))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        content = QWidget()
        column = QVBoxLayout(content)
        column.addLayout(_grid(model))
        column.addWidget(self.developer)
        column.addWidget(self.card, 1)
        column.addStretch()
        outer = QVBoxLayout(self)
        outer.addWidget(Scrolled(content), 1)
        outer.addWidget(buttons)
        resize_within_screen(self, _FOLDED)

    def _make_card(self, markdown: str) -> None:
        self.developer.setText(tr("For developers: training, figures, and how to reproduce it"))
        self.developer.setCheckable(True)
        self.developer.setAutoRaise(True)
        self.developer.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.developer.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.developer.toggled.connect(self._unfold)
        self.card.setOpenLinks(False)  # nothing here goes to the network
        self.card.setAccessibleName(self.developer.text())
        self.card.setMarkdown(markdown)
        self.card.setMinimumHeight(160)
        _break_lines(self.card)
        # Qt lays out the widest table a pixel wider than the page, however wide that is.
        self.card.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._unfold(False)

    def _unfold(self, is_open: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow
        self.developer.setArrowType(arrow)
        self.card.setVisible(is_open)
        if self.isVisible():
            resize_within_screen(self, _OPEN if is_open else _FOLDED)


def _grid(model: InstalledModel) -> QGridLayout:
    grid = QGridLayout()
    grid.setColumnStretch(1, 1)
    grid.setHorizontalSpacing(18)
    top = Qt.AlignmentFlag.AlignTop
    for row, fact in enumerate(facts(model)):
        answer = QLabel(fact.answer)
        answer.setTextFormat(Qt.TextFormat.PlainText)
        answer.setWordWrap(True)
        answer.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(QLabel(f"<b>{fact.about}</b>"), row, 0, top)
        grid.addWidget(answer, row, 1, top)
    return grid


def _break_lines(page: QTextBrowser) -> None:
    """Let lines of code go on below, as nobody scrolls sideways to read."""
    document = page.document()
    assert document is not None
    cursor = QTextCursor(document)
    block = document.begin()
    while block.isValid():
        form = block.blockFormat()
        if form.nonBreakableLines():
            form.setNonBreakableLines(False)
            cursor.setPosition(block.position())
            cursor.setBlockFormat(form)
        block = block.next()
