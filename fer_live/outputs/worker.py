"""Keeps a slow, dead or vanished output out of the pipeline's way."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from fer_live.base.unfinished import Unfinished
from fer_live.datatypes import FrameResult, Marker
from fer_live.outputs.sink import MarkerSink, ResultSink

_ENDS_WITHIN_S = 10.0
_WAITING_MARKERS = 10_000


@dataclass(frozen=True, slots=True)
class _Test:
    """Asks the sink to send a test."""

    then: Callable[[str], None]


class SinkWorker:
    """Hands results to a sink on a thread of its own, in order, through a queue.

    The queue holds `depth` results for each of `n_sources`, which may change: as long a wait for
    many as for one. `offer` never waits: where the queue is full, the oldest result in it is
    dropped and counted.
    Markers wait in a queue of their own, which frames cannot fill, and go first; a sink that has no
    place for them gets none. Of more than 10,000 that wait, the newest are dropped and counted. An
    error of the sink ends the worker, abandons the sink, and is handed to `on_failure` once. While
    a file grows there is a note of it, by which the next start knows what a kill cut off.
    """

    def __init__(
        self,
        sink: ResultSink,
        *,
        depth: int = 30,
        n_sources: int = 1,
        on_failure: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self.dropped = self.written = 0
        self.n_sources = n_sources
        self._sink, self._on_failure = sink, on_failure
        self._results: deque[tuple[str, FrameResult] | _Test] = deque()
        self._markers: deque[Marker] = deque()
        self._depth = depth
        self._unfinished: Unfinished | None = None
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)
        self._thread.start()

    @property
    def dropped_in_all(self) -> int:
        """Here and, of a sink that drops too, there."""
        return self.dropped + int(getattr(self._sink, "dropped", 0))

    @property
    def described(self) -> str:
        """What the sink says of itself; most say nothing."""
        return str(getattr(self._sink, "described", ""))

    @property
    def last_message(self) -> str:
        """What the sink wrote or sent last; empty where it does not tell."""
        return str(getattr(self._sink, "last_message", ""))

    @property
    def address_to_copy(self) -> str:
        """Where receivers find the sink; empty where it does not tell."""
        return str(getattr(self._sink, "address_to_copy", ""))

    @property
    def page_address(self) -> str:
        """Where a browser finds the sink; empty where it serves no page."""
        return str(getattr(self._sink, "page_address", ""))

    def test(self, then: Callable[[str], None]) -> None:
        """Let the sink send a test when its turn comes; `then` gets what happened, on the worker's
        thread. After the end, and where the test was dropped with the oldest results, nothing."""
        with self._news:
            if not self._ended:
                self._put(_Test(then))

    def offer(self, source: str, result: FrameResult) -> None:
        """Take in one frame's result; after the end, nothing."""
        with self._news:
            if not self._ended:
                self._put((source, result))

    def mark(self, marker: Marker) -> None:
        """Take in a marker; after the end, nothing."""
        if not isinstance(self._sink, MarkerSink):
            return
        with self._news:
            if self._ended:
                return
            if len(self._markers) == _WAITING_MARKERS:
                self.dropped += 1
                return
            self._markers.append(marker)
            self._news.notify()

    def close(self) -> None:
        """Let the sink finish what waits, and close it; an error goes to `on_failure`.

        Where it does not within ten seconds, what waits is dropped, and the sink is left behind.
        """
        with self._news:
            self._ended = True
            self._news.notify()
        self._thread.join(_ENDS_WITHIN_S)
        if self._thread.is_alive():
            with self._news:
                waiting = [item for item in self._results if not isinstance(item, _Test)]
                self.dropped += len(waiting) + len(self._markers)
                self._results.clear()
                self._markers.clear()

    def _put(self, item: tuple[str, FrameResult] | _Test) -> None:
        while len(self._results) >= self._depth * max(1, self.n_sources):
            oldest = self._results.popleft()
            self.dropped += not isinstance(oldest, _Test)
        self._results.append(item)
        self._news.notify()

    def _next(self) -> Marker | tuple[str, FrameResult] | _Test | None:
        """What comes next; None once it has ended and nothing waits."""
        with self._news:
            while not (self._markers or self._results or self._ended):
                self._news.wait()
            if self._markers:
                return self._markers.popleft()
            return self._results.popleft() if self._results else None

    def _run(self) -> None:
        try:
            self._note_growing()
            while (item := self._next()) is not None:
                if isinstance(item, Marker):
                    assert isinstance(self._sink, MarkerSink)
                    self._sink.mark(item)
                    continue
                if isinstance(item, _Test):
                    item.then(self._sink.send_test())  # type: ignore[attr-defined]  # see `sink.py`
                    continue
                self._sink.write(*item)
                self.written += 1
                self._note_growing()
            self._sink.close()
        except Exception as error:  # noqa: BLE001  # crosses the thread as a value
            with self._news:
                self._ended = True
            self._sink.abandon()
            self._on_failure(error)
        finally:
            if self._unfinished is not None:
                self._unfinished.done()

    def _note_growing(self) -> None:
        """Once there is something."""
        path = getattr(self._sink, "growing", None)
        if path is not None and self._unfinished is None:
            self._unfinished = Unfinished(path)
