"""The folders for what the app keeps: in FER_LIVE_HOME, or in the system's places for them."""

import os
from pathlib import Path

import platformdirs

from fer_live.base.translation import tr
from fer_live.errors import OutputError


def home() -> Path:
    """Settings, clips and models; made where it is missing. Raises `OutputError`."""
    chosen = os.environ.get("FER_LIVE_HOME")
    return _made(Path(chosen) if chosen else Path(platformdirs.user_data_dir("fer-live", False)))


def cache() -> Path:
    """What can be made again at a cost of time, such as engines. Raises `OutputError`."""
    chosen = os.environ.get("FER_LIVE_HOME")
    system_place = platformdirs.user_cache_dir("fer-live", False)
    return _made(Path(chosen) / "cache" if chosen else Path(system_place))


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            tr(
                "{folder}: cannot make this folder: {why}; set FER_LIVE_HOME to another",
                folder=folder,
                why=error.strerror,
            )
        ) from None
    return folder
