"""What the self-contained app starts: `fer-live`, without Python around it."""

import multiprocessing
import os
import sys
from pathlib import Path
from types import ModuleType


def main() -> None:
    """Prepare a frozen process and hand over to the command line."""
    _give_children_their_own_libraries()
    _have_output_streams()
    _do_without_pyplot()
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


def _do_without_pyplot() -> None:
    """MediaPipe imports it to draw, which the app does itself. In a frozen program it would look
    through every font of the system at each start, for PyInstaller gives it a new cache."""
    sys.modules["matplotlib.pyplot"] = ModuleType("matplotlib.pyplot")


if __name__ == "__main__":
    main()
