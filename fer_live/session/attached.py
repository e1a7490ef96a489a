"""An output of live sessions: attached while it runs, ended without holding anything up."""

import threading
from collections.abc import Callable

from fer_live.outputs.sink import ResultSink
from fer_live.outputs.worker import SinkWorker
from fer_live.session.live import LiveSession


class AttachedOutput:
    """A place at live sessions for one sink at a time, which gets every result of theirs, and the
    markers of the first one's board, which is that of all.

    `begin` attaches a sink, on a worker of its own, in place of the one before. `end` detaches it
    at once and lets it write what waits in its queue on another thread, so the caller goes on.
    `wait` blocks until every sink that was ended is closed. Call all of them from one thread.
    """

    def __init__(self, *sessions: LiveSession, called: str = "") -> None:
        """Where it is `called` something, the others get markers that it started and stopped."""
        self._sessions, self._called = list(sessions), called
        self._markers = sessions[0].markers
        self._worker: SinkWorker | None = None
        self._closing: list[threading.Thread] = []

    @property
    def worker(self) -> SinkWorker | None:
        """The worker of the sink that is attached now, with its counts; None where none is."""
        return self._worker

    @property
    def is_on(self) -> bool:
        """Whether a sink is attached."""
        return self._worker is not None

    @property
    def is_closing(self) -> bool:
        """Whether a sink that was ended still writes."""
        return any(thread.is_alive() for thread in self._closing)

    def begin(self, sink: ResultSink, on_failure: Callable[[Exception], None]) -> None:
        """Attach this sink; `on_failure` gets its error, on the worker's thread."""
        self.end()
        self._tell("started")
        self._worker = SinkWorker(sink, n_sources=len(self._sessions), on_failure=on_failure)
        self._markers.subscribe(self._worker.mark)
        for session in self._sessions:
            session.attach(self._worker)

    def join(self, session: LiveSession) -> None:
        """Give the sink the results of one more session from now on."""
        self._sessions.append(session)
        if self._worker is not None:
            self._worker.n_sources = len(self._sessions)
            session.attach(self._worker)

    def leave(self, session: LiveSession) -> None:
        """Give the sink no more results of `session`; the others go on."""
        self._sessions.remove(session)
        if self._worker is not None:
            session.detach(self._worker)
            self._worker.n_sources = len(self._sessions)

    def end(self, on_closed: Callable[[], None] = lambda: None) -> None:
        """Detach the sink and close it; `on_closed` is called afterwards, on another thread."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        for session in self._sessions:
            session.detach(worker)
        self._markers.unsubscribe(worker.mark)
        self._tell("stopped")

        def close() -> None:
            worker.close()
            on_closed()

        thread = threading.Thread(target=close, name="closing", daemon=True)
        self._closing = [*(other for other in self._closing if other.is_alive()), thread]
        thread.start()

    def wait(self) -> None:
        """Block until every sink that was ended is closed."""
        for thread in self._closing:
            thread.join()

    def _tell(self, what: str) -> None:
        if self._called:
            self._markers.add(f"{self._called} {what}", "app")
