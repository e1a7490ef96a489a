"""Files that are written whole or not at all: a failed write never destroys what was there."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_live.base.translation import tr
from fer_live.errors import OutputError


def partial_path(path: Path) -> Path:
    """Where `path` grows until it is whole: beside it, with the same suffix (writers go by it).

    A name that is free: another run's rows, or a person's own file, are not written over.
    """
    names = itertools.chain(["partial"], (f"partial-{n}" for n in itertools.count(2)))
    places = (path.with_name(f"{path.stem}.{name}{path.suffix}") for name in names)
    return next(place for place in places if not place.exists())


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step, or raise `OutputError` and leave what was there."""
    temporary = partial_path(path)
    with writing(path):
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal (full disk, lost folder) into one clear line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            tr(
                "{path}: cannot write: {reason}; free some space or choose another place",
                path=path,
                reason=reason,
            )
        ) from None
