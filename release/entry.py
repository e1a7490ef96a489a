"""What the self-contained app starts: `fer-live`, without Python around it."""

import multiprocessing
import os
import sys
from pathlib import Path


def main() -> None:
    """Prepare a frozen process and hand over to the command line."""
    _give_children_their_own_libraries()
    _have_output_streams()
    # `analyze` starts this program again for each of its processes, which must end up in their
    # work and not in the command line.
    multiprocessing.freeze_support()
    from fer_live.commands.cli import main as command_line

    command_line()


def _give_children_their_own_libraries() -> None:
    """The bootloader points this process to the bundled libraries. A browser or file manager that
    the app opens would load them too, and may fail on them."""
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if before is not None:
        os.environ["LD_LIBRARY_PATH"] = before
    else:
        os.environ.pop("LD_LIBRARY_PATH", None)


def _have_output_streams() -> None:
    """On Windows the program without a console has no stdout and stderr to write to."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115


if __name__ == "__main__":
    main()
