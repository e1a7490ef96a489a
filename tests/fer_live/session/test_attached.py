import threading

import pytest

from fer_live.datatypes import FrameResult
from fer_live.errors import OutputError
from fer_live.outputs.worker import SinkWorker
from fer_live.session.attached import AttachedOutput
from fer_live.session.marker_board import MarkerBoard
from tests.helpers.results import result


class FakeSession:
    """What an output needs of a live session."""

    def __init__(self) -> None:
        self.outputs: list[SinkWorker] = []
        self.markers = MarkerBoard()

    def attach(self, output: SinkWorker) -> None:
        self.outputs.append(output)

    def detach(self, output: SinkWorker) -> None:
        self.outputs.remove(output)

    def offer(self, index: int) -> None:
        for output in self.outputs:
            output.offer("camera 0", result(index, float(index)))


class Sink:
    """Keeps the numbers of the frames; `close` waits for `may_close`, `write` fails where told."""

    def __init__(self, *, fails: bool = False) -> None:
        self.indices: list[int] = []
        self.may_close = threading.Event()
        self.is_closed = False
        self._fails = fails

    def write(self, source: str, result: FrameResult) -> None:
        if self._fails:
            raise OutputError("the disk is full")
        self.indices.append(result.frame.index)

    def close(self) -> None:
        assert self.may_close.wait(10)
        self.is_closed = True

    def abandon(self) -> None:
        pass


@pytest.fixture
def session() -> FakeSession:
    return FakeSession()


def unexpected(error: Exception) -> None:
    raise AssertionError(error)


def test_without_a_sink_ending_and_waiting_do_nothing(session):
    output = AttachedOutput(session)
    output.end()
    output.wait()
    assert not output.is_on
    assert not output.is_closing


def test_an_end_does_not_wait_and_what_was_offered_is_written(session):
    output, sink, closed = AttachedOutput(session), Sink(), []
    output.begin(sink, unexpected)
    assert output.is_on
    for index in range(5):
        session.offer(index)
    output.end(lambda: closed.append(1))
    assert not output.is_on
    assert session.outputs == []
    assert output.is_closing
    assert not closed
    sink.may_close.set()
    output.wait()
    assert sink.is_closed
    assert sink.indices == [0, 1, 2, 3, 4]
    assert closed == [1]
    assert not output.is_closing


def test_a_second_sink_takes_the_place_of_the_first_and_both_are_waited_for(session):
    output, first, second = AttachedOutput(session), Sink(), Sink()
    for sink in (first, second):
        sink.may_close.set()
        output.begin(sink, unexpected)
        session.offer(len(first.indices))
    output.end()
    output.wait()
    assert first.is_closed
    assert second.is_closed
    assert len(first.indices) == len(second.indices) == 1


def test_the_error_of_a_sink_is_handed_over_once(session):
    errors: list[Exception] = []
    output = AttachedOutput(session)
    output.begin(Sink(fails=True), errors.append)
    session.offer(0)
    session.offer(1)
    output.end()
    output.wait()
    assert [str(error) for error in errors] == ["the disk is full"]


def test_a_session_that_joins_sends_to_the_sink_until_it_leaves(session):
    output, sink, other = AttachedOutput(session), Sink(), FakeSession()
    sink.may_close.set()
    output.begin(sink, unexpected)
    output.join(other)
    assert other.outputs == session.outputs == [output.worker]
    assert output.worker.n_sources == 2
    other.offer(5)
    output.leave(other)
    assert other.outputs == []
    assert output.worker.n_sources == 1
    session.offer(6)
    output.end()
    output.wait()
    assert sink.indices == [5, 6]


def test_a_session_that_joins_before_the_beginning_is_one_of_all(session):
    output, sink, other = AttachedOutput(session), Sink(), FakeSession()
    output.join(other)
    output.leave(session)
    sink.may_close.set()
    output.begin(sink, unexpected)
    assert (session.outputs, other.outputs) == ([], [output.worker])
    output.end()
    output.wait()
    assert other.outputs == []
