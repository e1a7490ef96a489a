"""`kill -9` at random moments of what the window does."""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.trust.chaos import whole
from tests.trust.trials import Outcome, Trial

RECOVERS_WITHIN_S = 5.0
_STARTS_WITHIN_S = 120.0
_RUNS_FOR_S, _STARTS_FOR_S = 4.0, 4.0


@dataclass
class Running:
    """A process whose every line tells what it has done."""

    process: "subprocess.Popen[str]"
    told: dict[str, Any] = field(default_factory=dict)
    n_told: int = 0

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n") and line.startswith("{"):
                self.told = json.loads(line)
                self.n_told += 1

    def wait_for_word(self, of: str = "") -> None:
        """Until it has said something, of this writer where it is named."""
        until_s = time.monotonic() + _STARTS_WITHIN_S
        while not (self.told.get("pictures", {}).get(of) if of else self.n_told):
            if self.process.poll() is not None or time.monotonic() > until_s:
                raise AssertionError(f"it did not begin, code {self.process.poll()}")
            time.sleep(0.01)

    def end(self, with_signal: signal.Signals = signal.SIGKILL) -> int:
        """End it, and read what it said until then; its exit code."""
        self.process.send_signal(with_signal)
        return self.wait(30)

    def wait(self, within_s: float) -> int:
        """Until it has ended, and all that it said is read; raises `TimeoutExpired`."""
        code = self.process.wait(within_s)
        self._reader.join(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def environment(home: Path) -> dict[str, str]:
    """That of a process with a home of its own and no screen."""
    return {
        **os.environ,
        "FER_LIVE_HOME": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "OMP_NUM_THREADS": "1",
    }


def start(does: str, folder: Path) -> Running:
    """The window, which does this over and over."""
    command = [sys.executable, "-m", "tests.trust.chaos.app", does, str(folder)]
    with (folder / "errors").open("a") as errors:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(folder / "home"),
        )
    return Running(process)


@contextmanager
def a_folder() -> Iterator[Path]:
    """One for a trial."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        yield Path(folder)


def next_start(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Start the window again: what it tells, and its troubles."""
    looking = start("look", folder)
    try:
        code = looking.wait(_STARTS_WITHIN_S)
    except subprocess.TimeoutExpired:
        looking.end()
        told = {"started_s": _STARTS_WITHIN_S, "alone_s": _STARTS_WITHIN_S, "said": []}
        return told, ["the next start shows no picture"]
    errors = (folder / "errors").read_text()
    troubles = [] if code == 0 else [f"the next start ends with {code}: {errors[-200:]}"]
    troubles += ["a traceback"] if "Traceback" in errors else []
    told = looking.told or {"started_s": _STARTS_WITHIN_S, "alone_s": _STARTS_WITHIN_S, "said": []}
    if told["alone_s"] > RECOVERS_WITHIN_S:
        troubles.append(f"the next start takes {told['alone_s']:.1f} s")
    return told, troubles


def kill(does: str, check: Callable[[Path, dict[str, Any]], list[str]], number: int) -> Outcome:
    """Kill the window while it starts, one time in four, or while it works; look, start again."""
    choose = random.Random(f"{does} {number}")
    with a_folder() as folder:
        running = start(does, folder)
        if number % 4 == 3:
            time.sleep(choose.uniform(0, _STARTS_FOR_S))
        else:
            running.wait_for_word()
            time.sleep(choose.uniform(0, _RUNS_FOR_S))
        code = running.end()
        troubles = [] if code == -signal.SIGKILL else [f"it ended by itself with {code}"]
        troubles += check(folder, running.told)
        told, more = next_start(folder)
        troubles += more + _untold(folder, running.told, told["said"])
        figures = {
            "recovered_s": round(told["alone_s"], 2),
            "with_others_s": round(told["started_s"], 1),
        }
    return Outcome(failures=tuple(troubles), figures=figures)


def _untold(folder: Path, told: dict[str, Any], said: list[str]) -> list[str]:
    """What was cut off, and is not named to the person."""
    written = told.get("pictures", {})
    cut_off = [path for path in folder.glob("faces.partial.*") if ".markers" not in path.name]
    if written.get("Recorder"):
        cut_off += (folder / "home" / "recordings").glob("*/")
    if written.get("ClipRecorder"):
        cut_off += (folder / "home" / "clips").glob("*/")
    text = " ".join(said)
    return [
        f"{path.name}: nobody says that it was cut off" for path in cut_off if path.name not in text
    ]


def check_recordings(folder: Path, told: dict[str, Any]) -> list[str]:
    """There is one, whole but for its last second, or none where none had begun."""
    rows, pictures = told.get("rows", {}), told.get("pictures", {})
    found = [path for path in (folder / "home" / "recordings").glob("*/") if path.is_dir()]
    if not found and pictures.get("Recorder"):
        return ["the recording is gone"]
    troubles = []
    for path in found:
        if pictures.get("Recorder"):
            troubles += whole.recording(path, rows["Recorder"])
            troubles += whole.markers(path / "faces.jsonl")
    return troubles


def check_outputs(folder: Path, told: dict[str, Any]) -> list[str]:
    """The recording, CSV and JSONL, each with its markers."""
    rows = told.get("rows", {})
    troubles = check_recordings(folder, told)
    if rows:
        troubles += whole.csv_rows(folder / "faces.partial.csv", rows.get("CsvFile", 0))
        troubles += whole.json_rows(folder / "faces.partial.jsonl", rows.get("JsonlFile", 0))
        for suffix in ("csv", "jsonl"):
            troubles += whole.markers(folder / f"faces.partial.{suffix}")
    return troubles


def check_capture(folder: Path, told: dict[str, Any]) -> list[str]:
    """The clip is whole but for its last second; of a captured clip not every picture is kept."""
    troubles = []
    for path in (folder / "home" / "clips").glob("*/"):
        if (path / "faces.jsonl").stat().st_size and told:
            troubles += whole.recording(path, 1)
    return troubles


def check_settings(folder: Path, told: dict[str, Any]) -> list[str]:
    """They are those that were written last, or the next ones."""
    path = folder / "home" / "settings.json"
    if not told:
        return []
    kept = json.loads(path.read_bytes())["person"]
    number = -1 if kept == "me" else int(kept[1:])
    if number < told["set"]:
        return [f"settings: {kept} is kept, {told['set']} had been written"]
    return []


KINDS: dict[str, Trial] = {
    "kill_recording": partial(kill, "recording", check_recordings),
    "kill_outputs": partial(kill, "outputs", check_outputs),
    "kill_capture": partial(kill, "capture", check_capture),
    "kill_settings": partial(kill, "settings", check_settings),
}
