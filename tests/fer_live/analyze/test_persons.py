"""`fer-live analyze --persons` as a person calls it."""

import csv
import shlex
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.analyze.persons import PersonRows
from fer_live.model.assets import asset
from fer_live.outputs.face_rows import Row
from tests.helpers.clips import part_of_demo
from tests.helpers.commands import fails
from tests.helpers.documentation import commands
from tests.helpers.here import run_here


def pairs(path: Path) -> set[tuple[str, str, str]]:
    """Which person each face of each source is."""
    with path.open() as file:
        rows = csv.DictReader(file)
        return {(Path(r["source"]).name, r["track_id"], r["person"]) for r in rows}


def test_the_commands_of_the_documentation_tell_who_is_who_and_keep_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
):
    """On the part of the demo clip in which each of two persons has two faces' numbers."""
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    part_of_demo(tmp_path / "interview.mp4", begin=60, n=110)
    outputs = []
    for command in commands("persons.md", "sh"):
        program, *arguments = shlex.split(command, comments=True)
        assert program == "fer-live"
        done = run_here(capfd, "fer-live", *arguments)
        assert done.returncode == 0, done.stderr
        outputs.append(done)
    assert "biometric" in outputs[0].stderr
    assert len(outputs[1].stdout.splitlines()) == 2
    told = {("1", "1"), ("2", "2"), ("3", "1"), ("4", "2")}
    assert pairs(tmp_path / "rows.csv") == {("interview.mp4", *pair) for pair in told}
    kept = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    caches = {name for name in kept if name.startswith("home/cache")}
    assert kept - caches <= {"interview.mp4", "rows.csv", "home"}
    assert not any(path.suffix in (".npy", ".npz", ".json") for path in tmp_path.rglob("*"))


def test_faces_of_an_image_are_persons_of_their_own(
    tmp_path: Path, demo_frames: list[np.ndarray], capfd
):
    image, out = tmp_path / "both.png", tmp_path / "rows.csv"
    cv2.imwrite(str(image), demo_frames[190])
    done = run_here(capfd, "fer-live", "analyze", image, "--persons", "--out", out)
    assert done.returncode == 0, done.stderr
    told = pairs(out)
    assert told == {("both.png", "1", "1"), ("both.png", "2", "2")}


class Kept:
    """A `RowSink` that keeps what it gets."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.ended = ""

    def write(self, source, result) -> None:
        raise AssertionError

    def append(self, rows) -> None:
        self.rows += rows

    def close(self) -> None:
        self.ended = "closed"

    def abandon(self) -> Path | None:
        self.ended = "abandoned"
        return Path("kept.partial.csv")


def test_an_interrupt_keeps_the_rows_and_a_file_that_is_gone_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    kept = Kept()
    rows = PersonRows([kept])
    gone = str(tmp_path / "gone.mp4")
    first = {"source": gone, "track_id": 3, "frame": 0, "time_s": 0.0}
    rows.append([first])
    rows.append([])
    assert kept.rows == [], "not before its source is over"
    other = {**first, "source": "other.mp4"}
    rows.append([other])
    assert kept.rows == [{**first, "person": 3}]
    assert "gone.mp4" in capsys.readouterr().err
    assert rows.abandon() == Path("kept.partial.csv")
    assert kept.rows[1:] == [other]
    assert kept.ended == "abandoned"


@pytest.mark.usefixtures("in_this_process")
def test_persons_of_many_files_are_each_files_own_and_a_second_run_may_leave_them_out(
    short_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
):
    monkeypatch.chdir(tmp_path)
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(short_clip, name)
    arguments = ("a.mp4", "b.mp4", "--every", 3, "--out", "rows.csv", "--report", "r.html")
    done = run_here(capfd, "fer-live", "analyze", *arguments, "--persons")
    assert done.returncode == 0, done.stderr
    assert {name for name, _, _ in pairs(tmp_path / "rows.csv")} == {"a.mp4", "b.mp4"}
    assert all(person in "12" for _, _, person in pairs(tmp_path / "rows.csv"))
    assert "person 1" in (tmp_path / "r.html").read_text()
    done = run_here(capfd, "fer-live", "analyze", *arguments)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "rows.csv").open() as file:
        assert "person" not in next(csv.reader(file))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["a.mp4", "--video", "v.mp4"], "--out"),
        (["a.mp4", "a.mp4", "--out", "r.csv"], "named twice"),
        (["rtsp://127.0.0.1:9/x", "--out", "r.csv"], "stream"),
    ],
)
def test_what_persons_cannot_be_told_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd, arguments: list[str], says: str
):
    monkeypatch.chdir(tmp_path)
    shutil.copy(asset("demo.mp4"), "a.mp4")
    done = run_here(capfd, "fer-live", "analyze", *arguments, "--persons")
    done.stderr = "\n".join(line for line in done.stderr.splitlines() if "biometric" not in line)
    fails(done, 2, says)
    assert not list(tmp_path.glob("r.*"))
