"""The ways in for markers, OSC and LSL: whom they ask, what they count, and what they refuse."""

import re
import socket
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from pythonosc.osc_message_builder import build_msg

from fer_live.errors import InputError
from fer_live.outputs.address import Address
from fer_live.session import marker_lsl, marker_osc
from fer_live.session.marker_inputs import check_marker_inputs, open_marker_inputs
from fer_live.session.marker_lsl import LslMarkers
from fer_live.session.marker_osc import OscMarkers, texts_of
from tests.helpers.listening import free_port, wait_until


class Board:
    """Takes markers in, as long as there is room; nothing that is called "no"."""

    def __init__(self) -> None:
        self.is_full = False
        self.asked: list[str] = []
        self.taken: list[tuple[str, str, float | None]] = []

    def has_room(self, origin: str) -> bool:
        self.asked.append(origin)
        return not self.is_full

    def take(self, text: str, origin: str, time_s: float | None = None) -> bool:
        self.taken.append((text, origin, time_s))
        return text != "no"


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def address() -> Address:
    return Address("127.0.0.1", free_port(socket.SOCK_DGRAM))


@pytest.fixture
def send(address: Address) -> Iterator[Callable[..., None]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:

        def send(where: str, *values: object) -> None:
            packet = build_msg(where, list(values)).dgram
            sender.sendto(packet, (address.host, address.port))

        yield send


@pytest.fixture
def listening(address: Address, board: Board, monkeypatch) -> Iterator[OscMarkers]:
    monkeypatch.setattr(marker_osc, "_LOOK_EVERY_S", 0.01)
    listening = OscMarkers(address, board)
    yield listening
    listening.close()


def test_each_packet_of_osc_asks_for_room_under_the_name_of_this_way_in(listening, board, send):
    send("/fer/marker", "a")
    send("/fer/marker/end", "b")
    wait_until(lambda: len(board.taken) == 2)
    assert board.asked == ["osc", "osc"]
    assert board.taken == [("a", "osc", None), ("end:b", "osc", None)]


def test_without_room_a_packet_of_osc_is_not_even_read(listening, board, send):
    board.is_full = True
    send("/fer/marker", "a")
    send("/other", "a")
    wait_until(lambda: len(board.asked) == 2)
    board.is_full = False
    send("/fer/marker", "b")
    wait_until(lambda: listening.described == "1 marker")
    assert [text for text, *_ in board.taken] == ["b"]


def test_only_what_was_taken_counts_as_a_marker_of_osc(listening, board, send):
    send("/fer/marker", "no")
    send("/other", "a")
    wait_until(lambda: listening.described == "0 markers; 1 message not understood")
    send("/fer/marker", "yes")
    wait_until(lambda: listening.described == "1 marker; 1 message not understood")


def test_an_address_that_is_taken_is_told_with_the_systems_reason(listening, address, board):
    with pytest.raises(InputError) as told:
        OscMarkers(address, board)
    assert str(told.value) == (
        f"markers over OSC: cannot listen at {address}: Address already in use; choose another port"
    )


def test_a_host_that_is_not_there_is_told(board):
    says = r"markers over OSC: cannot listen at no-such-host\.invalid:9001: .+; choose another port"
    with pytest.raises(InputError) as told:
        OscMarkers(Address("no-such-host.invalid", 9001), board)
    assert re.fullmatch(says, str(told.value))


@pytest.mark.parametrize(
    ("where", "values", "text"),
    [
        ("/fer/marker", ["a"], "a"),
        ("/fer/marker", [7], "7"),
        ("/fer/marker", [0.5], "0.5"),
        ("/fer/marker", ["first", "second"], "first"),
        ("/fer/marker/begin", ["a"], "begin:a"),
        ("/fer/marker/end", ["a"], "end:a"),
        ("/fer/marker/pause", ["a"], None),
        ("/fer/marked", ["a"], None),
        ("/fer/marker", [], None),
        ("/fer/marker", [b"a"], None),
        ("/fer/marker", [None], None),
    ],
)
def test_the_address_and_the_first_value_make_the_text(where, values, text):
    assert texts_of(build_msg(where, values).dgram) == [text]


def test_where_one_way_in_does_not_open_those_before_it_are_closed(address, board, monkeypatch):
    def refuse(*_: object) -> None:
        raise InputError("the library liblsl is missing")

    monkeypatch.setattr(marker_osc, "_LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(marker_lsl, "load_lsl", refuse)
    with pytest.raises(InputError, match=r"^the library liblsl is missing$"):
        open_marker_inputs({"osc": str(address.port), "lsl": ""}, board)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((address.host, address.port))


@pytest.mark.parametrize(("name", "where"), [("osc", "9001"), ("lsl", "")])
def test_a_package_that_is_missing_is_told_with_its_option_and_its_extra(name, where, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match=rf"^--marker-{name}: .*pip install '\.\[{name}\]'"):
        check_marker_inputs({name: where})


class Library:
    """Stands in for pylsl: streams that are there, and what comes in each."""

    IRREGULAR_RATE = 0.0
    proc_clocksync = 1

    class LostError(Exception):
        pass

    class TimeoutError(Exception):
        pass

    def __init__(self) -> None:
        self.there: list[SimpleNamespace] = []
        self.sought: dict[str, str] = {}
        self.inlets: list[Any] = []
        library = self

        class StreamInlet:
            def __init__(self, info: SimpleNamespace, **options: object) -> None:
                self.info, self.options, self.is_closed = info, options, False
                library.inlets.append(self)

            def open_stream(self, timeout: float) -> None:
                self.opens_within_s = timeout

            def pull_sample(self, timeout: float) -> tuple[list[object] | None, float]:
                if not self.info.samples:
                    raise library.LostError
                taken = self.info.samples.pop(0)
                if isinstance(taken, Exception):
                    raise taken
                return taken

            def close_stream(self) -> None:
                self.is_closed = True

        self.StreamInlet = StreamInlet
        self.ContinuousResolver = self._seek

    def _seek(self, **sought: str) -> SimpleNamespace:
        self.sought = sought
        return SimpleNamespace(results=lambda: list(self.there))

    def local_clock(self) -> float:
        raise AssertionError("`offset_s` is replaced")

    def add(self, uid: str, samples: list[Any], **differs: Any) -> None:
        """One more stream; by default an irregular one of another program."""
        has = {"nominal_srate": 0.0, "source_id": "other", "name": "trials"} | differs
        methods = {key: (lambda value=value: value) for key, value in has.items()}
        self.there.append(SimpleNamespace(uid=lambda: uid, samples=samples, **methods))


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setattr(marker_lsl, "load_lsl", lambda: library)
    monkeypatch.setattr(marker_lsl, "offset_s", lambda clock: 100.0)
    monkeypatch.setattr(marker_lsl, "_LOOK_EVERY_S", 0.001)
    return library


@pytest.fixture
def hear(library: Library, board: Board) -> Iterator[Callable[..., LslMarkers]]:
    opened: list[LslMarkers] = []

    def hear(name: str = "") -> LslMarkers:
        opened.append(LslMarkers(name, board))
        return opened[-1]

    yield hear
    for one in opened:
        one.close()


def test_a_marker_of_lsl_has_its_senders_time_on_the_clock_of_the_frames(library, board, hear):
    library.add("1", [(["a", "second channel"], 142.5), ([7], 143.0)])
    hear()
    wait_until(lambda: len(board.taken) == 2)
    assert board.taken == [("a", "lsl", 42.5), ("7", "lsl", 43.0)]
    assert set(board.asked) == {"lsl"}


def test_a_stream_of_lsl_is_sought_by_its_type_and_opened_on_one_clock(library, hear):
    library.add("1", [])
    hear()
    wait_until(lambda: bool(library.inlets) and library.inlets[0].is_closed)
    (inlet,) = library.inlets
    assert library.sought == {"prop": "type", "value": "Markers"}
    assert inlet.options == {"recover": False, "processing_flags": library.proc_clocksync}
    assert inlet.opens_within_s == 5.0


@pytest.mark.parametrize(
    "differs",
    [
        {"nominal_srate": 100.0},
        {"source_id": "fer-live-FER Live-markers"},
        {"name": "other trials"},
    ],
    ids=["regular", "our own", "of another name"],
)
def test_a_stream_of_lsl_that_is_not_meant_is_left(library, board, hear, differs):
    library.add("1", [(["not meant"], 0.0)], **differs)
    library.add("2", [(["meant"], 0.0)])
    hear("trials")
    wait_until(lambda: bool(board.taken))
    assert [inlet.info.uid() for inlet in library.inlets] == ["2"]


def test_without_a_name_every_stream_of_lsl_is_heard_once(library, board, hear):
    for uid in "abc":
        library.add(uid, [([uid], 0.0)], name=f"stream {uid}")
    listening = hear()
    wait_until(lambda: listening.described == "0 streams; 3 markers")
    assert sorted(inlet.info.uid() for inlet in library.inlets) == ["a", "b", "c"]


def test_what_lsl_brings_is_counted_as_taken_refused_or_odd(library, board, hear):
    odd = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
    library.add("1", [odd, (["no"], 0.0), (None, 0.0), odd, (["yes"], 0.0)])
    listening = hear()
    wait_until(lambda: listening.described == "0 streams; 1 marker; 2 messages not understood")
    assert board.asked == ["lsl", "lsl"], "where nothing came, nothing is asked"


def test_without_room_a_sample_of_lsl_is_left(library, board, hear):
    board.is_full = True
    library.add("1", [(["a"], 0.0)])
    listening = hear()
    wait_until(lambda: bool(library.inlets) and library.inlets[0].is_closed)
    assert (board.asked, board.taken) == (["lsl"], [])
    wait_until(lambda: listening.described == "0 streams; 0 markers")
