"""What CSV and JSONL share: a text file that grows beside its place and moves there last."""

import contextlib
import os
from datetime import datetime
from pathlib import Path

from fer_live.base.atomic_file import (
    create_or_replace,
    leave_partial,
    link_target,
    partial_path,
    put_in_place,
    writing,
)
from fer_live.base.console import check_output_file
from fer_live.base.home import documents
from fer_live.base.refusals import refusal
from fer_live.base.regular_file import read_text
from fer_live.base.translation import tr


def check_text_file(where: str, suffix: str) -> None:
    """Raise `InputError` where the file cannot be written, or has another suffix."""
    check_output_file(Path(where), (suffix,))


def suggested_file(suffix: str) -> str:
    """A file that is not there yet, named after this moment, among the person's
    documents."""
    return str(documents() / f"faces {datetime.now():%Y-%m-%d %H.%M.%S}{suffix}")


class GrowingTextFile:
    """Appends to the partial file of `path`, flushed at every call, so a crash loses no row.

    Where `path` is a link, the file that it leads to is replaced and the link stays.
    """

    def __init__(self, path: Path) -> None:
        self.path = path = link_target(path)
        self.partial = partial_path(path)
        with writing(path):
            self._file = self.partial.open(
                "w", encoding="utf-8", errors="backslashreplace", newline=""
            )
        self.last_line = ""

    def append(self, text: str) -> None:
        """Write `text` at the end and flush it; raises `OutputError` where the disk refuses."""
        with writing(self.path):
            try:
                self._file.write(text)
                self._file.flush()
                self.last_line = text.rstrip("\n").rpartition("\n")[2] or self.last_line
            except OSError:
                self.abandon()
                raise

    def test(self) -> str:
        """Write a file of its own beside this one, read it and delete it, for no test may stand
        among the data; returns what happened, in the language spoken."""
        beside = self.partial.with_name(f"{self.partial.stem}.test.txt")
        text = f"FER Live test {datetime.now():%H:%M:%S}"
        try:
            beside = create_or_replace(beside)
            beside.write_text(text, encoding="utf-8")
            is_there = read_text(beside) == text
            beside.unlink()
        except OSError as error:
            return tr("{folder}: {why}", folder=beside.parent, why=refusal(error))
        if not is_there:
            return tr("{folder}: what was written is not what is read there", folder=beside.parent)
        return tr(
            "A test line was written, read and deleted beside the file, which grows as {name}.",
            name=self.partial.name,
        )

    def finish(self) -> None:
        """Make sure that it is on the disk, and close it."""
        with writing(self.path):
            try:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
            except OSError:
                self.abandon()
                raise

    def close(self) -> None:
        """Finish, then put it in its place."""
        self.finish()
        put_in_place(self.partial, self.path)

    def abandon(self) -> Path:
        """Close the unfinished file and leave it beside its place; returns its path."""
        with contextlib.suppress(OSError):  # a full disk: its last flush failed, as reported
            self._file.close()
        leave_partial(self.partial)
        return self.partial
