"""Many trials of several kinds, within a time, that go on where they were stopped.

What was tried stands in a file of JSON lines below build/trust/, a line a trial, with the commit
that it was tried on. Trials of another commit are tried again.
"""

import argparse
import json
import statistics
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tabulate import tabulate

from fer_live.base.cores import usable_cores

FOLDER = Path("build/trust")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial.

    Args:
        n: How many cases it was, for one that tries several in one process.
        failures: A line for each case that failed.
        skipped: Why it could not be tried here; nothing was tried then.
        figures: Name -> value, for the table: the worst (largest) one of each kind is shown.
    """

    n: int = 1
    failures: tuple[str, ...] = ()
    skipped: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)


Trial = Callable[[int], Outcome]
"""Tries one number of a kind, always in the same way; an exception is its failure."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is tried: trials `count` times of each kind, and none is begun after `minutes`."""

    count: int
    minutes: float = float("inf")
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class _Line:
    kind: str
    number: int
    commit: str
    seconds: float
    outcome: Outcome


class Ledger:
    """The trials of one command, in a file that survives it."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self.commit = _commit()
        self._lines: dict[tuple[str, int], _Line] = {}
        if path.is_file():
            for text in path.read_text(encoding="utf-8").splitlines():
                self._take(text)

    def _take(self, text: str) -> None:
        try:
            told = json.loads(text)
        except ValueError:
            return  # the last line of a run that was killed
        told["outcome"]["failures"] = tuple(told["outcome"]["failures"])
        line = _Line(**{**told, "outcome": Outcome(**told["outcome"])})
        if line.commit == self.commit:
            self._lines[line.kind, line.number] = line

    def has(self, kind: str, number: int) -> bool:
        """Whether this was tried on this commit; what failed is tried again."""
        line = self._lines.get((kind, number))
        return line is not None and not line.outcome.failures

    def note(self, kind: str, number: int, seconds: float, outcome: Outcome) -> None:
        """Keep what came of a trial."""
        line = _Line(kind, number, self.commit, round(seconds, 3), outcome)
        with self._lock:
            self._lines[kind, number] = line
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(line)) + "\n")

    @property
    def failures(self) -> list[str]:
        """A line for each case that failed."""
        return [
            f"{line.kind} {line.number}: {failure}"
            for line in self._lines.values()
            for failure in line.outcome.failures
        ]

    def rows(self) -> list[dict[str, str | int]]:
        """One row a kind: cases, failures, seconds a trial, worst figures, why it was skipped."""
        rows = []
        for kind in sorted({kind for kind, _ in self._lines}):
            lines = [line for (own, _), line in sorted(self._lines.items()) if own == kind]
            tried = [line for line in lines if not line.outcome.skipped]
            names = sorted({name for line in tried for name in line.outcome.figures})
            worst = {
                name: max(o.figures[name] for o in (t.outcome for t in tried) if name in o.figures)
                for name in names
            }
            told = [f"{name} {value:g}" for name, value in worst.items()]
            told += sorted({line.outcome.skipped for line in lines if line.outcome.skipped})
            rows.append(
                {
                    "kind": kind,
                    "cases": sum(line.outcome.n for line in tried),
                    "failed": sum(len(line.outcome.failures) for line in tried),
                    "seconds": f"{statistics.median(t.seconds for t in tried):.1f}"
                    if tried
                    else "",
                    "at worst": ", ".join(told),
                }
            )
        return rows


def run_trials(ledger: Ledger, kinds: Mapping[str, Trial], limits: Limits) -> None:
    """Try what has not been tried yet, the kinds in turn, so that every one gets its share."""
    until_s = time.monotonic() + limits.minutes * 60

    def run(task: tuple[int, str]) -> None:
        number, kind = task
        if time.monotonic() > until_s:
            return
        began_s = time.monotonic()
        try:
            outcome = kinds[kind](number)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a failure, and told
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(frame.filename).name}:{frame.lineno}"
            outcome = Outcome(failures=(f"{type(error).__name__} at {place}: {error}",))
        ledger.note(kind, number, time.monotonic() - began_s, outcome)

    tasks = [(number, kind) for number in range(limits.count) for kind in kinds]
    missing = [task for task in tasks if not ledger.has(task[1], task[0])]
    with ThreadPoolExecutor(limits.jobs) as pool:
        list(pool.map(run, missing))


def main_of(name: str, about: str, kinds: Mapping[str, Trial], *, count: int, jobs: int = 1) -> int:
    """The command of one sort of trials; returns its exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m tests.trust.{name}", description=about)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no more after")
    parser.add_argument("--count", type=int, default=count, help=f"trials a kind ({count})")
    parser.add_argument("--jobs", type=int, default=jobs, help=f"at once ({jobs})")
    parser.add_argument("--only", action="append", choices=sorted(kinds), help="these kinds alone")
    parser.add_argument("--afresh", action="store_true", help="forget what was tried before")
    arguments = parser.parse_args()
    path = FOLDER / f"{name}.jsonl"
    if arguments.afresh:
        path.unlink(missing_ok=True)
    ledger = Ledger(path)
    chosen = {kind: kinds[kind] for kind in arguments.only or kinds}
    try:
        run_trials(ledger, chosen, Limits(arguments.count, arguments.minutes, arguments.jobs))
    except KeyboardInterrupt:
        print("stopped; the same command goes on from there")
    print(f"commit {ledger.commit}, {usable_cores()} cores")
    print(tabulate(ledger.rows(), headers="keys"))
    print("\n".join(ledger.failures))
    return 1 if ledger.failures else 0


def _median(seconds: Iterable[float]) -> str:
    values = list(seconds)
    return f"{statistics.median(values):.1f}" if values else ""


def _commit() -> str:
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "unknown"
