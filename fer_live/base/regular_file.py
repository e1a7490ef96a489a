"""Reads files that somebody else may have laid there: a regular file, and no more than it may hold.

A pipe would be waited for without end, and a device never ends; so neither is opened. Everything
that is refused is an `OSError` with a reason in words, as if the system had refused it.
"""

import errno
import hashlib
import io
import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, TextIO

from fer_live.base.translation import tr

SMALL_BYTES = 64 << 20
"""Of a file that a person writes, or the app about what it keeps: settings, lists, configs."""
LINE_BYTES = 1 << 20
"""Of a row. One with a heat map and the points of a face has some ten thousand."""
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Without waiting: a pipe may come between the look and the opening. No regular file waits."""


def open_regular(path: Path, max_bytes: int | None = None) -> io.BufferedReader:
    """Open a regular file, or what a link to one leads to, for reading.

    Args:
        path: The file.
        max_bytes: The most that it may have; None: any size.

    Raises:
        OSError: It cannot be opened, is no regular file, or is larger.
    """
    _check(path, path.stat(), max_bytes)
    file = os.fdopen(os.open(path, _FLAGS), "rb")
    try:
        _check(path, os.fstat(file.fileno()), max_bytes)
    except OSError:
        file.close()
        raise
    return file


def open_text(path: Path) -> TextIO:
    """The same as text in UTF-8, whose ends of lines stay as they are, as `csv` wants them.

    The mark that some editors put before the first letter is left out.
    """
    return io.TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="")


def check_regular(path: Path, max_bytes: int | None = None) -> None:
    """Raise `OSError` as `open_regular` does, for what a library opens by its name."""
    open_regular(path, max_bytes).close()


def read_whole(path: Path, max_bytes: int = SMALL_BYTES) -> bytes:
    """All of a regular file; raises `OSError` as `open_regular` does."""
    with open_regular(path, max_bytes) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:  # it grew meanwhile
        raise _too_large(path, max_bytes)
    return content


def read_text(path: Path, max_bytes: int = SMALL_BYTES) -> str:
    """The same as text in UTF-8, each end of a line as one character; raises `UnicodeDecodeError`
    too. The mark that some editors put before the first letter is left out."""
    return read_whole(path, max_bytes).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def sha256_of(path: Path) -> str:
    """The hash of a regular file in hexadecimal digits; raises `OSError` as `open_regular`."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lines_in(file: BinaryIO) -> Iterator[bytes]:
    """The lines from here on. One that is longer than any row comes in pieces, none of which is a
    row, so that it takes no memory."""
    return iter(partial(file.readline, LINE_BYTES), b"")


def _check(path: Path, told: os.stat_result, max_bytes: int | None) -> None:
    if stat.S_ISDIR(told.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(told.st_mode):
        raise OSError(errno.EINVAL, tr("it is no regular file"), str(path))
    if max_bytes is not None and told.st_size > max_bytes:
        raise _too_large(path, max_bytes)


def _too_large(path: Path, max_bytes: int) -> OSError:
    reason = tr("it is larger than {limit} MB", limit=f"{max_bytes / (1 << 20):g}")
    return OSError(errno.EFBIG, reason, str(path))
