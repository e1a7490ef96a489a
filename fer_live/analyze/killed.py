"""What a batch that was killed while it put its rows together has left of them.

The rows themselves are safe in the finished parts, so half a file of them is of no use to anybody.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from fer_live.base.atomic_file import forget_partial, write_atomically, writing
from fer_live.base.regular_file import read_text
from fer_live.outputs.sink import GrowingRows, RowSink

_NOTE = "growing.txt"


def note_growing(folder: Path, sinks: Iterable[RowSink]) -> None:
    """Write into the folder of the parts which file the rows grow in; raises `OutputError`."""
    growing = [sink.partial.name for sink in sinks if isinstance(sink, GrowingRows)]
    with writing(folder / _NOTE):
        folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / _NOTE, "\n".join(growing).encode())


def forget_killed(folder: Path) -> None:
    """Delete what the run before noted and did not finish; not what is being written now."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for name in read_text(folder / _NOTE).splitlines():
            if name == Path(name).name and ".partial" in name:
                forget_partial(folder.parent / name)
