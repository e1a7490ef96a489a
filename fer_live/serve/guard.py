"""Who may ask: the checks before a request is looked at.

A page of any web site may let its reader's browser connect to 127.0.0.1. It cannot forge two
headers: `Origin`, which names the page's own site, and `Host`, which still names the site where its
name was made to lead to this machine (DNS rebinding).
"""

import asyncio
import contextlib
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fer_live.outputs.address import LOOPBACK, Address
from fer_live.serve.refusal import Refusal
from fer_live.serve.token import is_token

OPEN_PATHS = ("/health", "/docs", "/openapi.json")
"""Need no token: they tell nothing of anybody, and /docs is where a person enters one."""

_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
)


class Guard:
    """ASGI middleware that lets through what may pass, and turns a `Refusal` into its answer.

    Args:
        app: What comes behind it.
        address: Where the service listens. On this machine alone, `Host` must name this machine.
        token: That clients must give as a bearer; empty where none is needed.
    """

    def __init__(self, app: ASGIApp, address: Address, token: str) -> None:
        self._app, self._address, self._token = app, address, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            await send(message)

        try:
            self._check(scope)
        except Refusal as refusal:
            await answer(refusal, scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._address.is_loopback and host not in self._own_hosts():
            raise Refusal(403, f"this service is called {self._address}, not what Host says")
        origin = headers.get("origin")
        if origin is not None and _host_of(origin) != host:
            raise Refusal(403, "a page of another origin may not ask here")
        path = scope["path"]
        is_open = any(path == p or path.startswith(f"{p}/") for p in OPEN_PATHS)
        if self._token and not is_open:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not is_token(given.strip(), self._token):
                raise Refusal(
                    401,
                    "a token is needed: send it as Authorization: Bearer TOKEN",
                    WWW_Authenticate="Bearer",
                )

    def _own_hosts(self) -> set[str]:
        hosts = {self._address.host, LOOPBACK, "localhost", "::1"}
        port = self._address.port
        named = {str(Address(host, port)) for host in hosts}
        return named | ({name.removesuffix(":80") for name in named} if port == 80 else set())


def _host_of(origin: str) -> str:
    """The host and port that an `Origin` names; empty where it names none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:  # "http://[" begins an address that does not end
        return ""


_LINGERS_FOR_BYTES = 8_000_000
_LINGERS_FOR_S = 2.0


async def answer(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Say what is refused as {"error": sentence}, and close the connection.

    A client that is still sending would lose the answer with the connection. So the answer goes out
    whole, some of what still comes is thrown away, and only then is the connection closed.
    """
    closing = {**refusal.headers, "Connection": "close"}
    said = JSONResponse({"error": refusal.sentence}, refusal.status, closing)
    start = {"status": refusal.status, "headers": said.raw_headers}
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": said.body, "more_body": True})
    headers = Headers(scope=scope)
    # One who waits for leave to send sends nothing now; 408 is said because nothing comes.
    if scope["method"] == "POST" and "expect" not in headers and refusal.status != 408:
        await _throw_away(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _throw_away(receive: Receive) -> None:
    n_bytes = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGERS_FOR_S):
            while n_bytes < _LINGERS_FOR_BYTES:
                message = await receive()
                n_bytes += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
