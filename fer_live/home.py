"""The one folder for what the app keeps: FER_LIVE_HOME, or the system's place for it."""

import os
from pathlib import Path

import platformdirs

from fer_live.errors import OutputError


def home() -> Path:
    """The folder, made where it is missing; raises `OutputError` where it cannot be."""
    chosen = os.environ.get("FER_LIVE_HOME")
    folder = Path(chosen) if chosen else Path(platformdirs.user_data_dir("fer-live", False))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: cannot make this folder: {error.strerror}; set FER_LIVE_HOME to another"
        ) from None
    return folder
