"""A source from its first frame to its last, through the pipeline."""

import queue
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path

import numpy as np
from tqdm import tqdm

from fer_live.analyze.jobs import Job
from fer_live.base.clocks import moved
from fer_live.base.translation import tr
from fer_live.datatypes import DetectorMode, Frame, FrameResult, Provider, UInt8Array
from fer_live.errors import SourceError, SourceTimeout, StreamEnded, TruncatedError
from fer_live.plain_text import plain_line
from fer_live.session.reconnect import OpenSource, SourceSupervisor
from fer_live.sources.open import open_source
from fer_live.sources.source import FrameSource
from fer_live.sources.stream import StreamSource
from fer_live.vision.answers import DEFAULT_ANSWERS, AnswerConfig
from fer_live.vision.pipeline import Pipeline

_AWAY_MAX_S = 20.0
"""A stream that stays away for longer than this has ended."""
_QUEUED_FRAMES = 8
_MAX_FRAMES_AT_ONCE, _MAX_BYTES_AT_ONCE = 16, 64 << 20
"""More frames at once save nothing more; so many bytes are 10 of 1920 x 1080."""
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How the sources of one `fer-live analyze` are read.

    Every `every`-th frame, by which model, on what, and how often each face; `decoder_threads`
    decode a video, 0 takes all cores; `signals` are measured in every frame that is read. Where
    `is_marked`, rows tell in which intervals they lie.
    """

    every: int = 1
    model: Path | None = None
    provider: Provider = "auto"
    detector: DetectorMode = "auto"
    decoder_threads: int = 0
    answers: AnswerConfig = DEFAULT_ANSWERS
    signals: bool = False
    is_marked: bool = False

    def load_pipeline(self) -> Pipeline:
        """What reads them. Takes a second or two. Raises `ModelError`."""
        pipeline = Pipeline.load(
            self.model,
            self.provider,
            self.detector,
            readings=self.answers.readings,
            prior=self.answers.prior,
            signals=self.signals,
        )
        pipeline.classifier.may_use_two_threads = self.decoder_threads != 1
        return pipeline


def read_source(
    source: FrameSource, job: Job, read_options: ReadOptions, pipeline: Pipeline
) -> Iterator[FrameResult]:
    """Every K-th frame of the part of an opened clip, image or stream that a job names, read; the
    source is closed.

    Frames keep their number and their time. What lies before the part is decoded and not read. A
    stream that stops is opened again. Raises what the source raises, `SourceError` where it has no
    frame in that part, and `StreamEnded` where a stream does not come back.
    """
    pipeline.reset()
    is_live = source.reconnects
    frames = _stream_frames(source) if is_live else _frames(source)
    with closing(frames), closing(_to_read(job, frames, read_options)) as chosen:
        # A live frame does not wait for others.
        for block in _blocks(chosen, 1 if is_live else _MAX_FRAMES_AT_ONCE):
            yield from pipeline.process_all(block)


def _to_read(job: Job, frames: Iterable[Frame], read_options: ReadOptions) -> Generator[Frame]:
    """Those of a job's part, every so many; `SourceError` where there is none in that part."""
    last_s, n_inside = 0.0, 0
    for frame in frames:
        last_s = frame.captured_at_s
        if job.is_over(last_s):
            break
        if not job.holds(last_s):
            continue
        n_inside += 1
        if frame.index % read_options.every == 0:
            yield _dated(frame, job)
    if n_inside == 0 and job.span:
        raise SourceError(f"{job.name}: has no frame {job.span}; its last one is at {last_s:.2f} s")


def _blocks(frames: Iterable[Frame], max_frames: int) -> Iterator[list[Frame]]:
    """The frames, several at once; what a source raises comes after those before it."""
    block: list[Frame] = []
    failure: SourceError | TruncatedError | None = None
    try:
        for frame in frames:
            block.append(frame)
            has_room = len(block) * frame.image_bgr.nbytes < _MAX_BYTES_AT_ONCE
            if len(block) == max_frames or not has_room:
                yield block
                block = []
    except (SourceError, TruncatedError) as error:
        failure = error
    if block:
        yield block
    if failure is not None:
        raise failure


def _dated(frame: Frame, job: Job) -> Frame:
    if frame.captured_at_utc is not None:
        return frame
    return replace(frame, captured_at_utc=moved(job.began_at, frame.captured_at_s))


def n_frames_to_read(source: FrameSource, job: Job, read_options: ReadOptions) -> int | None:
    """How many frames that will be, where the header tells; for a progress bar alone."""
    if job.span:
        return None
    return source.n_frames and -(-source.n_frames // read_options.every)


def _frames(source: FrameSource) -> Generator[Frame]:
    with closing(source):
        while (frame := source.read()) is not None:
            yield frame


def _stream_frames(source: FrameSource) -> Generator[Frame]:
    """All frames of a live stream, on a clock that starts at its first one. Ctrl-C is its end."""
    reopening = _Reopening(source)
    openings: Iterator[OpenSource] = chain([lambda: source], repeat(reopening.open))
    news: queue.Queue[Frame | Exception] = queue.Queue(_QUEUED_FRAMES)
    ready = threading.Event()
    ready.set()
    supervisor = SourceSupervisor(
        lambda: next(openings)(), news.put, news.put, ready=ready, repeats_are_news=True
    )
    started_s: float | None = None
    lost: tuple[float, Exception] | None = None
    try:
        with _interrupt_noted() as interrupted:
            while not interrupted.is_set():
                has_ended = reopening.has_ended.is_set()  # before the look at what came till then
                try:
                    item = news.get(timeout=_LOOK_EVERY_S)
                except queue.Empty:
                    if has_ended:
                        break
                    _refuse_long_absence(source.name, lost)
                    continue
                if isinstance(item, Frame):
                    lost = None
                    started_s = item.captured_at_s if started_s is None else started_s
                    yield replace(item, captured_at_s=item.captured_at_s - started_s)
                elif started_s is None:
                    raise item
                else:
                    tqdm.write(plain_line(f"fer-live: {item}"), file=sys.stderr)
                    lost = time.monotonic(), item
        if started_s is None:
            raise KeyboardInterrupt
    finally:
        supervisor.ask_to_stop()
        while not news.empty():  # a thread may wait for room
            news.get_nowait()
        supervisor.stop()


class _Reopening:
    """Opens a stream again after it has stopped.

    A playlist is a file, which a server goes on giving out when nobody writes it any more. One that
    has got its end is read; one that begins with the same picture as last time has nothing new.
    """

    def __init__(self, source: FrameSource) -> None:
        self.has_ended = threading.Event()
        self._name = source.name
        self._first = _first_picture(source)

    def open(self) -> FrameSource:
        """The stream, opened; `SourceError` where it is not there or has nothing new."""
        source = open_source(self._name)
        try:
            if not source.reconnects:
                self.has_ended.set()
                raise SourceError(tr("{name}: has ended", name=self._name))
            first = _first_picture(source)
            if first is not None and self._first is not None and np.array_equal(first, self._first):
                raise SourceTimeout(tr("{name}: sends no new pictures", name=self._name))
        except BaseException:
            source.close()
            raise
        self._first = first
        return source


def _first_picture(source: FrameSource) -> UInt8Array | None:
    if isinstance(source, StreamSource) and source.is_playlist:
        return source.first_picture()
    return None


def _refuse_long_absence(name: str, lost: tuple[float, Exception] | None) -> None:
    if lost is None:
        return
    since_s, why = lost
    if time.monotonic() - since_s > _AWAY_MAX_S:
        reason = str(why.__cause__ or why)
        raise StreamEnded(f"{reason}; it did not come back within {_AWAY_MAX_S:.0f} s")


@contextmanager
def _interrupt_noted() -> Iterator[threading.Event]:
    """Ctrl-C sets the event, so that it ends a stream between two frames; the second one interrupts
    as always."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted  # signals reach the main thread alone
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def note(*_: object) -> None:
        interrupted.set()
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in numbers:
        signal.signal(number, note)
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
