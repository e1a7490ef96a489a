"""What fills the window: the tabs, or the screen of the first start in their place."""

from typing import TYPE_CHECKING, Literal, get_args

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from fer_live.base.translation import tr
from fer_live.sources.choice import SourceChoice
from fer_live.window.enter_key import press_by_enter
from fer_live.window.live_page import LivePage
from fer_live.window.translated import Translated

if TYPE_CHECKING:
    from fer_live.window.first_start import FirstStart

TabName = Literal["live", "review", "personal"]
_TABS: tuple[TabName, ...] = get_args(TabName)


class Pages(Translated, QStackedWidget):
    """Three tabs, of which the second and the third are empty until they are filled.

    `accepted` and `declined` tell what the person answered at the first start; `accepted` brings
    whether to calibrate the model then. `turned` is emitted when another tab is in front, and
    `turned_to` brings its name.
    """

    accepted = pyqtSignal(bool)
    declined = pyqtSignal()
    turned = pyqtSignal()
    turned_to = pyqtSignal(str)

    def __init__(self, live: LivePage) -> None:
        super().__init__()
        self._live = live
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        self._places: dict[TabName, QWidget] = {}
        for tab in _TABS:
            self._places[tab] = QWidget()
            QVBoxLayout(self._places[tab]).setContentsMargins(0, 0, 0, 0)
            self._tabs.addTab(self._places[tab], "")
        self.fill("live", live)
        self._tabs.currentChanged.connect(self._tell)
        self._first_start: FirstStart | None = None
        self.addWidget(self._tabs)
        self.translate()

    def fill(self, tab: TabName, area: QWidget) -> None:
        """Put this into a tab that is empty."""
        layout = self._places[tab].layout()
        assert layout is not None
        layout.addWidget(area)
        area.show()  # at once: what can be done depends on what is seen

    def turn_to(self, tab: TabName) -> None:
        """Bring this tab to the front."""
        self._tabs.setCurrentWidget(self._places[tab])

    def show_tabs(self) -> None:
        """Show the tabs, in place of the first start."""
        self.setCurrentWidget(self._tabs)

    @property
    def first_source(self) -> SourceChoice:
        """What the person chose to begin with at the first start."""
        assert self._first_start is not None, "it was shown"
        return self._first_start.source

    @property
    def is_asking(self) -> bool:
        """Whether the first start's notice is not answered yet."""
        return self._first_start is not None and self.currentWidget() is self._first_start

    def shows(self, tab: TabName) -> bool:
        """Whether this tab is in front."""
        return not self.is_asking and self._tabs.currentWidget() is self._places[tab]

    def show_picture_alone(self, alone: bool) -> None:
        """Show nothing but the live picture, or the tabs again."""
        if alone:
            self.turn_to("live")
        bar = self._tabs.tabBar()
        assert bar is not None
        bar.setVisible(not alone)
        self._live.show_picture_alone(alone)

    def show_first_start(self, first: SourceChoice) -> None:
        """Show what has to be understood first, in place of the tabs; `first` is offered."""
        from fer_live.window.first_start import FirstStart  # shown once in a lifetime

        self._first_start = FirstStart()
        self._first_start.accepted.connect(self.accepted)
        self._first_start.declined.connect(self.declined)
        self.addWidget(self._first_start)
        self._first_start.offer(first)
        self.setCurrentWidget(self._first_start)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  # Qt's name
        """Enter presses the button that has the focus, as it does in dialogs."""
        if event is None or not press_by_enter(self, event):
            super().keyPressEvent(event)

    def _tell(self, index: int) -> None:
        self.turned_to.emit(_TABS[index])
        self.turned.emit()

    def translate(self) -> None:
        for index, title in enumerate((tr("Live"), tr("Review"), tr("Personal"))):
            self._tabs.setTabText(index, title)
