"""`analyze --signals`: every frame measured, the blinks in the summary."""

import json
from pathlib import Path

import pandas as pd
import pytest

from fer_live.analyze.blinks import BlinkTally
from fer_live.analyze.options import AnalyzeOptions
from fer_live.analyze.run import analyze
from fer_live.outputs.signal_columns import signal_columns
from tests.helpers.here import run_here
from tests.helpers.results import face_signals, result, with_signals


def test_every_face_of_every_frame_is_measured(short_clip: Path, tmp_path: Path):
    out = tmp_path / "a.csv"
    summary, broken = analyze(AnalyzeOptions([str(short_clip)], out=out, every=5, signals=True))
    rows = pd.read_csv(out)
    assert broken == [] and len(rows) == summary.faces > 0
    assert rows[signal_columns()].notna().all().all()
    assert summary.blinks is not None
    assert {face["track_id"] for face in summary.blinks} == set(rows["track_id"])


def test_several_files_are_measured_alike(
    short_clip: Path, tmp_path: Path, request: pytest.FixtureRequest
):
    """In parts over all cores, which a run without the signals must not take over."""
    clips = []
    for name in ("a.mp4", "b.mp4"):
        clips.append(tmp_path / name)
        clips[-1].write_bytes(short_clip.read_bytes())
    out = tmp_path / "both.csv"
    sources = [str(clip) for clip in clips]
    summary, _ = analyze(AnalyzeOptions(sources, out=out, every=20, signals=True))
    rows = pd.read_csv(out)
    assert rows[signal_columns()].notna().all().all()
    assert summary.blinks is not None
    assert {face["source"] for face in summary.blinks} == set(sources)
    request.getfixturevalue("in_this_process")
    plain = tmp_path / "plain.csv"
    summary, _ = analyze(AnalyzeOptions(sources, out=plain, every=20))
    assert "yaw_deg" not in pd.read_csv(plain, nrows=1).columns
    assert summary.blinks is None


def test_the_summary_tells_blinks_only_where_they_were_counted(
    short_clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    def told(*options: str) -> dict[str, object]:
        words = ("analyze", short_clip, "--out", tmp_path / "a.jsonl", "--every", 20, "--json")
        done = run_here(capfd, "fer-live", *words, *options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    assert "blinks" not in told()
    assert told("--signals")["blinks"]


def test_the_tally_counts_blinks_and_leaves_gaps_out():
    tally = BlinkTally()
    assert tally.summary() == []
    for time_s, is_blink in ((0.0, False), (0.1, True), (0.2, False), (9.0, True), (9.1, False)):
        tally.write("clip", with_signals(result(0, time_s), face_signals(is_blink=is_blink)))
    tally.write("clip", with_signals(result(0, 9.2), face_signals(age_s=0.1)))
    tally.append([{"source": "other", "track_id": 1, "time_s": 0.0, "blink": 1}])
    tally.append([{"source": "other", "track_id": 1, "time_s": 0.1, "blink": None}])
    one, other = tally.summary()
    assert (one["blinks"], one["watched_s"]) == (2, pytest.approx(0.3))
    assert one["per_minute"] == pytest.approx(400, rel=0.01)
    assert (other["blinks"], other["per_minute"]) == (1, None)
