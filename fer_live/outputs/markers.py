"""Markers as text, and the moments and intervals that they make."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from fer_live.datatypes import Marker, MarkerKind

MAX_TEXT = 200
MARKER_COLUMN = "marker"
EXCLUDE = "exclude"
"""The name of intervals that are left out of shares and summaries."""

BETWEEN = "; "
_CALLED: dict[str, MarkerKind] = {"begin:": "begin", "end:": "end"}
_KNOWN_FOR_S = 10.0
_SAME_S = 1e-6


def clean_text(text: str) -> str:
    """One line that every output can hold: without control characters and surrogates, blanks
    joined, at most 200 characters. A semicolon, which stands between names in the column
    `marker`, becomes a comma."""
    head = text[: 20 * MAX_TEXT].replace(";", ",")
    kept = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in head)
    line = " ".join(kept.split())
    return line if len(line) <= MAX_TEXT else line[: MAX_TEXT - 1] + "…"


def parse_marker(text: str) -> tuple[MarkerKind, str]:
    """What a text says: "begin:NAME" and "end:NAME" are of an interval, all others of a moment.

    The name is empty where nothing is left of the text.
    """
    line = clean_text(text)
    for head, kind in _CALLED.items():
        if line.lower().startswith(head) and (name := line[len(head) :].strip()):
            return kind, name
    return "moment", line


def marker_text(marker: Marker) -> str:
    """A marker as one text, which `parse_marker` reads."""
    return marker.text if marker.kind == "moment" else f"{marker.kind}:{marker.text}"


@dataclass(frozen=True, slots=True)
class MarkedSpan:
    """A moment or an interval of a source.

    Args:
        text: What happened; of an interval its name.
        from_s: When it was, or began, in seconds on the clock of the rows.
        to_s: When it ended; the same as `from_s` for a moment, and None while it lasts.
        utc: When it began on the wall clock; None where nobody knows it.
        origin: Who told it, as `Marker.origin`.
        source: Of which source it is; empty for every one.
    """

    text: str
    from_s: float
    to_s: float | None
    utc: datetime | None = None
    origin: str = ""
    source: str = ""

    @property
    def is_interval(self) -> bool:
        """Whether it lasts for some time."""
        return self.to_s is None or self.to_s > self.from_s

    def holds(self, time_s: float) -> bool:
        """Whether a time lies in the interval, its end left out; a moment holds none."""
        return self.from_s <= time_s and (self.to_s is None or time_s < self.to_s)


class MarkedSpans:
    """The intervals that markers make, one after the other; those that ended long ago are let go.

    An end for which nothing of this name has begun makes no interval.
    """

    def __init__(self) -> None:
        self._recent: list[MarkedSpan] = []

    def add(self, marker: Marker) -> MarkedSpan | None:
        """Take in a marker.

        Returns:
            The moment that it is, or the interval that it began or ended, as it is now. None where
            it tells nothing new.
        """
        at_s = marker.time_s
        moment = MarkedSpan(marker.text, at_s, at_s, marker.utc, marker.origin)
        if marker.kind == "moment":
            return moment
        before = self._open(marker.text)
        if marker.kind == "begin":
            if before is not None:
                return None
            begun = replace(moment, to_s=None)
            self._recent.append(begun)
            return begun
        if before is None:
            return None
        ended = replace(before, to_s=max(marker.time_s, before.from_s + _SAME_S))
        self._recent[self._recent.index(before)] = ended
        return ended

    def names_at(self, time_s: float) -> str:
        """The names of the intervals that a time lies in, "a; b"; times hardly go back."""
        self._recent = [
            span for span in self._recent if span.to_s is None or span.to_s > time_s - _KNOWN_FOR_S
        ]
        return names_at(self._recent, time_s)

    def _open(self, name: str) -> MarkedSpan | None:
        return next((s for s in self._recent if s.text == name and s.to_s is None), None)


def names_at(spans: Iterable[MarkedSpan], time_s: float) -> str:
    """The names of the intervals that a time lies in, "a; b", as `fer-live summarize` reads."""
    return BETWEEN.join(dict.fromkeys(span.text for span in spans if span.holds(time_s)))


def is_excluded(spans: Iterable[MarkedSpan], time_s: float) -> bool:
    """Whether a time lies in an interval that is called "exclude"."""
    return any(span.text.casefold() == EXCLUDE and span.holds(time_s) for span in spans)
