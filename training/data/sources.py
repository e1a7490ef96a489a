"""Data sets by their name on the command line and in configs: `KIND:FOLDER`."""

from pathlib import Path

from fer_live.errors import DataError
from training.data.fer2013 import Fer2013, load_fer2013


def split_source(source: str, kinds: tuple[str, ...]) -> tuple[str, Path]:
    """`KIND:FOLDER` -> (kind, folder); `DataError` for another kind or a missing folder."""
    kind, separator, folder = source.partition(":")
    if not separator or kind not in kinds or not folder:
        allowed = " or ".join(f"{name}:DIR" for name in kinds)
        raise DataError(f"{source}: not a data set; write {allowed}")
    path = Path(folder)
    if not path.is_dir():
        raise DataError(f"{path}: no such folder")
    return kind, path


def load_training_source(source: str) -> Fer2013:
    """The data set that a config trains on."""
    _, folder = split_source(source, ("fer2013",))
    return load_fer2013(folder)
