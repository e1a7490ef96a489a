"""Connections of clients that are too slow are cut off.

uvicorn has a time limit between two requests alone, and every byte begins it anew: one byte a
second would hold a connection for ever. What no middleware can see is limited here, the head of a
request and the reading of its answer; the body is limited where it is read (`uploads.py`).
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from fer_live.serve.limits import Limits


def limited_protocol(limits: Limits) -> type[asyncio.Protocol]:
    """uvicorn's HTTP protocol with these limits."""
    return type("LimitedProtocolOfThisService", (LimitedProtocol,), {"limits": limits})


class LimitedProtocol(H11Protocol):
    """Aborts a connection whose head does not come, or whose answer is not taken, in time."""

    limits = Limits()
    _head_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._begin_head()

    def data_received(self, data: bytes) -> None:
        if not self._is_busy() and self._head_timer is None:
            self._begin_head()  # the next request of a connection that was kept
        super().data_received(data)
        if self._is_busy():
            self._end_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._begin_stall()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._end_stall()

    def on_response_complete(self) -> None:
        # The last bytes may lie in the buffer of a connection that waits for them to be taken.
        self._begin_stall()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        self._end_stall()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._begin_stall()  # it is closed once this was taken
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            # The answer is on its way, and what comes behind it cannot be read.
            self.transport.close()
            return
        if self._is_busy():
            # The body cannot be read of a request that is being worked at, which would answer too.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        super().send_400_response(msg)

    def _is_busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _begin_head(self) -> None:
        self._head_timer = self.loop.call_later(self.limits.head_s, self.transport.abort)

    def _end_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _begin_stall(self) -> None:
        self._end_stall()
        self._stall_timer = self.loop.call_later(self.limits.stall_s, self._abort_if_stalled)

    def _end_stall(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _abort_if_stalled(self) -> None:
        self._stall_timer = None
        if self.transport.is_closing() or self.transport.get_write_buffer_size():
            self.transport.abort()
