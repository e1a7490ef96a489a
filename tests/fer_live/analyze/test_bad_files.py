"""One bad file never stops the others, read in turn or over all cores."""

import os
import shutil
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fer_live.analyze import reading
from fer_live.analyze.options import AnalyzeOptions
from fer_live.analyze.run import analyze
from tests.helpers.clips import N_FRAMES, truncated


def without_content(folder: Path, clip: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def of_text(folder: Path, clip: Path) -> Path:
    path = folder / "notes.mp4"
    path.write_text("what the camera saw\n" * 100)
    return path


def of_noise(folder: Path, clip: Path) -> Path:
    path = folder / "noise.mp4"
    path.write_bytes(np.random.default_rng(0).bytes(20_000))
    return path


def cut_off(folder: Path, clip: Path) -> Path:
    return truncated(clip, folder, 0.6)


def a_folder(folder: Path, clip: Path) -> Path:
    path = folder / "folder.mp4"
    path.mkdir()
    return path


def a_pipe(folder: Path, clip: Path) -> Path:
    path = folder / "pipe.mp4"
    os.mkfifo(path)
    return path


def locked(folder: Path, clip: Path) -> Path:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    path = folder / "locked.mp4"
    shutil.copy(clip, path)
    path.chmod(0)
    return path


ALL_BAD = (without_content, of_text, of_noise, cut_off, a_folder, a_pipe, locked)


@pytest.fixture
def good(demo_frames: list[np.ndarray], tmp_path: Path) -> list[str]:
    """Two pictures."""
    names = [str(tmp_path / name) for name in ("before.png", "behind.png")]
    for name in names:
        cv2.imwrite(name, demo_frames[20])
    return names


@pytest.mark.parametrize("make", ALL_BAD)
def test_a_bad_file_is_named_and_the_others_are_read(
    short_clip: Path, good: list[str], tmp_path: Path, make
):
    """A stream among the outputs makes it read in turn."""
    bad, out = make(tmp_path, short_clip), tmp_path / "a.csv"
    outputs = {"jsonl": str(tmp_path / "a.jsonl")}
    sources = [good[0], str(bad), str(short_clip), good[1]]
    _, broken = analyze(AnalyzeOptions(sources, out=out, every=20, outputs=outputs))
    assert len(broken) == 1 and str(bad) in broken[0] and "\n" not in broken[0]
    read = set(pd.read_csv(out)["source"])
    assert read - {str(bad)} == {*good, str(short_clip)}
    assert (str(bad) in read) == (make is cut_off), "as far as it goes"


def test_bad_files_side_by_side_are_each_named_and_the_others_are_read(
    short_clip: Path, good: list[str], tmp_path: Path
):
    makers = [make for make in ALL_BAD if make is not locked or os.geteuid() != 0]
    bad, out = [str(make(tmp_path, short_clip)) for make in makers], tmp_path / "a.csv"
    sources = [good[0], *bad, str(short_clip), good[1]]
    _, broken = analyze(AnalyzeOptions(sources, out=out, every=20))
    assert all("\n" not in line for line in broken)
    assert sorted(line.partition(": ")[0] for line in broken) == sorted(bad)
    cut = bad[makers.index(cut_off)]
    assert set(pd.read_csv(out)["source"]) == {*good, str(short_clip), cut}


def test_the_command_ends_with_1_and_a_line_for_each(run_cli, short_clip: Path, tmp_path: Path):
    bad = [without_content(tmp_path, short_clip), of_text(tmp_path, short_clip)]
    out = tmp_path / "a.csv"
    done = run_cli("fer-live", "analyze", *bad, short_clip, "--every", "20", "--out", out)
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 2 and "empty.mp4: is empty" in lines[0]
    assert "notes.mp4: not a video" in lines[1]
    assert set(pd.read_csv(out)["source"]) == {str(short_clip)}


def test_a_file_that_vanishes_before_its_turn_is_named(
    short_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    clips = [tmp_path / f"{name}.mp4" for name in "abc"]
    for clip in clips:
        shutil.copy(short_clip, clip)
    opened = reading._frames

    def vanish(source):
        clips[1].unlink(missing_ok=True)
        return opened(source)

    monkeypatch.setattr(reading, "_frames", vanish)
    out, outputs = tmp_path / "a.csv", {"jsonl": str(tmp_path / "a.jsonl")}
    _, broken = analyze(AnalyzeOptions([*map(str, clips)], out=out, every=20, outputs=outputs))
    assert len(broken) == 1 and "b.mp4" in broken[0]
    assert {Path(name).name for name in pd.read_csv(out)["source"]} == {"a.mp4", "c.mp4"}


@pytest.mark.parametrize("how", ["deleted", "cut"])
def test_a_file_that_goes_while_it_is_read_stops_no_other(
    short_clip: Path, tmp_path: Path, how: str
):
    clips = [tmp_path / f"{index}.mp4" for index in range(4)]
    for clip in clips:
        shutil.copy(short_clip, clip)
    parts = tmp_path / "a.csv.parts"

    def spoil() -> None:
        until_s = time.monotonic() + 60
        while not list(parts.glob("*.partial*")) and time.monotonic() < until_s:
            time.sleep(0.002)
        for clip in clips[:2]:
            if how == "deleted":
                clip.unlink()
            else:
                os.truncate(clip, 1000)

    spoiler = threading.Thread(target=spoil)
    spoiler.start()
    _, broken = analyze(AnalyzeOptions([*map(str, clips)], out=tmp_path / "a.csv"))
    spoiler.join()
    assert {Path(line.partition(":")[0]).name for line in broken} <= {"0.mp4", "1.mp4"}
    rows = pd.read_csv(tmp_path / "a.csv")
    for clip in clips[2:]:
        assert rows.loc[rows["source"] == str(clip), "frame"].nunique() == N_FRAMES
