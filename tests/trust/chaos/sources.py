"""Sources that are pulled, stalled, slowed, repeated and resized while they are recorded."""

import http.server
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from fer_live.base.settings import Settings
from fer_live.datatypes import Frame, UInt8Array
from fer_live.errors import SourceError
from fer_live.outputs.csv_file import CsvFile
from fer_live.outputs.sink import ResultSink
from fer_live.recording.recorder import About, Recorder
from fer_live.session.live import LiveResult, LiveSession
from fer_live.session.meter import FrameCounts
from fer_live.session.reconnect import SourceLost
from fer_live.sources.source import FrameSource
from fer_live.sources.stream import StreamSource
from tests.trust.chaos import whole
from tests.trust.chaos.kills import RECOVERS_WITHIN_S, a_folder
from tests.trust.counted import CountedWorker
from tests.trust.soak.stand_ins import Loader, Pace, made_up_models, made_up_pictures
from tests.trust.trials import Outcome, Trial

_FPS = 25.0
_FIRST_WITHIN_S = 60.0
_GIVES_UP_AFTER_S = 25.0
_ENLARGED = 1.5


@dataclass
class Fault:
    """What a source does now; `since_s` is when it became good again."""

    what: str = ""
    since_s: float = 0.0

    def begin(self, what: str) -> None:
        self.what = what

    def end(self) -> None:
        self.what, self.since_s = "", time.monotonic()


class FaultyCamera:
    """A camera whose driver does what `fault` says; it stands for a device that comes back."""

    reconnects, n_frames, name = True, None, "camera 0"

    def __init__(self, pictures: list[UInt8Array], fault: Fault) -> None:
        if fault.what == "pull":
            raise SourceError("camera 0: not there")
        self._pictures, self._fault, self._index = pictures, fault, 0

    def read(self) -> Frame | None:
        time.sleep(1 / _FPS)
        if self._fault.what == "pull":
            raise SourceError("camera 0: it stopped sending pictures")
        while self._fault.what == "stall":
            time.sleep(0.02)
        if self._fault.what == "slow":
            time.sleep(1.0)
        self._index += self._fault.what != "repeat"
        picture = self._pictures[self._index % len(self._pictures)].copy()
        picture[-1, -16:] = self._index % 251  # no two pictures are the same
        if self._fault.what == "resize":
            picture = cv2.resize(picture, None, fx=_ENLARGED, fy=_ENLARGED)
        return Frame(np.ascontiguousarray(picture), self._index, time.monotonic())

    def close(self) -> None:
        pass


@contextmanager
def faulty_stream(pictures: list[UInt8Array], fault: Fault) -> Iterator[str]:
    """An MJPEG stream over HTTP that does what `fault` says; yields its address."""
    camera_fault = fault
    is_over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            if camera_fault.what == "pull":
                self.send_error(503)
                return
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            camera = FaultyCamera(pictures, camera_fault)
            with suppress(OSError, SourceError):
                while not is_over.is_set() and (frame := camera.read()) is not None:
                    jpeg = cv2.imencode(".jpg", frame.image_bgr)[1].tobytes()
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}"
                    self.wfile.write(head.encode() + b"\r\n\r\n" + jpeg + b"\r\n")
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/stream"
    finally:
        is_over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Watched:
    """A live session whose results and failures are noted as they come."""

    session: LiveSession = field(init=False)
    meter: FrameCounts = field(default_factory=FrameCounts)
    results: list[tuple[float, int, tuple[int, ...]]] = field(default_factory=list)
    """When it came, the frame's number, and the picture's shape."""
    said: list[Exception] = field(default_factory=list)
    frames_s: list[float] = field(default_factory=list)

    def begin(self, models: list[str]) -> None:
        load = Loader(Pace(), is_real=False)
        settings = Settings(model=models[0], provider="cpu")
        self.session = LiveSession(lambda: load(settings), self.meter, self._take)

    def _take(self) -> None:
        live = self.session.results.get_nowait()
        if isinstance(live, LiveResult):
            frame = live.result.frame
            self.results.append((time.monotonic(), frame.index, frame.image_bgr.shape))
            self.frames_s.append(frame.captured_at_s)
        self.said += [failure.error for failure in self.session.take_failures()]

    def wait_for(self, n: int, within_s: float) -> bool:
        until_s = time.monotonic() + within_s
        while len(self.results) < n:
            if time.monotonic() > until_s:
                return False
            time.sleep(0.01)
        return True

    def back_after_s(self, since_s: float) -> float:
        """Seconds from `since_s` to the first picture that was taken after it."""
        until_s = time.monotonic() + _GIVES_UP_AFTER_S
        while time.monotonic() < until_s:
            for taken_s, came in zip(list(self.frames_s), list(self.results), strict=False):
                if taken_s > since_s:
                    return came[0] - since_s
            time.sleep(0.01)
        return _GIVES_UP_AFTER_S


_LASTS_S = {"pull": (0.3, 4), "stall": (3, 5), "slow": (1, 4), "repeat": (3, 5), "resize": (1, 2)}
"""How long each fault lasts. What lasts less than 2.5 s is no stall, and nobody needs to hear of
it."""
_SAID = ("pull", "stall", "repeat")


def fault(what: str, number: int) -> Outcome:
    """Let a stream, or every other time a camera, do this at a random moment, and come back."""
    choose = random.Random(f"{what} {number}")
    troubles: list[str] = []
    with a_folder() as folder:
        state, pictures = Fault(), made_up_pictures()
        watched = Watched()
        watched.begin(made_up_models(folder))
        about = About(
            labels=labels_of(watched),
            model="one.onnx",
            source="camera 0",
            began_at=datetime.now().astimezone(),
            with_overlay=False,
        )
        recorder, rows = Recorder(folder, about), CsvFile(folder / "rows.csv", about.labels)
        broken: list[Exception] = []
        sinks: tuple[ResultSink, ...] = (recorder, rows)
        workers = [CountedWorker(sink, on_failure=broken.append) for sink in sinks]
        for worker in workers:
            watched.session.attach(worker)
        with faulty_stream(pictures, state) as address:
            opens = (
                partial(_open, address) if number % 2 else partial(FaultyCamera, pictures, state)
            )
            watched.session.open(opens, "camera 0")
            try:
                if not watched.wait_for(10, _FIRST_WITHIN_S):
                    return Outcome(failures=("it shows no picture",))
                time.sleep(choose.uniform(0, 1))
                state.begin(what)
                time.sleep(choose.uniform(*_LASTS_S[what]))
                state.end()
                back_s = watched.back_after_s(state.since_s)
                watched.wait_for(len(watched.results) + 10, 5)
            finally:
                state.end()
                watched.session.stop()
                for worker in workers:
                    worker.close()
        troubles += _troubles(what, watched, workers, broken, folder)
        troubles += whole.recording(recorder.folder, 0)
    if back_s > RECOVERS_WITHIN_S:
        troubles.append(f"it comes back after {back_s:.1f} s")
    return Outcome(failures=tuple(troubles), figures={"recovered_s": round(back_s, 2)})


def labels_of(watched: Watched) -> tuple[str, ...]:
    """The labels of the model, once it is loaded."""
    until_s = time.monotonic() + _FIRST_WITHIN_S
    while watched.session.pipeline is None and time.monotonic() < until_s:
        time.sleep(0.01)
    assert watched.session.pipeline is not None, "the model does not load"
    return watched.session.pipeline.labels


def _open(address: str) -> FrameSource:
    return StreamSource(address)


def _troubles(
    what: str,
    watched: Watched,
    workers: list[CountedWorker],
    broken: list[Exception],
    folder: Path,
) -> list[str]:
    """What was lost, or not said."""
    troubles = []
    lost = [error for error in watched.said if isinstance(error, SourceLost)]
    other = [error for error in watched.said if not isinstance(error, SourceLost)]
    troubles += [f"{type(error).__name__}: {error}" for error in other]
    if what in _SAID and not lost:
        troubles.append("nobody says that it was lost")
    if what not in _SAID and lost:
        troubles.append(f"said for nothing: {lost[0]}")
    numbers = [number for _, number, _ in watched.results]
    if numbers != sorted(set(numbers)):
        troubles.append("frames are not numbered in order")
    meter, session = watched.meter, watched.session
    if meter.captured != meter.processed + meter.failed + session.n_dropped:
        troubles.append("frames are not accounted for")
    if what == "resize":  # a video has one size: the recording ends, and says so
        if [str(error) for error in broken if "size" in str(error)] != [str(e) for e in broken]:
            troubles.append(f"the recording ended otherwise: {broken}")
        if not broken:
            troubles.append("nobody says that the recording ended")
    else:
        troubles += [f"{type(error).__name__}: {error}" for error in broken]
        if workers[0].offered != workers[0].written + workers[0].dropped:
            troubles.append("frames of the recording are not accounted for")
    if workers[1].offered != workers[1].written + workers[1].dropped:
        troubles.append("rows are not accounted for")
    return troubles + whole.csv_rows(folder / "rows.csv", workers[1].n_faces)


KINDS: dict[str, Trial] = {f"{what}_stream": partial(fault, what) for what in _LASTS_S}
