"""The window: owns the live session, and joins the pieces that show and steer it."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent
from PyQt6.QtWidgets import QMainWindow

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.datatypes import FrameResult
from fer_live.personal.models import has_newer_base
from fer_live.personal.retraining import unfinished_run
from fer_live.session.live import LiveSession
from fer_live.session.meter import Meter
from fer_live.sources.choice import Camera, Demo, SourceChoice
from fer_live.vision.pipeline import Pipeline
from fer_live.window.actions import make_actions, show_switches, translate_actions
from fer_live.window.availability import Availability
from fer_live.window.chosen_source import ChosenSource
from fer_live.window.data_out import DataOut
from fer_live.window.dialogs.examination import Examination
from fer_live.window.heartbeat import Heartbeat
from fer_live.window.live_page import LivePage
from fer_live.window.live_recording import LiveRecording
from fer_live.window.menus import MenuBar
from fer_live.window.notices import Notice, Notices, warned
from fer_live.window.pages import Pages
from fer_live.window.personal.calibrating import Calibrating
from fer_live.window.personal.capturing import Capturing, ask_for_consent
from fer_live.window.personal.personal_page import PersonalPage
from fer_live.window.place import place, place_of
from fer_live.window.power import Power
from fer_live.window.preferences import Preferences, set_up
from fer_live.window.record_clock import RecordClock
from fer_live.window.review_page import ReviewPage
from fer_live.window.session_news import RELOADS, SessionNews
from fer_live.window.small_mode import SmallMode
from fer_live.window.source_menu import SourceMenu
from fer_live.window.status_bar import StatusBar
from fer_live.window.toolbar import Toolbar
from fer_live.window.tour import Tour
from fer_live.window.translated import Translated
from fer_live.window.tray import Tray

LoadPipeline = Callable[[Settings], Pipeline]

_REOPENS = ("camera_size_wh", "camera_fps")


class MainWindow(Translated, QMainWindow):
    """Owns the live session and shows what it leaves in its mailboxes.

    Runs on the GUI thread; the session's threads only emit a signal that carries no frame, so
    nothing can pile up in Qt's event queue. No source is opened before `begin`, which `ask_first`
    leaves to the person. `for_now` are settings that hold until they are changed and are not kept;
    with `keep_settings` changes are. `failed`, `first_painted` and `output_refused` (with why) are
    for the application.
    """

    failed = pyqtSignal(object)
    output_refused = pyqtSignal(str)
    first_painted = pyqtSignal()
    _news_came = pyqtSignal()

    # The pieces, in the order in which they are made.
    preferences: Preferences
    live: LivePage
    review: ReviewPage
    personal: PersonalPage
    pages: Pages
    session: LiveSession
    source: ChosenSource
    recording: LiveRecording
    capturing: Capturing
    calibrating: Calibrating
    data_out: DataOut
    news: SessionNews
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
        source: SourceChoice,
        settings: Settings,
        load_pipeline: LoadPipeline,
        meter: Meter,
        *,
        for_now: Mapping[str, object] = MappingProxyType({}),
        outputs: Mapping[str, str] = MappingProxyType({}),
        ask_first: bool = False,
        keep_settings: bool = True,
    ) -> None:
        super().__init__()
        self._load_pipeline, self._meter = load_pipeline, meter
        self.preferences = Preferences(self, settings, for_now, saves=keep_settings)
        self._make_pages()
        self._news_came.connect(lambda: self.news.take(self.session))
        load = partial(load_pipeline, self.preferences.now)
        self.session = LiveSession(load, meter, self._news_came.emit)
        self._make_pieces(source, outputs)
        self._make_tools()
        self._connect_pieces()
        self.translate()
        self._apply_view_settings()

        self.setWindowTitle("FER Live")
        self.setMinimumSize(480, 360)
        place(self, settings.geometry)
        Heartbeat(self, meter)
        if ask_first:
            self._show_tools(False)
            self.pages.show_first_start(source)
        else:
            self.begin()

    def _make_pages(self) -> None:
        preferences = self.preferences
        self.live = LivePage(self._count_painted)
        self.review = ReviewPage()
        self.personal = PersonalPage(lambda: preferences.now, preferences.change)
        self.pages = Pages(self.live, self.review, self.personal)
        self.setCentralWidget(self.pages)

    def _make_pieces(self, source: SourceChoice, outputs: Mapping[str, str]) -> None:
        session = self.session
        self.source = ChosenSource(self, source, session, self.preferences)
        self.recording = LiveRecording(self, session)
        self.capturing = Capturing(self, session)
        self.calibrating = Calibrating(self, session, self.preferences)
        self.data_out = DataOut(self, session, outputs)
        self.news = SessionNews(
            self, self.live, self.preferences, show_result=self._show_result, load=self._load
        )

    def _make_tools(self) -> None:
        self.action = make_actions(self)
        openers = [self.action["open_file"], self.action["open_address"]]
        self.source_menu = SourceMenu(self, self.source, self.preferences, openers)
        self.toolbar = Toolbar(self.source_menu, self.action)
        self.addToolBar(self.toolbar)
        self.setMenuBar(MenuBar(self.source_menu, self.action))
        self.notices = Notices(self.pages)
        self.small = SmallMode(self, self.pages)
        self.tray = Tray(self, self.action)
        self.examination = Examination(self, lambda: self.preferences.now, self.say)
        self.power = Power(self, self.session, self.preferences)
        self.availability = Availability(self)
        self.record_clock = RecordClock(self.action["record"], self.recording)
        self.status = StatusBar(self._meter, lambda: self.session.n_dropped)
        self.setStatusBar(self.status)
        self.tour = Tour(self)

    def _connect_pieces(self) -> None:
        card = self.live.card
        card.retry.connect(self.source.open)
        card.show_demo.connect(lambda: self.source.choose(Demo()))
        card.open_file.connect(self.source_menu.ask_for_file)
        card.examine.connect(self.examination.show)
        card.camera_chosen.connect(
            lambda number, name: self.source.choose(Camera(number, device=name))
        )
        self.personal.capture_wanted.connect(lambda: self.set_capturing(True))
        self.personal.calibration_wanted.connect(lambda who: self.calibrating.open(person=who))
        self.pages.accepted.connect(self._accept_notice)
        self.pages.turned.connect(self.availability.refresh)
        self.review.opened.connect(self.availability.refresh)
        self.live.picture_changed.connect(self.availability.refresh)
        self.source.paused.connect(self.action["pause_source"].setChecked)
        self.source.paused.connect(self.live.show_paused)
        self.small.changed.connect(self.action["small"].setChecked)
        self.power.woke.connect(self.source.reopen_camera)
        self.pages.declined.connect(self.close)
        self.preferences.changed.connect(self._apply)
        self.preferences.model_taken.connect(self.personal.models.refresh)
        self.source.leaving.connect(self._leave_source)
        self.source_menu.chosen.connect(self.source.choose)
        self.recording.ended.connect(self._show_marks)
        self.capturing.changed.connect(self._show_marks)
        self.capturing.changed.connect(self.pages.refresh_personal)
        # Not over the live tab: people would act until the model agrees.
        self.calibrating.opened.connect(lambda: self.pages.turn_to(self.personal))
        self.calibrating.ended.connect(self.personal.refresh)
        self.data_out.refused.connect(self.output_refused)
        self.data_out.signals_needed.connect(lambda: self.preferences.change({"signals": True}))
        self.news.pipeline_changed.connect(self._take_over)
        self.news.failed.connect(self.failed)
        for line in (
            self.preferences.said,
            self.source.said,
            self.recording.said,
            self.capturing.ended,
            self.data_out.refused,
            self.data_out.failed,
            self.news.said,
            self.power.said,
        ):
            line.connect(self.say)

    def begin(self, choice: SourceChoice | None = None) -> None:
        """Open the source, or another one that was chosen, and show the tabs."""
        self._show_tools(True)
        self.pages.show_tabs()
        if choice is None or choice.name == self.source.name:
            self.source.open()
        else:
            self.source.choose(choice)
        if unfinished_run() is not None:
            line = tr("A retraining was interrupted; you can resume it in the tab Personal")
            self.say(warned(line))

    @property
    def message(self) -> str:
        """What the view says, empty where it shows a face."""
        return self.live.view.message

    @property
    def pipeline(self) -> Pipeline | None:
        """The pipeline in use, once it is loaded."""
        return self.session.pipeline

    def say(self, message: str | Notice) -> None:
        """Show a message over the lower left of the window."""
        self.notices.show_notice(Notice(message) if isinstance(message, str) else message)

    def set_recording(self, records: bool) -> None:
        """Start a recording, or finish it; it is then in the review tab."""
        pipeline = self.pipeline
        if not records:
            self.recording.end()
        elif pipeline is not None:
            overlay = self.preferences.now.record_overlay
            self.recording.begin(pipeline, self.source.name, with_overlay=overlay)
        self._show_marks()

    def set_capturing(self, captures: bool) -> None:
        """Begin a clip for retraining, after the person agreed, or finish it."""
        pipeline = self.pipeline
        if not captures:
            self.capturing.end()
        elif pipeline is not None and ask_for_consent(self, self.preferences):
            self.pages.turn_to(self.live)
            self.capturing.begin(pipeline, self.source.name, self.preferences.now)
        self._show_marks()

    def stop(self) -> None:
        """End everything that runs. May be called more than once."""
        self.tour.end()
        self.set_recording(False)
        self.data_out.end()
        self.review.stop()
        self.calibrating.end()
        self.capturing.end()
        self.capturing.wait()
        self.personal.stop()
        self.session.stop()
        self.recording.wait()
        self.data_out.wait()
        self.examination.wait()
        self.live.card.wait()

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

    def _show_result(self, result: FrameResult, pipeline: Pipeline, warning: str) -> None:
        self.data_out.start_wanted()
        height, width = result.frame.image_bgr.shape[:2]
        self.status.note(result, pipeline.classifier.name)
        self.source.check_size(width, height)
        mirror = self.source.is_mirrored
        self.calibrating.show_frame(result.frame, mirror=mirror)
        notice = "   ".join(filter(None, (self.recording.mark, self.capturing.mark)))
        self.live.show_result(result, pipeline.labels, mirror=mirror, lines=(notice, warning))

    def _take_over(self, before: Pipeline | None) -> None:
        """Another pipeline numbers the faces from 1; with other labels every output ends."""
        pipeline = self.pipeline
        assert pipeline is not None
        self._set_up(pipeline)
        self.availability.refresh()
        self.live.start_over()
        if has_newer_base(pipeline.classifier.manifest):
            line = tr("A newer model came with the app; make yours again in the tab Personal")
            self.say(warned(line))
        if before is None or before.labels == pipeline.labels:
            return
        if self.calibrating.is_recording:
            self.calibrating.end()
        self.capturing.end()
        if self.data_out.is_on or self.recording.is_on:
            self.say(warned(tr("Data out and recording ended: this model has other labels")))
        self.set_recording(False)
        self.data_out.end()

    def _leave_source(self) -> None:
        """A video has one source: what is recorded of the one before ends."""
        self.set_recording(False)
        self.capturing.end()
        self.calibrating.end()
        self.news.expect_source()
        self.pages.turn_to(self.live)
        self.live.show_message(tr("Loading…"))
        self.live.start_over()

    def _set_up(self, pipeline: Pipeline) -> None:
        trouble = set_up(pipeline, self.preferences.now)
        if trouble:
            self.say(warned(trouble))

    def _load(self) -> None:
        self.session.load(partial(self._load_pipeline, self.preferences.now))

    def _apply(self, changes: dict[str, object]) -> None:
        """Let changed settings hold at once, wherever they matter."""
        self._apply_view_settings()
        pipeline = self.pipeline
        if pipeline is not None:
            self._set_up(pipeline)
            if changes.get("show_heat_map") and not pipeline.classifier.has_heat_map:
                self.say(warned(tr("This model does not tell where it looked")))
        if any(name in changes for name in RELOADS):
            self._load()
        if any(name in changes for name in _REOPENS):
            self.source.reopen_camera()

    def _apply_view_settings(self) -> None:
        settings = self.preferences.now
        self.live.show_parts(
            timeline=settings.show_timeline,
            panel=settings.show_panel,
            plane=settings.show_plane,
            signals=settings.signals,
        )
        show_switches(self.action, settings)

    def _show_marks(self) -> None:
        """Show in the actions what is recorded and captured now."""
        self.record_clock.show()
        self.action["capture"].setChecked(self.capturing.is_on)
        self.action["pause"].setChecked(self.capturing.is_paused)
        self.availability.refresh()

    def _accept_notice(self, and_calibrate: bool) -> None:
        self.preferences.change({"notice_accepted_on": f"{datetime.now():%Y-%m-%d}"})
        self.begin(self.pages.first_source)
        if and_calibrate:
            self.calibrating.open_soon()
        else:
            self.tour.begin_soon()

    def _count_painted(self, captured_at_s: float) -> None:
        first = self._meter.painted == 0
        self._meter.count_painted(captured_at_s)
        if first:
            self.first_painted.emit()

    def _show_tools(self, visible: bool) -> None:
        for part in (self.menuBar(), self.toolbar, self.status):
            assert part is not None
            part.setVisible(visible)
        self.availability.refresh()
