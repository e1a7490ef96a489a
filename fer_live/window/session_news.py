"""What the live session leaves in its mailboxes: results, failures, and another pipeline."""

import time
from collections.abc import Callable
from dataclasses import replace

from PyQt6.QtCore import QObject, pyqtSignal

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.datatypes import FrameResult
from fer_live.session.live import Failure, LiveSession
from fer_live.session.reading_pace import ReadingPace
from fer_live.session.reconnect import SourceLost
from fer_live.vision.pipeline import Pipeline
from fer_live.window.grid.tile import LiveTile
from fer_live.window.notices import warned
from fer_live.window.preferences import Preferences

_FAILED_FRAMES_SHOWN_FOR_S = 2.0
_STILL_AFTER_S = 1.0

RELOADS = ("model", "provider", "detector")
"""The settings that another pipeline has to be loaded for."""


class SessionNews(QObject):
    """Hands results on, and shows in the source's tile what failed.

    A result of the source that is open goes to `show_result`, with its pipeline and a warning that
    is empty where all is well; it never travels through a signal. Where a model cannot be loaded,
    the one in use stays, or `load` is called for the shipped one. `pipeline_changed` brings the
    pipeline that was in use before, None at first, and the one that is now, and comes ahead of its
    first result. `failed` brings a failure that nothing here can repair, `said` a line for the
    person.
    """

    pipeline_changed = pyqtSignal(object, object)
    failed = pyqtSignal(object)
    said = pyqtSignal(object)

    def __init__(
        self,
        parent: QObject,
        tile: LiveTile,
        preferences: Preferences,
        *,
        show_result: Callable[[FrameResult, Pipeline, str], None],
        load: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self._tile, self._preferences = tile, preferences
        self._show, self._load = show_result, load
        self._pipeline: Pipeline | None = None
        self._loaded_with: Settings = preferences.now
        self._frame_failed_at_s = self._result_at_s = self._lost_at_s = float("-inf")
        self._frame_failure = ""
        self._pace = ReadingPace()

    def take(self, session: LiveSession) -> None:
        """Empty the mailboxes; call on the GUI thread whenever something was left there."""
        live = session.results.get_nowait()
        # A frame from before the source was lost may arrive after that was said.
        is_current = (
            live is not None
            and live.source_number == session.source_number
            and live.result.frame.captured_at_s > self._lost_at_s
        )
        if live is not None and is_current and not self._tile.is_asking:
            self._take_result(live.result, live.pipeline)
        for failure in session.take_failures():
            self._take_failure(failure, session)

    def expect_source(self) -> None:
        """Another source is opened: what was lost with the one before does not matter any more."""
        self._lost_at_s = float("-inf")

    def _take_result(self, result: FrameResult, pipeline: Pipeline) -> None:
        if pipeline is not self._pipeline:
            before, self._pipeline = self._pipeline, pipeline
            self._loaded_with = self._preferences.now
            self.pipeline_changed.emit(before, pipeline)
            self._pace.start_over()
        self._keep_pace(result, pipeline)
        now_s = self._result_at_s = time.monotonic()
        warning = pipeline.classifier.warning
        if now_s - self._frame_failed_at_s < _FAILED_FRAMES_SHOWN_FOR_S:
            warning = self._frame_failure
        self._show(result, pipeline, warning)

    def _keep_pace(self, result: FrameResult, pipeline: Pipeline) -> None:
        """Where nobody asked for two readings, one is enough on a slow processor."""
        if self._preferences.now.readings is not None or pipeline.answers.readings == 1:
            return
        is_known = self._pace.was_too_slow  # and a setting was changed since
        if self._pace.is_too_slow(result):
            pipeline.answers = replace(pipeline.answers, readings=1)
            if not is_known:
                self.said.emit(
                    warned(tr("This computer is slow: each face is read once, not twice"))
                )

    def _take_failure(self, failure: Failure, session: LiveSession) -> None:
        if failure.stage == "frame":
            self._take_bad_frame(failure)
            return
        if failure.stage == "model" and self._does_without(failure.message, session):
            return
        comes_back = isinstance(failure.error, SourceLost)
        if comes_back:
            self._lost_at_s = time.monotonic()
        self._tile.show_message(
            failure.message, offer_choices=failure.stage == "source" and not comes_back
        )
        if not comes_back:
            self.failed.emit(failure)

    def _take_bad_frame(self, failure: Failure) -> None:
        self._frame_failed_at_s = time.monotonic()
        self._frame_failure = tr("a frame could not be read: {why}", why=failure.message)
        if self._frame_failed_at_s - self._result_at_s > _STILL_AFTER_S:
            # No good frame any more: the last picture must not look like a live one.
            self._tile.show_message(self._frame_failure)

    def _does_without(self, why: str, session: LiveSession) -> bool:
        """Whether another model does the work of one that could not be loaded."""
        preferences, loaded_with = self._preferences, self._loaded_with
        if session.pipeline is not None:
            # Kept, the broken one would stand in the way of the next start.
            before, now = loaded_with, preferences.now
            names = [name for name in RELOADS if getattr(before, name) != getattr(now, name)]
            preferences.put_back({name: getattr(before, name) for name in names})
            self.said.emit(warned(tr("{why}; the model before goes on", why=why)))
            return True
        if loaded_with.model is None or loaded_with.model != preferences.kept.model:
            return False
        preferences.use_for_now({"model": None})
        self._loaded_with = preferences.now
        self._load()
        self.said.emit(warned(tr("{why}; the one that came with the app is used", why=why)))
        return True
