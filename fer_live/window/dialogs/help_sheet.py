"""The help sheet: what each key does."""

from collections.abc import Iterable

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import (
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.translation import tr
from fer_live.window.translated import plain
from fer_live.window.widgets.scrolled import Scrolled, resize_within_screen


def show_help(parent: QWidget, actions: Iterable[QAction], *, tour: QAction) -> QDialog:
    """Open the help sheet; it is made from the actions, so it cannot be out of date. Their data is
    the tab that they work in.

    A button closes it and triggers `tour`.
    """
    sheet = QDialog(parent)
    sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    sheet.setWindowTitle(tr("Help"))
    keys = QHBoxLayout()
    listed = list(actions)
    for tabs, title in (
        (("any", "live or review"), tr("Everywhere")),
        (("live",), tr("In the tab Live")),
        (("review",), tr("In the tab Review")),
    ):
        keys.addLayout(_column(title, [one for one in listed if one.data() in tabs]))
    click = QFormLayout()
    click.addRow(QLabel(f"<b>{tr('Click')}</b>"), QLabel(tr("follow a face")))
    content = QWidget()
    column = QVBoxLayout(content)
    column.addLayout(keys)
    column.addLayout(click)
    note = QLabel(
        tr(
            "Bars and timeline show smoothed probabilities of the followed face. A label is what "
            "an expression looks like, not what somebody feels."
        )
    )
    note.setWordWrap(True)
    column.addWidget(note)
    again = QPushButton(tour.text())
    again.clicked.connect(sheet.close)
    again.clicked.connect(tour.trigger)
    outer = QVBoxLayout(sheet)
    outer.addWidget(Scrolled(content, keys), 1)
    outer.addWidget(again)
    resize_within_screen(sheet, outer.sizeHint() + QSize(40, 20))
    sheet.show()
    return sheet


def _column(title: str, actions: Iterable[QAction]) -> QFormLayout:
    """A row for each action that has a key, below what they have in common."""
    form = QFormLayout()
    form.addRow(QLabel(f"<h4>{title}</h4>"))
    for action in actions:
        if not action.shortcut().isEmpty():
            keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            form.addRow(QLabel(f"<b>{keys}</b>"), QLabel(plain(action.text())))
    return form
