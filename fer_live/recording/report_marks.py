"""The markers of a report: how they are listed, and what they leave out."""

from collections.abc import Iterable, Iterator, Sequence

from fer_live.outputs.face_rows import Row, number_in
from fer_live.outputs.markers import EXCLUDE, MarkedSpan, is_excluded
from fer_live.recording.history import clock


def when(mark: MarkedSpan) -> str:
    """When it was, for the list, for example "1:05" or "1:05 - 1:20"."""
    if not mark.is_interval:
        return clock(mark.from_s)
    return f"{clock(mark.from_s)} - {'…' if mark.to_s is None else clock(mark.to_s)}"


class Excluded:
    """Leaves out rows that lie in an interval called "exclude", and counts them in `n_rows`."""

    def __init__(self, marks: Sequence[MarkedSpan]) -> None:
        self.n_rows = 0
        self._by_source: dict[str, list[MarkedSpan]] = {}
        self._spans = [mark for mark in marks if mark.text.casefold() == EXCLUDE]

    def without(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows that stay."""
        for row in rows:
            if is_excluded(self._of_source(str(row["source"])), number_in(row, "time_s")):
                self.n_rows += 1
            else:
                yield row

    def _of_source(self, source: str) -> list[MarkedSpan]:
        if source not in self._by_source:
            own = [span for span in self._spans if span.source in ("", source)]
            self._by_source[source] = own
        return self._by_source[source]
