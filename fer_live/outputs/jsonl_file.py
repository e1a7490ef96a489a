"""JSON lines, one object per face, with the keys of the CSV."""

import json
from collections.abc import Iterable
from pathlib import Path

from fer_live.base.translation import mark
from fer_live.datatypes import FrameResult
from fer_live.outputs.face_rows import Row, face_rows
from fer_live.outputs.kind import OutputKind
from fer_live.outputs.marked_rows import MarkedRows
from fer_live.outputs.text_file import GrowingTextFile, check_text_file, suggested_file


class JsonlFile:
    """A `ResultSink` into one JSONL file; an object has the keys of its row, also those `also`."""

    def __init__(
        self,
        path: Path,
        labels: tuple[str, ...],
        *,
        signals: bool = False,
        also: tuple[str, ...] = (),
    ) -> None:
        self._labels, self._signals = labels, signals
        self._file = GrowingTextFile(path)

    @property
    def partial(self) -> Path:
        """Where the rows grow."""
        return self._file.partial

    def write(self, source: str, result: FrameResult) -> None:
        self.append(face_rows(source, result, self._labels, signals=self._signals))

    def append(self, rows: Iterable[Row]) -> None:
        self._file.append("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))

    @property
    def last_message(self) -> str:
        """The line that was written last."""
        return self._file.last_line

    def send_test(self) -> str:
        """Write and read a file beside this one; returns what happened."""
        return self._file.test()

    def close(self) -> None:
        self._file.close()

    def abandon(self) -> Path:
        return self._file.abandon()


OUTPUT = OutputKind(
    name="jsonl",
    title="JSONL",
    purpose=mark("For programs that read a file: one line of JSON per face."),
    metavar="FILE",
    help="one object per face",
    open=lambda opening: MarkedRows(
        JsonlFile(Path(opening.where), opening.labels, signals=opening.with_signals), opening
    ),
    check=lambda where: check_text_file(where, ".jsonl"),
    suggest=lambda: suggested_file(".jsonl"),
    writes_file=True,
    position=20,
)
