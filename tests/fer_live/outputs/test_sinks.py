import errno
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_live.base.atomic_file import write_atomically
from fer_live.datatypes import FaceResult, Frame, FrameResult
from fer_live.errors import InputError, OutputError
from fer_live.outputs.face_rows import column_names
from fer_live.outputs.files import open_file_sink
from tests.helpers.descriptors import open_descriptors

LABELS = ("neutral", "happiness")
COLUMNS = (
    "source,frame,time_s,utc,track_id,x1,y1,x2,y2,detection_confidence,label,shown_label,"
    "shown_confidence,quality,quality_reason,confidence,p_neutral,p_happiness"
)


def result(index: int, n_faces: int) -> FrameResult:
    captured_at = datetime(2026, 11, 25, 23, 3, 22, 517_900, tzinfo=timezone(timedelta(hours=9)))
    utc = captured_at if index else None
    frame = Frame(np.zeros((8, 8, 3), np.uint8), index, index / 30, utc)
    face = FaceResult(
        track_id=3,
        box_xyxy=np.array([1, 2, 3.456, 4], np.float32),
        keypoints_xy=np.zeros((6, 2), np.float32),
        detection_confidence=0.9,
        probs=np.array([0.3, 0.7], np.float32),
        label="happiness",
        confidence=0.7,
        smoothed_probs=np.array([0.5, 0.5], np.float32),
        shown_label="",
        quality=0.1234,
        quality_reason="dark",
    )
    if index == 2:
        face = replace(face, shown_label="happiness", shown_confidence=0.5, quality_reason="")
    return FrameResult(frame, (face,) * n_faces, {}, "cpu", "short")


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".csv":
        return pd.read_csv(path, keep_default_na=False)
    if path.suffix == ".jsonl":
        return pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    return pd.read_parquet(path)


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_a_row_a_face_in_every_kind(tmp_path: Path, kind: str):
    path = tmp_path / f"out{kind}"
    sink = open_file_sink(path, LABELS)
    for index, n_faces in enumerate((0, 1, 2)):
        sink.write("a, “clip”.mp4", result(index, n_faces))
    assert not path.exists()
    sink.close()
    rows = read(path)
    assert ",".join(rows.columns) == COLUMNS
    assert rows["frame"].tolist() == [1, 2, 2]
    assert rows["source"].tolist() == ["a, “clip”.mp4"] * 3
    assert rows["shown_label"].tolist() == ["", "happiness", "happiness"]
    assert rows["quality"].tolist() == [0.123] * 3
    assert rows["quality_reason"].tolist() == ["dark", "", ""]
    unsure, *shown = rows["shown_confidence"].tolist()
    assert unsure == "" if kind == ".csv" else unsure is None or np.isnan(unsure)
    assert [float(value) for value in shown] == [0.5, 0.5]
    assert rows["x2"].tolist() == [3.46] * 3
    assert rows["utc"].tolist() == ["2026-11-25T14:03:22.517Z"] * 3
    np.testing.assert_allclose(rows[["p_neutral", "p_happiness"]].sum(axis=1), 1, atol=1e-6)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_no_face_at_all_still_gives_a_file_with_its_columns(tmp_path: Path, kind: str):
    sink = open_file_sink(tmp_path / f"out{kind}", LABELS)
    sink.close()
    rows = read(tmp_path / f"out{kind}")
    assert (len(rows), ",".join(rows.columns)) == (0, COLUMNS)


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_abandoning_leaves_the_old_file_and_the_new_rows_beside_it(tmp_path: Path, kind: str):
    path = tmp_path / f"out{kind}"
    path.write_text("precious")
    sink = open_file_sink(path, LABELS)
    sink.write("a.mp4", result(0, 1))
    kept = sink.abandon()
    assert path.read_text() == "precious"
    assert len(read(kept)) == 1


@pytest.mark.parametrize("end", ["close", "abandon"])
@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_what_has_ended_holds_no_file_open(tmp_path: Path, kind: str, end: str):
    """Windows would neither move nor delete it, and nobody gets the disk's space back."""
    sink = open_file_sink(tmp_path / f"out{kind}", LABELS)
    sink.write("clip.mp4", result(0, 1))
    getattr(sink, end)()
    held = [place for _, place in open_descriptors() if place.startswith(str(tmp_path))]
    assert held == []


def test_an_unknown_kind_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="unknown kind"):
        open_file_sink(tmp_path / "out.xml", LABELS)


def test_columns_follow_the_label_order():
    assert column_names(LABELS)[-2:] == ["p_neutral", "p_happiness"]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "model.bin"
    write_atomically(path, b"old")

    def full_disk(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OutputError, match="the disk is full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_an_earlier_run_left_is_not_written_over(tmp_path: Path):
    (tmp_path / "out.partial.csv").write_text("precious")
    sink = open_file_sink(tmp_path / "out.csv", LABELS)
    sink.close()
    assert (tmp_path / "out.partial.csv").read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "out.partial.csv"]


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_without_a_wall_clock_utc_is_empty(tmp_path: Path, kind: str):
    path = tmp_path / f"out{kind}"
    sink = open_file_sink(path, LABELS)
    sink.write("a.mp4", result(0, 2))
    sink.close()
    assert read(path)["utc"].tolist() == ["", ""]


@pytest.mark.parametrize("kind", [".csv", ".jsonl"])
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path, kind: str):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / f"rows{kind}", tmp_path / f"out{kind}"
    target.write_text("old")
    link.symlink_to(target)
    sink = open_file_sink(link, LABELS)
    sink.write("a.mp4", result(1, 1))
    sink.close()
    assert link.is_symlink()
    assert len(read(target)) == 1
