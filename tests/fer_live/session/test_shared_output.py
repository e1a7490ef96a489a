import threading
import time
from dataclasses import dataclass, field

import pytest

from fer_live.datatypes import FrameResult, Marker
from fer_live.errors import OutputError
from fer_live.outputs.worker import SinkWorker
from fer_live.session.marker_board import MarkerBoard
from fer_live.session.shared_output import SharedOutput
from tests.helpers.results import result


class FakeSession:
    """What an output needs of a live session."""

    def __init__(self, name: str, markers: MarkerBoard) -> None:
        self.name, self.markers = name, markers
        self.outputs: list[SinkWorker] = []

    def attach(self, output: SinkWorker) -> None:
        self.outputs.append(output)

    def detach(self, output: SinkWorker) -> None:
        self.outputs.remove(output)


@dataclass(eq=False)
class FakeSource:
    name: str
    markers: MarkerBoard = field(default_factory=MarkerBoard)
    session: FakeSession = field(init=False)

    def __post_init__(self) -> None:
        self.session = FakeSession(self.name, self.markers)

    def offer(self) -> None:
        for output in self.session.outputs:
            output.offer(self.name, result(0, 0.0))


class Sinks:
    """Opens sinks, and keeps for each the sources whose results it got."""

    def __init__(self) -> None:
        self.got: dict[str, list[str]] = {}
        self.closed: list[str] = []
        self.marks: list[tuple[str, str]] = []
        self.refused = ""
        self.lock = threading.Lock()

    def open(self, source: str) -> "Sink":
        if self.refused and source == self.refused:
            raise OutputError("no room")
        self.got[source] = []
        return Sink(self, source)


class Sink:
    def __init__(self, sinks: Sinks, called: str) -> None:
        self._sinks, self._called = sinks, called

    def write(self, source: str, result: FrameResult) -> None:
        with self._sinks.lock:
            self._sinks.got[self._called].append(source)

    def mark(self, marker: Marker) -> None:
        with self._sinks.lock:
            self._sinks.marks.append((self._called, marker.text))

    def close(self) -> None:
        with self._sinks.lock:
            self._sinks.closed.append(self._called)

    def abandon(self) -> None:
        pass


def unexpected(error: Exception) -> None:
    raise AssertionError(error)


def offered(*sources: FakeSource) -> None:
    for source in sources:
        source.offer()


def until(sinks: Sinks, expected: dict[str, list[str]]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and sinks.got != expected:
        time.sleep(0.01)
    assert sinks.got == expected


@pytest.mark.parametrize("sharing", ["shared", "each", "one"])
def test_a_source_alone_gets_one_sink_without_a_name(sharing):
    sinks, alone = Sinks(), FakeSource("a")
    output = SharedOutput(sharing, unexpected)
    assert not output.is_on
    output.begin([alone], sinks.open)
    offered(alone)
    until(sinks, {"": ["a"]})
    assert output.is_on
    output.end()
    output.wait()
    assert not output.is_on
    assert sinks.closed == [""]


@pytest.mark.parametrize(
    ("sharing", "got"),
    [
        ("shared", {"": ["a", "b"]}),
        ("each", {"a": ["a"], "b": ["b"]}),
        ("one", {"": ["a"]}),
    ],
)
def test_two_sources_are_told_apart_as_the_output_does(sharing, got):
    sinks, a, b = Sinks(), FakeSource("a"), FakeSource("b")
    output = SharedOutput(sharing, unexpected)
    output.begin([a, b], sinks.open)
    offered(a, b)
    until(sinks, got)
    output.end()
    output.wait()
    assert sorted(sinks.closed) == sorted(got)


@pytest.mark.parametrize(
    ("sharing", "got", "after"),
    [
        ("shared", {"": ["a", "b", "b"]}, True),
        ("each", {"": ["a"], "b": ["b", "b"]}, True),
        ("one", {"": ["a"]}, False),
    ],
)
def test_a_source_comes_later_and_the_first_one_goes(sharing, got, after):
    """The first one keeps its stream or address as it was."""
    sinks, a, b = Sinks(), FakeSource("a"), FakeSource("b")
    output = SharedOutput(sharing, unexpected)
    output.begin([a], sinks.open)
    output.add(b)
    offered(a, b)
    output.remove(a)
    offered(a, b)
    until(sinks, got)
    assert output.is_on == after
    output.remove(b)
    assert not output.is_on
    output.wait()
    assert sorted(sinks.closed) == sorted(got)


def test_where_one_sink_cannot_be_opened_none_stays():
    sinks, a, b = Sinks(), FakeSource("a"), FakeSource("b")
    sinks.refused = "b"
    output = SharedOutput("each", unexpected)
    with pytest.raises(OutputError):
        output.begin([a, b], sinks.open)
    output.wait()
    assert not output.is_on
    assert a.session.outputs == b.session.outputs == []
    assert sinks.closed == ["a"]


@pytest.mark.parametrize(
    ("sharing", "sinks_before", "sinks_after"),
    [("shared", [""], [""]), ("each", ["a", "b"], ["b", "c"]), ("one", [""], [])],
)
def test_every_sink_gets_each_marker_once(sharing, sinks_before, sinks_after):
    board, sinks = MarkerBoard(), Sinks()
    a, b, c = (FakeSource(name, board) for name in "abc")
    output = SharedOutput(sharing, unexpected)
    output.begin([a, b], sinks.open)
    board.add("first", "key")
    output.add(c)
    output.remove(a)
    board.add("second", "key")
    output.end()
    output.wait()
    board.add("third", "key")
    expected = [(name, "first") for name in sinks_before]
    expected += [(name, "second") for name in sinks_after]
    assert sorted(sinks.marks) == sorted(expected)


@pytest.mark.parametrize("sharing", ["shared", "each", "one"])
def test_others_are_told_once_that_an_output_started_and_stopped(sharing):
    board, sinks, told = MarkerBoard(), Sinks(), []
    board.subscribe(lambda marker: told.append(marker.text))
    a, b = FakeSource("a", board), FakeSource("b", board)
    output = SharedOutput(sharing, unexpected, "csv")
    output.remove(a)
    assert told == []
    output.begin([a, b], sinks.open)
    assert told == ["csv started"]
    output.end()
    output.end()
    assert told == ["csv started", "csv stopped"]
    output.begin([a], sinks.open)
    output.remove(a)
    output.end()
    output.wait()
    assert told == ["csv started", "csv stopped"] * 2
    assert sinks.marks == [], "itself it is not told"
