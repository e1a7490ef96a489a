"""Where markers come together, from every thread, and go on to whoever wants them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from fer_live.base.clocks import Clock, utc_of
from fer_live.datatypes import Marker
from fer_live.outputs.markers import clean_text, parse_marker

RATE, BURST = 200.0, 1000.0
"""Of each origin so many markers a second in the long run, and so many at once."""
MAX_BEGUN = 100
_BELIEVED_S = 60.0
_SAID_AGAIN_S = 5.0


@dataclass(slots=True)
class _Allowance:
    left: float
    counted_at_s: float
    refused: int = 0
    said_at_s: float = float("-inf")


class MarkerBoard:
    """Takes markers in and hands each one to its subscribers, in one order for all.

    It keeps which intervals are open. A begin of one that is open ends that first; an end of one
    that is not is a moment, and so is a begin where a hundred are open, so nothing that was sent is
    lost. Of each origin at most 200 a second
    are taken, and 1,000 at once; those above are counted in `refused`, and `on_flood` is told which
    origin it is and how many were left out, every five seconds at most. A time that is more than a
    minute from now is not believed: another clock told it.

    Each method may be called from any thread. Subscribers are called on the same thread and must
    not wait.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.on_flood: Callable[[str, int], None] = lambda _origin, _n: None
        self._clock = clock
        self._lock = threading.RLock()
        self._subscribers: tuple[Callable[[Marker], None], ...] = ()
        self._begun: dict[str, Marker] = {}
        self._allowances: dict[str, _Allowance] = {}

    @property
    def begun(self) -> tuple[Marker, ...]:
        """The begins of the intervals that are open now."""
        with self._lock:
            return tuple(self._begun.values())

    @property
    def refused(self) -> int:
        """How many markers were not taken, because too many came at once."""
        return sum(allowance.refused for allowance in self._allowances.values())

    def subscribe(self, take: Callable[[Marker], None]) -> None:
        """Hand every marker from now on to this too, and first the begins of what is open."""
        with self._lock:
            for marker in self._begun.values():
                take(marker)
            self._subscribers = (*self._subscribers, take)

    def unsubscribe(self, take: Callable[[Marker], None]) -> None:
        """Hand it nothing more."""
        with self._lock:
            self._subscribers = tuple(other for other in self._subscribers if other != take)

    def has_room(self, origin: str) -> bool:
        """Whether the next marker of this origin would be taken; it is counted where it would not,
        so call it once for each."""
        with self._lock:
            now_s = self._clock()
            allowance = self._allowances.setdefault(origin, _Allowance(BURST, now_s))
            earned = RATE * (now_s - allowance.counted_at_s)
            allowance.left = min(allowance.left + earned, BURST)
            allowance.counted_at_s = now_s
            if allowance.left >= 1:
                return True
            allowance.refused += 1
            is_news = now_s - allowance.said_at_s > _SAID_AGAIN_S
            if is_news:
                allowance.said_at_s = now_s
            n_refused = allowance.refused
        if is_news:
            self.on_flood(origin, n_refused)
        return False

    def take(self, text: str, origin: str, time_s: float | None = None) -> bool:
        """Take in a marker, as `add` does; whether it was taken."""
        return self.add(text, origin, time_s) is not None

    def add(self, text: str, origin: str, time_s: float | None = None) -> Marker | None:
        """Take in a marker and hand it on.

        Args:
            text: What happened; "begin:NAME" and "end:NAME" are of an interval. It is cleaned as
                `outputs.markers.clean_text` says.
            origin: Who tells it, as `Marker.origin`.
            time_s: When, on the monotonic clock; None for now.

        Returns:
            The marker; None where nothing is left of the text, or too many came at once.
        """
        now_s = self._clock()
        with self._lock:
            if not self.has_room(origin):
                return None
            kind, name = parse_marker(text)
            if not name:
                return None
            self._allowances[origin].left -= 1
            at_s = now_s if time_s is None or abs(time_s - now_s) > _BELIEVED_S else time_s
            is_begun = name in self._begun
            is_too_many = kind == "begin" and not is_begun and len(self._begun) >= MAX_BEGUN
            if (kind == "end" and not is_begun) or is_too_many:
                kind, name = "moment", clean_text(f"{kind}:{name}")
            marker = Marker(name, at_s, utc_of(at_s), kind, origin)
            if kind == "begin" and is_begun:
                self._hand_on(Marker(name, at_s, marker.utc, "end", origin))
            self._hand_on(marker)
            return marker

    def _hand_on(self, marker: Marker) -> None:
        if marker.kind == "begin":
            self._begun[marker.text] = marker
        elif marker.kind == "end":
            self._begun.pop(marker.text, None)
        for take in self._subscribers:
            take(marker)
