"""Pages of other sites, and other machines, at the sockets. Those of `serve` are tried in
tests/fer_live/serve/test_service.py, the origins of WebSockets in outputs/test_outputs.py."""

import socket
import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from fer_live.outputs import _websocket_server
from fer_live.outputs._websocket_server import WebSocketSink
from fer_live.outputs.address import Address
from tests.helpers.listening import free_port, wait_until
from tests.helpers.results import LABELS

UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.fixture
def server() -> Iterator[WebSocketSink]:
    sink = WebSocketSink(Address("127.0.0.1", free_port()), LABELS)
    yield sink
    sink.close()


def said(server: WebSocketSink, request: str) -> str:
    """The first line of the answer to a request as it stands, with PORT filled in."""
    port = server._address.port
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(request.replace("PORT", str(port)).encode("latin-1"))
        return client.recv(4096).decode().partition("\r\n")[0]


@pytest.mark.parametrize("upgrade", ["", UPGRADE], ids=["page", "websocket"])
@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (("127.0.0.1:PORT",), "2"),
        (("localhost:PORT",), "2"),
        (("LOCALHOST:PORT",), "2"),
        (("evil.example:PORT",), "403"),
        (("evil.example",), "403"),
        (("127.0.0.1",), "403"),
        (("127.0.0.1:PORT.evil.example",), "403"),
        (("127.0.0.1:PORT@evil.example",), "403"),
        ((), "403"),
        (("127.0.0.1:PORT", "evil.example"), "403"),
    ],
)
def test_a_name_that_was_made_to_lead_here_is_refused(
    server: WebSocketSink, upgrade: str, hosts: tuple[str, ...], status: str
):
    """DNS rebinding: the page is of one origin with what it asks, and only Host tells."""
    lines = "".join(f"Host: {host}\r\n" for host in hosts)
    answer = said(server, f"GET / HTTP/1.1\r\n{lines}{upgrade}\r\n")
    wanted = {"2": "101" if upgrade else "200"}.get(status, status)
    assert answer.startswith(f"HTTP/1.1 {wanted}"), answer


@pytest.mark.parametrize(
    "request_text",
    [
        "GET //[ HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        "GET /?token=%ff%fe%00 HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
        "GET /?" + "a=1&" * 1500 + " HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        "GET /" + "a" * 20_000 + " HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        "GET / HTTP/1.1\r\n" + "X: y\r\n" * 500 + "\r\n",
        "POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 3\r\n\r\nabc",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not HTTP\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n" + UPGRADE + "\r\n\x81\x7f\xff\xff\xff\xff"
        "\xff\xff\xff\xff",
    ],
)
def test_no_request_breaks_it_or_prints_anything(
    server: WebSocketSink, request_text: str, capfd: pytest.CaptureFixture[str]
):
    try:
        answer = said(server, request_text)
    except ConnectionError:
        answer = ""
    assert " 500 " not in answer, answer
    with connect(f"ws://{server._address}/"):  # it is there for others as before
        pass
    wait_until(lambda: server.n_clients == 0)
    assert capfd.readouterr() == ("", ""), "a stranger could fill the terminal"


@pytest.fixture
def hasty_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebSocketSink]:
    monkeypatch.setattr(_websocket_server, "_ASKS_WITHIN_S", 1.0)
    sink = WebSocketSink(Address("127.0.0.1", free_port()), LABELS)
    yield sink
    sink.close()


def test_who_comes_and_never_says_what_for_takes_no_place_for_long(hasty_server: WebSocketSink):
    """Each connection takes a descriptor, of which the app has about a thousand."""
    server = hasty_server
    most = _websocket_server._MAX_OPEN
    silent = [
        socket.create_connection(("127.0.0.1", server._address.port), timeout=30)
        for _ in range(most + 20)
    ]
    try:
        for client in silent[most:]:
            with pytest.raises((ConnectionError, TimeoutError, AssertionError)):
                assert client.recv(1), "cut off"
        began_s = time.monotonic()
        assert silent[0].recv(1) == b"", "its head never came"
        assert time.monotonic() - began_s < 10
    finally:
        for client in silent:
            client.close()
    wait_until(lambda: said(server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").endswith("Forbidden"))


@pytest.mark.parametrize("size", [1025, 70_000, 2**20])
def test_a_message_that_is_too_large_ends_its_client_alone(server: WebSocketSink, size: int):
    with connect(f"ws://{server._address}/") as other, connect(f"ws://{server._address}/") as big:
        big.send("x" * size)
        with pytest.raises(ConnectionClosed):
            big.recv(30)
        other.send('{"marker": "a"}')
        wait_until(lambda: server.n_clients == 1)


def test_a_token_holds_for_every_way_in():
    sink = WebSocketSink(Address("0.0.0.0", free_port()), LABELS, token="0123456789abcdef")
    port = sink._address.port
    try:
        for headers in (
            {},
            {"Authorization": "Bearer"},
            {"Authorization": "Basic 0123456789abcdef"},
        ):
            with (
                pytest.raises(InvalidStatus, match="401"),
                connect(f"ws://127.0.0.1:{port}/", additional_headers=headers),
            ):
                pass
        for path in ("/?token=", "/?token=0123456789abcde", "/?TOKEN=0123456789abcdef", "/"):
            answer = said(sink, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n")
            assert "401" in answer
        with (
            pytest.raises(InvalidStatus, match="403"),
            connect(
                f"ws://127.0.0.1:{port}/?token=0123456789abcdef",
                origin="http://evil.example",  # type: ignore[arg-type]
            ),
        ):
            pass
    finally:
        sink.close()
