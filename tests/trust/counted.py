"""Outputs that count what they were offered, so that every frame can be accounted for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fer_live.datatypes import FrameResult
from fer_live.outputs.sink import ResultSink
from fer_live.outputs.worker import SinkWorker
from fer_live.session import attached


class CountedWorker(SinkWorker):
    """Counts what it was offered, and the faces that its sink wrote."""

    all: "list[CountedWorker]" = []  # noqa: RUF012  # one process is one trial

    def __init__(
        self,
        sink: ResultSink,
        *,
        depth: int = 30,
        n_sources: int = 1,
        on_failure: Callable[[Exception], None] = lambda _: None,
    ) -> None:
        self.offered = self.n_faces = 0
        rows = getattr(sink, "_rows", sink)
        self.name = type(rows).__name__
        write = sink.write

        def counted(source: str, result: FrameResult) -> None:
            write(source, result)
            self.n_faces += len(result.faces)

        sink.write = counted  # type: ignore[method-assign]
        super().__init__(sink, depth=depth, n_sources=n_sources, on_failure=on_failure)
        self.all.append(self)

    def offer(self, source: str, result: FrameResult) -> None:
        with self._news:
            self.offered += not self._ended
            super().offer(source, result)

    @property
    def has_ended(self) -> bool:
        """Whether nothing is written any more."""
        return not self._thread.is_alive()


@contextmanager
def counting_workers() -> Iterator[None]:
    """Every output that begins meanwhile counts."""
    attached.SinkWorker = CountedWorker  # type: ignore[misc]
    try:
        yield
    finally:
        attached.SinkWorker = SinkWorker  # type: ignore[misc]
