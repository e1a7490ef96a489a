"""What the WebSocket output says and counts: refusals, answers, messages, and what is lost."""

import errno
import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.sync.client import connect

from fer_live.datatypes import Marker
from fer_live.errors import InputError
from fer_live.outputs import _websocket_server
from fer_live.outputs._websocket_server import (
    WebSocketSink,
    _Client,
    _marker_in,
    _why_not,
    marker_object,
)
from fer_live.outputs.address import Address
from fer_live.outputs.kind import Opening
from fer_live.outputs.registry import output_kinds
from tests.helpers.clocks import Noon
from tests.helpers.listening import free_port, wait_until
from tests.helpers.results import LABELS, result


class Heard:
    """Takes markers in, as long as there is room."""

    def __init__(self) -> None:
        self.is_full = False
        self.asked: list[str] = []
        self.taken: list[tuple[str, str]] = []

    def has_room(self, origin: str) -> bool:
        self.asked.append(origin)
        return not self.is_full

    def take(self, text: str, origin: str, time_s: float | None = None) -> bool:
        self.taken.append((text, origin))
        return True


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def server(heard: Heard) -> Iterator[WebSocketSink]:
    sink = WebSocketSink(Address("127.0.0.1", free_port()), LABELS, markers_in=heard)
    yield sink
    sink.close()


@pytest.fixture
def halted(server: WebSocketSink) -> Iterator[WebSocketSink]:
    """A server whose thread hands nothing out."""
    server._is_woken = True
    yield server
    server._clients.clear()


@pytest.mark.parametrize(
    ("number", "port", "says"),
    [
        (
            errno.EADDRINUSE,
            8765,
            "port 8765 is taken by another program, perhaps by another window of FER Live; end "
            "that, or choose another port, such as 8766",
        ),
        (
            errno.EADDRINUSE,
            65535,
            "port 65535 is taken by another program, perhaps by another window of FER Live; end "
            "that, or choose another port, such as 65534",
        ),
        (
            errno.EACCES,
            80,
            "port 80 is kept for the system; choose one above 1023, such as 8765",
        ),
        (errno.EPERM, 80, "port 80 is kept for the system; choose one above 1023, such as 8765"),
        (
            errno.EADDRNOTAVAIL,
            8765,
            "studio.local is no address of this machine; leave it out, or write 0.0.0.0 for all",
        ),
        (
            errno.EMFILE,
            8765,
            "cannot listen at studio.local:8765: in the system's words; choose another port",
        ),
    ],
)
def test_why_it_cannot_listen_names_what_stands_in_the_way(number, port, says):
    error = OSError(number, "in the system's words")
    assert _why_not(Address("studio.local", port), error) == says


def test_a_refusal_without_a_number_is_of_the_host():
    says = "studio.local is no address of this machine; leave it out, or write 0.0.0.0 for all"
    assert _why_not(Address("studio.local", 1), OSError("all failed")) == says


def test_a_refusal_without_words_of_the_system_has_its_own():
    error = OSError(errno.EMFILE, "")
    assert _why_not(Address("a", 1), error) == (
        f"cannot listen at a:1: [Errno {errno.EMFILE}] ; choose another port"
    )


def test_an_address_beyond_this_machine_is_named_where_its_token_lacks():
    with pytest.raises(InputError) as told:
        WebSocketSink(Address("0.0.0.0", 8765), LABELS)
    assert str(told.value) == "0.0.0.0:8765: beyond this machine, a token is needed"


def test_markers_above_a_thousand_that_wait_push_out_the_oldest_and_are_counted(halted):
    for k in range(1000):
        halted.mark(Marker(f"m{k}", float(k)))
    assert halted.dropped == 0
    for k in range(1000, 1003):
        halted.mark(Marker(f"m{k}", float(k)))
    assert halted.dropped == 3
    assert json.loads(halted._pending_marks[0])["marker"] == "m3"


def test_frames_above_eight_that_wait_push_out_the_oldest_and_are_counted(halted):
    for k in range(8):
        halted.write("c", result(k, float(k)))
    assert halted.dropped == 0
    for k in range(8, 10):
        halted.write("c", result(k, float(k)))
    assert halted.dropped == 2
    assert json.loads(halted._pending[0])["frame"] == 2


@pytest.mark.parametrize(("offer", "n"), [("offer", 8), ("offer_mark", 1000)])
def test_a_client_says_of_each_message_whether_another_had_to_go_for_it(offer, n):
    client = _Client()
    took_away = [getattr(client, offer)(f"{k}") for k in range(n + 2)]
    assert took_away == [False] * n + [True] * 2


def test_what_each_slow_client_loses_is_added_up(halted):
    halted._clients.update(slow := [_Client(), _Client()])
    for client in slow:
        for k in range(8):
            client.offer(f"{k}")
        for k in range(1000):
            client.offer_mark(f"{k}")
    halted.write("c", result(0, 0.0))
    halted.write("c", result(1, 0.1))
    halted.mark(Marker("m", 0.0))
    halted._hand_out()
    assert halted.dropped == 2 * (2 + 1)
    assert not halted._pending and not halted._pending_marks, "it is handed out once"


def test_a_client_gets_the_markers_that_wait_before_the_frames(server):
    with connect(f"ws://{server._address}/") as client:
        wait_until(lambda: server.n_clients == 1)
        server._is_woken = True
        server.write("c", result(0, 0.0))
        server.mark(Marker("m", 0.0))
        server._loop.call_soon_threadsafe(server._hand_out)
        first, second = (json.loads(client.recv(60)) for _ in range(2))
    assert ("marker" in first, "marker" in second) == (True, False)


@pytest.mark.parametrize(
    ("n_clients", "n_odd", "says"),
    [
        (0, 0, "0 clients"),
        (1, 0, "1 client"),
        (2, 1, "2 clients; 1 message not understood"),
        (1, 2, "1 client; 2 messages not understood"),
    ],
)
def test_it_says_who_is_there_and_what_was_not_understood(halted, n_clients, n_odd, says):
    halted._clients.update(_Client() for _ in range(n_clients))
    halted._n_not_understood = n_odd
    assert halted.described == says


@pytest.mark.parametrize(
    ("n_clients", "says"),
    [
        (0, "Nobody is connected yet. Open the page, or connect your program, and test."),
        (1, "Sent to 1 client: FER Live test 12:00:00"),
        (2, "Sent to 2 clients: FER Live test 12:00:00"),
    ],
)
def test_a_test_has_no_faces_and_says_who_gets_it(halted, monkeypatch, n_clients, says):
    monkeypatch.setattr(_websocket_server, "datetime", Noon)
    halted._clients.update(_Client() for _ in range(n_clients))
    assert halted.send_test() == says
    assert json.loads(halted.last_message) == {
        "schema": 2,
        "source": "",
        "test": "FER Live test 12:00:00",
        "faces": [],
    }


def test_messages_have_every_script_as_it_is(halted):
    halted.write("촬영", result(0, 0.0))
    assert '"source": "촬영"' in halted.last_message
    halted.mark(Marker("기준선", 0.0))
    assert '"marker": "기준선"' in halted.last_message


def test_a_marker_is_told_to_the_microsecond_with_its_origin():
    utc = datetime(2026, 11, 25, 14, 3, 22, 517_000, UTC)
    assert marker_object(Marker("a", 1.23456789, utc, "end", "osc")) == {
        "schema": 2,
        "marker": "a",
        "kind": "end",
        "origin": "osc",
        "time_s": 1.234568,
        "utc": "2026-11-25T14:03:22.517Z",
        "faces": [],
    }


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"marker": "a"}, "a"),
        ({"marker": "a", "kind": "moment"}, "a"),
        ({"marker": "a", "kind": "begin"}, "begin:a"),
        ({"marker": "a", "kind": "end"}, "end:a"),
        ({"marker": "a", "kind": "pause"}, None),
        ({"marker": None}, None),
        ({"kind": "begin"}, None),
        (["marker"], None),
    ],
)
def test_a_message_brings_a_marker_or_none(said: Any, text: str | None):
    assert _marker_in(json.dumps(said)) == text


def test_what_a_client_says_goes_on_under_the_name_of_this_way_in(server, heard):
    assert server._hear('{"marker": "a", "kind": "begin"}', _Client())
    assert heard.asked == ["websocket"]
    assert heard.taken == [("begin:a", "websocket")]


def test_a_client_may_go_on_until_a_thousand_of_its_markers_were_refused(server, heard):
    heard.is_full = True
    client, other = _Client(), _Client()
    said = [server._hear('{"marker": "a"}', client) for _ in range(1000)]
    assert said == [True] * 999 + [False]
    assert server._hear('{"marker": "a"}', other), "each has a count of its own"
    assert heard.taken == []
    assert server.described == "0 clients", "what is refused is not called odd"


def ask(address: Address, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of an answer."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=60)
    connection.putrequest("GET", path, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": str(address), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, dict(answer.getheaders())


def test_who_asks_for_another_host_is_told_whose_this_is(server):
    status, body, _ = ask(server._address, "/", Host="evil.example")
    assert (status, body) == (403, f"this is {server._address}\n")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_this_machine_has_two_names(server, host):
    status, _, _ = ask(server._address, "/", Host=f"{host}:{server._address.port}")
    assert status == 200


@pytest.mark.parametrize(
    ("path", "status", "says"), [("//[", 400, "no address\n"), ("/other", 404, "not here\n")]
)
def test_other_paths_are_refused_in_a_line(server, path, status, says):
    assert ask(server._address, path)[:2] == (status, says)


def test_the_page_may_load_nothing_and_is_kept_by_nobody(server):
    _, _, headers = ask(server._address, "/")
    policy = headers.pop("Content-Security-Policy")
    assert policy.endswith("; frame-ancestors 'none'")
    assert {name: headers[name] for name in headers if name not in ("Date", "Connection")} == {
        "Content-Length": headers["Content-Length"],
        "Content-Type": "text/html; charset=utf-8",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def test_who_has_no_token_is_told_that_one_is_needed():
    sink = WebSocketSink(Address("0.0.0.0", free_port()), LABELS, "secret")
    address = Address("127.0.0.1", sink._address.port)
    assert ask(address, "/")[:2] == (401, "a token is needed\n")
    assert ask(address, "/", Authorization="Bearer secret")[:2] == (404, "not here\n")
    sink.close()


def opened(where: str, heard: Heard) -> WebSocketSink:
    opening = Opening(where, LABELS, lambda: pytest.fail("no picture"), True, markers_in=heard)
    sink = output_kinds()["websocket"].open(opening)
    assert isinstance(sink, WebSocketSink)
    return sink


def test_on_this_machine_no_token_is_made_and_markers_come_in(heard, capsys):
    sink = opened(str(free_port()), heard)
    sink._hear('{"marker": "a"}', _Client())
    assert heard.taken == [("a", "websocket")]
    assert sink.address_to_copy == f"ws://{sink._address}/"
    assert sink.page_address == f"http://{sink._address}/"
    assert capsys.readouterr().err == ""
    sink.close()


def test_beyond_this_machine_the_address_is_told_with_a_new_token(heard, capsys, monkeypatch):
    monkeypatch.setattr("secrets.token_urlsafe", lambda n_bytes: f"{n_bytes} bytes")
    sink = opened(f"0.0.0.0:{free_port()}", heard)
    told = f"fer-live: clients connect to ws://{sink._address}/?token=16 bytes\n"
    assert capsys.readouterr().err == told
    sink.close()
