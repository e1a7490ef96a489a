"""An output of several live sources: one sink for all, one for each, or one for the first."""

from collections.abc import Callable, Sequence
from typing import Protocol

from fer_live.outputs.kind import Sharing
from fer_live.outputs.sink import ResultSink
from fer_live.outputs.worker import SinkWorker
from fer_live.session.attached import AttachedOutput
from fer_live.session.live import LiveSession
from fer_live.session.marker_board import MarkerBoard

OpenSink = Callable[[str], ResultSink]
"""Opens a sink for the source of this name; empty where there is none to tell it from."""


class LiveSource(Protocol):
    """A source that is read now: its session, and the name that tells it from the others."""

    @property
    def name(self) -> str: ...

    @property
    def session(self) -> LiveSession: ...


class SharedOutput:
    """An output of every live source, in the way that `sharing` says. Call it from one thread.

    A source alone is told from no other: its sink gets no name, and keeps what it has when more
    sources come. Each of several that are there at the beginning gets its name, and so does every
    one that comes later. `on_failure` gets the error of a sink, on that sink's thread. Where the
    output is `called` something, a marker tells the others that it started, and one that it
    stopped, whatever the number of its sinks.
    """

    def __init__(
        self, sharing: Sharing, on_failure: Callable[[Exception], None], called: str = ""
    ) -> None:
        self._sharing, self._on_failure, self.called = sharing, on_failure, called
        self._markers: MarkerBoard | None = None
        self._places: list[tuple[list[LiveSource], AttachedOutput]] = []
        self._ended: list[AttachedOutput] = []
        self._open: OpenSink | None = None

    @property
    def is_on(self) -> bool:
        """Whether a sink is attached."""
        return bool(self._places)

    @property
    def workers(self) -> list[SinkWorker]:
        """The workers of the sinks that are attached now, with their counts."""
        return [place.worker for _, place in self._places if place.worker is not None]

    def begin(self, sources: Sequence[LiveSource], open_sink: OpenSink) -> None:
        """Attach sinks for these sources, in place of those before.

        Raises what `open_sink` raises; then nothing is attached.
        """
        self.end()
        try:
            if self._sharing == "each":
                for source in sources:
                    self._begin([source], open_sink(source.name if len(sources) > 1 else ""))
            else:
                taken = sources if self._sharing == "shared" else sources[:1]
                self._begin(list(taken), open_sink(""))
        except BaseException:
            self.end()
            raise
        self._open = open_sink

    def add(self, source: LiveSource) -> None:
        """Take in one more source, where the output is on and has room for it."""
        if self._open is None:
            return
        if self._sharing == "each":
            self._begin([source], self._open(source.name))
        elif self._sharing == "shared":
            sources, place = self._places[0]
            sources.append(source)
            place.join(source.session)

    def remove(self, source: LiveSource) -> None:
        """Go on without this source; where it was the only one of a sink, that sink is closed."""
        if not self.is_on:
            return
        for entry in list(self._places):
            sources, place = entry
            if source not in sources:
                continue
            if len(sources) > 1:
                sources.remove(source)
                place.leave(source.session)
            else:
                self._places.remove(entry)
                self._end(place)
        if not self._places:
            self._open = None
            self._tell("stopped")

    def end(self) -> None:
        """Detach every sink and close it; what waits is written on other threads."""
        places, self._places = self._places, []
        self._open = None
        for _, place in places:
            self._end(place)
        if places:
            self._tell("stopped")

    def wait(self) -> None:
        """Block until every sink that ended is closed."""
        for place in self._ended:
            place.wait()

    def _begin(self, sources: list[LiveSource], sink: ResultSink) -> None:
        if not self._places:
            self._markers = sources[0].session.markers
            self._tell("started")
        place = AttachedOutput(*(source.session for source in sources))
        place.begin(sink, self._on_failure)
        self._places.append((sources, place))

    def _tell(self, what: str) -> None:
        if self.called and self._markers is not None:
            self._markers.add(f"{self.called} {what}", "app")

    def _end(self, place: AttachedOutput) -> None:
        place.end()
        self._ended = [*(other for other in self._ended if other.is_closing), place]
