"""FER2013 with its own labels or FERPlus's, in the official files and by the project's protocol.

`fer2013.csv` (or .csv.gz): header `emotion,pixels,Usage`, one 48x48 gray image per row (Goodfellow
et al., 2013). `fer2013new.csv`: the votes of ten raters, joined by row number (Barsoum et al.,
2016).

Protocol: `Usage` values other than Training, PublicTest and PrivateTest are left out, and so are
Training rows whose pixels equal those of an evaluation row: the official file repeats about 280
PublicTest images in Training, and a figure that counts them is not a figure on unseen faces.
"""

import csv
import gzip
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, TextIO

import numpy as np
from numpy.typing import NDArray

from fer_live.base.regular_file import check_regular, open_text
from fer_live.datatypes import UInt8Array
from fer_live.errors import DataError
from fer_live.model.manifest import EXPRESSIONS
from fer_live.plain_text import say
from training.data.labeled_images import LabeledImages

Split = Literal["Training", "PublicTest", "PrivateTest"]
LabelRule = Literal["ferplus-argmax", "ferplus-majority", "fer2013"]

SPLITS: tuple[Split, ...] = ("Training", "PublicTest", "PrivateTest")
SIDE = 48

_EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""fer2013.csv's `emotion` 0..6, by our names."""

_VOTE_COLUMNS = (*EXPRESSIONS, "unknown", "NF")
_MIN_VOTES = 2
_MAX_VOTE_DIGITS = 4
"""Ten raters voted; what is longer is no count, and would not fit a number of 64 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Fer2013:
    """All rows of the official FER2013 split, in file order.

    `images` (N, 48, 48) uint8; `rows` (N,) int64, from 0 below the header; `emotions` (N,) int64
    into EXPRESSIONS; `usages` (N,) str; `votes` (N, 10) int64 for the eight expressions, unknown
    and not-a-face, or None without fer2013new.csv.
    """

    folder: Path
    images: UInt8Array
    rows: NDArray[np.int64]
    emotions: NDArray[np.int64]
    usages: NDArray[np.str_]
    votes: NDArray[np.int64] | None

    def select(self, split: Split, rule: LabelRule) -> LabeledImages:
        """Select the images of a split that have a label by `rule`, but no leaked ones."""
        rows = np.flatnonzero(self.usages == split)
        if split == "Training":
            rows = rows[~self._repeats_evaluation_image(rows)]
        if len(rows) == 0:
            raise DataError(f"{self.folder}: no {split} rows in its fer2013.csv")
        name = f"fer2013 {split}, {rule}"
        ids = self.rows.astype(np.str_)
        if rule == "fer2013":
            return LabeledImages(
                name, EXPRESSIONS, self.images[rows], self.emotions[rows], ids[rows]
            )
        if self.votes is None:
            raise DataError(f"{self.folder}: {rule} needs fer2013new.csv beside fer2013.csv")
        votes = np.where(self.votes[rows] < _MIN_VOTES, 0, self.votes[rows])
        top = votes.argmax(axis=1)
        usable = (votes.max(axis=1) > 0) & (top < len(EXPRESSIONS))
        if rule == "ferplus-majority":
            usable &= 2 * votes.max(axis=1) > votes.sum(axis=1)
        if not usable.any():
            raise DataError(f"{self.folder}: no {split} row has a label by {rule}")
        expressions = votes[usable, : len(EXPRESSIONS)].astype(np.float32)
        return LabeledImages(
            name,
            EXPRESSIONS,
            self.images[rows[usable]],
            top[usable],
            ids[rows[usable]],
            expressions / expressions.sum(axis=1, keepdims=True),
        )

    def _repeats_evaluation_image(self, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
        evaluation = {image.tobytes() for image in self.images[self.usages != "Training"]}
        return np.array([self.images[row].tobytes() in evaluation for row in rows], dtype=np.bool_)


def load_fer2013(folder: Path) -> Fer2013:
    """Read the official files of `folder`; `DataError` names file and line of the first fault.

    What was read last is kept while its files stay as they are, because reading takes ten seconds
    and a grid needs it in every cell.
    """
    files = [folder / name for name in ("fer2013.csv", "fer2013.csv.gz", "fer2013new.csv")]
    stats = [file.stat() for file in files if file.is_file()]
    return _load(folder, tuple((stat.st_mtime_ns, stat.st_size) for stat in stats))


@lru_cache(maxsize=1)
def _load(folder: Path, _: tuple[tuple[int, int], ...]) -> Fer2013:
    images_file = next(
        (folder / name for name in ("fer2013.csv", "fer2013.csv.gz") if (folder / name).is_file()),
        None,
    )
    if images_file is None:
        raise DataError(f"{folder}: neither fer2013.csv nor fer2013.csv.gz is there")
    votes_file = folder / "fer2013new.csv"
    vote_usages, votes = _read_votes(votes_file) if votes_file.is_file() else (None, None)

    images, emotions, usages, kept_rows = [], [], [], []
    others: Counter[str] = Counter()
    n_rows = 0
    for n_rows, (where, row) in enumerate(_rows(images_file, ("emotion", "pixels", "Usage")), 1):
        emotion, pixels, usage = row
        if usage not in SPLITS:
            others[usage] += 1
            continue
        if emotion not in {"0", "1", "2", "3", "4", "5", "6"}:
            raise DataError(f"{where}: emotion {emotion!r} is not one of 0..6")
        if vote_usages is not None and vote_usages[n_rows - 1 : n_rows] != [usage]:
            raise DataError(
                f"{where}: is {usage}, but not so in {votes_file.name}; they are joined by "
                "row number and must be of one release"
            )
        images.append(_parse_pixels(pixels, where))
        emotions.append(EXPRESSIONS.index(_EMOTIONS[int(emotion)]))
        usages.append(usage)
        kept_rows.append(n_rows - 1)
    if not images:
        raise DataError(f"{images_file}: no Training, PublicTest or PrivateTest row in it")
    if others:
        say(
            f"{images_file}: left out {others.total()} of {n_rows} rows, whose Usage "
            f"{', '.join(map(repr, sorted(others)))} is none of {', '.join(SPLITS)}",
            to=sys.stderr,
        )
    if votes is not None and len(votes) != n_rows:
        raise DataError(
            f"{votes_file}: {len(votes)} rows, but {images_file.name} has {n_rows}; "
            "they are joined by row number and must be of one release"
        )
    return Fer2013(
        folder,
        np.stack(images),
        np.array(kept_rows, dtype=np.int64),
        np.array(emotions, dtype=np.int64),
        np.array(usages),
        None if votes is None else votes[kept_rows],
    )


def _parse_pixels(pixels: str, where: str) -> UInt8Array:
    try:
        values = np.array(pixels.split(), dtype=np.int32)
    except (ValueError, OverflowError):
        raise DataError(f"{where}: a pixel is not a whole number") from None
    if values.size != SIDE * SIDE:
        raise DataError(f"{where}: {values.size} pixels, expected {SIDE * SIDE}; a short row?")
    if values.min() < 0 or values.max() > 255:
        raise DataError(f"{where}: a pixel is outside 0..255")
    return values.astype(np.uint8).reshape(SIDE, SIDE)


def _read_votes(path: Path) -> tuple[list[str], NDArray[np.int64]]:
    """Read the `Usage` and the ten counts of each row of fer2013new.csv."""
    usages, votes = [], []
    for where, row in _rows(path, ("Usage", "Image name", *_VOTE_COLUMNS)):
        counts = row[2:]
        if not all(count.isdecimal() and len(count) <= _MAX_VOTE_DIGITS for count in counts):
            raise DataError(f"{where}: a vote is not a whole number below 10000")
        usages.append(row[0])
        votes.append([int(count) for count in counts])
    return usages, np.array(votes, dtype=np.int64).reshape(-1, len(_VOTE_COLUMNS))


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Yield each row under the expected header, with "FILE, line N" for messages."""
    try:
        with _open_text(path) as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            if header != list(columns):
                raise DataError(f"{path}, line 1: expected the header {','.join(columns)}")
            for row in reader:
                if not row:
                    continue  # a blank line
                where = f"{path}, line {reader.line_num}"
                if len(row) != len(columns):
                    raise DataError(
                        f"{where}: {len(row)} values, expected {len(columns)}; a short row?"
                    )
                yield where, row
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def _open_text(path: Path) -> TextIO:
    if path.suffix == ".gz":
        check_regular(path)
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return open_text(path)
