"""The tabs Review and Personal, which nobody waits for at the start."""

from functools import partial
from typing import TYPE_CHECKING

from PyQt6.QtCore import QTimer

from fer_live.window.grid.feed import LoadPipeline
from fer_live.window.grid.tile import Parts
from fer_live.window.pages import TabName
from fer_live.window.video_menu import show_review_menu
from fer_live.window.widgets.scrolled import Scrolled

if TYPE_CHECKING:
    from fer_live.window.main_window import MainWindow
    from fer_live.window.personal.personal_page import PersonalPage
    from fer_live.window.review.review_page import ReviewPage

_EVERY_MS = 300


class LaterPages:
    """Makes each page when it is first asked for, and both soon after the first picture.

    The modules of these pages are imported then too: together they take as long as the rest of the
    window.
    """

    def __init__(self, window: "MainWindow", load_pipeline: LoadPipeline) -> None:
        self._window, self._load_pipeline = window, load_pipeline
        self._review: ReviewPage | None = None
        self._personal: PersonalPage | None = None
        window.pages.turned_to.connect(self.refresh)
        self._soon = QTimer(window)
        self._soon.setInterval(_EVERY_MS)
        self._soon.timeout.connect(self._make_next)
        window.first_painted.connect(self._soon.start)

    @property
    def review(self) -> "ReviewPage":
        """The tab Review."""
        if self._review is None:
            from fer_live.window.review.importing import read_videos_by
            from fer_live.window.review.review_page import ReviewPage

            window, preferences = self._window, self._window.preferences
            page = ReviewPage(lambda: read_videos_by(self._load_pipeline, preferences.now))
            self._review = page
            page.opened.connect(window.availability.refresh)
            page.pane.timeline.switched.connect(preferences.switch_timeline)
            page.pane.view.menu_wanted.connect(partial(show_review_menu, window))
            window.pages.fill("review", Scrolled(page))
            self.show_parts()
        return self._review

    @property
    def personal(self) -> "PersonalPage":
        """The tab Personal."""
        if self._personal is None:
            from fer_live.window.personal.personal_page import PersonalPage

            window, preferences = self._window, self._window.preferences
            page = PersonalPage(lambda: preferences.now, preferences.change)
            self._personal = page
            page.capture_wanted.connect(lambda: window.set_capturing(True))
            page.calibration_wanted.connect(lambda who: window.calibrating.open(person=who))
            preferences.model_taken.connect(page.models.refresh)
            window.pages.fill("personal", Scrolled(page, page.columns))
        return self._personal

    def refresh(self, tab: TabName) -> None:
        """Read again what is on the disk, and make the page where it is not there yet."""
        if tab == "review":
            self.review.refresh()
        elif tab == "personal":
            self.personal.refresh()

    def refresh_personal(self) -> None:
        """Read the person's clips and models again, where their page was made."""
        if self._personal is not None:
            self._personal.refresh()

    def refresh_captured(self) -> None:
        """There is another clip, which the person may be looking for."""
        if self._window.pages.shows("personal"):
            self.refresh_personal()

    def show_parts(self) -> None:
        """Show in the review what the settings want around a picture."""
        if self._review is not None:
            settings = self._window.preferences.now
            parts = Parts.wanted_by(settings)
            self._review.show_parts(parts, with_heat_map=settings.show_heat_map)

    def stop(self) -> None:
        """End what they do, and make no more of them."""
        self._soon.stop()
        if self._review is not None:
            self._review.stop()
        if self._personal is not None:
            self._personal.stop()

    def _make_next(self) -> None:
        """One at a time, or the picture would stand still for twice as long."""
        if self._review is None:
            self.review  # noqa: B018  # makes it
        elif self._personal is None:
            self.personal  # noqa: B018
        else:
            self._soon.stop()
