"""The clocks of this machine, and how one is read off another."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], float]
"""Tells a time in seconds."""

_CLOSE_ENOUGH_S = 1e-4
_LOOKS = 5
_FIRST_YEAR, _LAST_YEAR = 1970, 2999


def offset_s(other: Clock, base: Clock = time.monotonic) -> float:
    """How far another clock is ahead of the monotonic one, in seconds.

    The other clock is read between two looks at the base. On a busy machine a thread may stand
    still for milliseconds there, so up to five pairs of looks are taken, and the closest counts:
    the error is at most half of the time between its two looks.
    """
    best_gap_s = best_s = float("inf")
    for _ in range(_LOOKS):
        before_s = base()
        other_s = other()
        after_s = base()
        if after_s - before_s < best_gap_s:
            best_gap_s = after_s - before_s
            best_s = other_s - (before_s + after_s) / 2
        if best_gap_s <= _CLOSE_ENOUGH_S:
            break
    return best_s


def utc_of(time_s: float) -> datetime:
    """A time of the monotonic clock as the system's clock, as it is set now, tells it.

    The offset is measured at every call. So after a step of the system's clock the next frame
    already follows it, and no time on the monotonic clock is bent.
    """
    return datetime.fromtimestamp(time_s + offset_s(time.time), UTC)


def can_be_recorded(moment: datetime) -> bool:
    """Whether a moment may be one that a clock told while something was recorded. No zone takes
    such a moment out of the calendar."""
    return _FIRST_YEAR <= moment.year <= _LAST_YEAR


def moved(moment: datetime | None, by_s: float) -> datetime | None:
    """A moment so many seconds later; None where there is none, or where that would be none that
    `can_be_recorded`: times of files have no bounds, calendars do."""
    if moment is None:
        return None
    try:
        later = moment + timedelta(seconds=by_s)
    except (OverflowError, ValueError):
        return None
    return later if can_be_recorded(later) else None
