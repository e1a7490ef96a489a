"""Files that are written whole or not at all: a failed write never destroys what was there."""

import contextlib
import errno
import glob
import itertools
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fer_live.base.home import is_kept
from fer_live.base.refusals import refusal
from fer_live.base.regular_file import open_regular
from fer_live.base.translation import tr
from fer_live.errors import InputError, OutputError

if sys.platform != "win32":
    import fcntl

_MAX_NAME_BYTES = 255
"""Where the file system does not tell."""
_BINARY = getattr(os, "O_BINARY", 0)
"""Windows would else write two characters for each end of a line."""
_NO_LINK, _NO_WAIT = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_NONBLOCK", 0)
_NEW_FLAGS = os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY
_LOCK_FLAGS = os.O_RDWR | os.O_CREAT | _NO_LINK | _NO_WAIT
_WRITES_WITHIN_S = 60.0
_locks: dict[Path, int] = {}
"""Descriptors that hold the locks of this process: the lock goes with the descriptor, and so with
the process, however it ends."""
_locks_change = threading.Lock()
"""Outputs end in threads of their own; one that begins may take the name that another lets go."""


def partial_path(path: Path) -> Path:
    """Where `path` grows until it is whole: beside it, with the same suffix (writers go by it).

    A name that is free: another run's rows, or a person's own file, are not written over. The empty
    file is there and locked when this returns, so that a second writer of `path` is told; it raises
    `InputError`, and `OutputError` where nothing can be written. It ends by `put_in_place`,
    `discard_partial` or `leave_partial`.
    """
    refuse_second_writer(path)
    with _locks_change, writing(path):
        place, descriptor = _made_anew(path, rights(path))
        if sys.platform == "win32":  # which moves and deletes no file that is open, locked or not
            os.close(descriptor)
        else:
            _let_go(place)  # somebody moved away what grew there before
            _lock(descriptor)
            _locks[place] = descriptor
    return place


def put_in_place(partial: Path, path: Path) -> None:
    """Move what grew at `partial_path(path)` to its place; raises `OutputError`."""
    with _locks_change, writing(path):
        partial.replace(path)
        _let_go(partial)


def discard_partial(partial: Path) -> None:
    """Delete what grew, where it is still there; raises `OSError`."""
    with _locks_change:
        partial.unlink(missing_ok=True)
        _let_go(partial)


def leave_partial(partial: Path) -> None:
    """What grew stays where it is, and this process writes no more of it."""
    with _locks_change:
        _let_go(partial)


def refuse_second_writer(path: Path) -> None:
    """Raise `InputError` where another process is writing `path`. What a crash left behind is no
    writer, and neither is what this process left unfinished."""
    with _locks_change:
        places = itertools.takewhile(Path.exists, _partials(path))
        if any(_is_written_elsewhere(place) for place in places):
            raise InputError(
                tr("{path}: is being written by another run; name another file", path=path)
            )


def _is_written_elsewhere(place: Path) -> bool:
    if place in _locks and _is_open_here(place, _locks[place]):
        return False
    try:
        with open_regular(place) as file:
            return not _lock(file.fileno())
    except OSError:
        return False


def rights(path: Path) -> int:
    """What a new file may be: its owner's alone in the app's folders, and elsewhere nobody else's
    to write, whatever the umask allows."""
    return 0o600 if is_kept(path) else 0o644


def create_or_replace(path: Path, *, is_private: bool = False) -> Path:
    """Make an empty file, in place of one of that name, and tell where: a name beside it where
    somebody else's file or link stands there and cannot be taken away. Raises `OSError`."""
    with contextlib.suppress(OSError):
        path.unlink()
    mode = 0o600 if is_private else rights(path)
    try:
        descriptor = os.open(path, _NEW_FLAGS, mode)
    except FileExistsError:
        path, descriptor = _made_anew(path, mode)
    os.close(descriptor)
    return path


def open_to_append(path: Path, mode: int = 0o600) -> BinaryIO:
    """Open a file to write behind its end, and make it, with these rights, where it is missing.

    No link in its place is followed, and no pipe waited for: `OSError` where it is no regular file,
    or one that has another name too, which may be somebody's own.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _NO_LINK | _NO_WAIT | _BINARY
    file = os.fdopen(os.open(path, flags, mode), "ab")
    told = os.fstat(file.fileno())
    if path.is_symlink() or not stat.S_ISREG(told.st_mode) or told.st_nlink > 1:
        file.close()
        raise OSError(errno.EINVAL, tr("it is no regular file"), str(path))
    return file


def free_place(path: Path) -> Path:
    """`path` itself, or where something is there, a name beside it with a number behind it."""
    numbered = (path.with_stem(f"{path.stem}-{n}") for n in itertools.count(2))
    return next(p for p in itertools.chain([path], numbered) if not os.path.lexists(p))


def beside(path: Path, ending: str) -> Path:
    """`path` with `ending` behind its name, which is cut where the file system's limit asks it."""
    return path.with_name(_fitted(path.parent, path.name, ending))


def link_target(path: Path) -> Path:
    """What a link leads to, so that it is replaced and the link stays; any other path as it is.

    Raises `InputError` where that is neither a file nor a folder: put in its place, a file would
    take a device away from the whole system. And where another user laid the link, in a folder that
    all may write to: it would choose which of this person's files is replaced.
    """
    if _is_laid_by_another(path):
        raise InputError(tr("{path}: is a link of another user; name another file", path=path))
    try:
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        is_special = target.exists() and not (target.is_file() or target.is_dir())
    except OSError:  # a name too long, which is said when the output is checked
        return path
    if target.is_symlink():
        raise InputError(tr("{path}: is a link that leads to itself", path=path))
    if is_special:
        raise InputError(tr("{path}: is a device or a pipe; name a file", path=path))
    return target


def _is_laid_by_another(path: Path) -> bool:
    """What Linux asks before it opens a link (`fs.protected_symlinks`), which it does not ask of
    what is renamed over a link's target."""
    try:
        link, folder = path.lstat(), path.parent.stat()
    except OSError:
        return False
    is_shared = folder.st_mode & stat.S_ISVTX and folder.st_mode & stat.S_IWOTH
    if not stat.S_ISLNK(link.st_mode) or not is_shared or sys.platform == "win32":
        return False
    return link.st_uid not in (os.geteuid(), folder.st_uid)


def max_name_bytes(folder: Path) -> int:
    """How long a file's name in this folder may be."""
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):
        return _MAX_NAME_BYTES


def write_atomically(path: Path, content: bytes, *, is_private: bool = False) -> None:
    """Replace `path` by `content` in one step, or raise `OutputError` and leave what was there. A
    link stays, and what it leads to is replaced. What `is_private` is its owner's alone (mode 600)
    from its first byte."""
    path = link_target(path)
    with writing(path):
        if path.is_dir():
            raise OutputError(
                tr("{path}: is there, and is no file; choose another place or remove it", path=path)
            )
        temporary, descriptor = _made_anew(path, 0o600 if is_private else rights(path))
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


def forget_cut_off(path: Path, within_s: float = _WRITES_WITHIN_S) -> None:
    """Delete what writers of `path` that were killed left beside it. Only for a file of the app's
    own that is written in a moment, as `write_atomically` does it. What is younger than `within_s`
    may be written now, and stays; 0 for a caller that is `alone_with` the file."""
    for place in path.parent.glob(f"{glob.escape(path.stem)}.partial*{path.suffix}"):
        with contextlib.suppress(OSError):
            if time.time() - place.lstat().st_mtime >= within_s or within_s == 0:
                place.unlink(missing_ok=True)


def forget_partial(place: Path) -> None:
    """Delete a file that grew beside its place, unless a process is still writing it."""
    with contextlib.suppress(OSError):
        with open_regular(place) as file:
            is_free = _lock(file.fileno())
        if is_free:
            place.unlink()


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Wait until no other process is between reading `path` and writing it. Nothing is waited for
    on Windows, and where no lock can be made."""
    descriptor = None
    with contextlib.suppress(OSError):
        descriptor = os.open(path.with_name(f".{path.name}.lock"), _LOCK_FLAGS, 0o600)
    try:
        if sys.platform != "win32" and descriptor is not None:
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal (full disk, lost folder) into one clear line."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            tr(
                "{path}: cannot write: {reason}; free some space or choose another place",
                path=path,
                reason=refusal(error),
            )
        ) from None


def _partials(path: Path) -> Iterator[Path]:
    numbers = itertools.chain([""], (f"-{n}" for n in itertools.count(2)))
    for number in numbers:
        ending = f".partial{number}{path.suffix}"
        yield path.with_name(_fitted(path.parent, path.stem, ending))


def _made_anew(path: Path, mode: int) -> tuple[Path, int]:
    """A partial file of `path` that was not there, and its descriptor. A link of that name, which
    somebody may have laid there between a look and a write, is another name that is taken."""
    for place in _partials(path):
        with contextlib.suppress(FileExistsError):
            return place, os.open(place, _NEW_FLAGS, mode)
    raise AssertionError("the names have no end")


def _fitted(folder: Path, stem: str, ending: str) -> str:
    room = max_name_bytes(folder) - len(os.fsencode(ending))
    return os.fsencode(stem)[:room].decode(errors="ignore") + ending


def _lock(descriptor: int) -> bool:
    """Whether nobody else holds it; on Windows nobody does."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _let_go(place: Path) -> None:
    descriptor = _locks.pop(place, None)
    if descriptor is not None:
        os.close(descriptor)


def _is_open_here(place: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(place.stat(), os.fstat(descriptor))
    except OSError:
        return False
