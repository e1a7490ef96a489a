"""The live app without a window: sources into outputs, until it is interrupted."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType

from fer_live.base.settings import Settings
from fer_live.base.unfinished import cut_off_line
from fer_live.errors import FerLiveError, InputError
from fer_live.outputs.kind import Opening, Paint
from fer_live.outputs.registry import Outputs, check_outputs, open_output, output_kinds
from fer_live.plain_text import say
from fer_live.session.live import Failure, LiveSession
from fer_live.session.marker_board import MarkerBoard
from fer_live.session.marker_inputs import MarkerInput, check_marker_inputs, open_marker_inputs
from fer_live.session.meter import Meter
from fer_live.session.options import LiveOptions, choose_sources, given, write_stats
from fer_live.session.reconnect import SourceLost
from fer_live.session.set_up import set_up
from fer_live.session.shared_output import SharedOutput
from fer_live.sources.choice import SourceChoice
from fer_live.sources.several import named
from fer_live.vision.pipeline import Pipeline

_FIRST_PICTURE_WITHIN_S = 30
"""How long the sources may take to their first picture before --duration counts anyway."""
_LOOK_EVERY_S = 0.1


@dataclass(slots=True, eq=False)
class HeadlessSource:
    """A source of a run without a window; `trouble` says why it ended, empty while it runs."""

    name: str
    choice: SourceChoice
    session: LiveSession
    trouble: str = ""


class HeadlessRun:
    """Reads sources into outputs; what one source does leaves the others as they are.

    Results go to the outputs on the sessions' own threads; this one only looks after them. A source
    that ends or fails is told on stderr, and the run ends with the last one.

    Args:
        sources: Every source with its name.
        load_pipeline: Loads what reads one source.
        settings: What the person chose, and the command line.
        outputs: Name of an output -> where to.
        make_painter: Makes what paints a result, for outputs that show pictures.
        meter: Counts the frames of all.
        marker_inputs: Name of a way in for markers -> where; they go to every output.
    """

    def __init__(
        self,
        sources: Sequence[tuple[str, SourceChoice]],
        load_pipeline: Callable[[Settings], Pipeline],
        settings: Settings,
        outputs: Outputs,
        make_painter: Callable[[tuple[str, ...]], Paint],
        meter: Meter,
        marker_inputs: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._settings, self._wanted, self._make_painter = settings, outputs, make_painter
        self._meter = meter
        self.markers = MarkerBoard()
        self.markers.on_flood = _tell_flood
        self._marker_inputs, self._listening = marker_inputs, list[MarkerInput]()
        self._news = threading.Event()
        self._interrupted = threading.Event()
        self._output_failures: list[str] = []
        self.left_out: dict[str, int] = {}
        """Output -> results and markers that it, or its receivers, had no time for; at the end."""
        load = partial(load_pipeline, settings)
        self.sources = [
            HeadlessSource(
                name,
                choice,
                LiveSession(load, meter.of_source(name), self._news.set, self.markers),
            )
            for name, choice in sources
        ]
        self._outputs: list[SharedOutput] = []

    @property
    def broken(self) -> list[str]:
        """A line for each source and output that failed."""
        return [one.trouble for one in self.sources if one.trouble] + self._output_failures

    @property
    def pipeline(self) -> Pipeline | None:
        """The pipeline of the first source, once it is loaded."""
        return self.sources[0].session.pipeline

    def interrupt(self) -> None:
        """End the run after what is being read; may be called by a signal's handler."""
        self._interrupted.set()
        self._news.set()

    def run(self, duration_s: float | None) -> None:
        """Read until the time is over, every source has ended, or `interrupt` is called.

        `duration_s` counts from the first picture. Raises `InputError` or `OutputError` where an
        output does not start, and `ModelError` where no model can be loaded; nothing is read then.
        """
        try:
            self._wait_for_models()
            self._begin_outputs()
            self._listening = open_marker_inputs(self._marker_inputs, self.markers)
            for source in self.sources:
                source.session.open(source.choice.open, source.name)
            self._watch(duration_s)
        finally:
            self._stop()

    def _wait_for_models(self) -> None:
        while not all(source.session.pipeline for source in self.sources):
            self._wait()
            for source in self.sources:
                for failure in source.session.take_failures():
                    error = failure.error
                    raise (
                        error if isinstance(error, FerLiveError) else FerLiveError(failure.message)
                    )
            if self._interrupted.is_set():
                return
        for source in self.sources:
            assert source.session.pipeline is not None
            trouble = set_up(source.session.pipeline, self._settings, len(self.sources))
            if trouble:
                _tell(trouble)

    def _begin_outputs(self) -> None:
        pipeline = self.pipeline
        if pipeline is None:
            return
        for name, where in self._wanted.items():
            opening = Opening(
                where,
                pipeline.labels,
                partial(self._make_painter, pipeline.labels),
                is_live=True,
                with_signals=pipeline.with_signals,
                markers_in=self.markers,
            )
            kind = output_kinds()[name]
            output = SharedOutput(kind.sharing, self._output_failed, name)
            self._outputs.append(output)
            output.begin(
                self.sources,
                lambda source, name=name, opening=opening: open_output(  # type: ignore[misc]
                    name, replace(opening, source=source)
                ),
            )

    def _watch(self, duration_s: float | None) -> None:
        opened_s = time.monotonic()
        first_s: float | None = None
        while not self._interrupted.is_set():
            self._wait()
            for source in self.sources:
                for failure in source.session.take_failures():
                    self._take_failure(source, failure)
            now_s = time.monotonic()
            if first_s is None and self._meter.processed:
                first_s = now_s
                names = (source.name for source in self.sources if not source.trouble)
                _tell(f"reading {', '.join(names)}; Ctrl-C ends")
            ends_s = opened_s + _FIRST_PICTURE_WITHIN_S if first_s is None else first_s
            is_over = duration_s is not None and now_s > ends_s + duration_s
            if is_over or all(source.trouble for source in self.sources):
                return

    def _take_failure(self, source: HeadlessSource, failure: Failure) -> None:
        line = failure.message
        if not line.startswith(source.name):
            line = f"{source.name}: {line}"
        # A bad frame is lost alone, and a device that was lost is opened again.
        if failure.stage == "source" and not isinstance(failure.error, SourceLost):
            source.trouble = line
        if self._meter.processed or not all(one.trouble for one in self.sources):
            _tell(line)  # else it is the error with which the run ends

    def _output_failed(self, error: Exception) -> None:
        self._output_failures.append(str(error))
        _tell(str(error))

    def _wait(self) -> None:
        self._news.wait(_LOOK_EVERY_S)
        self._news.clear()

    def _stop(self) -> None:
        for one in self._listening:
            one.close()
        stopping = [threading.Thread(target=source.session.stop) for source in self.sources]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        workers = [(output.called, output.workers) for output in self._outputs]
        for output in self._outputs:
            output.end()
        for output in self._outputs:
            output.wait()
        for called, its_workers in workers:
            n_left_out = sum(worker.dropped_in_all for worker in its_workers)
            if n_left_out:
                self.left_out[called] = n_left_out
                _tell(f"{called}: {n_left_out} came faster than they were written or sent")


def run_headless(
    options: LiveOptions,
    settings: Settings,
    load_pipeline: Callable[[Settings], Pipeline],
    make_painter: Callable[[tuple[str, ...]], Paint],
) -> int:
    """`fer-live --headless`: 1 where a source or an output failed and others went on.

    Raises the error of the source where every one failed, and `InputError` where nothing would be
    written.
    """
    if not options.outputs:
        kinds = ", ".join(kind.option for kind in output_kinds().values())
        raise InputError(f"--headless writes nothing without an output; add one of {kinds}")
    sources = named(choose_sources(options, settings))
    if line := cut_off_line():
        _tell(line)
    check_outputs(options.outputs)
    check_marker_inputs(options.marker_inputs)
    meter = Meter(Meter.process_start_s())
    run = HeadlessRun(
        sources,
        load_pipeline,
        settings.but(**given(options)),
        options.outputs,
        make_painter,
        meter,
        options.marker_inputs,
    )
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: run.interrupt())
    try:
        run.run(options.duration_s)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if options.stats is not None:
        write_stats(options.stats, meter, run.pipeline)
    if meter.processed == 0 and run.broken:
        raise InputError(run.broken[0])
    if options.duration_s is not None and meter.processed == 0:
        raise FerLiveError("no picture was read before the time was over")
    return 1 if run.broken else 0


def _tell(line: str) -> None:
    say(f"fer-live: {line}", to=sys.stderr)


def _tell_flood(origin: str, n: int) -> None:
    _tell(f"too many markers at once from {origin}: {n} left out so far")
