"""The command; `python -m tests.trust.chaos --help`."""

import sys

from tests.trust.chaos import commands, disks, kills, others, sources
from tests.trust.trials import main_of

KINDS = {**kills.KINDS, **commands.KINDS, **sources.KINDS, **disks.KINDS, **others.KINDS}


def main() -> int:
    """0 where nothing was lost but the last second, and all was said."""
    about = "kills, faults of sources and disks at random moments; nothing may be lost"
    return main_of("chaos", about, KINDS, count=29)


if __name__ == "__main__":
    sys.exit(main())
