"""Faults put into the code one at a time, and how many of them the tests find: `make mutants`.

mutmut makes them, some ten thousand in detection, session, outputs and methods. Of these, `--count`
are drawn evenly by `--seed`. Whoever writes tests for what a sample shows draws another one to
measure what they are worth. A fault counts as found where a test
fails or does not end; one in code that no test calls counts as not found. It goes on where it was
stopped.
"""

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from tabulate import tabulate

from training.measure.metrics import wilson_interval

_FOLDER = Path("mutants")
_COUNT, _SEED = 400, 20261126
# As mutmut keeps them; negative ones and those above 100 are signals and ends by the clock.
_SURVIVED, _NO_TESTS = (0,), (5, 33)
_NOT_TRIED = (None, 2, 34)


def all_mutants(folder: Path) -> dict[str, int | None]:
    """Every fault that mutmut has made, by its name, and the code with which its tests ended."""
    found: dict[str, int | None] = {}
    for path in sorted(folder.rglob("*.meta")):
        found |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def drawn(names: Mapping[str, int | None], count: int, seed: int) -> list[str]:
    """The sample: always the same one of the same code and seed."""
    return sorted(random.Random(seed).sample(sorted(names), min(count, len(names))))


def rows(codes: Mapping[str, int | None]) -> list[dict[str, str | int]]:
    """One row a package and one for all: tried, found, not found, in code that no test calls."""
    packages: dict[str, list[int | None]] = {}
    for name, code in codes.items():
        packages.setdefault(".".join(name.split(".")[:2]), []).append(code)
    packages = dict(sorted(packages.items())) | {"all": list(codes.values())}
    return [_row(package, ended) for package, ended in packages.items()]


def _row(package: str, codes: list[int | None]) -> dict[str, str | int]:
    counts = Counter(code for code in codes if code not in _NOT_TRIED)
    tried = counts.total()
    survived = sum(counts[code] for code in _SURVIVED)
    uncalled = sum(counts[code] for code in _NO_TESTS)
    found = tried - survived - uncalled
    low, high = wilson_interval(found, tried) if tried else (0.0, 1.0)
    return {
        "code": package,
        "tried": tried,
        "found": found,
        "not found": survived,
        "no test calls it": uncalled,
        "found, 95 % interval": f"{found / max(tried, 1):.1%} ({low:.1%} to {high:.1%})",
    }


def _mutmut(*names: str) -> int:
    return subprocess.run([sys.executable, "-m", "mutmut", "run", *names], check=False).returncode


def main() -> int:
    """Make the faults, try those that were drawn, print the table; 1 where some were not tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.trust.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=_COUNT, help=f"faults to try ({_COUNT})")
    parser.add_argument("--seed", type=int, default=_SEED, help=f"of the sample ({_SEED})")
    parser.add_argument("--list", action="store_true", help="name those that no test found")
    arguments = parser.parse_args()
    if not all_mutants(_FOLDER):
        _mutmut("none of these")  # makes them all, and then finds nothing to try
    names = drawn(all_mutants(_FOLDER), arguments.count, arguments.seed)
    missing = [name for name in names if all_mutants(_FOLDER)[name] in _NOT_TRIED]
    if missing:
        _mutmut(*missing)
    codes = {name: all_mutants(_FOLDER)[name] for name in names}
    print(f"{len(codes)} of {len(all_mutants(_FOLDER))} faults")
    print(tabulate(rows(codes), headers="keys"))
    if arguments.list:
        print("\n".join(n for n, code in codes.items() if code in (*_SURVIVED, *_NO_TESTS)))
    return 1 if any(code in _NOT_TRIED for code in codes.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
