"""CSV files in which people say something of sources or of their parts: batch files, intervals.

One reader for all of them, so that `analyze` and `summarize` read one file alike. It takes what
spreadsheets write: commas, semicolons or tabs, UTF-8 with or without a byte order mark, UTF-16.
"""

import csv
import difflib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_live.base.regular_file import read_whole
from fer_live.errors import InputError

SOURCE, BEGIN, END = "source", "from", "to"
STUDY_COLUMNS = ("participant", "condition")
BATCH_COLUMNS = (SOURCE, *STUDY_COLUMNS, BEGIN, END, "began_at")
"""The columns that mean something to us; a batch file may have any others beside them."""

_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d+)?)")
_SEPARATORS = (",", ";", "\t")
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_HOW_TO_SAVE = "save it as UTF-8, in Excel as 'CSV UTF-8'"
_ALIKE = 0.75
"""From here on a name is taken for a slip: "particpant" has 0.95, "session" 0.62 of "source"."""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of a table.

    Attributes:
        line: Its number in the file, from 1; of one that goes over several, the last.
        source: What it is about, as it is written; empty where the table has no such column.
        begin_s: Where its part begins, on the source's clock; None where nothing is written.
        end_s: Where it ends, left out itself.
        texts: All other columns.
    """

    line: int
    source: str
    begin_s: float | None
    end_s: float | None
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A file that was read.

    Attributes:
        path: Where it is.
        columns: Those beside source, from and to, in the order of the file.
        lines: What it says, without empty lines.
    """

    path: Path
    columns: tuple[str, ...]
    lines: tuple[SourceLine, ...]

    def where(self, line: SourceLine) -> str:
        """The beginning of a message about a line."""
        return f"{self.path}, line {line.line}: "

    def beside(self, source: str) -> Path:
        """Where a relative name leads, seen from the table's folder."""
        return self.path.parent / source


def read_batch_file(path: Path) -> SourceTable:
    """A batch file: `source` and any of `participant`, `condition`, `from`, `to`, `began_at` and
    columns of one's own.

    Raises:
        InputError: As `read_source_table`, or two lines are about the same part of a source.
    """
    table = read_source_table(path, BATCH_COLUMNS, needed=(SOURCE,))
    seen: dict[tuple[str, float, float | None], int] = {}
    for line in table.lines:
        if not line.source:
            raise InputError(f"{table.where(line)}has no source; name a file, or delete the line")
        part = (str(Path(line.source)), line.begin_s or 0.0, line.end_s)
        first = seen.setdefault(part, line.line)
        if first != line.line:
            raise InputError(
                f"{table.where(line)}the same part of {line.source} as in line {first}; "
                "delete one of them, or change its from and to"
            )
    if not table.lines:
        raise InputError(f"{path}: names no source; write a line for each below the first")
    return table


def read_source_table(
    path: Path, known: Sequence[str], needed: Sequence[str], *, with_moments: bool = False
) -> SourceTable:
    """Read a table whose first line names its columns.

    Args:
        path: The file.
        known: Columns that have a meaning, in any case; a name that is nearly one of those that are
            missing is taken for a slip.
        needed: Those that must be there.
        with_moments: Take lines that end when they begin, which are about a moment.

    Raises:
        InputError: It cannot be read, a column is missing, there twice or misspelt, or a time is
            none. The message tells the line and what to do.
    """
    records = _records(path, _text_of(path))
    number, names = next(records, (0, []))
    columns = [_known_name(name.strip(), known) for name in names]
    while columns and not columns[-1]:
        columns.pop()
    _check_columns(path, number, columns, known, needed)
    lines = []
    for number, cells in records:
        values = dict(zip(columns, map(str.strip, cells), strict=False))
        beyond = [cell for cell in cells[len(columns) :] if cell.strip()]
        if beyond:
            raise InputError(
                f"{path}, line {number}: has more values than columns; put a value with a "
                'separator in it between quotes, as "talk, part 1.mp4"'
            )
        begin_s, end_s = span_of(
            values.pop(BEGIN, ""),
            values.pop(END, ""),
            f"{path}, line {number}: ",
            may_be_moment=with_moments,
        )
        texts = {name: values.get(name, "") for name in columns if name not in (BEGIN, END)}
        lines.append(SourceLine(number, texts.pop(SOURCE, ""), begin_s, end_s, texts))
    others = tuple(name for name in columns if name not in (SOURCE, BEGIN, END))
    return SourceTable(path, others, tuple(lines))


def parse_time(text: str, what: str) -> float:
    """Read seconds or [H:]M:S, "90.5", "90,5" or "1:30.5"; `InputError` names `what` was wrong."""
    match = _TIME.fullmatch(text.strip())
    hours, minutes, seconds = match.groups() if match else (None, None, None)
    seconds_s = float(seconds.replace(",", ".")) if seconds else 0.0
    is_over = minutes is not None and seconds_s >= 60
    is_over |= hours is not None and int(minutes or 0) >= 60
    if seconds is None or is_over:
        raise InputError(f"{what} {text!r}: write seconds, as 90.5, or [H:]M:S, as 1:30.5")
    return 3600 * int(hours or 0) + 60 * int(minutes or 0) + seconds_s


def span_of(
    begin: str | None,
    end: str | None,
    where: str = "",
    option: str = "",
    *,
    may_be_moment: bool = False,
) -> tuple[float | None, float | None]:
    """Read where a part begins and ends; empty is None.

    Args:
        begin: Its `from`.
        end: Its `to`.
        where: The beginning of a message.
        option: What stands before both names in a message: "--" for options.
        may_be_moment: Take an end that is the begin.
    """
    begin_s = parse_time(begin, f"{where}{option}{BEGIN}") if begin else None
    end_s = parse_time(end, f"{where}{option}{END}") if end else None
    is_moment = may_be_moment and end_s == (begin_s or 0.0)
    if end_s is not None and end_s <= (begin_s or 0.0) and not is_moment:
        raise InputError(
            f"{where}{option}{END} {end} is not after {option}{BEGIN} {begin or 0}; "
            "a part ends later than it begins"
        )
    return begin_s, end_s


def _text_of(path: Path) -> str:
    try:
        content = read_whole(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    encoding = "utf-16" if content.startswith(_UTF_16_MARKS) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(f"{path}, line {line}: is no text in UTF-8; {_HOW_TO_SAVE}") from None
    if "\0" in text:
        raise InputError(f"{path}: is no text file with columns; {_HOW_TO_SAVE}")
    return text


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """The number and the cells of each line that has any."""
    told = _SEPARATOR_LINE.match(text)  # Excel's own way to tell it
    separator = told[1] if told else _separator(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            if reader.line_num > bool(told) and any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(
            f"{path}, line {reader.line_num}: is no CSV: {error}; look for a quote that is not "
            "closed"
        ) from None


def _separator(text: str) -> str:
    """The one that is there most often in the first line that is not empty."""
    first = next((line for line in text.splitlines() if line.strip(" ,;\t")), "")
    outside = re.sub(r'"[^"]*"', "", first)
    return max(_SEPARATORS, key=outside.count)


def _known_name(name: str, known: Sequence[str]) -> str:
    return name.lower() if name.lower() in known else name


def _check_columns(
    path: Path, line: int, columns: Sequence[str], known: Sequence[str], needed: Sequence[str]
) -> None:
    where = f"{path}, line {line}: " if line else f"{path}: "
    absent = [name for name in known if name not in columns]
    for name in columns:
        if not name:
            raise InputError(f"{where}a column has no name; give it one, or delete it")
        if columns.count(name) > 1:
            raise InputError(f"{where}two columns are called {name}; rename one of them")
        slip = difflib.get_close_matches(name.lower(), absent, 1, _ALIKE)
        if name not in known and slip:
            raise InputError(
                f"{where}unknown column {name!r}; did you mean {slip[0]}? If not, call it otherwise"
            )
    missing = [name for name in needed if name not in columns]
    if missing:
        raise InputError(
            f"{where}has no column {', '.join(missing)}; the first line names the columns: "
            f"{', '.join(known)} and any of your own"
        )
