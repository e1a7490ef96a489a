"""Markers that come in: from every way in, at their time, bounded, in one order for all."""

import itertools
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fer_live.datatypes import Marker
from fer_live.errors import InputError
from fer_live.outputs.address import Address
from fer_live.outputs.sink import ResultSink
from fer_live.session.attached import AttachedOutput
from fer_live.session.marker_board import BURST, RATE, MarkerBoard
from fer_live.session.marker_inputs import check_marker_inputs, open_marker_inputs
from fer_live.session.marker_osc import OscMarkers, texts_of


class FakeClock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def board(clock: FakeClock) -> MarkerBoard:
    return MarkerBoard(clock)


@pytest.fixture
def taken(board: MarkerBoard) -> list[Marker]:
    markers: list[Marker] = []
    board.subscribe(markers.append)
    return markers


def wait_until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def told(markers: list[Marker]) -> list[tuple[str, str]]:
    return [(marker.kind, marker.text) for marker in markers]


def test_a_marker_has_the_moment_it_is_told_to_have(board, taken, clock):
    board.add("now", "key")
    board.add("a little before", "key", clock.now_s - 12.5)
    board.add("on another clock", "lsl", 5.0)
    assert [marker.time_s for marker in taken] == [1000.0, 987.5, 1000.0]
    assert (taken[0].utc - taken[1].utc).total_seconds() == pytest.approx(12.5, abs=0.01)


def test_intervals_begin_and_end_once_and_nothing_is_lost(board, taken):
    for text in ("begin:a", "begin:b", "begin:a", "end:a", "end:a", "", "\x00"):
        board.add(text, "key")
    assert told(taken) == [
        ("begin", "a"),
        ("begin", "b"),
        ("end", "a"),
        ("begin", "a"),
        ("end", "a"),
        ("moment", "end:a"),
    ]
    assert told(list(board.begun)) == [("begin", "b")]


def test_a_hundred_intervals_can_be_open_and_further_begins_are_moments(board, taken):
    for k in range(102):
        board.add(f"begin:{k}", "key")
    assert len(board.begun) == 100
    assert told(taken)[-2:] == [("moment", "begin:100"), ("moment", "begin:101")]


def test_a_flood_is_bounded_for_its_origin_and_said(board, taken, clock):
    said: list[tuple[str, int]] = []
    board.on_flood = lambda origin, n: said.append((origin, n))
    for k in range(10_000):
        clock.now_s += 1e-4
        board.add(f"m{k}", "osc")
    expected = BURST + RATE * 1.0
    assert len(taken) == pytest.approx(expected, abs=2)
    assert board.refused == 10_000 - len(taken)
    assert said == [("osc", 1)], "once, not ten thousand times"
    assert board.add("the key still works", "key") is not None
    clock.now_s += 6
    assert board.add("and so does this one later", "osc") is not None


def test_every_subscriber_has_the_same_order(board):
    one: list[Marker] = []
    two: list[Marker] = []
    board.subscribe(one.append)
    board.subscribe(two.append)

    def mark(origin: str) -> None:
        for k in range(200):
            board.add(f"{origin} {k}", origin)

    threads = [threading.Thread(target=mark, args=(origin,)) for origin in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one == two
    assert len(one) == 600
    board.unsubscribe(one.append)
    board.add("more", "key")
    assert (len(one), len(two)) == (600, 601)


class Sink:
    def __init__(self) -> None:
        self.marks: list[Marker] = []

    def write(self, source: str, result: object) -> None:
        pass

    def mark(self, marker: Marker) -> None:
        self.marks.append(marker)

    def close(self) -> None:
        pass

    def abandon(self) -> None:
        pass


class FakeSession:
    """What an output needs of a live session."""

    def __init__(self) -> None:
        self.markers = MarkerBoard()

    def attach(self, output) -> None:
        pass

    def detach(self, output) -> None:
        pass


def test_the_others_are_told_when_an_output_starts_and_stops_and_it_is_told_what_has_begun():
    session = FakeSession()
    first, second = (
        AttachedOutput(session, called="csv"),
        AttachedOutput(session, called="recording"),
    )  # type: ignore[arg-type]
    sinks: list[ResultSink] = [Sink(), Sink()]
    session.markers.add("begin:baseline", "key")
    first.begin(sinks[0], pytest.fail)
    second.begin(sinks[1], pytest.fail)
    second.end()
    first.end()
    first.wait()
    second.wait()
    assert told(sinks[0].marks) == [  # type: ignore[attr-defined]
        ("begin", "baseline"),
        ("moment", "recording started"),
        ("moment", "recording stopped"),
    ]
    assert told(sinks[1].marks) == [("begin", "baseline")]  # type: ignore[attr-defined]


@pytest.fixture
def osc_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def send(osc_port: int) -> Iterator[Callable[[bytes], None]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        yield lambda packet: sender.sendto(packet, ("127.0.0.1", osc_port)) and None


def packet(address: str, *values: object) -> bytes:
    from pythonosc.osc_message_builder import build_msg

    return bytes(build_msg(address, list(values)).dgram)


def test_markers_come_in_over_osc(osc_port, send):
    board, taken = MarkerBoard(), []
    board.subscribe(taken.append)
    (listening,) = open_marker_inputs({"osc": str(osc_port)}, board)
    try:
        for one in (
            packet("/fer/marker", "자극 3"),
            packet("/fer/marker", 7),
            packet("/fer/marker/begin", "baseline"),
            packet("/fer/marker", "end:baseline"),
            b"\xff\xfe no OSC",
            packet("/fer/marker"),
            packet("/other", "x"),
            b"/fer/marker\x00,s\x00\x00\xff\xfe\x00\x00",
            b"",
        ):
            send(one)
        wait_until(lambda: "messages not understood" in listening.described and len(taken) == 4)
        wait_until(lambda: listening.described == "4 markers; 5 messages not understood")
    finally:
        listening.close()
    assert told(taken) == [
        ("moment", "자극 3"),
        ("moment", "7"),
        ("begin", "baseline"),
        ("end", "baseline"),
    ]
    assert all(abs(marker.time_s - time.monotonic()) < 60 for marker in taken)


def test_a_bundle_brings_each_of_its_markers():
    from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
    from pythonosc.osc_message_builder import build_msg

    bundle = OscBundleBuilder(IMMEDIATELY)
    for text in ("a", "b"):
        bundle.add_content(build_msg("/fer/marker", [text]))
    assert sorted(texts_of(bundle.build().dgram), key=str) == ["a", "b"]


@pytest.mark.parametrize("seed", range(50))
def test_no_bytes_harm_the_reader_of_osc(seed: int):
    import random

    random_ = random.Random(seed)
    good = packet("/fer/marker", "baseline")
    spoilt = bytearray(good)
    for _ in range(3):
        spoilt[random_.randrange(len(spoilt))] = random_.randrange(256)
    for bytes_ in (bytes(spoilt), good[: random_.randrange(len(good))], random_.randbytes(200)):
        assert all(text is None or isinstance(text, str) for text in texts_of(bytes_))


def test_a_flood_over_osc_leaves_the_listener_alive(osc_port, send):
    board, taken = MarkerBoard(), []
    board.subscribe(taken.append)
    (listening,) = open_marker_inputs({"osc": str(osc_port)}, board)
    try:
        long = packet("/fer/marker", "x" * 60_000)
        for one in itertools.chain([long], itertools.repeat(packet("/fer/marker", "m"), 20_000)):
            send(one)
        wait_until(lambda: bool(taken))
        board._allowances.clear()

        def answers() -> bool:
            send(packet("/fer/marker", "still there"))
            return taken[-1].text == "still there"

        wait_until(answers)
    finally:
        listening.close()
    assert max(len(marker.text) for marker in taken) <= 200


def test_an_address_that_is_taken_or_none_is_told(osc_port):
    listening = open_marker_inputs({"osc": str(osc_port)}, MarkerBoard())
    try:
        with pytest.raises(InputError, match="cannot listen at"):
            open_marker_inputs({"osc": str(osc_port)}, MarkerBoard())
    finally:
        for one in listening:
            one.close()
    with pytest.raises(InputError, match="--marker-osc: nowhere: not an address"):
        check_marker_inputs({"osc": "nowhere"})


def test_a_library_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install '\.\[lsl\]'"):
        check_marker_inputs({"lsl": ""})


def test_only_this_machine_can_send_unless_a_host_is_named(osc_port):
    (listening,) = open_marker_inputs({"osc": str(osc_port)}, MarkerBoard())
    try:
        assert isinstance(listening, OscMarkers)
        assert listening._socket.getsockname()[0] == "127.0.0.1"
    finally:
        listening.close()


def test_markers_come_in_over_lsl_at_the_time_their_sender_gave(lsl_name: str):
    pylsl = pytest.importorskip("pylsl")
    board, taken = MarkerBoard(), []
    board.subscribe(taken.append)

    def outlet(name: str, kind: str, source_id: str, rate: float = 0.0):
        info = pylsl.StreamInfo(name, "Markers", 1, rate, kind, source_id)
        return pylsl.StreamOutlet(info)

    texts = outlet(lsl_name, "string", lsl_name)
    numbers = outlet(f"{lsl_name} numbers", "int32", f"{lsl_name} numbers")
    ours = outlet(f"{lsl_name} ours", "string", f"fer-live-{lsl_name}")
    (listening,) = open_marker_inputs({"lsl": ""}, board)
    try:
        wait_until(lambda: texts.have_consumers() and numbers.have_consumers())
        before_s = pylsl.local_clock() - 3
        texts.push_sample(["begin:baseline"], before_s)
        numbers.push_sample([42])
        ours.push_sample(["our own"])
        wait_until(lambda: len(taken) >= 2)
        assert not ours.have_consumers()
    finally:
        listening.close()
    by_text = {marker.text: marker for marker in taken}
    assert set(by_text) == {"baseline", "42"}
    expected_s = before_s + time.monotonic() - pylsl.local_clock()
    assert by_text["baseline"].time_s == pytest.approx(expected_s, abs=0.02)
    assert by_text["baseline"].kind == "begin"


def test_bytes_that_are_no_text_end_no_lsl_stream(lsl_name: str, monkeypatch: pytest.MonkeyPatch):
    pylsl = pytest.importorskip("pylsl")
    board, taken = MarkerBoard(), []
    board.subscribe(taken.append)
    pull, spoilt = pylsl.StreamInlet.pull_sample, []

    def pull_spoilt(inlet, timeout):
        if not spoilt:
            spoilt.append(True)
            b"\xff".decode()
        return pull(inlet, timeout)

    monkeypatch.setattr(pylsl.StreamInlet, "pull_sample", pull_spoilt)
    info = pylsl.StreamInfo(lsl_name, "Markers", 1, pylsl.IRREGULAR_RATE, "string", lsl_name)
    outlet = pylsl.StreamOutlet(info)
    (listening,) = open_marker_inputs({"lsl": lsl_name}, board)
    try:
        wait_until(lambda: bool(spoilt) and outlet.have_consumers())
        outlet.push_sample(["x" * 10**6])
        wait_until(lambda: bool(taken))
        assert "1 message not understood" in listening.described
    finally:
        listening.close()
    assert len(taken[0].text) == 200


@pytest.mark.parametrize("sender", ["psychopy", "websocket"])
def test_the_senders_of_the_documentation_are_heard(sender: str, lsl_name: str):
    page = (Path(__file__).parents[3] / "docs/markers.md").read_text()
    (code,) = re.findall(rf"```python {sender}\n(.*?)```", page, flags=re.S)
    board, taken = MarkerBoard(), []
    board.subscribe(taken.append)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    if sender == "websocket":
        pytest.importorskip("websockets")
        from fer_live.outputs._websocket_server import WebSocketSink

        listening = WebSocketSink(Address("127.0.0.1", port), ("neutral",), markers_in=board)
    else:
        pytest.importorskip("pylsl")
        (listening,) = open_marker_inputs({"lsl": lsl_name}, board)
    scope: dict[str, object] = {}  # keeps the sender's stream until it is heard
    try:
        exec(code.replace("8765", str(port)).replace("PsychoPy", lsl_name), scope)
        wait_until(lambda: bool(taken))
    finally:
        listening.close()
    assert told(taken) == [("begin", "stimulus 3")]
