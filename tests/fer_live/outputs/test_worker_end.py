"""What a worker hands on, in which order, and what it counts as dropped, also at the end."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fer_live.datatypes import FrameResult, Marker
from fer_live.errors import OutputError
from fer_live.outputs import worker
from fer_live.outputs.worker import SinkWorker
from fer_live.recording.recorder import new_folder
from tests.helpers.listening import wait_until
from tests.helpers.results import result


class Deaf:
    """Takes the first result and never comes back before `wakes`."""

    def __init__(self) -> None:
        self.wakes = threading.Event()
        self.n_taken = 0

    def write(self, source: str, result: FrameResult) -> None:
        self.n_taken += 1
        self.wakes.wait()

    def close(self) -> None:
        pass

    def abandon(self) -> Path | None:
        return None


def test_what_waits_when_a_deaf_sink_is_left_behind_is_dropped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worker, "_ENDS_WITHIN_S", 0.05)
    deaf = Deaf()
    output = SinkWorker(deaf)
    output.offer("camera 0", result(0, 0.0))
    while not deaf.n_taken:
        pass
    for index in range(1, 6):
        output.offer("camera 0", result(index, index / 30))
    output.close()
    assert output.dropped == 5
    deaf.wakes.set()
    output.close()
    assert (output.written, output.dropped, deaf.n_taken) == (1, 5, 1)


def test_recordings_of_one_second_have_folders_of_their_own(tmp_path: Path):
    began_at = datetime(2026, 11, 26, 9, tzinfo=UTC)
    made: list[Path] = []
    threads = [
        threading.Thread(target=lambda: made.append(new_folder(tmp_path, began_at)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8


class Telling:
    """Tells everything that a sink may tell."""

    dropped, described, last_message = 3, "2 clients", "row 7"
    address_to_copy, page_address = "ws://here/", "http://here/"

    def __init__(self) -> None:
        self.got: list[object] = []
        self.may_go_on = threading.Event()

    def write(self, source: str, result: FrameResult) -> None:
        assert self.may_go_on.wait(10)
        self.got.append((source, result.frame.index))

    def mark(self, marker: Marker) -> None:
        self.got.append(marker.text)

    def send_test(self) -> str:
        self.got.append("test")
        return "it was sent"

    def close(self) -> None:
        self.got.append("closed")

    def abandon(self) -> None:
        self.got.append("abandoned")


def test_what_a_sink_tells_of_itself_is_told_by_its_worker():
    output = SinkWorker(Telling())
    output.dropped = 4
    assert output.dropped_in_all == 7
    assert output.described == "2 clients"
    assert output.last_message == "row 7"
    assert (output.address_to_copy, output.page_address) == ("ws://here/", "http://here/")
    output.close()


def test_of_a_sink_that_tells_nothing_nothing_is_told():
    output = SinkWorker(Deaf())
    assert output.dropped_in_all == 0
    told = (output.described, output.last_message, output.address_to_copy, output.page_address)
    assert told == ("", "", "", "")
    output.close()


def busy(depth: int = 30) -> tuple[Telling, SinkWorker]:
    """A worker whose sink is held up by its first frame."""
    sink = Telling()
    output = SinkWorker(sink, depth=depth)
    output.offer("camera 0", result(0, 0.0))
    wait_until(lambda: not output._results)
    return sink, output


def test_markers_go_first_and_the_rest_in_its_order():
    sink, output = busy()
    told: list[str] = []
    output.offer("camera 1", result(1, 0.1))
    output.test(told.append)
    output.offer("camera 0", result(2, 0.2))
    output.mark(Marker("m", 0.0))
    sink.may_go_on.set()
    output.close()
    assert sink.got == [("camera 0", 0), "m", ("camera 1", 1), "test", ("camera 0", 2), "closed"]
    assert told == ["it was sent"]
    assert output.written == 3, "neither a marker nor a test is a frame"


def test_a_full_queue_loses_its_oldest_frame_and_counts_it():
    sink, output = busy(depth=2)
    for k in range(1, 6):
        output.offer("camera 0", result(k, k / 30))
    assert output.dropped == 3
    sink.may_go_on.set()
    output.close()
    assert sink.got == [("camera 0", 0), ("camera 0", 4), ("camera 0", 5), "closed"]


def test_the_queue_is_as_long_as_the_number_of_sources_allows():
    sink, output = busy(depth=2)
    output.n_sources = 2
    for k in range(1, 6):
        output.offer("camera 0", result(k, k / 30))
    assert output.dropped == 1
    output.n_sources = 1
    output.offer("camera 0", result(6, 0.2))
    assert output.dropped == 4
    sink.may_go_on.set()
    output.close()
    assert sink.got == [("camera 0", 0), ("camera 0", 5), ("camera 0", 6), "closed"]


def test_a_test_that_was_pushed_out_is_no_lost_frame():
    sink, output = busy(depth=1)
    output.test(lambda _: pytest.fail("it was pushed out"))
    output.offer("camera 0", result(1, 0.1))
    assert output.dropped == 0
    sink.may_go_on.set()
    output.close()


def test_what_comes_after_the_end_is_not_taken_and_not_counted():
    sink = Telling()
    output = SinkWorker(sink)
    output.close()
    output.offer("camera 0", result(0, 0.0))
    output.test(lambda _: pytest.fail("it has ended"))
    output.mark(Marker("m", 0.0))
    assert sink.got == ["closed"]
    assert (output.dropped, len(output._results)) == (0, 0)


def test_an_error_abandons_the_sink_and_is_handed_over(monkeypatch: pytest.MonkeyPatch):
    sink, error = Telling(), OutputError("the disk is full")

    def refuse(source: str, result: FrameResult) -> None:
        raise error

    monkeypatch.setattr(sink, "write", refuse)
    errors: list[Exception] = []
    output = SinkWorker(sink, on_failure=errors.append)
    output.offer("camera 0", result(0, 0.0))
    wait_until(lambda: bool(errors))
    output.close()
    assert errors == [error]
    assert sink.got == ["abandoned"]
    assert output.written == 0


def test_tests_and_markers_that_a_deaf_sink_leaves_are_counted_by_their_kind(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(worker, "_ENDS_WITHIN_S", 0.01)
    sink, output = busy()
    output.test(lambda _: None)
    output.offer("camera 0", result(1, 0.1))
    output.mark(Marker("m", 0.0))
    output.mark(Marker("n", 0.0))
    output.close()
    assert output.dropped == 1 + 2, "a test is no loss"
    sink.may_go_on.set()
    output.close()
