"""Some hundred inputs of a kind in a process of their own, each one watched."""

import contextlib
import errno
import faulthandler
import gc
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO, Any

from fer_live.errors import FerLiveError
from tests.helpers.descriptors import open_descriptors
from tests.trust.fuzz.kind import InputKind, Reader
from tests.trust.trials import Outcome

MAX_S, MAX_MB = 10.0, 2048
"""Seconds of the processor, for the machine may have other work; on the clock thrice as many."""
_WAITS_S = 3 * MAX_S
_STUCK_S = _WAITS_S + 5
"""What does not come back to Python is ended from outside of it."""
_ROOT = Path(__file__).parents[3]
_OUTSIDE = "outside"
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.chmod")


class TooSlow(BaseException):
    """No `except Exception` of a reader may swallow it."""


@dataclass(slots=True)
class _Found:
    failures: list[str] = field(default_factory=list)
    n: int = 0
    at: int | None = None
    figures: dict[str, float] = field(default_factory=dict)


def run_batch(kind: str, first: int, count: int) -> Outcome:
    """Read the inputs `first`, `first` + 1, ... of a kind.

    A process that crashes or hangs costs its input; another one goes on behind it.
    """
    found = _Found()
    at = first
    while at < first + count:
        ended = _run(kind, at, first + count - at, found)
        if ended is None:
            break
        if found.at is None:
            return Outcome(count, (*found.failures, f"did not begin: {ended}"), "", found.figures)
        found.failures.append(f"#{found.at}: {ended}")
        found.n, at = found.n + 1, found.at + 1
    return Outcome(found.n, tuple(found.failures), figures=found.figures)


def _run(kind: str, first: int, count: int, found: _Found) -> str | None:
    """One process; how it ended, None where well."""
    command = [sys.executable, "-m", "tests.trust.fuzz", "--work", kind, str(first), str(count)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    found.at = None
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=_ROOT
        )
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                _take(json.loads(line), found)
        code = process.wait()
        errors.seek(0)
        said = errors.read()[-2000:].decode(errors="replace").split("\n")
    if code == 0:
        return None
    told = [line.strip() for line in said if line.strip()]
    place = next((line for line in told if 'File "' in line and "/tests/" not in line), "")
    why = told[0] if told and code == 1 and "Timeout" in told[0] else " | ".join(told[-2:])
    return f"process ended with {code}: {why} {place}".strip()


def _take(told: dict[str, Any], found: _Found) -> None:
    if "failed" in told:
        found.failures.append(f"#{found.at}: {told['failed']}")
    for name, value in told.get("figures", {}).items():
        found.figures[name] = max(found.figures.get(name, 0.0), value)
    if "at" in told:
        found.at = told["at"]
    found.n += told.get("n", 0)


def work(kind: InputKind, name: str, first: int, count: int) -> None:
    """Read inputs in this process, and tell on standard output what came of each."""
    with os.fdopen(os.dup(1), "w") as out, Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 1)
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            _Work(kind, name, Path(folder), out).run(first, count)


def write_input(kind: InputKind, name: str, number: int, folder: Path) -> None:
    """Write one spoilt input into a folder, to look at it."""
    kind.make(folder)
    kind.spoil(folder, Random(f"{name} {number}"))


class _Work:
    """One process's inputs, one after the other, in a folder of their own."""

    def __init__(self, kind: InputKind, name: str, folder: Path, out: IO[str]) -> None:
        self._kind, self._name, self._out = kind, name, out
        folder = folder.resolve()
        self._folder, self._input = folder, folder / "input"
        self._whole = folder / "whole"
        self._strays: list[str] = []
        self._is_watched = False
        self._n_said = 0
        self._figures = {"MB": 0.0, "s": 0.0}

    def run(self, first: int, count: int) -> None:
        """Read the input that is in order first: it must be read without an error."""
        self._enter()
        self._kind.make(self._whole)
        with self._kind.reader() as reader:
            self._renew()
            reader.read(self._input)
            self._n_said = os.fstat(2).st_size
            _limit(reader.pid)
            sys.addaudithook(self._audit)
            signal.signal(signal.SIGALRM, _too_slow)
            signal.signal(signal.SIGPROF, _too_slow)
            _forget_peak(reader.pid)
            for number in range(first, first + count):
                self._tell(at=number)
                for failure in self._failures(number, reader):
                    self._tell(failed=failure)
                self._tell(n=1)
        self._tell(figures={name: round(value, 1) for name, value in self._figures.items()})

    def _enter(self) -> None:
        """Relative names lead into a folder that is watched; so do those of home and temporary."""
        (self._folder / _OUTSIDE).mkdir()
        (self._folder / _OUTSIDE / "kept.txt").write_text("nobody may touch this")
        self._whole.mkdir()
        os.chdir(self._folder / _OUTSIDE)
        places = {"FER_LIVE_HOME": "home", "HOME": "home", "TMPDIR": "temporary"}
        os.environ |= {name: str(self._input / place) for name, place in places.items()}
        os.environ |= {"MPLCONFIGDIR": str(self._folder / "matplotlib")}
        tempfile.tempdir = None
        warnings.simplefilter("ignore")

    def _renew(self) -> None:
        self._is_watched = False
        shutil.rmtree(self._input, ignore_errors=True)
        shutil.copytree(self._whole, self._input, symlinks=True)
        for name in ("home", "temporary"):
            (self._input / name).mkdir(exist_ok=True)

    def _failures(self, number: int, reader: Reader) -> Iterator[str]:
        self._renew()
        self._kind.spoil(self._input, Random(f"{self._name} {number}"))
        before, descriptors = self._outside(), open_descriptors()
        self._strays.clear()
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        faulthandler.dump_traceback_later(_STUCK_S, exit=True)
        signal.setitimer(signal.ITIMER_REAL, _WAITS_S)
        signal.setitimer(signal.ITIMER_PROF, MAX_S)
        self._is_watched = True
        try:
            reader.read(self._input)
        except FerLiveError as error:
            if len(str(error).splitlines()) > 1:
                yield f"{type(error).__name__} of several lines: {str(error)!r}"
        except (Exception, TooSlow) as error:  # noqa: BLE001  # each is a failure, and told
            yield _described(error)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.setitimer(signal.ITIMER_PROF, 0)
            faulthandler.cancel_dump_traceback_later()
            self._is_watched = False
        took_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
        if took_s > _WAITS_S or cpu_s > MAX_S:
            yield f"took {took_s:.1f} s, {cpu_s:.1f} s of them the processor's"
        yield from self._left_behind(before, descriptors)
        yield from self._said()
        yield from self._too_large(reader.pid)
        self._figures["s"] = max(self._figures["s"], cpu_s if reader.pid is None else took_s)

    def _left_behind(
        self, before: list[tuple[str, int]], descriptors: set[tuple[str, str]]
    ) -> Iterator[str]:
        if self._outside() != before:
            yield f"files outside the folder: {self._outside()}"
        yield from dict.fromkeys(self._strays)
        if open_descriptors() - descriptors:
            gc.collect()
            if left := open_descriptors() - descriptors:
                yield f"descriptors left open: {sorted(left)}"

    def _outside(self) -> list[tuple[str, int]]:
        """What lies beside the input, and when it was changed."""
        found = []
        for folder, _, names in os.walk(self._folder):
            if Path(folder).is_relative_to(self._input):
                continue
            found += [(str(Path(folder, n)), Path(folder, n).lstat().st_mtime_ns) for n in names]
        return sorted(found)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Hears of every change before it happens, and prevents those outside of the folder."""
        if not self._is_watched:
            return
        is_write = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES
        if not (is_write or event in _CHANGES):
            return
        if event in ("os.remove", "os.rmdir") and arguments[-1] != -1:
            return  # of a folder that is open, as deleting a tree does
        places = arguments[:2] if event in ("os.rename", "os.link") else arguments[:1]
        for place in places:
            if not isinstance(place, str | bytes | os.PathLike):
                continue
            path = os.path.realpath(os.fsdecode(place))  # links too
            is_null = path == os.devnull and event == "open"
            if not (is_null or path.startswith((str(self._input), "/proc/"))):
                self._strays.append(f"{event} outside the folder: {path}")
                raise PermissionError(errno.EPERM, "not outside the folder", path)

    def _said(self) -> Iterator[str]:
        size = os.fstat(2).st_size
        with contextlib.suppress(OSError):
            said = os.pread(2, size - self._n_said, self._n_said).decode(errors="replace")
            if said and (self._kind.is_quiet or "Traceback" in said):
                yield f"said on standard error: {said.strip().splitlines()[-1]}"
        self._n_said = size

    def _too_large(self, pid: int | None) -> Iterator[str]:
        rss_mb = _peak_mb(pid)
        self._figures["MB"] = max(self._figures["MB"], rss_mb)
        if rss_mb > MAX_MB:
            yield f"took {rss_mb:.0f} MB"
            _forget_peak(pid)

    def _tell(self, **told: object) -> None:
        print(json.dumps(told), file=self._out, flush=True)


def _too_slow(*_: object) -> None:
    raise TooSlow("no end in time")


def _described(error: BaseException) -> str:
    """In one line: what, where in the product, and what it says."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if Path(f.filename).is_relative_to(_ROOT)] or frames
    ours = [f for f in own if "/tests/" not in f.filename] or own
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
    return f"{type(error).__name__} at {place}: {' '.join(str(error).split())[:200]}"


def _limit(pid: int | None) -> None:
    """Let a process take 2 GB of addresses beyond those that its libraries have taken, where these
    are more than half of it; what it really holds is measured beside."""
    size = int(Path(f"/proc/{pid or 'self'}/statm").read_text().split()[0])
    bytes_taken = size * os.sysconf("SC_PAGE_SIZE")
    limit = MAX_MB << 20
    if bytes_taken > limit // 2:
        limit += bytes_taken
    resource.prlimit(pid or 0, resource.RLIMIT_AS, (limit, limit))


def _forget_peak(pid: int | None) -> None:
    Path(f"/proc/{pid or 'self'}/clear_refs").write_text("5")


def _peak_mb(pid: int | None) -> float:
    for line in Path(f"/proc/{pid or 'self'}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0
