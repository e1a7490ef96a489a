"""The log: what the app did, kept on this machine for a report of a problem.

No picture, no file name of a person and no address of a stream is written to it.
"""

import logging
import logging.handlers
import os
import platform
import sys
from io import TextIOWrapper
from pathlib import Path

from fer_live.base.atomic_file import open_to_append
from fer_live.base.home import home
from fer_live.errors import OutputError

_FOLDER = "logs"
_FILE = "fer-live.log"
_MAX_BYTES = 500_000
_OLDER = 2


def start_log(version: str) -> None:
    """Write what `logging` gets from now on to FER_LIVE_HOME/logs, half a megabyte a file, the
    newest three; only the user can read them. Where that cannot be, the app goes on without."""
    root = logging.getLogger("fer_live")
    if any(isinstance(handler, _PrivateFile) for handler in root.handlers):
        return
    try:
        folder = home() / _FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        handler = _PrivateFile(folder / _FILE, maxBytes=_MAX_BYTES, backupCount=_OLDER)
    except (OSError, OutputError):
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    root.propagate = False
    root.info("FER Live %s, Python %s, %s", version, platform.python_version(), platform.platform())


def end_log() -> None:
    """Close the file."""
    root = logging.getLogger("fer_live")
    for handler in list(root.handlers):
        if isinstance(handler, _PrivateFile):
            root.removeHandler(handler)
            handler.close()


def log_files() -> list[Path]:
    """The files of the log, the newest first."""
    folder = home() / _FOLDER
    found = (path for path in folder.glob(f"{_FILE}*") if path.is_file() and not path.is_symlink())
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


class _PrivateFile(logging.handlers.RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        """A regular file of this user, readable by nobody else. `OSError` for anything else in its
        place, above all a link: what it leads to would get the lines, and other rights."""
        place = Path(self.baseFilename)
        file = open_to_append(place)
        if sys.platform != "win32":
            try:
                os.fchmod(file.fileno(), 0o600)
            except OSError:  # another user's
                file.close()
                raise
        return TextIOWrapper(file, encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # logging's name
        """A full disk costs lines of the log, and nothing else."""
