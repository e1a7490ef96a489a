import html
import json
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from fer_live.base.colors import expression_hex
from fer_live.base.settings import Settings, load_settings, save_settings
from fer_live.datatypes import FrameResult, Marker
from fer_live.errors import InputError, OutputError
from fer_live.outputs.face_rows import Row
from fer_live.outputs.markers import MarkedSpan
from fer_live.outputs.worker import SinkWorker
from fer_live.recording.history import ExpressionHistory, seconds_in
from fer_live.recording.recorder import (
    FACES_FILE,
    About,
    Recorder,
    Recording,
    list_recordings,
)
from fer_live.recording.report import ReportOptions, write_report
from tests.helpers.results import LABELS, result


def about(began_at: datetime = datetime(2026, 11, 25, 14, 3, 22)) -> About:
    return About(
        labels=LABELS, model="m.onnx", source="camera 0", began_at=began_at, with_overlay=False
    )


def test_a_recording_is_read_back_as_it_was(tmp_path: Path):
    recorder = Recorder(tmp_path, about())
    for k in range(30):
        recorder.write("camera 0", result(500 + k, 77 + k / 30, happy=k / 30))
    recorder.close()
    recording = Recording.open(recorder.folder)
    assert recording.about == about()
    rows = recording.rows()
    assert [row["frame"] for row in rows] == list(range(30))
    assert [row["time_s"] for row in rows] == pytest.approx([k / 30 for k in range(30)], abs=1e-5)
    assert rows[29]["p_happiness"] == pytest.approx(29 / 30)
    assert oct(recorder.folder.stat().st_mode & 0o777) == "0o700"
    assert recording.markers() == []
    recording.save_markers([MarkedSpan("b", 0.5, 0.5), MarkedSpan("a", 0.2, 0.4)])
    assert [span.text for span in recording.markers()] == ["a", "b"]
    modes = {file.stat().st_mode & 0o777 for file in recording.folder.iterdir()}
    assert modes == {0o600}


def test_notes_of_earlier_versions_are_markers_and_kept_with_them(tmp_path: Path):
    recorder = Recorder(tmp_path, about())
    recorder.write("camera 0", result(0, 0.0))
    recorder.close()
    recording = Recording.open(recorder.folder)
    notes = recorder.folder / "notes.json"
    notes.write_text('[{"time_s": 0.5, "text": "b"}, {"time_s": 0.2, "text": "a"}]')
    spans = recording.markers()
    assert [(s.text, s.from_s, s.to_s) for s in spans] == [("a", 0.2, 0.2), ("b", 0.5, 0.5)]
    recording.save_markers([*spans, MarkedSpan("c", 0.7, 0.9)])
    assert not notes.exists()
    assert [span.text for span in recording.markers()] == ["a", "b", "c"]
    notes.write_text("{")
    assert [span.text for span in recording.markers()] == ["a", "b", "c"]


def test_markers_go_into_a_recording_on_the_clock_of_its_video(tmp_path: Path):
    utc = datetime(2026, 11, 25, 14, 3, 22, 500_000, UTC)
    recorder = Recorder(tmp_path, about())
    recorder.mark(Marker("baseline", 70.0, utc, "begin", "key"))
    recorder.write("camera 0", result(0, 77.0))
    recorder.mark(Marker("=a smile", 78.5, utc, "moment", "osc"))
    recorder.write("camera 0", result(1, 79.0, n_faces=0))
    recorder.mark(Marker("baseline", 80.0, utc, "end", "lsl"))
    recorder.mark(Marker("still open", 81.0, utc, "begin", "key"))
    expected = [("baseline", 0.0, 3.0), ("=a smile", 1.5, 1.5), ("still open", 4.0, None)]
    before = Recording.open(recorder.folder).markers()
    assert [(s.text, s.from_s, s.to_s) for s in before] == expected, "a crash would lose none"
    recorder.close()
    recording = Recording.open(recorder.folder)
    assert recording.markers() == before
    assert before[0].utc == utc
    path = recorder.folder / "faces.jsonl.markers.csv"
    assert path.stat().st_mode & 0o077 == 0
    recording.save_markers(before)
    assert path.stat().st_mode & 0o077 == 0
    assert "marker" not in recording.rows()[0], "what is edited stands in one place"


def test_the_wall_clock_of_a_recording_is_that_of_its_rows(tmp_path: Path):
    recorder = Recorder(tmp_path, about(datetime(2026, 11, 25, 14, 3, 22, tzinfo=UTC)))
    assert Recording.open(recorder.folder).utc_at(2.0).second == 24, "no row yet"
    utc = datetime(2026, 11, 25, 14, 3, 22, 300_000, UTC)
    plain = result(0, 77.0)
    frame = replace(plain.frame, captured_at_utc=utc)
    recorder.write("camera 0", replace(plain, frame=frame))
    recorder.close()
    at = Recording.open(recorder.folder).utc_at(2.0)
    assert (at - utc).total_seconds() == 2.0


def test_a_row_that_a_crash_cut_off_is_left_out(tmp_path: Path):
    recorder = Recorder(tmp_path, about())
    recorder.write("camera 0", result(0, 0.0))
    faces = recorder.folder / FACES_FILE
    assert len(Recording.open(recorder.folder).rows()) == 1, "on its way to the disk at once"
    recorder.close()
    faces.write_text(faces.read_text() + '{"source": "camera 0", "fra')
    assert len(Recording.open(recorder.folder).rows()) == 1


def test_two_recordings_of_one_second_are_two_and_others_are_left_out(tmp_path: Path):
    folders = []
    for _ in range(2):
        recorder = Recorder(tmp_path, about())
        recorder.write("camera 0", result(0, 0.0))
        recorder.close()
        folders.append(recorder.folder)
    (tmp_path / "something else").mkdir()
    assert len(set(folders)) == 2
    assert {recording.folder for recording in list_recordings(tmp_path)} == set(folders)
    list_recordings(tmp_path)[0].delete()
    assert len(list_recordings(tmp_path)) == 1
    assert list_recordings(tmp_path / "missing") == []
    with pytest.raises(InputError, match="no recording"):
        Recording.open(tmp_path / "something else")


class Sink:
    """Takes results; waits at each for `go`, fails where it should."""

    def __init__(self, fails_at: int = -1) -> None:
        self.go = threading.Event()
        self.written: list[int] = []
        self.fails_at = fails_at
        self.closed = self.abandoned = False

    def write(self, source: str, frame_result: FrameResult) -> None:
        self.go.wait(10)
        if frame_result.frame.index == self.fails_at:
            raise OutputError("disk full")
        self.written.append(frame_result.frame.index)

    def close(self) -> None:
        self.closed = True

    def abandon(self) -> None:
        self.abandoned = True


def test_a_slow_sink_costs_its_oldest_results_and_each_is_counted():
    sink = Sink()
    worker = SinkWorker(sink, depth=5)
    for k in range(100):
        worker.offer("camera", result(k, k / 30))
    sink.go.set()
    worker.close()
    assert sink.closed
    assert sink.written == sorted(sink.written)
    assert sink.written[-1] == 99
    assert len(sink.written) + worker.dropped == 100
    assert worker.written == len(sink.written) <= 7
    worker.offer("camera", result(100, 9.0))
    assert 100 not in sink.written


def test_a_sink_that_fails_is_abandoned_and_told_once():
    sink, failures = Sink(fails_at=3), []
    sink.go.set()
    worker = SinkWorker(sink, on_failure=failures.append)
    for k in range(10):
        worker.offer("camera", result(k, k / 30))
    worker.close()
    assert [str(error) for error in failures] == ["disk full"]
    assert sink.abandoned
    assert not sink.closed
    assert sink.written == [0, 1, 2]


def rows(n: int = 90, track_id: int = 1, source: str = "a.mp4", start_s: float = 0.0) -> list[Row]:
    return [
        {
            "source": source,
            "frame": k,
            "time_s": start_s + k / 30,
            "track_id": track_id,
            **dict.fromkeys(("x1", "y1"), 10.0),
            **dict.fromkeys(("x2", "y2"), 40.0),
            "detection_confidence": 0.9,
            "label": "happiness" if k >= 60 else "neutral",
            "shown_label": "happiness" if k >= 60 else "neutral",
            "confidence": 0.9,
            "p_neutral": 0.1 if k >= 60 else 0.9,
            "p_happiness": 0.9 if k >= 60 else 0.1,
        }
        for k in range(n)
    ]


def test_the_report_tells_the_shares_and_opens_offline(tmp_path: Path):
    path = tmp_path / "report.html"
    marks = [MarkedSpan("<b>a smile</b>", 65, 65)]
    write_report(path, rows(), LABELS, ReportOptions(marks=marks))
    page = path.read_text()
    cells = dict(re.findall(r"</span>(\w+)</td>((?:<td.*?</td>)+)", page))
    shares = {name: [float(x) for x in re.findall(r">([\d.]+)<", c)] for name, c in cells.items()}
    assert shares["neutral"] == pytest.approx([66.7, 63.3])
    assert shares["happiness"] == pytest.approx([33.3, 36.7])
    assert shares["unsure"] == [0.0]
    assert "&lt;b&gt;a smile&lt;/b&gt;" in page
    assert "1:05" in page
    assert path.stat().st_mode & 0o777 == 0o600, "it tells of people"
    for outside in ("src=", '<link rel="style', "url(", "@import", "http://"):
        assert outside not in page
    assert "https://" not in page.replace("https://github.com/leeoniya/uPlot", "")
    assert "default-src 'none'" in html.unescape(page), "nothing can be loaded"


def test_the_report_draws_markers_and_leaves_out_what_is_excluded(tmp_path: Path):
    path = tmp_path / "report.html"
    markers = [
        MarkedSpan("stimulus & more", 0.5, 1.0),
        MarkedSpan("Exclude", 2.0, None, source="a.mp4"),
        MarkedSpan("exclude", 0.0, None, source="b.mp4"),
    ]
    write_report(path, rows(), LABELS, ReportOptions(marks=markers))
    page = path.read_text()
    assert "stimulus &amp; more" in page
    assert "30 rows in intervals" in page
    assert re.search(r"neutral</td><td class=\"n\">100.0<", page), "the happy third is excluded"
    many = [MarkedSpan(f"m{k}", 1.0, 1.0) for k in range(700)]
    write_report(path, rows(), LABELS, ReportOptions(marks=many))
    assert "200 more markers are left out." in path.read_text()


def test_own_expressions_change_no_share_of_the_others(tmp_path: Path):
    """Half of each face's probability, and a third of the time, are a wink."""
    path = tmp_path / "report.html"
    with_wink = [
        {
            **row,
            "p_neutral": float(row["p_neutral"]) / 2,
            "p_happiness": float(row["p_happiness"]) / 2,
            "p_wink left": 0.5,
        }
        for row in rows()
    ]
    later = [{**with_wink[0], "time_s": 3 + k / 30, "shown_label": "wink left"} for k in range(45)]
    labels = (*LABELS, "wink left")
    write_report(path, [*with_wink, *later], labels, ReportOptions(("wink left",)))
    page = path.read_text()
    cells = re.findall(r"</span>([\w ]+)</td>((?:<td.*?</td>)+)", page)
    assert [name for name, _ in cells] == ["neutral", "happiness", "unsure", "wink left"]
    shares = {name: [float(x) for x in re.findall(r">([\d.]+)<", c)] for name, c in cells}
    assert shares["neutral"][0] == pytest.approx(66.7, abs=0.1)
    assert shares["happiness"][0] == pytest.approx(33.3, abs=0.1)
    assert shares["neutral"][1] + shares["happiness"][1] == pytest.approx(100, abs=0.1)
    assert shares["wink left"] == pytest.approx([33.3, 50.0], abs=0.1)
    assert expression_hex("wink left", labels) in page and "Shares of your own" in page
    write_report(path, rows(), LABELS)
    assert "Shares of your own" not in path.read_text()


def test_a_gap_counts_for_nothing_and_no_face_is_said(tmp_path: Path):
    path = tmp_path / "report.html"
    early, late = rows(60), rows(60, start_s=600.0)
    write_report(path, [*early, *late], LABELS)
    assert " 4.0 s<" in path.read_text()
    write_report(path, [], LABELS)
    assert "No face was found." in path.read_text()
    many = [row for k in range(25) for row in rows(5, track_id=k + 1)]
    write_report(path, many, LABELS)
    assert "5 faces that were in view for a shorter time" in path.read_text()


def test_settings_are_kept_and_an_unusable_file_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path))
    assert load_settings() == (Settings(), "")
    save_settings(Settings(calm=0.9, camera=2))
    assert load_settings() == (Settings(calm=0.9, camera=2), "")
    (tmp_path / "settings.json").write_text(json.dumps({"calm": 0.2, "from_the_future": 1}))
    assert load_settings()[0].calm == 0.2
    for content in ("{", '{"calm": 7}', '["a"]'):
        (tmp_path / "settings.json").write_text(content)
        settings, trouble = load_settings()
        assert settings == Settings()
        assert "settings.unusable" in trouble
        assert not (tmp_path / "settings.json").exists()
    kept = {path.read_text() for path in tmp_path.glob("settings.unusable*")}
    assert kept == {"{", '{"calm": 7}', '["a"]'}


def test_history_keeps_the_last_minute_of_each_face():
    history = ExpressionHistory()
    for k in range(1000):
        history.add(result(k, k * 0.1, n_faces=2 if k < 100 else 1))
    first, second = list(history.of(1)), list(history.of(2))
    assert (first[0].time_s, first[-1].time_s) == pytest.approx((39.9, 99.9))
    assert second == []
    history.clear()
    assert list(history.of(1)) == []
    assert history.curves() == {}


def test_history_keeps_ten_minutes_thinned_beyond_the_last():
    history = ExpressionHistory()
    frame = result(0, 0.0, n_faces=4)
    for k in range(30 * 700):
        if k == 30 * 102:
            frame = result(0, 0.0, n_faces=3, happy=0.9)
        at = replace(frame.frame, captured_at_s=k / 30)
        history.add(replace(frame, frame=at))
    curves = history.curves()
    assert list(curves) == [1, 2, 3, 4]
    times_s = curves[1].times_s
    assert times_s[-1] == pytest.approx(700, abs=0.05)
    assert times_s[0] == pytest.approx(100, abs=11), "what is older goes every ten seconds"
    is_recent = times_s > 700 - 60
    assert is_recent.sum() == pytest.approx(1800, abs=2)
    assert np.diff(times_s).max() < 0.14, "there is no gap where it was thinned"
    assert (~is_recent).sum() == pytest.approx(10 * 540, rel=0.1)
    shown = curves[1].labels_shown()
    assert (shown[0], shown[-1]) == ("neutral", "happiness")
    assert times_s[shown.index("happiness")] == pytest.approx(102, abs=0.1)
    kept = (history._curves[number] for number in curves)
    size = sum(one._times_s.nbytes + one._probs.nbytes + one._shown.nbytes for one in kept)
    assert size < 4e6
    for k in range(30 * 700, 30 * 705):
        history.add(replace(frame, frame=replace(frame.frame, captured_at_s=k / 30)))
    assert list(history.curves()) == [1, 2, 3], "the fourth left more than ten minutes ago"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("65.3", 65.3), (" 1:05.3 ", 65.3), ("x", None), ("-1", None), ("nan", None), ("1:inf", None)]
    + [(text, None) for text in ("9" * 400 + ":00", "9" * 5000 + ":00", "9" * 400)],
)
def test_times_that_a_person_writes(text: str, seconds: float | None):
    assert seconds_in(text) == seconds
