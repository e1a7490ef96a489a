"""WebSocket, for web pages and robots: one JSON object per frame, to every client.

{"schema": 2, "source": ..., "frame": ..., "time_s": ..., "utc": ...,
 "faces": [{"track_id": ..., "x1": ...}]}

with the keys of the JSONL. While the signals are on, the schema is 3 and theirs follow. A marker is
an object with `marker` and no face; a client makes one by sending {"marker": "text"}. Safe by
default: it listens on this machine alone, and refuses pages of other origins, which a browser would
let connect to it.
"""

import asyncio
import errno
import hmac
import json
import logging
import threading
from collections import deque
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import parse_qs, urlsplit

from fer_live.base.pages.whole_page import WholePage
from fer_live.base.parse import parse_json
from fer_live.base.translation import tr, tr_n
from fer_live.datatypes import FrameResult, Marker, MarkerKind
from fer_live.errors import InputError
from fer_live.outputs._connections import counted_connection
from fer_live.outputs._dashboard import dashboard
from fer_live.outputs.address import Address
from fer_live.outputs.face_rows import face_rows, utc_text
from fer_live.outputs.kind import MarkersIn, NoMarkersIn

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

SCHEMA, SCHEMA_WITH_SIGNALS = 2, 3
_MAX_CLIENTS = 16
_MAX_MESSAGE_BYTES = 1024
_MAX_OPEN = 64
"""Connections, those included that have not yet said what they want: each takes a descriptor, and
with none left the app could open no file."""
_WAITING_FRAMES = 8
_WAITING_MARKERS = 1000
_REFUSED_MARKERS = 1000
"""A client that goes on after so many were not taken is sent away."""
_OF_THE_FRAME = ("source", "frame", "time_s", "utc")
_ASKS_WITHIN_S = 10.0
"""Who comes and does not say what for is cut off then."""
_STARTS_WITHIN_S = 5.0
_CLOSES_WITHIN_S = 1.0
_LOG = logging.getLogger(__name__)
_OF_CLIENTS = logging.Logger("clients", logging.CRITICAL)
"""What a client does wrong is no news of ours; the library would tell it with tracebacks."""


class WebSocketSink:
    """A `ResultSink` that serves its own clients on a thread of its own.

    Each client has a queue of eight frames; a slow one loses the oldest, counted in `dropped`.
    Markers have a queue of their own, of a thousand, and go first. What clients send goes to
    `markers_in` where it is a marker; other messages are counted. An address beyond this machine
    needs a `token`, which clients give as `?token=` or as a bearer. On this machine
    `http://HOST:PORT/` shows a dashboard. Raises `InputError` where it cannot listen there.
    """

    def __init__(
        self,
        address: Address,
        labels: tuple[str, ...],
        token: str = "",
        markers_in: MarkersIn | None = None,
    ) -> None:
        if not address.is_loopback and not token:
            raise InputError(f"{address}: beyond this machine, a token is needed")
        self.dropped = self._n_not_understood = 0
        self.last_message = ""
        self._address, self._labels, self._token = address, labels, token
        self._markers_in = markers_in or NoMarkersIn()
        self._clients: set[_Client] = set()
        self._pending: deque[str] = deque(maxlen=_WAITING_FRAMES)
        self._pending_marks: deque[str] = deque(maxlen=_WAITING_MARKERS)
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
        n = self._n_not_understood
        odd = tr_n("{n} message not understood", "{n} messages not understood", n) if n else ""
        clients = tr_n("{n} client", "{n} clients", self.n_clients)
        return "; ".join(filter(None, (clients, odd)))

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
        self._wake()

    def mark(self, marker: Marker) -> None:
        message = json.dumps(marker_object(marker), ensure_ascii=False)
        with self._lock:
            self.dropped += len(self._pending_marks) == _WAITING_MARKERS
            self._pending_marks.append(message)
            self.last_message = message
        self._wake()

    def _wake(self) -> None:
        with self._lock:
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
            create_connection=counted_connection(_MAX_OPEN),
            open_timeout=_ASKS_WITHIN_S,
            max_size=_MAX_MESSAGE_BYTES,
            max_queue=4,
            close_timeout=_CLOSES_WITHIN_S,
            compression=None,
            server_header=None,
            logger=_OF_CLIENTS,
        ):
            self._ready.set()
            await self._end.wait()

    def _own_places(self) -> list[Address]:
        """The names that this machine has for itself."""
        hosts = dict.fromkeys((self._address.host, "127.0.0.1", "localhost"))
        return [Address(host, self._address.port) for host in hosts]

    def _answer(self, connection: "ServerConnection", request: "Request") -> "Response | None":
        """Before a connection becomes a WebSocket: who may, and the page."""
        if self._address.is_loopback and not self._is_named_in(request):
            return connection.respond(HTTPStatus.FORBIDDEN, f"this is {self._address}\n")
        try:
            url = urlsplit(request.path)
        except ValueError:  # "//[" begins an address that does not end
            return connection.respond(HTTPStatus.BAD_REQUEST, "no address\n")
        given = parse_qs(url.query).get("token", [""])[0]
        bearer = _first(request, "Authorization").removeprefix("Bearer ")
        if self._token and not any(
            hmac.compare_digest(text.encode(), self._token.encode()) for text in (given, bearer)
        ):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "a token is needed\n")
        if _first(request, "Upgrade").lower() == "websocket":
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

    def _is_named_in(self, request: "Request") -> bool:
        """Whether `Host` is a name of this machine. It still is that of another site where a page
        of it made its name lead here (DNS rebinding), which takes it past the check of origins."""
        hosts = request.headers.get_all("Host")
        own = {str(place) for place in self._own_places()}
        if self._address.port == 80:
            own |= {name.removesuffix(":80") for name in own}
        return len(hosts) == 1 and hosts[0].lower() in own

    async def _attend(self, connection: "ServerConnection") -> None:
        from websockets.exceptions import ConnectionClosed

        if len(self._clients) >= _MAX_CLIENTS:  # more of them at once than `_answer` could see
            await connection.close(1013, "too many clients")
            return
        client = _Client()
        self._clients.add(client)
        sending = asyncio.create_task(client.send_to(connection))
        try:
            async for message in connection:
                if not self._hear(message, client):
                    await connection.close(1008, "too many markers")
                    break
        except ConnectionClosed:  # by one that broke the protocol, never read, or is gone
            pass
        except Exception:
            _LOG.exception("a client of the WebSocket could not be served")
            raise
        finally:
            self._clients.discard(client)
            sending.cancel()

    def _hear(self, message: str | bytes, client: "_Client") -> bool:
        """Take in what a client says; whether it may go on."""
        origin = "websocket"
        if not self._markers_in.has_room(origin):
            client.n_refused += 1
            return client.n_refused < _REFUSED_MARKERS
        text = _marker_in(message)
        if text is None:
            self._n_not_understood += 1
        else:
            self._markers_in.take(text, origin)
        return True

    def _hand_out(self) -> None:
        with self._lock:
            messages, marks = list(self._pending), list(self._pending_marks)
            self._pending.clear()
            self._pending_marks.clear()
            self._is_woken = False
        for client in self._clients:
            for message in marks:
                self.dropped += client.offer_mark(message)
            for message in messages:
                self.dropped += client.offer(message)


class _Client:
    """The frames and markers that wait for one client."""

    def __init__(self) -> None:
        self.n_refused = 0
        self._waiting: deque[str] = deque(maxlen=_WAITING_FRAMES)
        self._marks: deque[str] = deque(maxlen=_WAITING_MARKERS)
        self._news = asyncio.Event()

    def offer(self, message: str) -> bool:
        """Take in a frame; whether the oldest one had to go for it."""
        is_full = len(self._waiting) == _WAITING_FRAMES
        self._waiting.append(message)
        self._news.set()
        return is_full

    def offer_mark(self, message: str) -> bool:
        """Take in a marker; whether the oldest one had to go for it."""
        is_full = len(self._marks) == _WAITING_MARKERS
        self._marks.append(message)
        self._news.set()
        return is_full

    async def send_to(self, connection: "ServerConnection") -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while self._marks or self._waiting:
                    waiting = self._marks or self._waiting
                    await connection.send(waiting.popleft())
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


def marker_object(marker: Marker) -> dict[str, Any]:
    """One marker. It has no faces, so that a receiver of frames finds nothing in it."""
    return {
        "schema": SCHEMA,
        "marker": marker.text,
        "kind": marker.kind,
        "origin": marker.origin,
        "time_s": round(marker.time_s, 6),
        "utc": utc_text(marker.utc),
        "faces": [],
    }


def _first(request: "Request", name: str) -> str:
    """A header of a request; empty where it has none, and the first where it has several."""
    return next(iter(request.headers.get_all(name)), "")


def _marker_in(message: str | bytes) -> str | None:
    """The marker that a message brings, as one text; None where it brings none."""
    try:
        said = parse_json(message)
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("marker"), str):
        return None
    kind = said.get("kind", "moment")
    if kind not in get_args(MarkerKind):
        return None
    return said["marker"] if kind == "moment" else f"{kind}:{said['marker']}"


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
