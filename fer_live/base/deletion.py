"""Deletes a folder of the app, and nothing that lies outside of it."""

import shutil
from pathlib import Path

from fer_live.base.atomic_file import writing
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


def delete_folder(folder: Path) -> None:
    """Remove a folder with all in it; a link in it goes, and what it leads to stays.

    Raises `OutputError` where the disk refuses, and for a folder that is a link itself.
    """
    refuse_link(folder)
    with writing(folder):
        shutil.rmtree(folder)
