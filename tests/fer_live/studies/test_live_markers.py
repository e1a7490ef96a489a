"""What the live outputs and recordings write of markers is what summaries read, end to end."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from fer_live.datatypes import Marker
from fer_live.outputs.kind import Opening
from fer_live.outputs.marker_file import companion_of, write_marker_file
from fer_live.outputs.markers import MarkedSpan
from fer_live.outputs.registry import open_output
from fer_live.outputs.sink import MarkerSink
from fer_live.recording.recorder import FACES_FILE, About, Recorder, Recording
from fer_live.studies.grouping import read_markers
from fer_live.studies.study import StudyFiles, read_study
from fer_live.studies.summary import SummaryOptions
from fer_live.studies.tables import read_rows, row_files
from tests.helpers.results import LABELS, result

FPS = 10


def play(sink, shift_s: float = 0.0) -> None:
    """Ten seconds: neutral, then happy from 4 to 6 s. Intervals: baseline 0 to 4, "-5 mV; x" 4 to
    8, exclude 5 to 6; no face from 9 s on, where one more marker comes."""
    events = {
        0.0: ("begin", "baseline"),
        4.0: ("end", "baseline"),
        4.05: ("begin", "-5 mV, x"),
        5.0: ("begin", "Exclude"),
        6.0: ("end", "Exclude"),
        8.0: ("end", "-5 mV, x"),
        9.5: ("moment", "nobody there"),
    }
    for k in range(10 * FPS):
        now_s = k / FPS
        for at_s, (kind, text) in events.items():
            if now_s <= at_s < now_s + 1 / FPS:
                sink.mark(Marker(text, shift_s + at_s, None, kind, "key"))
        happy = 0.9 if 4 <= now_s < 6 else 0.1
        faces = 1 if now_s < 9 else 0
        sink.write("camera 0", result(k, shift_s + now_s, happy=happy, n_faces=faces))
    sink.close()


def seconds_by_marker(*paths: Path, markers: Path | None = None) -> dict[str, float]:
    """As `fer-live summarize --by marker` counts them."""
    options = SummaryOptions(by=("marker",), n_resamples=10, close_s=1 / FPS)
    summary, _ = read_study(StudyFiles(paths, None, markers), options)
    return {group.key["marker"]: group.seconds for group in summary.groups}


EXPECTED = {"": 1.1, "baseline": 4.0, "-5 mV, x": 2.9}


@pytest.mark.parametrize("kind", ["csv", "csv_bom", "jsonl"])
def test_live_outputs(tmp_path: Path, kind: str):
    path = tmp_path / ("a.jsonl" if kind == "jsonl" else "a.csv")
    opening = Opening(str(path), LABELS, lambda: pytest.fail("no picture"), is_live=True)
    sink = open_output(kind, opening)
    assert isinstance(sink, MarkerSink)
    play(sink, 5000.0)
    # From 4.05 s on: the frame at 4.0 s is in none. The excluded second is in no group.
    expected = EXPECTED
    assert seconds_by_marker(path) == pytest.approx(expected)
    assert seconds_by_marker(tmp_path) == pytest.approx(expected), "a folder names the rows once"
    beside = companion_of(path)
    assert seconds_by_marker(path, markers=beside) == pytest.approx(expected), "each name once"
    beside.rename(tmp_path / "elsewhere.csv.markers.csv")
    alone = seconds_by_marker(path)
    assert alone == pytest.approx(expected), "the column alone says so too"


def test_what_a_crash_left(tmp_path: Path):
    path = tmp_path / "a.csv"
    opening = Opening(str(path), LABELS, lambda: pytest.fail("no picture"), is_live=True)
    sink = open_output("csv", opening)
    sink.close = lambda: None  # type: ignore[method-assign]
    play(sink)
    partial = tmp_path / "a.partial.csv"
    assert seconds_by_marker(partial) == pytest.approx(EXPECTED)
    growing = companion_of(partial)
    with growing.open(newline="") as file:
        assert sum(row["marker"] == "baseline" for row in csv.DictReader(file)) == 2
    assert len(read_markers(growing)) == 4, "three intervals and a moment"
    sink.abandon()


def test_a_marker_that_was_told_late_counts_from_its_exact_time(tmp_path: Path):
    """The text was written for two seconds: rows of those do not name it, the file beside does."""
    path = tmp_path / "a.csv"
    opening = Opening(str(path), LABELS, lambda: pytest.fail("no picture"), is_live=True)
    sink = open_output("csv", opening)
    assert isinstance(sink, MarkerSink)
    for k in range(40):
        if k == 20:
            sink.mark(Marker("late", 0.0, None, "begin", "key"))
        sink.write("camera 0", result(k, k / FPS))
    sink.close()
    assert (pd.read_csv(path)["marker"].fillna("") == "late").sum() == 20
    assert seconds_by_marker(path) == {"late": 4.0}


def test_recordings_and_what_is_edited_in_them(tmp_path: Path):
    about = About(
        labels=LABELS,
        model="m.onnx",
        source="camera 0",
        began_at="2026-11-25T14:03:22Z",  # type: ignore[arg-type]
        with_overlay=False,
    )
    recorder = Recorder(tmp_path, about)
    play(recorder, 7000.0)
    faces = recorder.folder / FACES_FILE
    assert seconds_by_marker(faces) == pytest.approx(EXPECTED)
    recording = Recording.open(recorder.folder)
    kept = [span for span in recording.markers() if span.text != "Exclude"]
    recording.save_markers([*kept, MarkedSpan("made later", 8.0, 9.0)])
    expected = {"": 0.1, "baseline": 4.0, "-5 mV, x": 3.9, "made later": 1.0}
    assert seconds_by_marker(recorder.folder) == pytest.approx(expected)


def test_markers_of_one_source_are_not_those_of_another(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    opening = Opening(str(path), LABELS, lambda: pytest.fail("no picture"), is_live=False)
    sink = open_output("jsonl", opening)
    for source in ("one.mkv", "two.mkv"):
        for k in range(10):
            sink.write(source, result(k, k / FPS))
    sink.close()
    write_marker_file(companion_of(path), [MarkedSpan("x", 0.0, 0.5, source="two.mkv")])
    rows = read_rows(row_files([path]))
    assert (rows[rows["marker"] == "x"]["source"] == "two.mkv").all()
    assert (rows["marker"] == "x").sum() == 5
