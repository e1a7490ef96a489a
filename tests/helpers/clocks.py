"""A clock that only goes on where somebody sleeps, and one that stands still."""

from datetime import datetime, tzinfo

import pytest


class Clock:
    """In place of the module `time`, for what paces itself: a busy machine cannot make it late."""

    def __init__(self, now_s: float = 1000.0) -> None:
        self.now_s = now_s

    def monotonic(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now_s += seconds

    @classmethod
    def of(cls, module: str, monkeypatch: pytest.MonkeyPatch) -> "Clock":
        """The clock of this module for the rest of the test."""
        clock = cls()
        monkeypatch.setattr(f"{module}.time", clock)
        return clock


class Noon(datetime):
    """In place of `datetime`, for texts that name the time: now is always noon of one day."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Noon":
        return cls(2026, 11, 25, 12, tzinfo=tz)
