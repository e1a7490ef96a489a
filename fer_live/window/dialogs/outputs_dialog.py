"""Data out: each output switched on by hand, for this window alone."""

from collections.abc import Callable, Mapping
from functools import partial

from PyQt6.QtCore import QSize, Qt, QTimer
from PyQt6.QtWidgets import QDialog, QFrame, QScrollArea, QStyle, QVBoxLayout, QWidget

from fer_live.base.translation import tr
from fer_live.outputs.registry import output_kinds
from fer_live.window.dialogs.output_card import OutputCard, OutputState
from fer_live.window.translated import Translated
from fer_live.window.widgets.scrolled import resize_within_screen

_REFRESH_EVERY_MS = 500


class OutputsDialog(Translated, QDialog):
    """A card for each output that there is.

    `places` are what the person wrote before; elsewhere stands what the output suggests.
    `switch(name, where)` starts an output, or ends it with `where` None; `state(name)` says how it
    does; `test(name, then)` sends a test.
    """

    def __init__(
        self,
        parent: QWidget | None,
        places: Mapping[str, str],
        *,
        switch: Callable[[str, str | None], str],
        state: Callable[[str], OutputState],
        test: Callable[[str, Callable[[str], None]], None],
    ) -> None:
        super().__init__(parent)
        self._switch, self._state = switch, state
        self._cards = {
            name: OutputCard(
                kind, places.get(name), partial(self._clicked, name), partial(test, name)
            )
            for name, kind in output_kinds().items()
        }
        self._content = QWidget()
        column = QVBoxLayout(self._content)
        for card in self._cards.values():
            column.addWidget(card)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidget(self._content)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        self.setMinimumHeight(240)
        resize_within_screen(self, QSize(680, 640))
        timer = QTimer(self)
        timer.timeout.connect(self._refresh_if_seen)
        timer.start(_REFRESH_EVERY_MS)
        self.translate()

    def card(self, name: str) -> OutputCard:
        """The card of one output."""
        return self._cards[name]

    def refresh(self) -> None:
        """Show of every output how it does."""
        for name, card in self._cards.items():
            card.show_state(self._state(name))

    def _refresh_if_seen(self) -> None:
        if self.isVisible():
            self.refresh()

    def _clicked(self, name: str, where: str | None) -> None:
        self._switch(name, where)
        self.refresh()

    def translate(self) -> None:
        self.setWindowTitle(tr("Data out"))
        self.refresh()
        # The longest words of the language, and the scroll bar, so that nothing is cut.
        style = self.style()
        assert style is not None, "every widget has one"
        bar = style.pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)
        self.setMinimumWidth(self._content.minimumSizeHint().width() + bar)
