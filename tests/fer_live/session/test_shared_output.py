import threading
import time
from dataclasses import dataclass, field

import pytest

from fer_live.datatypes import FrameResult
from fer_live.errors import OutputError
from fer_live.outputs.worker import SinkWorker
from fer_live.session.shared_output import SharedOutput
from tests.helpers.results import result


class FakeSession:
    """What an output needs of a live session."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.outputs: list[SinkWorker] = []

    def attach(self, output: SinkWorker) -> None:
        self.outputs.append(output)

    def detach(self, output: SinkWorker) -> None:
        self.outputs.remove(output)


@dataclass(eq=False)
class FakeSource:
    name: str
    session: FakeSession = field(init=False)

    def __post_init__(self) -> None:
        self.session = FakeSession(self.name)

    def offer(self) -> None:
        for output in self.session.outputs:
            output.offer(self.name, result(0, 0.0))


class Sinks:
    """Opens sinks, and keeps for each the sources whose results it got."""

    def __init__(self) -> None:
        self.got: dict[str, list[str]] = {}
        self.closed: list[str] = []
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
