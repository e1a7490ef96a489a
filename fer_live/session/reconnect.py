"""Keeps a source running: notices when it has stopped, leaves it, and opens it again."""

import threading
import time
from collections.abc import Callable

import numpy as np

from fer_live.base.clocks import utc_of
from fer_live.base.translation import tr
from fer_live.datatypes import Frame, UInt8Array
from fer_live.errors import SourceError, SourceTimeout
from fer_live.sources.source import FrameSource

_STALLED_AFTER_S = 2.5
_RETRY_AFTER_S = (0.5, 1.0, 2.0)
_OPENS_WITHIN_S = 20.0
_STOPS_WITHIN_S = 2.0
_WATCH_EVERY_S = 0.1
_COMPARED_STEP = 16

OpenSource = Callable[[], FrameSource]


class SourceLost(SourceError):
    """A camera or stream that was running has stopped; it is being opened again."""


class SourceSupervisor:
    """Reads a source on threads of its own until `stop`.

    `on_frame` gets every frame, numbered from 0 through all reconnections; `on_failure` what broke.
    A source that cannot be opened, or a clip that breaks, ends the reading with its error. A device
    or stream (`FrameSource.reconnects`) that has shown a picture and then fails, ends, sends
    nothing new for 2.5 s or repeats one picture as long, is reported as `SourceLost` and opened
    again after 0.5, 1, 2, 2, ... seconds. A `read` that never returns, or an opening that takes
    more than 20 s, is left behind on its daemon thread: drivers do that (opencv/opencv#4468), and
    others repeat the last picture of an unplugged camera (opencv/opencv#5746).
    """

    def __init__(
        self,
        open_source: OpenSource,
        on_frame: Callable[[Frame], None],
        on_failure: Callable[[Exception], None],
        *,
        ready: threading.Event,
        after: "SourceSupervisor | None" = None,
        repeats_are_news: bool = False,
    ) -> None:
        """Nothing is read before `ready` is set, nor opened while `after` may hold the device.

        With `repeats_are_news`, a source that shows one picture for a long time is not taken for
        one that has stopped: no driver of a camera is at work in it.
        """
        self._open_source = open_source
        self._on_frame, self._on_failure = on_frame, on_failure
        self._ready = ready
        self._repeats_are_news = repeats_are_news
        self._n_frames = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._supervise, args=(after,), name="source", daemon=True
        )
        self._thread.start()

    def ask_to_stop(self) -> None:
        """No frame comes after the one that is being read."""
        self._stop.set()

    def stop(self) -> None:
        """The same, and wait until the source is closed, at most two seconds."""
        self._stop.set()
        self._thread.join(_STOPS_WITHIN_S)

    def _supervise(self, after: "SourceSupervisor | None") -> None:
        if after is not None:
            after.stop()
        n_attempts = 0
        while not self._stop.is_set():
            reader = _Reader(
                self._open_source,
                self._deliver,
                self._ready,
                is_retry=self._n_frames > 0,
                repeats_are_news=self._repeats_are_news,
            )
            error = self._watch(reader)
            if self._stop.is_set():
                break
            if self._n_frames == 0 or not reader.may_come_back:
                self._on_failure(error)
                break
            if reader.showed_something:
                n_attempts = 0
                lost = SourceLost(tr("{why}; trying again", why=error))
                lost.__cause__ = error
                self._on_failure(lost)
            self._stop.wait(_RETRY_AFTER_S[min(n_attempts, len(_RETRY_AFTER_S) - 1)])
            n_attempts += 1

    def _watch(self, reader: "_Reader") -> Exception:
        """Until the source breaks or stalls, or is no longer wanted."""
        while not reader.done.wait(_WATCH_EVERY_S):
            if self._stop.is_set():
                reader.leave(_STOPS_WITHIN_S)
                break
            if reader.opens_too_long():
                reader.leave(0)
                return SourceTimeout(tr("the source does not open; is another program using it?"))
            if reader.is_stalled():
                reader.leave(0)
                return SourceTimeout(tr("{name}: sends no new pictures", name=reader.name))
        return reader.error or SourceError(tr("{name}: has ended", name=reader.name))

    def _deliver(self, frame: Frame) -> None:
        if self._stop.is_set():
            return
        utc = frame.captured_at_utc or utc_of(frame.captured_at_s)
        numbered = Frame(frame.image_bgr, self._n_frames, frame.captured_at_s, utc)
        self._n_frames += 1
        self._on_frame(numbered)


class _Reader:
    """One opening of a source, on a thread that can be left behind."""

    def __init__(
        self,
        open_source: OpenSource,
        deliver: Callable[[Frame], None],
        ready: threading.Event,
        *,
        is_retry: bool,
        repeats_are_news: bool,
    ) -> None:
        self.name = "source"
        self.error: Exception | None = None
        self.may_come_back = True  # as far as is known before it opens
        self.showed_something = False
        self.done = threading.Event()
        self._open_source, self._deliver, self._ready = open_source, deliver, ready
        self._is_retry = is_retry
        self._repeats_are_news = repeats_are_news
        self._left = threading.Event()
        self._lock = threading.Lock()
        self._thumbnail: UInt8Array | None = None
        self._news_at_s: float | None = None
        self._opening_since_s: float | None = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)
        self._thread.start()

    def leave(self, timeout_s: float) -> None:
        """Deliver nothing more; wait this long for the source to be closed."""
        with self._lock:
            self._left.set()
        self._thread.join(timeout_s)

    def opens_too_long(self) -> bool:
        """Whether the driver or the server has not even answered."""
        since_s = self._opening_since_s
        return since_s is not None and time.monotonic() - since_s > _OPENS_WITHIN_S

    def is_stalled(self) -> bool:
        """Whether a device or stream has had nothing new to show for too long."""
        news_at_s = self._news_at_s
        if news_at_s is None or not self.may_come_back:
            return False
        return time.monotonic() - news_at_s > _STALLED_AFTER_S

    def _run(self) -> None:
        try:
            self._read_all()
        except Exception as error:  # noqa: BLE001  # crosses the thread as a value
            self.error = error
        finally:
            self.done.set()

    def _read_all(self) -> None:
        source = self._open_source()
        self._opening_since_s = None
        self.name, self.may_come_back = source.name, source.reconnects
        try:
            while not self._ready.wait(0.05):
                if self._left.is_set():
                    return
            self._news_at_s = time.monotonic()
            while (frame := source.read()) is not None:
                self._look_for_news(frame.image_bgr)
                if self._is_retry and not self.showed_something:
                    continue  # the last picture once more is not a return
                with self._lock:
                    if self._left.is_set():
                        return
                    self._deliver(frame)
        finally:
            source.close()

    def _look_for_news(self, image_bgr: UInt8Array) -> None:
        thumbnail = image_bgr[::_COMPARED_STEP, ::_COMPARED_STEP]
        last = self._thumbnail
        if last is None or self._repeats_are_news or not np.array_equal(thumbnail, last):
            self.showed_something = self._repeats_are_news or last is not None
            self._thumbnail = thumbnail.copy()
            self._news_at_s = time.monotonic()
