"""Recordings carry their markers through `analyze`; a stream takes markers while it is read."""

import json
import shutil
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_live.analyze.jobs import Job, expand, marked
from fer_live.analyze.options import AnalyzeOptions
from fer_live.analyze.run import analyze
from fer_live.datatypes import Marker
from fer_live.errors import InputError
from fer_live.outputs.marker_file import companion_of, read_marker_file
from fer_live.outputs.markers import MarkedSpan
from fer_live.recording.recorder import About, Recorder, Recording
from tests.helpers.clips import part_of_demo
from tests.helpers.results import LABELS, result
from tests.helpers.servers import mjpeg_server


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """A recording of the demo clip with an interval, a moment, and one second to leave out."""
    about = About(
        labels=LABELS,
        model="m.onnx",
        source="camera 0",
        began_at=datetime(2026, 11, 25, 14, 3, tzinfo=UTC),
        with_overlay=False,
    )
    recorder = Recorder(tmp_path / "recordings", about)
    recorder.write("camera 0", result(0, 5.0))
    recorder.mark(Marker("a smile", 5.5))
    recorder.mark(Marker("baseline", 6.0, kind="begin"))
    recorder.mark(Marker("baseline", 7.0, kind="end"))
    recorder.close()
    part_of_demo(recorder.folder / "video.mkv", n=75)
    return Recording.open(recorder.folder)


@pytest.mark.parametrize(
    ("suffix", "named"), [(".csv", "folder"), (".jsonl", "video"), (".parquet", "folder")]
)
def test_a_recording_carries_its_markers(recording, tmp_path: Path, suffix: str, named: str):
    out = tmp_path / f"rows{suffix}"
    source = recording.folder if named == "folder" else recording.video
    analyze(AnalyzeOptions([str(source)], out=out, every=10))
    if suffix == ".csv":
        rows = pd.read_csv(out, keep_default_na=False)
    else:
        rows = pd.read_json(out, lines=True) if suffix == ".jsonl" else pd.read_parquet(out)
    assert rows.columns[-1] == "marker"
    inside = (rows["time_s"] >= 1.0) & (rows["time_s"] < 2.0)
    assert inside.any()
    assert (rows["marker"] == "baseline").tolist() == inside.tolist()
    spans = read_marker_file(companion_of(out))
    assert [(s.text, s.from_s, s.to_s) for s in spans] == [
        ("a smile", 0.5, 0.5),
        ("baseline", 1.0, 2.0),
    ]
    assert {span.source for span in spans} == {str(recording.video)} == set(rows["source"])


def test_a_batch_reads_again_what_was_marked_anew(
    recording, short_clip, tmp_path, capfd, request: pytest.FixtureRequest
):
    """The first time over all cores, the second time in this process."""
    out, report = tmp_path / "rows.jsonl", tmp_path / "report.html"
    other = tmp_path / "other.mp4"
    shutil.copy(short_clip, other)
    options = AnalyzeOptions([str(recording.folder), str(other)], out=out, every=20, report=report)
    analyze(options)
    assert "a smile" in report.read_text()
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["marker"] for row in rows if row["source"] == str(other)} == {""}
    assert "baseline" in {row["marker"] for row in rows}
    recording.save_markers([MarkedSpan("Exclude", 0.0, 100.0)])
    request.getfixturevalue("in_this_process")
    analyze(options)
    assert "finished before and not read again: 1 of 2" in capfd.readouterr().err
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert "Exclude" in {row["marker"] for row in rows}
    assert "rows in intervals called" in report.read_text()


def test_without_markers_there_is_no_column_and_none_of_an_earlier_run_stays(
    recording, short_clip, tmp_path
):
    out = tmp_path / "rows.csv"
    analyze(AnalyzeOptions([str(recording.folder)], out=out, every=20))
    assert companion_of(out).exists()
    analyze(AnalyzeOptions([str(short_clip)], out=out, every=20))
    assert not companion_of(out).exists()
    assert "marker" not in pd.read_csv(out).columns


def test_other_folders_are_no_recordings(tmp_path: Path, demo_clip: Path):
    (tmp_path / "video.mkv").touch()
    (job,) = marked([Job(str(demo_clip))])
    assert job.markers == ()
    with pytest.raises(InputError):
        expand([Job(str(tmp_path))])


def test_files_have_no_now_to_be_marked(demo_clip: Path, tmp_path: Path):
    options = AnalyzeOptions(
        [str(demo_clip)], out=tmp_path / "a.csv", marker_inputs={"osc": "9001"}
    )
    with pytest.raises(InputError, match="--marker-osc: markers come in while one live stream"):
        analyze(options)


def test_a_stream_takes_markers_while_it_is_read(
    demo_frames: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from pythonosc.udp_client import SimpleUDPClient

    monkeypatch.setattr("fer_live.analyze.reading._AWAY_MAX_S", 1.0)
    monkeypatch.setattr("fer_live.session.reconnect._RETRY_AFTER_S", (0.1,))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    out, jsonl = tmp_path / "rows.parquet", tmp_path / "live.jsonl"
    growing = companion_of(tmp_path / "rows.parquet.partial.csv")
    sent: dict[str, datetime] = {}

    def mark() -> None:
        rows, deadline = tmp_path / "rows.parquet.partial.csv", time.monotonic() + 60
        while not (rows.exists() and len(rows.read_text().splitlines()) > 3):
            if time.monotonic() > deadline:
                return
            time.sleep(0.01)
        client = SimpleUDPClient("127.0.0.1", port)
        for text in ("begin:baseline", "a smile", "end:baseline"):
            sent[text.removeprefix("begin:")] = datetime.now(UTC)
            client.send_message("/fer/marker", text)
            time.sleep(0.2)
        client._sock.close()

    marker = threading.Thread(target=mark)
    with mjpeg_server(demo_frames[:60], fps=30, n_connections=1) as url:
        options = AnalyzeOptions(
            [url], out=out, outputs={"jsonl": str(jsonl)}, marker_inputs={"osc": str(port)}
        )
        marker.start()
        analyze(options)
        marker.join()
    assert not growing.exists()
    rows = pd.read_parquet(out)
    assert "baseline" in set(rows["marker"])
    assert set(rows["marker"]) <= {"", "baseline"}
    for beside in (companion_of(out), companion_of(jsonl)):
        baseline, smile = read_marker_file(beside)
        assert (baseline.text, smile.text, smile.origin) == ("baseline", "a smile", "osc")
        assert baseline.is_interval
        assert baseline.utc is not None
        assert abs(baseline.utc - sent["baseline"]) < timedelta(seconds=0.5)
    # The stream's clock starts at its first frame; `utc` tells the same moment.
    first = rows.iloc[0]
    apart = datetime.fromisoformat(first["utc"]) + timedelta(
        seconds=baseline.from_s - float(first["time_s"])
    )
    assert abs(apart - baseline.utc) < timedelta(seconds=0.05)
