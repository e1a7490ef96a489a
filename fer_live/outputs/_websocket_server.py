"""WebSocket, for web pages and robots: one JSON object per frame, to every client.

{"schema": 2, "source": ..., "frame": ..., "time_s": ..., "utc": ...,
 "faces": [{"track_id": ..., "x1": ...}]}

with the keys of the JSONL. While the signals are on, the schema is 3 and theirs follow. Safe by
default: it listens on this machine alone, and refuses pages of other origins, which a browser would
let connect to it.
"""

import asyncio
import errno
import hmac
import json
import threading
from collections import deque
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from fer_live.base.pages.whole_page import WholePage
from fer_live.base.translation import tr, tr_n
from fer_live.datatypes import FrameResult
from fer_live.errors import InputError
from fer_live.outputs._dashboard import dashboard
from fer_live.outputs.address import Address
from fer_live.outputs.face_rows import face_rows, utc_text

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

SCHEMA, SCHEMA_WITH_SIGNALS = 2, 3
_MAX_CLIENTS = 16
_MAX_MESSAGE_BYTES = 1024
_WAITING_FRAMES = 8
_OF_THE_FRAME = ("source", "frame", "time_s", "utc")
_STARTS_WITHIN_S = 5.0


class WebSocketSink:
    """A `ResultSink` that serves its own clients on a thread of its own.

    Each client has a queue of eight frames; a slow one loses the oldest, counted in `dropped`. An
    address beyond this machine needs a `token`, which clients give as `?token=` or as a bearer. On
    this machine `http://HOST:PORT/` shows a dashboard. Raises `InputError` where it cannot listen
    there.
    """

    def __init__(self, address: Address, labels: tuple[str, ...], token: str = "") -> None:
        if not address.is_loopback and not token:
            raise InputError(f"{address}: beyond this machine, a token is needed")
        self.dropped = 0
        self.last_message = ""
        self._address, self._labels, self._token = address, labels, token
        self._clients: set[_Client] = set()
        self._pending: deque[str] = deque(maxlen=_WAITING_FRAMES)
        self._is_woken = False
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._ready = threading.Event()
        self._failure: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="websocket", daemon=True)
        self._thread.start()
        self._ready.wait(_STARTS_WITHIN_S)
        if self._failure is not None:
            self._thread.join()
            raise InputError(_why_not(address, self._failure))

    @property
    def described(self) -> str:
        """Who is there."""
        return tr_n("{n} client", "{n} clients", self.n_clients)

    @property
    def address_to_copy(self) -> str:
        """Where clients connect to; for other machines with its token."""
        return f"ws://{self._address}/" + (f"?token={self._token}" if self._token else "")

    @property
    def page_address(self) -> str:
        """Where a browser of this machine sees the dashboard; empty where none is served."""
        return f"http://{self._address}/" if self._address.is_loopback else ""

    @property
    def n_clients(self) -> int:
        """How many clients are connected now."""
        return len(self._clients)

    def write(self, source: str, result: FrameResult) -> None:
        self._send(json.dumps(frame_object(source, result, self._labels), ensure_ascii=False))

    def send_test(self) -> str:
        """Send every client an object of no faces with the key `test`; returns what happened."""
        text = f"FER Live test {datetime.now():%H:%M:%S}"
        self._send(json.dumps({"schema": SCHEMA, "source": "", "test": text, "faces": []}))
        n = self.n_clients
        if n == 0:
            return tr("Nobody is connected yet. Open the page, or connect your program, and test.")
        return tr_n("Sent to {n} client: ", "Sent to {n} clients: ", n) + text

    def _send(self, message: str) -> None:
        with self._lock:
            self.last_message = message
            self.dropped += len(self._pending) == _WAITING_FRAMES
            self._pending.append(message)
            if self._is_woken:
                return
            self._is_woken = True
        self._loop.call_soon_threadsafe(self._hand_out)

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(_STARTS_WITHIN_S)

    def abandon(self) -> None:
        self.close()

    # On the thread of its own.

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except OSError as error:
            self._failure = error
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        from websockets.asyncio.server import serve

        origins: list[Any] = [None, *(f"http://{place}" for place in self._own_places())]
        async with serve(
            self._attend,
            self._address.host,
            self._address.port,
            origins=origins,
            process_request=self._answer,
            max_size=_MAX_MESSAGE_BYTES,
            max_queue=4,
            compression=None,
            server_header=None,
        ):
            self._ready.set()
            await self._end.wait()

    def _own_places(self) -> list[Address]:
        """The names that this machine has for itself."""
        hosts = dict.fromkeys((self._address.host, "127.0.0.1", "localhost"))
        return [Address(host, self._address.port) for host in hosts]

    def _answer(self, connection: "ServerConnection", request: "Request") -> "Response | None":
        """Before a connection becomes a WebSocket: who may, and the page."""
        url = urlsplit(request.path)
        given = parse_qs(url.query).get("token", [""])[0]
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._token and not any(
            hmac.compare_digest(text.encode(), self._token.encode()) for text in (given, bearer)
        ):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "a token is needed\n")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            if len(self._clients) >= _MAX_CLIENTS:
                return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "too many clients\n")
            return None
        if url.path != "/" or not self._address.is_loopback:
            return connection.respond(HTTPStatus.NOT_FOUND, "not here\n")
        page = dashboard(self._labels, self._own_places())
        response = connection.respond(HTTPStatus.OK, page.html)
        del response.headers["Content-Type"]
        for name, value in _page_headers(page).items():
            response.headers[name] = value
        return response

    async def _attend(self, connection: "ServerConnection") -> None:
        if len(self._clients) >= _MAX_CLIENTS:  # more of them at once than `_answer` could see
            await connection.close(1013, "too many clients")
            return
        client = _Client()
        self._clients.add(client)
        sending = asyncio.create_task(client.send_to(connection))
        try:
            async for _ in connection:  # what a client says is not for us
                pass
        finally:
            self._clients.discard(client)
            sending.cancel()

    def _hand_out(self) -> None:
        with self._lock:
            messages = list(self._pending)
            self._pending.clear()
            self._is_woken = False
        for client in self._clients:
            for message in messages:
                self.dropped += client.offer(message)


class _Client:
    """The frames that wait for one client."""

    def __init__(self) -> None:
        self._waiting: deque[str] = deque(maxlen=_WAITING_FRAMES)
        self._news = asyncio.Event()

    def offer(self, message: str) -> bool:
        """Take in a frame; whether the oldest one had to go for it."""
        is_full = len(self._waiting) == _WAITING_FRAMES
        self._waiting.append(message)
        self._news.set()
        return is_full

    async def send_to(self, connection: "ServerConnection") -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while self._waiting:
                    await connection.send(self._waiting.popleft())
        except ConnectionClosed:
            return


def frame_object(source: str, result: FrameResult, labels: tuple[str, ...]) -> dict[str, Any]:
    """One frame with its faces, in the keys of the JSONL."""
    return {
        "schema": SCHEMA_WITH_SIGNALS if result.has_signals else SCHEMA,
        "source": source,
        "frame": result.frame.index,
        "time_s": round(result.frame.captured_at_s, 6),
        "utc": utc_text(result.frame.captured_at_utc),
        "faces": [
            {key: value for key, value in row.items() if key not in _OF_THE_FRAME}
            for row in face_rows(source, result, labels, signals=result.has_signals)
        ],
    }


def _page_headers(page: WholePage) -> dict[str, str]:
    """What a browser is told of the page: to load nothing, and to let no other page frame it."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"{page.policy}; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _why_not(address: Address, error: OSError) -> str:
    """Why nobody can be served at this address, and what to do."""
    port = address.port
    if error.errno == errno.EADDRINUSE:
        return tr(
            "port {port} is taken by another program, perhaps by another window of FER Live; "
            "end that, or choose another port, such as {other}",
            port=port,
            other=port + 1 if port < 65535 else port - 1,
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return tr(
            "port {port} is kept for the system; choose one above 1023, such as 8765", port=port
        )
    if error.errno in (errno.EADDRNOTAVAIL, None):  # asyncio tells no number where all failed
        return tr(
            "{host} is no address of this machine; leave it out, or write 0.0.0.0 for all",
            host=address.host,
        )
    return tr(
        "cannot listen at {address}: {why}; choose another port",
        address=address,
        why=error.strerror or str(error),
    )
