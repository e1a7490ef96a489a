"""What other programs send while the app runs: OSC packets, WebSocket messages and handshakes."""

import base64
import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from websockets.sync.client import connect

from fer_live.datatypes import Marker
from fer_live.outputs._websocket_server import WebSocketSink
from fer_live.outputs.address import Address
from fer_live.session.marker_board import MarkerBoard
from fer_live.session.marker_osc import OscMarkers
from tests.trust.fuzz.kind import InputKind, Reader
from tests.trust.fuzz.spoil import ODD_VALUES, bytes_spoilt, json_spoilt

_WAITS_S = 5.0
_HOST = "127.0.0.1"
_OSC_ADDRESSES = (
    "/fer/marker",
    "/fer/marker/begin",
    "/fer/marker/end",
    "/other",
    "",
    "x",
    "/fer/*",
)


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind((_HOST, 0))
        port: int = taken.getsockname()[1]
        return port


class _Taken:
    """The markers that came through; a board's clock of its own makes every one welcome."""

    def __init__(self) -> None:
        self._hour = 0.0
        self.board = MarkerBoard(self._later)
        self.texts: set[str] = set()
        self._came = threading.Condition()
        self.board.subscribe(self._take)

    def _later(self) -> float:
        self._hour += 1.0
        return self._hour

    def _take(self, marker: Marker) -> None:
        assert "\n" not in marker.text
        assert 0 < len(marker.text) <= 200
        with self._came:
            self.texts.add(marker.text)
            self._came.notify_all()

    def wait_for(self, text: str, send: Callable[[], None]) -> None:
        """Send until it comes through: UDP may lose a packet."""
        for _ in range(10):
            send()
            with self._came:
                if self._came.wait_for(lambda: text in self.texts, _WAITS_S / 10):
                    self.texts.clear()
                    return
        raise AssertionError("a message that is in order is not taken any more")


def _osc_packet(text: str = "stimulus") -> bytes:
    message = OscMessageBuilder("/fer/marker")
    message.add_arg(text)
    built: bytes = message.build().dgram
    return built


def _make_osc(folder: Path) -> None:
    (folder / "packet").write_bytes(_osc_packet())


def _spoil_osc(folder: Path, choose: Random) -> None:
    """Bytes, or a message or bundle of odd values."""
    if choose.random() < 0.4:
        (folder / "packet").write_bytes(bytes_spoilt(_osc_packet(), choose))
        return
    message = OscMessageBuilder(choose.choice(_OSC_ADDRESSES) or "/")
    for _ in range(choose.choice((0, 1, 1, 2, 40))):
        with contextlib.suppress(Exception):  # what the library cannot write is not sent
            message.add_arg(
                choose.choice(ODD_VALUES), choose.choice((None, "s", "f", "i", "b", "T"))
            )
    try:
        packet = message.build().dgram
        if choose.random() < 0.3:
            bundle = OscBundleBuilder(choose.choice((0, 1, 2**32)))
            for _ in range(choose.choice((1, 3, 20))):
                bundle.add_content(message.build())
            packet = bundle.build().dgram
    except Exception:  # noqa: BLE001  # as above
        packet = b"#bundle\0" + choose.randbytes(40)
    if choose.random() < 0.2:
        deep = packet
        for _ in range(choose.choice((2, 200, 2000))):
            deep = b"#bundle\0" + bytes(8) + struct.pack(">I", len(deep)) + deep
        packet = deep
    (folder / "packet").write_bytes(packet[:60_000])


@contextmanager
def _osc() -> Iterator[Reader]:
    """A listener as the app has it: after each packet it must take one that is in order."""
    taken, port = _Taken(), _free_port(socket.SOCK_DGRAM)
    listener = OscMarkers(Address(_HOST, port), taken.board)
    number = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:

        def read(folder: Path) -> None:
            nonlocal number
            number += 1
            sender.sendto((folder / "packet").read_bytes(), (_HOST, port))
            proof = f"alive {number}"
            taken.wait_for(proof, lambda: _ignore(sender.sendto(_osc_packet(proof), (_HOST, port))))
            assert len(listener.described.splitlines()) <= 1

        yield Reader(read)
    listener.close()


def _frame(payload: bytes, opcode: int = 1, *, head: int | None = None) -> bytes:
    """A frame as a client sends it, masked with zeros."""
    n, first = len(payload), 0x80 | opcode if head is None else head
    if n < 126:
        size = struct.pack("!B", 0x80 | n)
    elif n < 65_536:
        size = struct.pack("!BH", 0x80 | 126, n)
    else:
        size = struct.pack("!BQ", 0x80 | 127, n)
    return bytes([first]) + size + bytes(4) + payload


def _handshake(port: int | str = "PORT") -> bytes:
    key = base64.b64encode(bytes(16)).decode()
    return (
        f"GET /?token=x HTTP/1.1\r\nHost: {_HOST}:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Origin: http://{_HOST}:{port}\r\n\r\n"
    ).encode()


def _make_message(folder: Path) -> None:
    (folder / "handshake").write_bytes(_handshake())
    (folder / "frames").write_bytes(_frame(b'{"marker": "block", "kind": "begin"}'))


def _spoil_message(folder: Path, choose: Random) -> None:
    """JSON of other values, or frames of odd kinds and sizes, behind a handshake in order."""
    frames = b""
    for _ in range(choose.choice((1, 1, 2, 5))):
        text = json_spoilt(b'{"marker": "block", "kind": "begin"}', choose)
        match choose.choice(("text", "text", "binary", "odd", "bytes", "claims", "control")):
            case "text":
                frames += _frame(text)
            case "binary":
                frames += _frame(text, 2)
            case "odd":
                frames += _frame(text[:100], head=choose.randrange(256))
            case "bytes":
                frames += bytes_spoilt(_frame(text[:200]), choose)
            case "claims":
                frames += bytes([0x81, 0xFF]) + struct.pack(
                    "!Q", choose.choice((2**62, 2**63, 2000))
                )
            case "control":
                frames += _frame(
                    choose.randbytes(choose.choice((0, 1, 2, 125, 200))), choose.choice((8, 9, 10))
                )
    (folder / "frames").write_bytes(frames)


def _spoil_handshake(folder: Path, choose: Random) -> None:
    whole = _handshake()
    if choose.random() < 0.5:
        (folder / "handshake").write_bytes(bytes_spoilt(whole, choose))
        return
    lines = whole.split(b"\r\n")
    odd = (
        b"",
        b"Host:",
        b"A: " + b"x" * 9000,
        b"Upgrade: h2c",
        b"\0: \0",
        b"Content-Length: -1",
        b"GET",
    )
    for _ in range(choose.randint(1, 3)):
        lines[choose.randrange(len(lines))] = choose.choice(
            (
                *odd,
                b"Authorization: Bearer " + b"\xff" * 20,
                b"Sec-WebSocket-Key: x",
                b"Origin: null",
            )
        )
    if choose.random() < 0.2:
        path = choose.choice((b"//[", b"/?token=%ff%00", b"/" + b"a" * 9000, b"*", b"http://["))
        lines[0] = b"GET " + path + b" HTTP/1.1"
    (folder / "handshake").write_bytes(b"\r\n".join(lines))


@contextmanager
def _websocket() -> Iterator[Reader]:
    """The output as the app has it: after each client one that is in order must be served."""
    taken, port = _Taken(), _free_port(socket.SOCK_STREAM)
    sink = WebSocketSink(Address(_HOST, port), ("neutral", "happiness"), markers_in=taken.board)
    number = 0

    def read(folder: Path) -> None:
        nonlocal number
        number += 1
        handshake = (folder / "handshake").read_bytes().replace(b"PORT", str(port).encode())
        _send_raw(port, handshake, (folder / "frames").read_bytes())
        proof = f"alive {number}"
        with connect(f"ws://{_HOST}:{port}/", open_timeout=_WAITS_S, compression=None) as client:
            taken.wait_for(proof, lambda: client.send(json.dumps({"marker": proof})))
        assert len(sink.described.splitlines()) <= 1
        _wait_until(lambda: sink.n_clients == 0)

    yield Reader(read)
    sink.close()


def _send_raw(port: int, *parts: bytes) -> None:
    """Say it, hear what is said within a moment, and hang up."""
    with socket.create_connection((_HOST, port), timeout=_WAITS_S) as client:
        client.settimeout(0.02)
        with contextlib.suppress(OSError):
            for part in parts:
                client.sendall(part)
                client.recv(4096)


def _wait_until(is_so: Callable[[], bool]) -> None:
    until_s = time.monotonic() + _WAITS_S
    while not is_so():
        assert time.monotonic() < until_s, "a client that has gone is still counted"
        time.sleep(0.002)


def _ignore(_: object) -> None:
    """How many bytes went out."""


KINDS: dict[str, InputKind] = {
    "osc": InputKind(_make_osc, _spoil_osc, _osc),
    "websocket": InputKind(_make_message, _spoil_message, _websocket),
    "websocket handshake": InputKind(_make_message, _spoil_handshake, _websocket),
}
