"""The folders for what the app keeps: in FER_LIVE_HOME, or in the system's places for them."""

import contextlib
import itertools
import os
from pathlib import Path

import platformdirs

from fer_live.base.refusals import refusal
from fer_live.base.translation import tr
from fer_live.errors import OutputError


def home() -> Path:
    """Settings, clips and models; made where it is missing. Raises `OutputError`."""
    return made(_home())


def documents() -> Path:
    """Where files go that are the person's own, such as rows that are written live: "FER Live" in
    the system's folder of documents, or FER_LIVE_HOME/documents. It is not made here."""
    chosen = os.environ.get("FER_LIVE_HOME")
    return Path(chosen) / "documents" if chosen else platformdirs.user_documents_path() / "FER Live"


def cache() -> Path:
    """What can be made again at a cost of time, such as engines. Raises `OutputError`."""
    return made(_cache())


def keep_fonts_here() -> None:
    """Have Matplotlib keep its list of fonts in the app's cache, not in folders of its own in the
    person's home. To be called before it is imported. A folder that the person has named for it
    stays; where the app's cannot be made, it finds a temporary one."""
    with contextlib.suppress(OutputError):
        if "MPLCONFIGDIR" not in os.environ:
            os.environ["MPLCONFIGDIR"] = str(made(_cache() / "matplotlib"))


def is_kept(path: Path) -> bool:
    """Whether a file lies, or would lie, in a folder of the app's own; none is made."""
    folder = os.path.realpath(path.parent)
    places = (os.path.realpath(place) for place in (_home(), _cache()))
    return any(folder == place or folder.startswith(place + os.sep) for place in places)


def _home() -> Path:
    chosen = os.environ.get("FER_LIVE_HOME")
    return Path(chosen) if chosen else Path(platformdirs.user_data_dir("fer-live", False))


def _cache() -> Path:
    chosen = os.environ.get("FER_LIVE_HOME")
    system_place = platformdirs.user_cache_dir("fer-live", False)
    return Path(chosen) / "cache" if chosen else Path(system_place)


def made(folder: Path) -> Path:
    """The folder itself. It is made where it is missing, and so is each above it, all of them for
    their owner alone: their names tell who was recorded. Raises `OutputError`."""
    try:
        missing = itertools.takewhile(lambda place: not place.exists(), (folder, *folder.parents))
        for place in reversed([*missing]):
            place.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise OutputError(
            tr(
                "{folder}: cannot make this folder: {why}; set FER_LIVE_HOME to another",
                folder=folder,
                why=refusal(error),
            )
        ) from None
    return folder
