"""The window: owns the sources that it shows, and joins the pieces that show and steer them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType

from PyQt6.QtCore import QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent
from PyQt6.QtWidgets import QMainWindow

from fer_live.base.memory import give_memory_back, keep_large_blocks_apart
from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.datatypes import FrameResult
from fer_live.personal.retraining import unfinished_run
from fer_live.session.live import LiveSession
from fer_live.session.meter import Meter
from fer_live.sources.choice import SourceChoice
from fer_live.sources.several import NamedSource
from fer_live.vision.pipeline import Pipeline
from fer_live.window.actions import make_actions, show_switches, translate_actions
from fer_live.window.availability import Availability
from fer_live.window.chosen_source import ChosenSource
from fer_live.window.data_out import DataOut
from fer_live.window.dialogs.examination import Examination
from fer_live.window.grid.feed import Feed, LoadPipeline
from fer_live.window.grid.feeds import Feeds
from fer_live.window.grid.tile import LiveTile, Parts
from fer_live.window.heartbeat import Heartbeat
from fer_live.window.later_pages import LaterPages
from fer_live.window.live_markers import LiveMarkers
from fer_live.window.live_page import LivePage
from fer_live.window.menus import MenuBar
from fer_live.window.notices import Notice, Notices, warned
from fer_live.window.pages import Pages
from fer_live.window.personal.calibrating import Calibrating
from fer_live.window.personal.capturing import ask_for_consent
from fer_live.window.place import place, place_of
from fer_live.window.power import Power
from fer_live.window.preferences import Preferences
from fer_live.window.record_clock import RecordClock
from fer_live.window.session_news import RELOADS
from fer_live.window.small_mode import SmallMode
from fer_live.window.source_menu import SourceMenu
from fer_live.window.status_bar import StatusBar
from fer_live.window.toolbar import Toolbar
from fer_live.window.tour import Tour
from fer_live.window.translated import Translated
from fer_live.window.tray import Tray
from fer_live.window.video_menu import show_live_menu

_TIDY_EVERY_MS = 20_000
_REOPENS = ("camera_size_wh", "camera_fps")


class MainWindow(Translated, QMainWindow):
    """Shows what the live sessions of its sources leave in their mailboxes.

    Runs on the GUI thread; the sessions' threads only emit a signal that carries no frame, so
    nothing can pile up in Qt's event queue. No source is opened before `begin`, which `ask_first`
    leaves to the person. `for_now` are settings that hold until they are changed and are not kept;
    with `keep_settings` changes are. `failed`, `first_painted` and `output_refused` (with why) are
    for the application: one source of several that fails is no failure of the window.
    """

    failed = pyqtSignal(object)
    output_refused = pyqtSignal(str)
    first_painted = pyqtSignal()

    # The pieces, in the order in which they are made.
    preferences: Preferences
    live_page: LivePage
    pages: Pages
    later: LaterPages
    feeds: Feeds
    calibrating: Calibrating
    data_out: DataOut
    markers: LiveMarkers
    action: dict[str, QAction]
    source_menu: SourceMenu
    toolbar: Toolbar
    status: StatusBar
    notices: Notices
    small: SmallMode
    tray: Tray
    examination: Examination
    power: Power
    availability: Availability
    record_clock: RecordClock
    tour: Tour

    def __init__(
        self,
        sources: Sequence[NamedSource],
        settings: Settings,
        load_pipeline: LoadPipeline,
        meter: Meter,
        *,
        for_now: Mapping[str, object] = MappingProxyType({}),
        outputs: Mapping[str, str] = MappingProxyType({}),
        marker_inputs: Mapping[str, str] = MappingProxyType({}),
        ask_first: bool = False,
        keep_settings: bool = True,
    ) -> None:
        super().__init__()
        self._load_pipeline, self._meter = load_pipeline, meter
        self._has_painted = False
        self.preferences = Preferences(self, settings, for_now, saves=keep_settings)
        self._make_pieces(sources, outputs)
        self._make_tools()
        self._connect_pieces()
        self.translate()
        self._apply_view_settings()
        self._show_chosen()

        self.setWindowTitle("FER Live")
        self.setMinimumSize(480, 360)
        place(self, settings.geometry)
        Heartbeat(self, meter)
        keep_large_blocks_apart()
        self._tidying = QTimer(self)
        self._tidying.timeout.connect(give_memory_back)
        self._tidying.start(_TIDY_EVERY_MS)
        QTimer.singleShot(0, lambda: self.markers.listen(marker_inputs))
        if ask_first:
            self.pages.show_first_start(sources[0].choice)
            self._show_tools(False)
        else:
            self.begin()

    def _make_pieces(self, sources: Sequence[NamedSource], outputs: Mapping[str, str]) -> None:
        preferences = self.preferences
        self.live_page = LivePage()
        self.pages = Pages(self.live_page)
        self.later = LaterPages(self, self._load_pipeline)
        self.setCentralWidget(self.pages)
        self.feeds = Feeds(
            self,
            self.live_page,
            preferences,
            self._load_pipeline,
            self._meter,
            show=self._show_result,
            is_sent=lambda: self.data_out.is_on,
        )
        for source in sources:
            self.feeds.make(source)
        self.calibrating = Calibrating(self, lambda: self.session, preferences)
        self.data_out = DataOut(self, lambda: self.feeds.chosen_first, outputs)
        self.markers = LiveMarkers(self, self.feeds.markers, self.live_page, preferences)

    def _make_tools(self) -> None:
        self.action = make_actions(self)
        self.source_menu = SourceMenu(
            self,
            lambda: [feed.source.named.choice.name for feed in self.feeds.chosen_first],
            self.preferences,
            self.action,
        )
        self.toolbar = Toolbar(self.source_menu, self.action)
        self.addToolBar(self.toolbar)
        self.setMenuBar(MenuBar(self.source_menu, self.action))
        self.notices = Notices(self.pages)
        self.small = SmallMode(self, self.pages)
        self.tray = Tray(self, self.action)
        self.examination = Examination(self, lambda: self.preferences.now, self.say)
        self.power = Power(self, self.feeds.read_at_most, self.preferences)
        self.availability = Availability(self)
        self.record_clock = RecordClock(
            self, self.action["record"], lambda: self.feeds.recorded_since_s
        )
        self.status = StatusBar()
        self.setStatusBar(self.status)
        self.tour = Tour(self)

    def _connect_pieces(self) -> None:
        self.pages.accepted.connect(self._accept_notice)
        self.pages.turned.connect(self.availability.refresh)
        self.small.changed.connect(self.action["small"].setChecked)
        self.power.woke.connect(self.feeds.reopen_cameras)
        self.pages.declined.connect(self.close)
        self.preferences.changed.connect(self._apply)
        self.source_menu.chosen.connect(self.feeds.replace)
        self.source_menu.added.connect(self.feeds.add)
        self.feeds.added.connect(self.data_out.add)
        self.feeds.leaving.connect(self._leave_source)
        self.feeds.closing.connect(lambda feed: self.calibrating.end_of(feed.session))
        self.feeds.closing.connect(self.data_out.remove)
        self.feeds.chosen_changed.connect(self._show_chosen)
        self.feeds.marked.connect(self._show_marks)
        self.feeds.captured.connect(self.later.refresh_captured)
        self.feeds.labels_changed.connect(self._end_for_other_labels)
        self.feeds.file_wanted.connect(self.source_menu.ask_for_file)
        self.feeds.examination_wanted.connect(self.examination.show)
        self.feeds.menu_wanted.connect(partial(show_live_menu, self))
        self.feeds.failed.connect(self.failed)
        self.feeds.said.connect(self.say)
        # Not over the live tab: people would act until the model agrees.
        self.calibrating.opened.connect(lambda: self.pages.turn_to("personal"))
        self.calibrating.ended.connect(self.later.refresh_personal)
        self.data_out.refused.connect(self.output_refused)
        self.markers.refused.connect(self.output_refused)
        self.data_out.signals_needed.connect(lambda: self.preferences.change({"signals": True}))
        for line in (
            self.preferences.said,
            self.data_out.refused,
            self.data_out.failed,
            self.markers.said,
            self.power.said,
        ):
            line.connect(self.say)

    def begin(self, choice: SourceChoice | None = None) -> None:
        """Open every source, or in place of the first another one that was chosen; show the tabs,
        once the notice is accepted."""
        self._show_tools(True)
        self.pages.show_tabs()
        self.feeds.open(choice)
        if unfinished_run() is not None:
            line = tr("A retraining was interrupted; you can resume it in the tab Personal")
            self.say(warned(line))

    @property
    def message(self) -> str:
        """What the view of the chosen source says, empty where it shows a face."""
        return self.live.view.message

    @property
    def live(self) -> LiveTile:
        """The tile of the chosen source."""
        return self.feeds.chosen.tile

    @property
    def session(self) -> LiveSession:
        """The live session of the chosen source."""
        return self.feeds.chosen.session

    @property
    def source(self) -> ChosenSource:
        """Which source the chosen tile shows."""
        return self.feeds.chosen.source

    @property
    def pipeline(self) -> Pipeline | None:
        """The pipeline of the chosen source, once it is loaded."""
        return self.session.pipeline

    def say(self, message: str | Notice, feed: Feed | None = None) -> None:
        """Show a message over the lower left of the window; of several sources it names its own."""
        notice = Notice(message) if isinstance(message, str) else message
        if feed is not None and len(self.feeds.all) > 1:
            notice = replace(notice, text=f"{feed.name}: {notice.text}")
        self.notices.show_notice(notice)

    def set_recording(self, records: bool) -> None:
        """Start a recording of every source, or finish them; they are then in the review tab."""
        for feed in self.feeds.all:
            feed.set_recording(records)
        self._show_marks()

    def set_capturing(self, captures: bool) -> None:
        """Begin a clip of the chosen source for retraining, after the person agreed, or end it."""
        feed = self.feeds.chosen
        if not captures:
            feed.set_capturing(False)
        elif feed.pipeline is not None and ask_for_consent(self, self.preferences):
            self.pages.turn_to("live")
            feed.set_capturing(True)
        self._show_marks()

    def stop(self) -> None:
        """End everything that runs. May be called more than once."""
        self.tour.end()
        self.data_out.end()
        self.markers.end()
        self.calibrating.end()
        self.later.stop()
        self.feeds.begin_stop()
        self.feeds.wait()
        self.data_out.wait()
        self.examination.wait()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802  # Qt's name
        self.small.switch(False)
        self.preferences.keep({"geometry": place_of(self)})
        self.hide()  # at once: the threads may take a moment to end
        self.tray.hide()
        self.stop()
        super().closeEvent(event)

    def translate(self) -> None:
        translate_actions(self.action)
        self.tray.translate()
        self.availability.refresh()

    def _show_result(self, feed: Feed, result: FrameResult, pipeline: Pipeline) -> None:
        self.data_out.start_wanted()
        if feed is self.feeds.chosen:
            self.status.note(result, pipeline.classifier.name)
        is_offered = self.data_out.is_on or any(one.recording.is_on for one in self.feeds.all)
        self.live_page.marker_bar.offer(is_offered)
        mirror = feed.source.is_mirrored
        self.calibrating.show_frame(feed.session, result.frame, mirror=mirror)
        if not self._has_painted and self._meter.painted:
            self._has_painted = True
            self.first_painted.emit()

    def _end_for_other_labels(self) -> None:
        if self.calibrating.is_recording:
            self.calibrating.end()
        if self.data_out.is_on:
            self.say(warned(tr("Data out and recording ended: this model has other labels")))
        self.data_out.end()
        self._show_marks()

    def _leave_source(self, feed: Feed) -> None:
        self.calibrating.end_of(feed.session)
        self._show_marks()
        self.pages.turn_to("live")

    def _apply(self, changes: dict[str, object]) -> None:
        """Let changed settings hold at once, wherever they matter."""
        self._apply_view_settings()
        for feed in self.feeds.all:
            feed.set_up()
            if any(name in changes for name in RELOADS):
                feed.load()
            if any(name in changes for name in _REOPENS):
                feed.source.reopen_camera()
        pipeline = self.pipeline
        if (
            changes.get("show_heat_map")
            and pipeline is not None
            and not pipeline.classifier.has_heat_map
        ):
            self.say(warned(tr("This model does not tell where it looked")))

    def _apply_view_settings(self) -> None:
        settings = self.preferences.now
        self.live_page.show_parts(Parts.wanted_by(settings))
        self.later.show_parts()
        show_switches(self.action, settings)

    def _show_chosen(self) -> None:
        """Show in actions and status what the chosen source does."""
        feed, is_alone = self.feeds.chosen, len(self.feeds.all) == 1
        self.status.watch(feed.meter, lambda: feed.session.n_dropped, "" if is_alone else feed.name)
        self._show_marks()

    def _show_marks(self) -> None:
        """Show in the actions what is recorded, and what of the chosen source is captured now."""
        capturing = self.feeds.chosen.capturing
        self.record_clock.show()
        self.action["capture"].setChecked(capturing.is_on)
        self.action["pause"].setChecked(capturing.is_paused)
        self.action["pause_source"].setChecked(self.source.is_paused)
        self.availability.refresh()

    def _accept_notice(self, and_calibrate: bool) -> None:
        self.preferences.change({"notice_accepted_on": f"{datetime.now():%Y-%m-%d}"})
        self.begin(self.pages.first_source)
        if and_calibrate:
            self.calibrating.open_soon()
        else:
            self.tour.begin_soon()

    def _show_tools(self, visible: bool) -> None:
        for part in (self.menuBar(), self.toolbar, self.status):
            assert part is not None
            part.setVisible(visible)
        self.availability.refresh()
