"""What fills the window: the tabs, or the screen of the first start in their place."""

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QStackedWidget, QTabWidget, QWidget

from fer_live.base.translation import tr
from fer_live.sources.choice import SourceChoice
from fer_live.window.first_start import FirstStart
from fer_live.window.live_page import LivePage
from fer_live.window.personal.personal_page import PersonalPage
from fer_live.window.review.review_page import ReviewPage
from fer_live.window.translated import Translated
from fer_live.window.widgets.scrolled import Scrolled


class Pages(Translated, QStackedWidget):
    """Three tabs; one that is turned to reads again what is on the disk.

    `accepted` and `declined` tell what the person answered at the first start; `accepted` brings
    whether to calibrate the model then. `turned` is emitted when another tab is in front.
    """

    accepted = pyqtSignal(bool)
    declined = pyqtSignal()
    turned = pyqtSignal()

    def __init__(self, live: LivePage, review: ReviewPage, personal: PersonalPage) -> None:
        super().__init__()
        self._live, self._review, self._personal = live, review, personal
        self._tabs = QTabWidget()
        self._tabs.setDocumentMode(True)
        self._areas: dict[QWidget, QWidget] = {
            live: live,
            review: Scrolled(review),
            personal: Scrolled(personal, personal.columns),
        }
        for area in self._areas.values():
            self._tabs.addTab(area, "")
        self._tabs.currentChanged.connect(self._refresh)
        self._tabs.currentChanged.connect(lambda _: self.turned.emit())
        self._first_start = FirstStart()
        self._first_start.accepted.connect(self.accepted)
        self._first_start.declined.connect(self.declined)
        self.addWidget(self._tabs)
        self.addWidget(self._first_start)
        self.translate()

    def turn_to(self, page: QWidget) -> None:
        """Bring the tab of this page to the front."""
        self._tabs.setCurrentWidget(self._areas[page])

    def show_tabs(self) -> None:
        """Show the tabs, in place of the first start."""
        self.setCurrentWidget(self._tabs)

    @property
    def first_source(self) -> SourceChoice:
        """What the person chose to begin with at the first start."""
        return self._first_start.source

    @property
    def is_asking(self) -> bool:
        """Whether the first start's notice is not answered yet."""
        return self.currentWidget() is self._first_start

    def shows(self, page: QWidget) -> bool:
        """Whether this page is in front."""
        return not self.is_asking and self._tabs.currentWidget() is self._areas[page]

    def show_picture_alone(self, alone: bool) -> None:
        """Show nothing but the live picture, or the tabs again."""
        if alone:
            self.turn_to(self._live)
        bar = self._tabs.tabBar()
        assert bar is not None
        bar.setVisible(not alone)
        self._live.show_picture_alone(alone)

    def show_first_start(self, first: SourceChoice) -> None:
        """Show what has to be understood first, in place of the tabs; `first` is offered."""
        self._first_start.offer(first)
        self.setCurrentWidget(self._first_start)

    def refresh_personal(self) -> None:
        """Read the person's clips again, where their tab is in front."""
        if self._tabs.currentWidget() is self._areas[self._personal]:
            self._personal.refresh()

    def _refresh(self, index: int) -> None:
        area = self._tabs.widget(index)
        if area is self._areas[self._review]:
            self._review.refresh()
        elif area is self._areas[self._personal]:
            self._personal.refresh()

    def translate(self) -> None:
        for index, title in enumerate((tr("Live"), tr("Review"), tr("Personal"))):
            self._tabs.setTabText(index, title)
