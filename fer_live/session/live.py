"""The threads of the live app: reading a source and inference, joined by one-slot mailboxes."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import cv2

from fer_live.datatypes import Frame, FrameResult
from fer_live.errors import FerLiveError
from fer_live.outputs.worker import SinkWorker
from fer_live.session.mailbox import Mailbox, MailboxClosed
from fer_live.session.marker_board import MarkerBoard
from fer_live.session.meter import FrameCounts
from fer_live.session.rate_limit import RateLimit
from fer_live.session.reconnect import OpenSource, SourceSupervisor
from fer_live.vision.pipeline import Pipeline

Stage = Literal["model", "source", "frame"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An error that crossed a thread as a value: what broke, and its message for the person."""

    stage: Stage
    error: Exception

    @property
    def message(self) -> str:
        """The error in one line, for the person."""
        if isinstance(self.error, FerLiveError):
            return str(self.error)
        return f"{type(self.error).__name__}: {self.error}"


@dataclass(frozen=True, slots=True, eq=False)
class LiveResult:
    """A result, the number of the source that its frame came from, and the pipeline that read it.

    The pipeline in use may be the next one already, with other labels, when the result is taken.
    """

    source_number: int
    result: FrameResult
    pipeline: Pipeline


@dataclass(frozen=True, slots=True, eq=False)
class _SourceFrame:
    source_number: int
    source_name: str
    frame: Frame


class LiveSession:
    """Runs a pipeline on a source, on two threads of its own.

    The source's thread waits until the pipeline is loaded, then reads without pause; the inference
    thread takes the latest frame and leaves its `LiveResult` in `results`. Neither waits for the
    other: a frame that comes too late to be taken is counted as dropped. What breaks waits in
    `take_failures`, one slot a stage, so that no result and no failure of another stage hides it;
    one bad frame fails alone. `on_news` is called after each, on the thread that left it. `open`
    changes the source, `load` the pipeline; `stop` ends it all and may be repeated. `markers` is
    where what happens meanwhile is told; several sessions may share it.
    """

    def __init__(
        self,
        load_pipeline: Callable[[], Pipeline],
        meter: FrameCounts,
        on_news: Callable[[], None],
        markers: MarkerBoard | None = None,
    ) -> None:
        self.markers = markers or MarkerBoard()
        self.results: Mailbox[LiveResult] = Mailbox()
        self.source_number = 0
        self._failures: dict[Stage, Mailbox[Failure]] = {
            "model": Mailbox(),
            "source": Mailbox(),
            "frame": Mailbox(),
        }
        self.pipeline: Pipeline | None = None
        self._meter = meter
        self._on_news = on_news
        self._frames: Mailbox[_SourceFrame] = Mailbox()
        self._next_pipeline: Mailbox[Pipeline] = Mailbox()
        self._pipeline_ready = threading.Event()
        self._outputs: tuple[SinkWorker, ...] = ()
        self._rate_limit, self._n_left_out = RateLimit(), 0
        self._stopped = False
        self._loads = threading.Lock()
        self._loaders: list[threading.Thread] = []
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="signals")
        self._source: SourceSupervisor | None = None
        self._names: dict[int, str] = {}
        self.load(load_pipeline)
        self._inference = threading.Thread(target=self._infer, name="inference", daemon=True)
        self._inference.start()

    def load(self, load_pipeline: Callable[[], Pipeline]) -> None:
        """Read by another pipeline as soon as it is loaded, on a thread of its own; until then, and
        where it cannot be loaded, the one in use goes on. Outputs are detached where its labels are
        others."""
        loader = threading.Thread(target=self._load, args=(load_pipeline,), daemon=True)
        self._loaders = [*(other for other in self._loaders if other.is_alive()), loader]
        loader.start()

    def attach(self, output: SinkWorker) -> None:
        """Offer every result from now on to this output too."""
        self._outputs = (*self._outputs, output)

    def detach(self, output: SinkWorker) -> None:
        """Offer it nothing more; the caller closes it."""
        self._outputs = tuple(other for other in self._outputs if other is not output)

    def open(self, open_source: OpenSource, name: str = "") -> None:
        """Read from another source from now on; the new `source_number` marks its results. Outputs
        get its `name`."""
        if self._source is not None:
            self._source.ask_to_stop()
        self.source_number += 1
        number = self.source_number
        self._names = {number - 1: self._names.get(number - 1, name), number: name}
        self._source = SourceSupervisor(
            open_source,
            lambda frame: self._take(number, frame),
            lambda error: self._report("source", error),
            ready=self._pipeline_ready,
            after=self._source,
        )

    def rename(self, name: str) -> None:
        """Give outputs another name of the source that is open, from its next frame on."""
        self._names[self.source_number] = name

    def close_source(self) -> None:
        """Read from no source until `open`; what it sent before is no result any more."""
        if self._source is not None:
            self._source.ask_to_stop()
        self.source_number += 1

    def read_at_most(self, per_second: float | None) -> None:
        """Read no more frames than this in a second from now on, as on a battery; the others count
        as dropped. None: as many as the machine can."""
        self._rate_limit.per_second = per_second

    @property
    def n_dropped(self) -> int:
        """Frames that came too late to be read, or too many for `read_at_most`; neither the one
        being read nor the one next."""
        return self._frames.dropped + self._n_left_out

    def take_failures(self) -> list[Failure]:
        """What broke since the last call: the latest of each stage."""
        taken = (mailbox.get_nowait() for mailbox in self._failures.values())
        return [failure for failure in taken if failure is not None]

    def stop(self) -> None:
        """Stop reading, let inference finish its frame, close the mailboxes."""
        if self._source is not None:
            self._source.ask_to_stop()
        self._stopped = True
        self._frames.close()
        for loader in self._loaders:
            loader.join()
        if (unused := self._next_pipeline.get_nowait()) is not None:
            unused.close()
        self._next_pipeline.close()
        self._inference.join()
        self.results.close()
        if self._source is not None:
            self._source.stop()

    def _take(self, number: int, frame: Frame) -> None:
        self._meter.count_captured()
        if self._rate_limit.lets_through(frame.captured_at_s):
            self._frames.put(_SourceFrame(number, self._names.get(number, ""), frame))
        else:
            self._n_left_out += 1

    def _load(self, load_pipeline: Callable[[], Pipeline]) -> None:
        this = threading.current_thread()
        try:
            pipeline = load_pipeline()
        except Exception as error:  # noqa: BLE001  # crosses the thread as a value
            self._report("model", error)
            return
        with self._loads:
            is_wanted = not self._stopped and self._loaders[-1] is this
            unused = self._next_pipeline.get_nowait() if is_wanted else pipeline
            if is_wanted:
                self._next_pipeline.put(pipeline)
        if unused is not None:
            unused.close()

    def _infer(self) -> None:
        pipeline = None
        source_number = 0
        # The pictures are small: waiting for more threads takes longer than the work itself.
        cv2.setNumThreads(1)
        try:
            pipeline = self.pipeline = self._next_pipeline.get()
            pipeline.beside = self._beside
            self._pipeline_ready.set()
            while True:
                taken = self._frames.get()
                if (loaded := self._next_pipeline.get_nowait()) is not None:
                    if loaded.labels != pipeline.labels:
                        self._outputs = ()  # not one row of theirs would fit
                    pipeline.close()
                    pipeline = self.pipeline = loaded
                    pipeline.beside = self._beside
                if taken.source_number != source_number:
                    source_number = taken.source_number
                    pipeline.reset()
                self._process(pipeline, taken)
        except MailboxClosed:
            pass
        finally:
            if pipeline is not None:
                pipeline.close()
            self._beside.shutdown()

    def _process(self, pipeline: Pipeline, taken: _SourceFrame) -> None:
        try:
            result = pipeline.process(taken.frame)
        except Exception as error:  # noqa: BLE001  # this frame is lost, the next still runs
            self._meter.count_failed()
            self._report("frame", error)
            return
        self._meter.count_processed(len(result.faces))
        self.results.put(LiveResult(taken.source_number, result, pipeline))
        for output in self._outputs:
            output.offer(taken.source_name, result)
        self._on_news()

    def _report(self, stage: Stage, error: Exception) -> None:
        self._failures[stage].put(Failure(stage, error))
        self._on_news()
