"""Two windows of one home, a clock that is set, and receivers that never read."""

import json
import random
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from fer_live.base import clocks
from fer_live.outputs import virtual_camera
from fer_live.outputs.address import Address
from fer_live.outputs.csv_file import CsvFile
from fer_live.outputs.sink import ResultSink
from fer_live.recording.recorder import Recorder
from tests.helpers.servers import free_port
from tests.trust.chaos import whole
from tests.trust.chaos.kills import a_folder, environment, start
from tests.trust.chaos.sources import Fault, FaultyCamera, Watched, labels_of
from tests.trust.chaos.writers import about
from tests.trust.counted import CountedWorker
from tests.trust.soak.stand_ins import made_up_models, made_up_pictures
from tests.trust.trials import Outcome, Trial

_SET = """
import sys
from fer_live.base.settings import change_settings
sys.stdin.readline()  # so that both begin at once
for number in range(1, 201):
    change_settings({sys.argv[1]: 10 + number})
"""
_SET_LAST = 210
_READ_BESIDE, _READ_WITHIN_S = 100, 30.0
"""More than the queues of a receiver hold."""
_ENDS_WITHIN_S = 20.0


def two_instances(number: int) -> Outcome:
    """Two processes write settings, or two windows record, at the same moments in one home."""
    return _two_write_settings() if number % 2 == 0 else _two_record(number)


def _two_write_settings() -> Outcome:
    with a_folder() as folder:
        home = environment(folder / "home")
        both = [
            subprocess.Popen(
                [sys.executable, "-c", _SET, name],
                env=home,
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name in ("camera", "clips_limit_mb")
        ]
        for process in both:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        said = [process.communicate(timeout=240)[1] for process in both]
        troubles = [error.strip()[-200:] for error in said if error]
        kept = json.loads((folder / "home" / "settings.json").read_bytes())
        found = (kept["camera"], kept["clips_limit_mb"])
        if found != (_SET_LAST, _SET_LAST):
            troubles.append(f"{_SET_LAST} was written last of both, {found} are kept")
        left = [path.name for path in (folder / "home").glob("*.partial*")]
        if left:
            troubles.append(f"left behind: {', '.join(left)}")
    return Outcome(failures=tuple(troubles))


def _two_record(number: int) -> Outcome:
    choose = random.Random(f"two {number}")
    with a_folder() as folder:
        both = [start("recording", folder) for _ in range(2)]
        for running in both:
            running.wait_for_word("Recorder")
        time.sleep(choose.uniform(0.5, 2))
        codes = [running.end(with_signal=15) for running in both]  # type: ignore[arg-type]
        troubles = [f"it ended with {code}" for code in codes if code]
        found = sorted((folder / "home" / "recordings").glob("*/"))
        if len(found) != 2:
            troubles.append(f"{len(found)} recordings of two windows")
        for path in found:
            troubles += whole.recording(path, 1)
    return Outcome(failures=tuple(troubles))


class _Clock:
    """The system's clock, which somebody sets."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def time(self) -> float:
        return time.time() + self.ahead_s

    def monotonic(self) -> float:
        return time.monotonic()


_one_clock = threading.Lock()


def clock_step(number: int) -> Outcome:
    """The clock is set by up to ten hours while it is recorded; times in a recording go on."""
    choose, clock = random.Random(f"clock {number}"), _Clock()
    with _one_clock, a_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(clocks, "time", clock)
        recorder = Recorder(folder, about())
        watched, workers = _watched(folder, lambda labels: [CsvFile(folder / "rows.csv", labels)])
        for _ in range(3):
            time.sleep(choose.uniform(0.1, 0.6))
            clock.ahead_s += choose.choice((-1, 1)) * choose.uniform(1, 36_000)
        seen = len(watched.results)
        came = watched.wait_for(seen + 5, 10)
        watched.session.stop()
        for worker in workers:
            worker.close()
        recorder.close()
        troubles = [] if came else ["no picture after the clock was set"]
        troubles += whole.csv_rows(folder / "rows.csv", workers[0].n_faces)
        last = (folder / "rows.csv").read_text().splitlines()[-1].split(",")
        header = (folder / "rows.csv").read_text().splitlines()[0].split(",")
        utc = datetime.fromisoformat(last[header.index("utc")]).timestamp()
        if abs(utc - clock.time()) > 10:
            troubles.append(f"utc is {utc - clock.time():.0f} s off")
        troubles += [str(error) for error in watched.said]
    return Outcome(failures=tuple(troubles))


class _DeafCamera:
    """A virtual camera whose driver never takes a picture."""

    is_over = threading.Event()

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def send(self, _: object) -> None:
        self.is_over.wait()

    def close(self) -> None:
        pass


def deaf_receiver(number: int) -> Outcome:
    """Receivers that never read lose frames, which are counted; nobody else does."""
    what = ("websocket", "osc", "camera")[number % 3]
    with a_folder() as folder:
        deaf = socket.socket(type=socket.SOCK_STREAM if what == "websocket" else socket.SOCK_DGRAM)
        with deaf:
            port = free_port()

            def sinks(labels: tuple[str, ...]) -> list[ResultSink]:
                return [CsvFile(folder / "rows.csv", labels), _sink(what, port, labels)]

            watched, workers = _watched(folder, sinks)
            if what == "websocket":
                _connect(deaf, port)
            if what == "osc":
                deaf.bind(("127.0.0.1", port))
            goes_on = watched.wait_for(len(watched.results) + _READ_BESIDE, _READ_WITHIN_S)
            began_s = time.monotonic()
            watched.session.stop()
            for worker in workers:
                worker.close()
            ended_s = time.monotonic() - began_s
        troubles = whole.csv_rows(folder / "rows.csv", workers[0].n_faces)
        if workers[0].offered != workers[0].written + workers[0].dropped:
            troubles.append("rows are not accounted for")
        told = workers[1].dropped_in_all
        if what == "camera" and workers[1].offered - workers[1].written - told not in (0, 1):
            troubles.append(f"{workers[1].offered} came, {told} are told to be dropped")
        if not goes_on:
            troubles.append("no frames are read beside it")
        if ended_s > _ENDS_WITHIN_S:
            troubles.append(f"it ends after {ended_s:.0f} s")
    return Outcome(failures=tuple(troubles), figures={"ended_s": round(ended_s, 1)})


def _sink(what: str, port: int, labels: tuple[str, ...]) -> ResultSink:
    address = Address("127.0.0.1", port)
    if what == "websocket":
        from fer_live.outputs._websocket_server import WebSocketSink

        return WebSocketSink(address, labels)
    if what == "osc":
        from fer_live.outputs.osc import OscSink

        return OscSink(address, labels)
    camera = virtual_camera.VirtualCamera("", lambda shown: shown.frame.image_bgr)
    camera._camera, camera._size_wh = _DeafCamera(), (192, 144)
    return camera


def _connect(client: socket.socket, port: int) -> None:
    """Shake hands, and read no more than that."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    client.connect(("127.0.0.1", port))
    client.sendall(
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )


def _watched(folder: Path, sinks) -> tuple[Watched, list[CountedWorker]]:  # type: ignore[no-untyped-def]
    """A session on a made-up camera that shows pictures, with these sinks."""
    watched = Watched()
    watched.begin(made_up_models(folder))
    workers = [CountedWorker(sink) for sink in sinks(labels_of(watched))]
    for worker in workers:
        watched.session.attach(worker)
    watched.session.open(partial(FaultyCamera, made_up_pictures(), Fault()), "camera 0")
    assert watched.wait_for(5, 60), "it shows no picture"
    return watched, workers


KINDS: dict[str, Trial] = {
    "two_instances": two_instances,
    "clock_step": clock_step,
    "deaf_receiver": deaf_receiver,
}
