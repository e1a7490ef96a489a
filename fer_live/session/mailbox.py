"""The only state that threads share: a slot that holds the latest item."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class MailboxClosed(Exception):
    """The mailbox was closed; nothing more will come."""


class Mailbox(Generic[T]):
    """One slot; the latest item wins.

    `put` never blocks: an item that nobody has taken is replaced, and counted in `dropped`. `get`
    blocks until there is an item. `close` wakes everyone, and counts a waiting item as dropped, so
    that items put = items got + dropped once it is closed.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: T | None = None
        self._full = False
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        with self._condition:
            return self._dropped

    def put(self, item: T) -> None:
        """Leave an item; after `close` it is dropped at once."""
        with self._condition:
            if self._closed:
                self._dropped += 1
                return
            self._dropped += self._full
            self._item, self._full = item, True
            self._condition.notify()

    def get(self, timeout_s: float | None = None) -> T:
        """Take the item; `MailboxClosed` once closed, `TimeoutError` after `timeout_s` seconds."""
        with self._condition:
            if not self._condition.wait_for(lambda: self._full or self._closed, timeout_s):
                raise TimeoutError
            if not self._full:
                raise MailboxClosed
            return self._take()

    def get_nowait(self) -> T | None:
        """Take the item if there is one; None if there is none."""
        with self._condition:
            return self._take() if self._full else None

    def close(self) -> None:
        """End it. May be called more than once."""
        with self._condition:
            self._closed = True
            if self._full:
                self._dropped += 1
                self._item, self._full = None, False
            self._condition.notify_all()

    def _take(self) -> T:
        item = self._item
        self._item, self._full = None, False
        return item  # type: ignore[return-value]  # full: it holds a T
