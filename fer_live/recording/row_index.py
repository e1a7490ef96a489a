"""An index of a recording's rows, so that hours open at once: where each line begins, and what
timeline, list and search need of it.

It lies beside the rows, as `faces.index.npz`, and is only ever a copy: one that is missing or does
not fit the rows is made anew. A recorder writes it when it ends.
"""

import contextlib
import io
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_live.base.array_file import ArrayFault, load_arrays
from fer_live.base.atomic_file import write_atomically
from fer_live.base.regular_file import lines_in, open_regular
from fer_live.errors import OutputError
from fer_live.outputs.face_rows import Row, number_in
from fer_live.recording.kept_readings import SMOOTHED
from fer_live.recording.row_line import numbers_in, row_in

INDEX_FILE = "faces.index.npz"
_VERSION = 1
_ASK_EVERY = 2000
_FIELDS = {
    "times_s": "float64",
    "offsets": "int64",
    "frames": "int64",
    "track_ids": "int32",
    "probs": "float16",
    "shown": "int16",
}
_OF = "of"


@dataclass(frozen=True, slots=True, eq=False)
class RowIndex:
    """N rows in the order of their file, which is that of time.

    Args:
        times_s: (N,) float64 seconds of the video.
        offsets: (N,) int64, the byte at which the row's line begins.
        frames: (N,) int64 numbers of frames.
        track_ids: (N,) int32.
        probs: (N, C) float16, smoothed where the recording has kept it, else the model's own.
        shown: (N,) int16, places of the labels shown among the C; -1 is unsure.
    """

    times_s: NDArray[np.float64]
    offsets: NDArray[np.int64]
    frames: NDArray[np.int64]
    track_ids: NDArray[np.int32]
    probs: NDArray[np.float16]
    shown: NDArray[np.int16]


class IndexBuilder:
    """Takes in rows one by one. Two hours of three faces, 648,000 rows, are 30 MB."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._place = {label: place for place, label in enumerate(labels)}
        self._times_s, self._probs = array("d"), array("f")
        self._offsets, self._frames = array("q"), array("q")
        self._track_ids, self._shown = array("i"), array("h")

    def add(self, row: Row, offset: int) -> None:
        """Take in a row whose line begins at this byte."""
        smoothed = numbers_in(row.get(SMOOTHED), len(self._labels))
        self._probs.extend(smoothed or [number_in(row, f"p_{name}") for name in self._labels])
        self._times_s.append(row["time_s"])
        self._frames.append(row["frame"])
        self._track_ids.append(row["track_id"])
        self._offsets.append(offset)
        self._shown.append(self._place.get(row["shown_label"], -1))

    def index(self) -> RowIndex:
        """All rows so far."""
        return RowIndex(
            np.array(self._times_s, np.float64),
            np.array(self._offsets, np.int64),
            np.array(self._frames, np.int64),
            np.array(self._track_ids, np.int32),
            np.array(self._probs, np.float16).reshape(-1, len(self._labels)),
            np.array(self._shown, np.int16),
        )


def load_index(rows: Path, labels: tuple[str, ...]) -> RowIndex | None:
    """The index that lies beside these rows; None where there is none, or one of other rows."""
    wanted = {name: (np.dtype(kind).kind, 1 + (name == "probs")) for name, kind in _FIELDS.items()}
    try:
        arrays = load_arrays(rows.with_name(INDEX_FILE), {_OF: ("U", 1), **wanted})
        told, of = arrays.pop(_OF), _of(rows, labels)
        if len(told) != len(of) or told.tolist() != of:
            return None
    except (OSError, ArrayFault):
        return None
    index = RowIndex(**arrays)
    return index if _is_whole(index, len(labels)) else None


def save_index(rows: Path, labels: tuple[str, ...], index: RowIndex) -> None:
    """Keep the index beside its rows; where the disk refuses, the next review makes it anew."""
    content = io.BytesIO()
    fields = {name: getattr(index, name) for name in _FIELDS}
    with contextlib.suppress(OSError, OutputError):
        np.savez(content, of=np.array(_of(rows, labels)), **fields)
        write_atomically(rows.with_name(INDEX_FILE), content.getvalue(), is_private=True)


def build_index(
    rows: Path, labels: tuple[str, ...], stopped: Callable[[], bool] = lambda: False
) -> RowIndex | None:
    """Read all rows and keep their index; 648,000 rows take some ten seconds.

    Args:
        rows: The file; a line that a crash cut off, or that is no row, is left out.
        labels: The recording's.
        stopped: Asked now and then; True ends it.

    Returns:
        The index, or None where it was stopped.
    """
    builder = IndexBuilder(labels)
    with contextlib.suppress(OSError), open_regular(rows) as file:
        offset = 0
        for number, line in enumerate(lines_in(file)):
            if number % _ASK_EVERY == 0 and stopped():
                return None
            if (row := row_in(line, labels)) is not None:
                builder.add(row, offset)
            offset += len(line)
    index = builder.index()
    save_index(rows, labels, index)
    return index


def _is_whole(index: RowIndex, n_labels: int) -> bool:
    """Whether its arrays are of the same rows, and of so many labels."""
    arrays = {name: getattr(index, name) for name in _FIELDS}
    if any(arrays[name].dtype != kind for name, kind in _FIELDS.items()):
        return False
    if {len(array) for array in arrays.values()} != {len(index.times_s)}:
        return False
    is_finite = bool(np.isfinite(index.times_s).all() and (index.offsets >= 0).all())
    is_shown = bool((index.shown >= -1).all() and (index.shown < n_labels).all())
    return index.probs.shape[1] == n_labels and is_finite and is_shown


def _of(rows: Path, labels: tuple[str, ...]) -> list[str]:
    """What an index must agree with: version, size and time of the rows, and the labels."""
    told = rows.stat()
    return [str(_VERSION), str(told.st_size), str(told.st_mtime_ns), *labels]
