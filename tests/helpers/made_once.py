"""What is costly to make and only read: made by the first process of a test run that wants it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(
    factory: pytest.TempPathFactory, worker: str, name: str, make: Callable[[Path], None]
) -> Path:
    """A folder that `make` has filled, for all of pytest-xdist's workers.

    Args:
        factory: pytest's own.
        worker: The fixture `worker_id`; "master" where no worker runs beside another.
        name: What is made, as the folder is called.
        make: Fills the folder, which is new and empty. Where it fails, the next process tries.
    """
    base = factory.getbasetemp()
    folder = (base if worker == "master" else base.parent) / name
    with FileLock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            growing = factory.mktemp(name)
            make(growing)
            growing.rename(folder)
    return folder
