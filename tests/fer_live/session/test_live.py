import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from fer_live.datatypes import Frame, FrameResult
from fer_live.errors import ModelError, SourceError
from fer_live.session.live import Failure, LiveSession
from fer_live.session.meter import Meter, Samples
from tests.helpers.cameras import SyntheticCamera

IMAGE = np.zeros((8, 8, 3), np.uint8)


class FakePipeline:
    """Takes `seconds` a frame; frames whose index is in `broken` raise."""

    labels = ("neutral", "happiness")

    def __init__(self, seconds: float = 0.0, broken: tuple[int, ...] = ()) -> None:
        self.seconds, self.broken = seconds, broken
        self.n_resets = 0
        self.closed = False

    def process(self, frame: Frame) -> FrameResult:
        time.sleep(self.seconds)
        if frame.index in self.broken:
            raise RuntimeError("broken frame")
        return FrameResult(frame, (), {}, "cpu", "short")

    def reset(self) -> None:
        self.n_resets += 1

    def close(self) -> None:
        self.closed = True


class Watcher:
    """Collects what a session leaves, as the window does."""

    def __init__(self, load: Callable[[], FakePipeline]) -> None:
        self.meter = Meter()
        self.results: list[FrameResult] = []
        self.failures: list[Failure] = []
        self.source_numbers: list[int] = []
        self.news = threading.Event()
        # The session's thread may leave news before this line is over.
        ready = threading.Event()
        self.session = LiveSession(
            lambda: load() if ready.wait(60) else None,  # type: ignore[arg-type]
            self.meter,
            self.take,
        )
        ready.set()

    def take(self) -> None:
        self.failures += self.session.take_failures()
        if (live := self.session.results.get_nowait()) is not None:
            self.results.append(live.result)
            self.source_numbers.append(live.source_number)
        self.news.set()

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "nothing came"
            self.news.wait(0.05)
            self.news.clear()


def test_every_frame_is_processed_or_counted_as_dropped():
    watcher = Watcher(lambda: FakePipeline(seconds=0.004))
    watcher.session.open(lambda: SyntheticCamera([IMAGE], 300, fps=1000, paced=True))
    watcher.wait_for(lambda: bool(watcher.failures))
    watcher.session.stop()
    figures = watcher.meter.summary()
    assert figures["captured"] == 300
    assert 0 < figures["processed"] < 300
    assert figures["dropped"] == watcher.session._frames.dropped
    assert figures["captured"] == figures["processed"] + figures["dropped"]


class Patient(SyntheticCamera):
    """Sends a picture when what came of the one before was seen, so that none is ever dropped."""

    def __init__(self, watcher: Watcher, n_frames: int) -> None:
        super().__init__([IMAGE], n_frames)
        self._watcher = watcher

    def read(self) -> Frame | None:
        sent = self._index
        self._watcher.wait_for(
            lambda: len(self._watcher.results) + len(self._watcher.failures) >= sent
        )
        return super().read()


def test_one_bad_frame_is_reported_and_the_next_still_runs():
    watcher = Watcher(lambda: FakePipeline(broken=(3,)))
    watcher.session.open(lambda: Patient(watcher, 10))
    watcher.wait_for(lambda: len(watcher.failures) == 2 and len(watcher.results) == 9)
    watcher.session.stop()
    assert [f.stage for f in watcher.failures] == ["frame", "source"]
    assert "broken frame" in watcher.failures[0].message
    assert watcher.results[-1].frame.index == 9
    assert watcher.meter.summary()["failed"] == 1


def test_an_unplugged_camera_and_a_missing_one_are_told():
    watcher = Watcher(FakePipeline)
    watcher.session.open(lambda: SyntheticCamera([IMAGE], 2, then_fail=True))
    watcher.wait_for(lambda: bool(watcher.failures))

    def missing() -> SyntheticCamera:
        raise SourceError("camera 7: not there")

    watcher.session.open(missing)
    watcher.wait_for(lambda: len(watcher.failures) == 2)
    watcher.session.stop()
    assert watcher.failures[1].message == "camera 7: not there"


def test_a_model_that_cannot_be_loaded_is_told():
    def load() -> FakePipeline:
        raise ModelError("bad.onnx: not a model")

    watcher = Watcher(load)
    watcher.session.open(lambda: SyntheticCamera([IMAGE], 2))
    watcher.wait_for(lambda: bool(watcher.failures))
    watcher.session.stop()
    assert (watcher.failures[0].stage, watcher.failures[0].message) == (
        "model",
        "bad.onnx: not a model",
    )


def test_another_source_resets_the_pipeline_and_stop_closes_it():
    pipeline = FakePipeline()
    watcher = Watcher(lambda: pipeline)
    for n_sources in (1, 2):
        n_before = len(watcher.results)
        watcher.session.open(lambda: SyntheticCamera([IMAGE], 10_000, fps=200, paced=True))
        watcher.wait_for(lambda n=n_before: len(watcher.results) > n + 2)
        assert pipeline.n_resets == n_sources
    watcher.session.stop()
    watcher.session.stop()
    assert pipeline.closed
    assert sorted(set(watcher.source_numbers)) == [1, 2]
    assert watcher.source_numbers == sorted(watcher.source_numbers)


def test_another_pipeline_takes_over_and_one_that_cannot_be_loaded_does_not():
    pipelines = [FakePipeline(), FakePipeline(), FakePipeline()]
    watcher = Watcher(lambda: pipelines[0])
    watcher.session.open(lambda: SyntheticCamera([IMAGE], 10_000, fps=200, paced=True))
    watcher.wait_for(lambda: len(watcher.results) > 2)

    def broken() -> FakePipeline:
        raise ModelError("bad.onnx: not a model")

    watcher.session.load(broken)  # type: ignore[arg-type]
    watcher.wait_for(lambda: bool(watcher.failures))
    n_before = len(watcher.results)
    watcher.wait_for(lambda: len(watcher.results) > n_before + 2)
    assert watcher.session.pipeline is pipelines[0]

    watcher.session.load(lambda: pipelines[1])  # type: ignore[arg-type, return-value]
    watcher.wait_for(lambda: watcher.session.pipeline is pipelines[1])
    assert pipelines[0].closed
    assert not pipelines[1].closed
    assert [failure.stage for failure in watcher.failures] == ["model"]

    # Asked for twice, quickly: the last wish holds, though it is loaded first.
    slow = threading.Event()
    watcher.session.load(lambda: slow.wait(60) and pipelines[1])  # type: ignore[arg-type, return-value]
    watcher.session.load(lambda: pipelines[2])  # type: ignore[arg-type, return-value]
    watcher.wait_for(lambda: watcher.session.pipeline is pipelines[2])
    slow.set()
    time.sleep(0.05)
    assert watcher.session.pipeline is pipelines[2]
    watcher.session.stop()
    assert all(pipeline.closed for pipeline in pipelines)


def test_a_model_that_failed_first_can_be_replaced():
    def broken() -> FakePipeline:
        raise ModelError("bad.onnx: not a model")

    watcher = Watcher(broken)
    watcher.session.open(lambda: SyntheticCamera([IMAGE], 10_000, fps=200, paced=True))
    watcher.wait_for(lambda: bool(watcher.failures))
    watcher.session.load(FakePipeline)  # type: ignore[arg-type]
    watcher.wait_for(lambda: len(watcher.results) > 2)
    watcher.session.stop()


def test_no_failure_hides_another_one():
    """A source that ends just before its last frame fails must still be told."""
    session = LiveSession(FakePipeline, Meter(), lambda: None)  # type: ignore[arg-type]
    for stage in ("source", "model", "frame", "frame"):
        session._report(stage, RuntimeError(stage))  # type: ignore[arg-type]
    assert [failure.stage for failure in session.take_failures()] == ["model", "source", "frame"]
    assert session.take_failures() == []
    session.stop()


def test_a_read_that_blocks_for_ever_does_not_block_the_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fer_live.session.reconnect._STOPS_WITHIN_S", 0.1)
    released = threading.Event()

    class Blocked(SyntheticCamera):
        def read(self) -> Frame | None:
            released.wait(60)
            return None

    watcher = Watcher(FakePipeline)
    watcher.session.open(lambda: Blocked([IMAGE], 1))
    started = time.monotonic()
    watcher.session.stop()
    assert time.monotonic() - started < 2
    released.set()


def test_samples_of_nothing_and_percentiles():
    samples = Samples()
    assert samples.percentiles(p50=50) == {"p50": None}
    for value in range(70_000):
        samples.add(value)
    assert samples.percentiles(max=100) == {"max": 69_999.0}


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SourceError("camera 0: not there"), "camera 0: not there"),
        (ValueError("no such shape"), "ValueError: no such shape"),
    ],
)
def test_a_failure_names_the_kind_of_an_error_that_is_none_of_ours(error, message):
    assert Failure("frame", error).message == message
