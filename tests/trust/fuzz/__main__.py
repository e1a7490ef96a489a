"""Opens thousands of spoilt inputs of every kind.

python -m tests.trust.fuzz                       10,000 of each kind (`make fuzz`)
python -m tests.trust.fuzz --only osc --count 1  1,000 of one kind
python -m tests.trust.fuzz --work osc 1234 1     this one again, in this process
python -m tests.trust.fuzz --write osc 1234 DIR  this one, to look at
"""

import sys
from pathlib import Path

from tests.trust.fuzz.batch import run_batch, work, write_input
from tests.trust.fuzz.kinds import KINDS, kind_called
from tests.trust.trials import Outcome, Trial, main_of

_BATCH = 1000
_ABOUT = f"reads spoilt inputs, {_BATCH} in each trial, and tells which of them fail, and how"


def _trial(kind: str) -> Trial:
    def trial(number: int) -> Outcome:
        return run_batch(kind, number * _BATCH, _BATCH)

    return trial


def main() -> int:
    """0 where nothing failed."""
    match sys.argv[1:]:
        case ["--work", kind, first, count]:
            work(kind_called(kind), kind, int(first), int(count))
            return 0
        case ["--write", kind, number, folder]:
            Path(folder).mkdir(parents=True)
            write_input(kind_called(kind), kind, int(number), Path(folder))
            return 0
    return main_of("fuzz", _ABOUT, {kind: _trial(kind) for kind in KINDS}, count=10_000 // _BATCH)


if __name__ == "__main__":
    sys.exit(main())
