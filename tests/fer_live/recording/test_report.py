"""What a report counts and draws; the page in a real browser."""

import base64
import csv
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from fer_live.outputs.face_rows import Row
from fer_live.outputs.markers import MarkedSpan
from fer_live.recording.episodes import episodes, transitions
from fer_live.recording.faces_in_time import FaceInTime, FacesInTime
from fer_live.recording.report import ReportOptions, write_report
from fer_live.recording.report_pictures import report_pictures
from fer_live.recording.report_plot import plotted
from tests.helpers.browser import Browser, browser
from tests.helpers.results import LABELS

KEYS = [*LABELS, ""]


def row(time_s: float, shown: str, *, track_id: int = 1, happy: float | None = None) -> Row:
    happy = (0.9 if shown == "happiness" else 0.1) if happy is None else happy
    return {
        "source": "a.mp4",
        "frame": 0,
        "time_s": time_s,
        "track_id": track_id,
        "x1": 10,
        "y1": 10,
        "x2": 90,
        "y2": 90,
        "quality": 0.9,
        "shown_label": shown,
        "shown_confidence": 0.8 if shown else None,
        "p_neutral": 1 - happy,
        "p_happiness": happy,
    }


def rows(shown: Sequence[str], fps: float = 10, **more: int) -> list[Row]:
    return [row(k / fps, label, **more) for k, label in enumerate(shown)]


def face(made: Sequence[Row]) -> FaceInTime:
    faces = FacesInTime(LABELS)
    faces.take(made)
    (only,) = faces.faces()
    return only


def counted(one: FaceInTime) -> list[tuple[str, float, float]]:
    found = episodes(one.times_s, one.shown.tolist(), one.confidences)
    return [(e.label, round(e.begin_s, 2), round(e.end_s, 2)) for e in found]


def test_episodes_pass_over_a_moment_and_end_where_the_face_is_away():
    n, h = "neutral", "happiness"
    one = face(rows([n] * 10 + [h] * 10 + [""] * 2 + [h] * 8 + [""] * 5 + [h] * 5))
    assert counted(one) == [(n, 0, 1), (h, 1, 3), (h, 3.5, 4)]
    away = face([*rows([h] * 10), *(row(10 + k / 10, h) for k in range(10))])
    assert counted(away) == [(h, 0, 1), (h, 10, 11)]
    assert episodes(one.times_s[:0], [], one.confidences[:0]) == []


def test_episodes_are_those_of_summarize():
    pd = pytest.importorskip("pandas")
    from fer_live.studies.episodes import episodes_of, with_runs

    rng = np.random.default_rng(3)
    lengths = rng.integers(1, 12, 200)
    labels = rng.choice(["neutral", "happiness", ""], 200)
    one = face(rows([label for label, n in zip(labels, lengths, strict=True) for _ in range(n)]))
    table = pd.DataFrame({"time_s": one.times_s, "shown_label": one.shown})
    table["frame"] = range(len(table))
    table = table.assign(
        group=0, source="a", file="a", participant="", condition="", span=0, track_id=1, seconds=0.1
    )
    table["end_s"] = table["time_s"] + 0.1
    theirs = episodes_of(with_runs(table, 0.25), 0.25).sort_values("begin_s")
    ours = sorted(counted(one), key=lambda entry: entry[1])
    assert ours == [
        (e.shown_label, round(e.begin_s, 2), round(e.end_s, 2)) for e in theirs.itertuples()
    ]
    switches = int(with_runs(table, 0.25)["switches"].sum())
    assert transitions(one.times_s, one.shown.tolist()).total() == switches > 20


def test_what_follows_what_passes_over_unsure_and_not_over_an_absence():
    n, h = "neutral", "happiness"
    one = face(rows([n, n, "", h, n, h, h]))
    assert transitions(one.times_s, one.shown.tolist()) == {(n, h): 2, (h, n): 1}
    away = face([*rows([n] * 5), *(row(10 + k / 10, h) for k in range(5))])
    assert transitions(away.times_s, away.shown.tolist()) == {}


def unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


def test_few_frames_are_drawn_as_they_are():
    one = face(rows(["neutral", "happiness", ""]))
    curve = plotted(one, KEYS, 10)
    assert (curve.n_points, curve.step_s) == (3, 0)
    assert unpacked(curve.times_s, "<f4") == pytest.approx([0, 0.1, 0.2])
    assert unpacked(curve.probs, "u1").tolist() == [225, 25, 25, 225, 225, 25]
    assert unpacked(curve.shown, "u1").tolist() == [0, 1, 2]
    assert unpacked(curve.confidences, "u1").tolist() == [200, 200, 255]


def test_many_frames_are_means_and_a_short_peak_is_lower_but_there():
    made = [row(k / 10, "neutral", happy=0.0) for k in range(1000)]
    for k in range(500, 505):
        made[k] = row(k / 10, "happiness", happy=1.0)
    one = face(made)
    curve = plotted(one, KEYS, 100)
    assert curve.n_points == 100
    assert curve.step_s == pytest.approx(0.999)
    happy = unpacked(curve.probs, "u1").reshape(-1, 2)[:, 1] / 250
    assert happy.sum() == pytest.approx(0.5, abs=0.02), "five frames of ten to a point"
    assert happy.max() >= 0.25
    assert happy.mean() == pytest.approx(one.probs[:, 1].mean(), abs=1e-3)


def test_pictures_are_of_the_clearest_moment(demo_clip: Path, tmp_path: Path):
    import cv2

    made = rows(["happiness"] * 30, fps=30)
    made[20]["shown_confidence"] = 0.99
    made[20] |= {"x1": 100, "y1": 100, "x2": 200, "y2": 200}
    one = face(made)
    assert one.sights["happiness"].time_s == pytest.approx(20 / 30)
    pictures = report_pictures([one], lambda _: demo_clip)
    ((key, picture),) = pictures.items()
    assert key == ("a.mp4", "face 1", "happiness")
    jpeg = base64.b64decode(picture.partition(",")[2])
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[:2] == (112, 112)
    assert report_pictures([one], lambda _: tmp_path / "gone.mp4") == {}


def test_a_report_has_no_picture_unless_asked(demo_clip: Path, tmp_path: Path):
    made, path = rows(["happiness"] * 30, fps=30), tmp_path / "report.html"
    write_report(path, made, LABELS)
    assert "data:image" not in path.read_text() and "who was recorded" not in path.read_text()
    write_report(path, made, LABELS, ReportOptions(pictures_from=lambda _: demo_clip))
    assert path.read_text().count("data:image/jpeg") == 1
    assert "whoever gets it sees who was recorded" in path.read_text()


def long_rows(hours: float, n_faces: int) -> Iterator[Row]:
    labels = ("neutral", "happiness", "")
    for k in range(int(hours * 3600 * 30)):
        for number in range(n_faces):
            yield row(k / 30, labels[(k // 90 + number) % 3], track_id=number + 1)


def test_two_hours_of_three_faces_are_a_small_page(tmp_path: Path):
    path = tmp_path / "report.html"
    write_report(path, long_rows(2, 3), LABELS)
    assert path.stat().st_size < 10e6
    page = path.read_text()
    assert "Each point of the curve is the mean of 0.14 s" in page
    with browser(tmp_path / "profile") as seen:
        began_s = time.monotonic()
        seen.open(path.as_uri())
        seen.wait_for("document.querySelectorAll('.plot canvas').length === 3")
        assert time.monotonic() - began_s < 20, "0.9 s on two quiet cores"
        assert seen.errors == []


@pytest.fixture
def report(tmp_path: Path) -> Iterator[Browser]:
    path = tmp_path / "report.html"
    shown = (["neutral"] * 20 + ["happiness"] * 20) * 10
    made = [*rows(shown), *rows(shown[::-1], track_id=2)]
    marks = [MarkedSpan("=<b>a joke</b>", 5, 5), MarkedSpan("talk", 20, 30)]
    write_report(path, made, LABELS, ReportOptions(marks=marks))
    with browser(tmp_path / "profile") as seen:
        seen.show_as()
        seen.open(path.as_uri())
        seen.wait_for("document.querySelectorAll('.plot canvas').length === 2")
        yield seen
        assert seen.errors == [], "neither a mistake in the script nor against the policy"


def scale(report: Browser, plot: int = 0) -> list[float]:
    report.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    x = f"plots[{plot}].plot.scales.x"
    return [report.run(f"{x}.min"), report.run(f"{x}.max")]


def test_the_plot_is_zoomed_moved_and_read_out(report: Browser):
    assert scale(report) == pytest.approx([0, 39.9], abs=0.01)
    report.run("document.getElementById('in').click()")
    assert scale(report) == pytest.approx([9.975, 29.925], abs=0.02)
    assert scale(report, 1) == scale(report)
    report.run("document.getElementById('left').click()")
    assert scale(report) == pytest.approx([0, 19.95], abs=0.02)
    report.run("plots[0].plot.setCursor({left: plots[0].plot.valToPos(5, 'x'), top: 20})")
    text = report.run("document.querySelector('.readout').innerText")
    assert text.startswith("0:05") and "neutral 80 %" in text and "happiness 10 %" in text
    assert "marker 1: =<b>a joke</b>" in text and "talk" not in text
    report.run("plots[0].plot.setCursor({left: plots[0].plot.valToPos(19.5, 'x'), top: 20})")
    assert "talk" not in report.run("document.querySelector('.readout').innerText")
    assert "0:20 - 0:30" in report.run("document.body.innerText")
    report.run("document.getElementById('whole').click()")
    assert scale(report) == pytest.approx([0, 39.9], abs=0.01)


def test_a_drag_zooms_every_face_of_the_source(report: Browser):
    box = report.run(
        "(({x, y, width, height}) => [x, y, width, height])"
        "(document.querySelector('.u-over').getBoundingClientRect())"
    )
    x, y, width, height = box
    for kind, share in (("mousePressed", 0.25), ("mouseMoved", 0.5), ("mouseReleased", 0.5)):
        place = {"x": x + share * width, "y": y + height / 2, "button": "left", "clickCount": 1}
        report.call("Input.dispatchMouseEvent", type=kind, **place)
    low, high = scale(report)
    assert low == pytest.approx(10, abs=0.5) and high == pytest.approx(20, abs=0.5)
    assert scale(report, 1) == pytest.approx([low, high])


def test_classes_are_switched_and_lines_drawn(report: Browser):
    top = "Math.max(...plots[0].plot.data[1].filter(value => value !== null))"
    assert report.run(top) == pytest.approx(1, abs=0.01)
    report.run("document.querySelectorAll('#legend button')[0].click()")
    assert report.run(top) == pytest.approx(0.9, abs=0.01)
    kind = "document.getElementById('kind')"
    report.run(f"{kind}.value = 'lines', {kind}.dispatchEvent(new Event('change'))")
    assert report.run("plots[0].plot.data[2].every(value => value === null)"), "neutral is hidden"


def test_all_episodes_are_shown_and_the_data_saved(report: Browser):
    assert report.run("document.querySelector('.episodes tbody').rows.length") == 12
    report.run("document.querySelector('.all').click()")
    assert report.run("document.querySelector('.episodes tbody').rows.length") == 20
    lines = list(csv.DictReader(report.run("asCsv()").splitlines()))
    assert len(lines) == 800
    assert lines[0]["shown_label"] == "neutral" and float(lines[0]["p_neutral"]) == 0.9
    assert float(lines[25]["time_s"]) == pytest.approx(2.5)
    cells = report.run("document.querySelector('.transitions').innerText").split()
    assert cells[2:] == ["neutral", "10", "happiness", "9"]


def test_paper_is_white_and_without_buttons(report: Browser):
    report.show_as(scheme="dark")
    dark = report.run("getComputedStyle(document.querySelector('.face')).backgroundColor")
    report.run("dispatchEvent(new Event('beforeprint'))")
    report.show_as(scheme="dark", media="print")
    light = report.run("getComputedStyle(document.querySelector('.face')).backgroundColor")
    assert light != dark and light == "rgb(255, 255, 255)"
    assert report.run("getComputedStyle(document.querySelector('.row')).display") == "none"
    assert report.run("document.querySelector('.plot canvas').clientWidth") <= 680
    report.run("dispatchEvent(new Event('afterprint'))")
    report.show_as(scheme="dark")
    assert report.run("getComputedStyle(document.querySelector('.face')).backgroundColor") == dark
    assert base64.b64decode(report.call("Page.printToPDF")["data"]).startswith(b"%PDF")


def test_a_page_that_is_passed_on_does_not_tell_where_files_lie(tmp_path: Path):
    path = tmp_path / "report.html"
    made = [{**entry, "source": "/home/ada/secret/a.mp4"} for entry in rows(["neutral"] * 5)]
    marks = [
        MarkedSpan("here", 0, 0, source="/home/ada/secret/a.mp4"),
        MarkedSpan("there", 0, 0, source="b"),
    ]
    write_report(path, made, LABELS, ReportOptions(marks=marks))
    page = path.read_text()
    assert "a.mp4" in page and "secret" not in page
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    assert data["faces"][0]["group"] == 0
    assert [mark["group"] for mark in data["marks"]] == [0, -1], "of no source that is drawn"


def test_nothing_in_the_data_can_end_the_script(tmp_path: Path):
    path = tmp_path / "report.html"
    text = "</script><script>alert(1)</script>"
    marks = [MarkedSpan(text, 0.0, 0.0)]
    write_report(path, rows(["neutral"] * 5), LABELS, ReportOptions(marks=marks))
    page = path.read_text()
    assert text not in page
    data = page.split('id="data">')[1].split("</script>")[0]
    assert json.loads(data)["marks"][0]["text"] == text
