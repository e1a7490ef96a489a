"""A hundred markers from three channels while the app is at work: `python -m benchmarks.markers`.

The app reads the demo clip and writes to every output. Each marker's text tells when it was made;
that is compared with the time that each output gives it. Where there is a display and xdotool, keys
are pressed too, in a window of the app's own. Half a minute.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pylsl
from pythonosc.osc_message import OscMessage
from pythonosc.osc_packet import OscPacket
from pythonosc.udp_client import SimpleUDPClient
from websockets.sync.client import connect

from fer_live.base.clocks import offset_s
from fer_live.outputs.marker_file import companion_of, read_marker_file
from fer_live.recording.recorder import list_recordings

_KEY = "key"
_EVERY_S = 0.1
_STARTS_WITHIN_S = 120.0

Told = dict[str, list[tuple[str, float]]]
"""Output -> text and wall-clock time, in seconds, of each marker that it told."""


@dataclass(slots=True)
class Measured:
    """What came of it.

    Args:
        late_ms: (channel, output) -> of each marker how much later than it was made its time is.
        missing: (channel, output) -> how many are not there.
        frame_utc_ms: Of each row how far its `utc` is from the system's clock at its `time_s`.
    """

    late_ms: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    missing: dict[tuple[str, str], int] = field(default_factory=dict)
    frame_utc_ms: list[float] = field(default_factory=list)


def measure(folder: Path, n_each: int, *, with_keys: bool) -> Measured:
    """Start the app in `folder`, mark, end it, and compare.

    Args:
        folder: Empty; what the app writes stays there.
        n_each: How many markers each channel makes.
        with_keys: Whether there is a display, on which keys are pressed and recording is on.
    """
    ports = {name: _free_port(name) for name in ("osc", "websocket", "marker_osc")}
    name = f"benchmark {os.getpid()} {time.monotonic_ns()}"
    told: Told = {"osc": [], "websocket": [], "lsl": []}
    outlet = pylsl.StreamOutlet(
        pylsl.StreamInfo(f"{name} in", "Markers", 1, pylsl.IRREGULAR_RATE, "string", name)
    )
    made: dict[str, list[tuple[str, float]]] = {}
    with _app(folder, ports, name, with_keys=with_keys) as app, _listening(ports, name, told):
        _wait(outlet.have_consumers)
        if with_keys:
            _focus(app.pid)
            _press("ctrl+r")
            time.sleep(2)
        client = SimpleUDPClient("127.0.0.1", ports["marker_osc"])
        with connect(f"ws://127.0.0.1:{ports['websocket']}/") as socket_:
            senders: dict[str, Callable[[str], object]] = {
                "osc": lambda text: client.send_message("/fer/marker", text),
                "lsl": lambda text: outlet.push_sample([text]),
                "websocket": lambda text: socket_.send(json.dumps({"marker": text})),
            }
            if with_keys:
                senders[_KEY] = lambda _: _press("1")
            threads = [
                threading.Thread(target=_make, args=(channel, send, n_each, made))
                for channel, send in senders.items()
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            time.sleep(1)
        client._sock.close()
    told |= _written(folder, with_keys=with_keys)
    return _compared(made, told, folder)


def _make(
    channel: str,
    send: Callable[[str], object],
    n: int,
    made: dict[str, list[tuple[str, float]]],
) -> None:
    made[channel] = []
    for k in range(n):
        made_at_s = time.time()
        text = f"{channel} {k}"
        made[channel].append((text, made_at_s))
        send(text)
        time.sleep(_EVERY_S)


@contextmanager
def _app(
    folder: Path, ports: dict[str, int], name: str, *, with_keys: bool
) -> Iterator["subprocess.Popen[bytes]"]:
    home = folder / "home"
    home.mkdir()
    settings = {"notice_accepted_on": "2026-11-25", "marker_keys": [{"text": _KEY}]}
    (home / "settings.json").write_text(json.dumps(settings))
    options = {
        "--csv": folder / "rows.csv",
        "--jsonl": folder / "rows.jsonl",
        "--osc": f"127.0.0.1:{ports['osc']}",
        "--websocket": ports["websocket"],
        "--lsl": name,
        "--marker-osc": ports["marker_osc"],
        "--marker-lsl": f"{name} in",
    }
    command = [sys.executable, "-m", "fer_live", "--demo", "--provider", "cpu"]
    command += [str(word) for pair in options.items() for word in pair]
    environment = os.environ | {"FER_LIVE_HOME": str(home)}
    environment["QT_QPA_PLATFORM"] = "xcb" if with_keys else "offscreen"
    app = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield app
    finally:
        app.terminate()
        app.wait(60)


@contextmanager
def _listening(ports: dict[str, int], name: str, told: Told) -> Iterator[None]:
    """Collect what the outputs that send tell of markers."""
    end, connected = threading.Event(), threading.Event()
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", ports["osc"]))
    receiver.settimeout(0.2)
    _wait(lambda: _answers(ports["websocket"]))
    found = pylsl.resolve_byprop("name", f"{name} markers", timeout=_STARTS_WITHIN_S)
    inlet = pylsl.StreamInlet(found[0])
    inlet.open_stream(_STARTS_WITHIN_S)

    def hear_osc() -> None:
        while not end.is_set():
            packet = _try(lambda: receiver.recv(65536))
            for timed in OscPacket(packet).messages if packet else ():
                message: OscMessage = timed.message
                if message.address == "/fer/marked":
                    text, _, utc, _ = message.params
                    told["osc"].append((text, datetime.fromisoformat(utc).timestamp()))

    def hear_websocket() -> None:
        with connect(f"ws://127.0.0.1:{ports['websocket']}/") as client:
            connected.set()
            while not end.is_set():
                message = _try(lambda: client.recv(0.2))
                said: dict[str, Any] = json.loads(message) if message else {}
                if "marker" in said:
                    at_s = said["time_s"] + offset_s(time.time)
                    told["websocket"].append((said["marker"], at_s))

    def hear_lsl() -> None:
        while not end.is_set():
            sample, stamp = inlet.pull_sample(0.2)
            if sample is not None:
                at_s = stamp - offset_s(pylsl.local_clock) + offset_s(time.time)
                told["lsl"].append((sample[0], at_s))

    threads = [threading.Thread(target=one) for one in (hear_osc, hear_websocket, hear_lsl)]
    for thread in threads:
        thread.start()
    try:
        _wait(connected.is_set)
        time.sleep(1)  # until the app has taken the new client in
        yield
        time.sleep(1)
    finally:
        end.set()
        for thread in threads:
            thread.join()
        receiver.close()
        inlet.close_stream()


def _written(folder: Path, *, with_keys: bool) -> Told:
    """What the files tell, once the app has ended."""
    told: Told = {}
    for output in ("csv", "jsonl"):
        spans = read_marker_file(companion_of(folder / f"rows.{output}"))
        wall_s = offset_s(time.time)
        told[output] = [(span.text, span.from_s + wall_s) for span in spans]
    if with_keys:
        (recording,) = list_recordings(folder / "home" / "recordings")
        told["recording"] = [
            (span.text, recording.utc_at(span.from_s).timestamp()) for span in recording.markers()
        ]
    return told


def _compared(made: dict[str, list[tuple[str, float]]], told: Told, folder: Path) -> Measured:
    measured = Measured()
    for channel, sent in made.items():
        for output, got in told.items():
            # The texts of keys are all the same: the n-th is the n-th.
            times = [at_s for text, at_s in got if text == _KEY] if channel == _KEY else []
            by_text = dict(zip((t for t, _ in sent), times, strict=False)) or dict(got)
            late = [1000 * (by_text[t] - made_s) for t, made_s in sent if t in by_text]
            measured.late_ms[channel, output] = late
            measured.missing[channel, output] = len(sent) - len(late)
    wall_s = offset_s(time.time)
    for line in (folder / "rows.jsonl").read_text().splitlines():
        row = json.loads(line)
        told_s = datetime.fromisoformat(row["utc"]).timestamp()
        measured.frame_utc_ms.append(1000 * (told_s - row["time_s"] - wall_s))
    return measured


def _press(key: str) -> None:
    subprocess.run(["xdotool", "key", key], check=True)


def _focus(pid: int) -> None:
    search = ["xdotool", "search", "--onlyvisible", "--pid", str(pid)]
    for window in subprocess.run(search, capture_output=True, text=True).stdout.split():
        subprocess.run(["xdotool", "windowfocus", window], capture_output=True)
    time.sleep(0.5)


def _free_port(name: str) -> int:
    kind = socket.SOCK_STREAM if name == "websocket" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _try(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (OSError, TimeoutError):
        return None


def _wait(ask: Callable[[], Any]) -> Any:
    deadline_s = time.monotonic() + _STARTS_WITHIN_S
    while not (answer := ask()):
        if time.monotonic() > deadline_s:
            raise TimeoutError("the app did not start")
        time.sleep(0.1)
    return answer


def main() -> None:
    """Print the figures of docs/markers.md."""
    with_keys = bool(os.environ.get("DISPLAY")) and shutil.which("xdotool") is not None
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder), 25 if with_keys else 34, with_keys=with_keys)
    for (channel, output), late in measured.late_ms.items():
        low, middle, high = np.percentile(late, (0, 50, 100)) if late else (np.nan,) * 3
        missing = measured.missing[channel, output]
        print(f"{channel:>9} -> {output:<9} missing {missing}, ", end="")
        print(f"late by {low:.1f} to {high:.1f} ms, median {middle:.1f}")
    utc = np.abs(measured.frame_utc_ms)
    print(f"utc of {len(utc)} rows: within {utc.max():.2f} ms of the system's clock")


if __name__ == "__main__":
    main()
