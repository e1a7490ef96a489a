"""Deletes a folder of the app, and nothing that lies outside of it."""

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_live.base.home import home
from fer_live.base.refusals import refusal
from fer_live.base.translation import tr
from fer_live.errors import OutputError


def refuse_link(folder: Path) -> None:
    """Raise `OutputError` where a folder is a link: what it leads to is not the app's to delete,
    and with the link alone gone, nothing would be deleted."""
    if folder.is_symlink():
        raise OutputError(
            tr(
                "{folder}: is a link; nothing behind it is deleted. Delete that yourself, then the "
                "link",
                folder=folder,
            )
        )


def refuse_links(folder: Path) -> None:
    """Raise `OutputError` where a folder is a link, or lies behind one that is in the app's folder.
    The app's folder itself may be one: where that lies is what a person chooses."""
    refuse_link(folder)
    for above in folder.parents:
        if above == home():
            return
        if above.is_symlink() and os.path.lexists(folder):
            raise OutputError(
                tr(
                    "{folder}: lies behind the link {link}; nothing behind a link is deleted. "
                    "Delete it yourself, or put what the link leads to in its place",
                    folder=folder,
                    link=above,
                )
            )


def delete_folder(folder: Path) -> None:
    """Remove a folder with all in it, also what was made read-only, or a file in its place. A link
    in it goes, and what it leads to stays. One that is gone already is no error.

    Raises `OutputError` for a folder that is a link itself, and where the disk refuses: then all
    that could be deleted is.
    """
    refuse_link(folder)
    open_up(folder)
    if not folder.is_dir():
        delete_file(folder)
        return
    shutil.rmtree(folder, ignore_errors=True)
    if os.path.lexists(folder):
        with deleting(folder):
            shutil.rmtree(folder)


def delete_file(file: Path) -> None:
    """Remove a file, or the link that it is; one that is gone already is no error. Raises
    `OutputError`."""
    _allow(file.parent)
    with deleting(file):
        file.unlink(missing_ok=True)


def open_up(folder: Path) -> None:
    """Let the owner read and write a folder, what is in it, and the folder that it lies in: all
    that the app makes is so, and what was made read-only could not be deleted. Follows no link;
    what belongs to somebody else stays as it is."""
    if folder.is_symlink():
        return
    _allow(folder.parent)
    _allow(folder)
    for where, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _allow(Path(where, name))


@contextmanager
def deleting(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to delete into one clear line."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            tr(
                "{path}: cannot be deleted: {reason}; delete what is left there yourself",
                path=path,
                reason=refusal(error),
            )
        ) from None


def _allow(path: Path) -> None:
    with contextlib.suppress(OSError):
        found = path.lstat()
        # A file of several names may have one outside: its rights are not the app's to change.
        is_own_file = stat.S_ISREG(found.st_mode) and found.st_nlink == 1
        wanted = 0o700 if stat.S_ISDIR(found.st_mode) else 0o600 if is_own_file else 0
        if found.st_mode & wanted != wanted:
            path.chmod(stat.S_IMODE(found.st_mode) | wanted)
