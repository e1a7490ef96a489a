"""What CSV and JSONL share: a text file that grows beside its place and moves there last."""

import contextlib
import os
from pathlib import Path

from fer_live.base.atomic_file import partial_path, writing


class GrowingTextFile:
    """Appends to the partial file of `path`, flushed at every call, so a crash loses no row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = partial_path(path)
        with writing(path):
            self._file = self.partial.open(
                "w", encoding="utf-8", errors="backslashreplace", newline=""
            )

    def append(self, text: str) -> None:
        """Write and flush; raises `OutputError`."""
        with writing(self.path):
            try:
                self._file.write(text)
                self._file.flush()
            except OSError:
                self.abandon()
                raise

    def finish(self) -> None:
        """Make sure that it is on the disk, and close it."""
        with writing(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def close(self) -> None:
        """Finish, then put it in its place."""
        self.finish()
        with writing(self.path):
            self.partial.replace(self.path)

    def abandon(self) -> Path:
        """Close it where it is."""
        with contextlib.suppress(OSError):  # a full disk: its last flush failed, as reported
            self._file.close()
        return self.partial
