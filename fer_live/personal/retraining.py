"""Runs `fer-train personalize` beside the app, which itself needs no torch."""

import contextlib
import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil

from fer_live.base.atomic_file import write_atomically
from fer_live.base.deletion import delete_folder
from fer_live.base.home import home
from fer_live.base.parse import parse_json
from fer_live.base.regular_file import read_whole
from fer_live.base.self_contained import is_self_contained
from fer_live.base.translation import tr
from fer_live.errors import InputError, OutputError
from fer_live.personal.clips import ME, clips_folder, list_clips, list_takes, takes_folder
from fer_live.personal.models import InstalledModel
from fer_live.personal.proof import PROOF_FILE
from fer_live.recording.recorder import new_folder

COMMAND = (sys.executable, "-m", "training.cli", "personalize")
_ARGUMENTS_SUFFIX = ".arguments.json"
_OUTCOME_SUFFIX = ".outcome.json"
_NICENESS = 10
_ENDS_WITHIN_S = 10.0
_ENDED_WELL = (0, 3)
"""With a model, or refused by the proof: both left what they found."""
_NEEDED = ("torch", "kornia", "safetensors", "tomlkit", "onnxscript")


@dataclass(frozen=True, slots=True)
class Progress:
    """`stage` is faces, calibrate, learn or export; `done` 0 to 1 of the whole; `left_s` seconds,
    None where nothing can be said yet; `elapsed_s` seconds since it began."""

    stage: str = "faces"
    done: float = 0.0
    left_s: float | None = None
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended: the command's exit code, and its last line where it is not 0."""

    code: int
    message: str

    @property
    def asks_whose(self) -> bool:
        """Several people are in a clip, and the person has to say whose face is meant."""
        return self.code == 2 and "--track" in self.message

    @property
    def was_interrupted(self) -> bool:
        """Something from outside ended it; one that failed by itself would fail again."""
        return self.code < 0


def require_training_packages() -> None:
    """Raise `InputError` with what to install where this installation cannot retrain."""
    if is_self_contained():
        raise InputError(
            tr("Retraining needs torch, which is not in this app; install FER Live with pip")
        )
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(
            tr("Retraining needs more packages; in the project's folder: pip install '.[export]'")
        )


def arguments_for(model: InstalledModel, whose: str = "", person: str = ME) -> list[str]:
    """What `personalize` is called with: all clips and takes of a person that there are, and the
    model in use as the start, or the shipped one where that has no checkpoint. `whose` is a value
    of --track."""
    arguments = ["--person", person]
    if list_clips(person):
        arguments += ["--clips", str(clips_folder(person))]
    if list_takes(person):
        arguments += ["--labeled", str(takes_folder(person))]
    if model.folder is not None and model.has_checkpoint:
        arguments += ["--from", str(model.checkpoint)]
    return [*arguments, "--track", whose] if whose else arguments


def unfinished_run() -> Path | None:
    """The folder of an interrupted retraining; a later one ends the wait for all before it. One
    that failed by itself was not interrupted, and is not offered again."""
    newest = _newest_run()
    if newest is None or (newest / PROOF_FILE).exists() or _outcome_file(newest).exists():
        return None
    return newest


def finished_run() -> Path | None:
    """The folder of a retraining whose result was neither installed nor followed by another."""
    newest = _newest_run()
    return newest if newest is not None and (newest / PROOF_FILE).exists() else None


def settle(run_dir: Path) -> None:
    """Mark a retraining as done: its result is installed and nothing of it is resumed."""
    for file in (_arguments_file(run_dir), _outcome_file(run_dir)):
        with contextlib.suppress(OSError):
            file.unlink()


def discard(run_dir: Path) -> None:
    """Delete a retraining with all that it found so far; nothing of it can be resumed. Raises
    `OutputError`."""
    settle(run_dir)
    delete_folder(run_dir)


def _newest_run() -> Path | None:
    runs = sorted(path for path in (home() / "retraining").glob("*/") if path.is_dir())
    return runs[-1] if runs and _arguments_file(runs[-1]).exists() else None


class Retraining:
    """One run, in a process of low priority. A process that is cancelled, or killed with the app,
    loses at most its last minute; `resume` goes on."""

    def __init__(
        self, run_dir: Path, arguments: Sequence[str], command: Sequence[str] = COMMAND
    ) -> None:
        self.run_dir = run_dir
        self.progress = Progress()
        self.outcome: Outcome | None = None
        self._last_error = ""
        try:
            self._process = subprocess.Popen(
                [*command, *arguments, "--out", str(run_dir), "--progress"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise InputError(
                tr("retraining cannot be started: {why}", why=error.strerror or error)
            ) from None
        psutil.Process(self._process.pid).nice(
            _NICENESS if sys.platform != "win32" else psutil.BELOW_NORMAL_PRIORITY_CLASS
        )
        self._threads = [
            threading.Thread(target=read, daemon=True)
            for read in (self._read_progress, self._read_errors)
        ]
        for thread in self._threads:
            thread.start()

    @classmethod
    def start(cls, arguments: Sequence[str], command: Sequence[str] = COMMAND) -> "Retraining":
        """A new one, in a folder of its own; what it was asked for is kept for `resume`."""
        run_dir = new_folder(home() / "retraining", datetime.now())
        write_atomically(
            _arguments_file(run_dir), json.dumps(list(arguments)).encode(), is_private=True
        )
        try:
            return cls(run_dir, arguments, command)
        except InputError:
            with contextlib.suppress(OutputError):
                discard(run_dir)  # it did not begin, so nothing was interrupted
            raise

    @classmethod
    def resume(cls, run_dir: Path, command: Sequence[str] = COMMAND) -> "Retraining":
        """Resume an interrupted retraining with the arguments that it was started with."""
        file = _arguments_file(run_dir)
        _outcome_file(run_dir).unlink(missing_ok=True)
        try:
            arguments = parse_json(read_whole(file))
        except (OSError, ValueError):
            raise InputError(tr("{file}: cannot be read; begin anew", file=file)) from None
        return cls(run_dir, arguments, command)

    @property
    def is_running(self) -> bool:
        """Whether the process is there; afterwards `outcome` tells how it ended."""
        if self.outcome is not None:
            return False
        code = self._process.poll()
        if code is None:
            return True
        for thread in self._threads:
            thread.join()
        self.outcome = Outcome(code, self._last_error)
        self._keep_failure(self.outcome)
        return False

    def cancel(self) -> None:
        """End it; waits a few seconds at most."""
        self._process.terminate()
        try:
            self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join()

    def _keep_failure(self, outcome: Outcome) -> None:
        """So that later starts do not call it interrupted."""
        if outcome.code in _ENDED_WELL or outcome.was_interrupted:
            return
        told = {"code": outcome.code, "message": outcome.message}
        with contextlib.suppress(OutputError):
            write_atomically(
                _outcome_file(self.run_dir), json.dumps(told).encode(), is_private=True
            )

    def _read_progress(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                try:
                    told = parse_json(line)
                    elapsed_s = float(told.get("elapsed_s", 0.0))
                    self.progress = Progress(
                        told["stage"], float(told["done"]), told["left_s"], elapsed_s
                    )
                except (ValueError, KeyError, TypeError, AttributeError):
                    continue  # a line for people

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                if line.strip():
                    self._last_error = line.strip().removeprefix("fer-train: ")


def _arguments_file(run_dir: Path) -> Path:
    return run_dir.with_name(run_dir.name + _ARGUMENTS_SUFFIX)


def _outcome_file(run_dir: Path) -> Path:
    return run_dir.with_name(run_dir.name + _OUTCOME_SUFFIX)
