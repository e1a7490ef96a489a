"""Tables that people write, and rows that are summed up: CSV, JSON lines, markers."""

from collections.abc import Callable
from pathlib import Path
from random import Random

from fer_live.base.source_table import read_batch_file
from fer_live.outputs.marker_file import read_marker_file, write_marker_file
from fer_live.studies.grouping import read_markers
from fer_live.studies.study import StudyFiles, read_study
from fer_live.studies.summary import SummaryOptions
from fer_live.studies.written import as_csv, as_lines, as_object
from tests.trust.fuzz.kind import InputKind, kind_of
from tests.trust.fuzz.spoil import spoil_file, table_spoilt

_BATCH = """source,participant,condition,from,to,began_at,note
talk.mp4,Ada,before,0,90.5,2026-11-25T14:03:22Z,"a, b"
talk.mp4,Ada,after,1:30.5,2:00:00,,
other.mp4,Bo,before,,,,x
"""
_MARKERS = """source,marker,from,to,utc,origin
,stimulus,1.000000,1.000000,2026-11-25T14:03:23.000Z,key 1
camera 0,block,2.000000,4.500000,2026-11-25T14:03:24.000Z,osc
camera 0,exclude,5.000000,,,websocket
"""
_COLUMNS = (
    *("source", "frame", "time_s", "utc", "track_id", "x1", "y1", "x2", "y2"),
    *("detection_confidence", "label", "shown_label", "shown_confidence", "quality"),
    *("quality_reason", "confidence", "p_neutral", "p_happiness"),
)


def _csv_rows() -> str:
    lines = [",".join(_COLUMNS)]
    for frame in range(12):
        happy = 0.1 + 0.05 * frame
        label = "happiness" if happy > 0.5 else "neutral"
        lines.append(
            f"talk.mp4,{frame},{frame / 10:.6f},,{1 + frame % 2},10,10,50,50,0.9,{label},{label},"
            f"0.8,0.9,,{max(happy, 1 - happy):.4f},{1 - happy:.4f},{happy:.4f}"
        )
    return "\n".join([*lines, ""])


def _jsonl_rows() -> str:
    import json

    head, *lines = _csv_rows().splitlines()
    texts = ("source", "utc", "label", "shown_label", "quality_reason")
    rows = [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]
    typed = [{k: v if k in texts else json.loads(v) for k, v in row.items()} for row in rows]
    return "".join(json.dumps(row) + "\n" for row in typed)


def _table(name: str, content: Callable[[], str], read: Callable[[Path], None]) -> InputKind:
    return kind_of(
        lambda folder: _write(folder / name, content()),
        lambda folder, choose: spoil_file(folder / name, choose),
        lambda folder: read(folder / name),
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def _read_markers(path: Path) -> None:
    """As a recording reads them, and writes them anew."""
    spans = read_marker_file(path)
    write_marker_file(path, spans)
    assert len(read_marker_file(path)) == len(spans)


def _sum_up(path: Path) -> None:
    """As `fer-live summarize ROWS --by track_id --json --out FILE.csv` does."""
    options = SummaryOptions(by=("track_id",), n_resamples=20)
    study, _ = read_study(StudyFiles([path]), options)
    as_csv(study), as_object(study), list(as_lines(study))


def _spoil_intervals(folder: Path, choose: Random) -> None:
    path = folder / "markers.csv"
    path.write_bytes(table_spoilt(path.read_bytes(), choose))


def _sum_up_intervals(folder: Path) -> None:
    """As `fer-live summarize ROWS --markers FILE.csv --by marker` does."""
    options = SummaryOptions(by=("marker",), n_resamples=20)
    read_markers(folder / "markers.csv")
    read_study(StudyFiles([folder / "rows.csv"], None, folder / "markers.csv"), options)


def _make_intervals(folder: Path) -> None:
    _write(folder / "rows.csv", _csv_rows())
    _write(folder / "markers.csv", "source,marker,from,to\n,block,0,0.5\ntalk.mp4,rest,0.5,1\n")


KINDS = {
    "batch file": _table("batch.csv", lambda: _BATCH, lambda path: _ignore(read_batch_file(path))),
    "markers file": _table("rows.jsonl.markers.csv", lambda: _MARKERS, _read_markers),
    "study csv": _table("rows.csv", _csv_rows, _sum_up),
    "study jsonl": _table("rows.jsonl", _jsonl_rows, _sum_up),
    "intervals": kind_of(_make_intervals, _spoil_intervals, _sum_up_intervals),
}


def _ignore(_: object) -> None:
    """What was read is of no interest here."""
