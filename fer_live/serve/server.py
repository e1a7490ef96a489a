"""Starts and ends the service."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn

from fer_live.errors import InputError
from fer_live.outputs.address import Address
from fer_live.serve.app import make_app
from fer_live.serve.connections import limited_protocol
from fer_live.serve.limits import Limits
from fer_live.serve.pool import PipelinePool
from fer_live.vision.pipeline import Pipeline

_FINISHES_WITHIN_S = 2.0
"""What is being read when the service is asked to end may go on for so long."""
_ANSWERS_WITHIN_S = 2.0
_KEEPS_IDLE_S = 5
_BACKLOG = 128


def serve(
    address: Address,
    token: str,
    limits: Limits,
    load: Callable[[], Pipeline],
    when_ready: Callable[[Address], None],
) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        address: Where to listen; port 0 takes a free one.
        token: That clients must give; empty where none is needed.
        limits: Of each client.
        load: Makes a pipeline; called once for each that reads side by side.
        when_ready: Told the address, with its port, once clients are served.

    Raises:
        InputError: It cannot listen there.
        ModelError: The model cannot be used.
    """
    with _listening(address) as listener:
        address = Address(address.host, listener.getsockname()[1])
        pool = PipelinePool(load, limits)
        try:
            _run(listener, address, token, limits, pool, when_ready)
        finally:
            is_closed = pool.close()
            if not is_closed:  # a decoder that does not return would hold up the exit for ever
                sys.stderr.flush()
                os._exit(0)


def _run(
    listener: socket.socket,
    address: Address,
    token: str,
    limits: Limits,
    pool: PipelinePool,
    when_ready: Callable[[Address], None],
) -> None:
    # Clients are told their mistakes in the answers. What is left are ours, with tracebacks.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    config = uvicorn.Config(
        make_app(pool, address, token, limits),
        http=limited_protocol(limits),
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEPS_IDLE_S,
        timeout_graceful_shutdown=int(_FINISHES_WITHIN_S + _ANSWERS_WITHIN_S),
        limit_concurrency=limits.max_connections,
    )
    # uvicorn raises the signals that it took once more at its end, which would kill this process.
    before = {
        number: signal.signal(number, _take_no_notice) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        _Server(config, pool, lambda: when_ready(address)).run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Server(uvicorn.Server):
    """uvicorn, which tells when it is ready, and has the pool end with it."""

    def __init__(
        self, config: uvicorn.Config, pool: PipelinePool, when_ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._pool, self._when_ready = pool, when_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._when_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().call_later(_FINISHES_WITHIN_S, self._pool.end)
        await super().shutdown(sockets)


def _listening(address: Address) -> socket.socket:
    try:
        family, *_, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(place[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise InputError(
            f"{address}: cannot listen there: {error.strerror or error}; choose another "
            "--host or --port"
        ) from None


def _take_no_notice(number: int, frame: FrameType | None) -> None:
    """The service has ended by then, or is about to."""
