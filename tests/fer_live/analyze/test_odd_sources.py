"""Sources and outputs as people really have them: broken, missing, live, linked, at the limit."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fer_live.analyze.options import AnalyzeOptions
from fer_live.analyze.run import analyze
from fer_live.base.atomic_file import write_atomically
from fer_live.errors import InputError
from fer_live.sources.clip import ClipSource
from tests.helpers.clips import N_FRAMES, changing_size, ffmpeg, make_clip, read_all, sound_alone
from tests.helpers.commands import fails, interrupt
from tests.helpers.here import run_here
from tests.helpers.images import save_animation
from tests.helpers.servers import file_server, mjpeg_server


@pytest.mark.usefixtures("in_this_process")
def test_one_unreadable_file_among_named_ones_is_named_and_the_others_are_read(
    demo_frames: list[np.ndarray], tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    cv2.imwrite(str(tmp_path / "a.jpg"), demo_frames[20])
    (tmp_path / "bad.mp4").write_text("no video")
    for second in (tmp_path / "bad.mp4", sound_alone(tmp_path)):
        out = tmp_path / f"{second.stem}.csv"
        done = run_here(capfd, "fer-live", "analyze", tmp_path / "a.jpg", second, "--out", out)
        fails(done, 1, second.name)
        assert pd.read_csv(out)["source"].tolist() == [str(tmp_path / "a.jpg")]


def test_a_named_file_that_is_not_there_is_told_before_any_work(
    demo_clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop)
    for missing in ("missing.mp4", "loop.mp4", "a" * 300, "missing.mp4/b"):
        out = tmp_path / "a.csv"
        done = run_here(capfd, "fer-live", "analyze", demo_clip, tmp_path / missing, "--out", out)
        fails(done, 2, "no such file or folder")
        assert not out.exists()


def test_a_cut_image_gives_its_rows_and_is_named(
    run_cli, demo_frames: list[np.ndarray], tmp_path: Path
):
    jpeg = cv2.imencode(".jpg", demo_frames[20])[1].tobytes()
    (tmp_path / "cut.jpg").write_bytes(jpeg[: len(jpeg) * 9 // 10])
    out = tmp_path / "a.csv"
    fails(
        run_cli("fer-live", "analyze", tmp_path / "cut.jpg", "--out", out), 1, "cut.jpg", "cut off"
    )
    assert len(pd.read_csv(out)) == 1


def test_an_animation_is_read_picture_by_picture(demo_frames: list[np.ndarray], tmp_path: Path):
    save_animation(demo_frames[:90:30], tmp_path / "a.webp", [500] * 3)
    out = tmp_path / "a.csv"
    summary, broken = analyze(AnalyzeOptions([str(tmp_path / "a.webp")], out=out))
    assert (summary.frames, broken) == (3, [])
    assert pd.read_csv(out)["time_s"].drop_duplicates().tolist() == [0.0, 0.5, 1.0]


def test_what_a_folder_leaves_out_is_counted_and_said(
    demo_frames: list[np.ndarray], tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    folder = tmp_path / "photos"
    (folder / "dir.jpg").mkdir(parents=True)
    cv2.imwrite(str(folder / "a.png"), demo_frames[20])
    (folder / "._a.png").write_bytes(b"Mac OS X")
    (folder / "notes.txt").write_text("not an image")
    done = run_here(capfd, "fer-live", "analyze", folder, "--out", tmp_path / "a.csv")
    fails(done, 0, "images 1; left out: other files 1, folders 1, the file system's own 1")


def test_frames_that_change_their_size_are_shown_within_the_first_ones_size(tmp_path: Path):
    video = tmp_path / "a.mp4"
    summary, broken = analyze(AnalyzeOptions([str(changing_size(tmp_path))], video=video))
    assert (summary.frames, broken) == (75, [])
    frames = read_all(ClipSource(video))
    assert {frame.image_bgr.shape for frame in frames} == {(120, 160, 3)}
    assert frames[-1].image_bgr[:, :20].mean() < 8, "no black beside the tall picture"


@pytest.fixture
def soon_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that stops is noticed, looked for and given up within three or four seconds."""
    monkeypatch.setattr("fer_live.analyze.reading._AWAY_MAX_S", 2.0)
    monkeypatch.setattr("fer_live.session.reconnect._STALLED_AFTER_S", 1.2)
    monkeypatch.setattr("fer_live.session.reconnect._RETRY_AFTER_S", (0.1, 0.2))


@pytest.mark.usefixtures("soon_given_up")
def test_a_stream_that_stops_is_opened_again_and_its_end_is_said(
    demo_frames: list[np.ndarray], tmp_path: Path
):
    out = tmp_path / "a.csv"
    for then, says in (("end", "has ended"), ("stall", "sends no new pictures")):
        with mjpeg_server(demo_frames[:20], then, fps=40, n_connections=2) as url:
            _, broken = analyze(AnalyzeOptions([url], out=out))
        assert len(broken) == 1
        assert says in broken[0]
        assert "did not come back within 2 s" in broken[0]
        rows = pd.read_csv(out)
        assert rows["frame"].max() > 25, "not opened again"
        assert rows["time_s"].iloc[0] == 0
        assert rows["time_s"].is_monotonic_increasing


@pytest.mark.usefixtures("soon_given_up")
def test_a_playlist_that_ends_is_read_to_its_end(tmp_path: Path):
    playlist, ended = _playlist_without_end(tmp_path), tmp_path / "ended.m3u8"
    ended.write_text(playlist.read_text() + "#EXT-X-ENDLIST\n")

    def end_once_it_is_read() -> None:
        rows, until_s = tmp_path / "a.partial.csv", time.monotonic() + 60
        while not (rows.is_file() and len(rows.read_text().splitlines()) > 1):
            if time.monotonic() > until_s:
                return
            time.sleep(0.01)
        ended.replace(playlist)

    ending = threading.Thread(target=end_once_it_is_read)
    with file_server(tmp_path) as address:
        ending.start()
        summary, broken = analyze(
            AnalyzeOptions([f"{address}/list.m3u8"], out=tmp_path / "a.csv", every=5)
        )
        ending.join()
    assert broken == []
    assert summary.frames == N_FRAMES // 5


@pytest.mark.usefixtures("soon_given_up")
def test_a_playlist_that_nobody_writes_any_more_is_read_once(tmp_path: Path):
    out = tmp_path / "a.csv"
    _playlist_without_end(tmp_path)
    with file_server(tmp_path) as address:
        _, broken = analyze(AnalyzeOptions([f"{address}/list.m3u8"], out=out))
    assert "did not come back within 2 s" in broken[0]
    assert pd.read_csv(out)["frame"].max() < N_FRAMES


def _playlist_without_end(folder: Path) -> Path:
    playlist = folder / "list.m3u8"
    made = ["-f", "hls", "-hls_time", "0.5", "-hls_list_size", "0"]
    ffmpeg("-i", make_clip("plain.ts", folder), "-c", "copy", *made, playlist)
    playlist.write_text(playlist.read_text().replace("#EXT-X-ENDLIST\n", ""))
    return playlist


def test_a_clock_that_goes_back_begins_another_scene(demo_clip: Path, tmp_path: Path):
    parts = []
    for offset_s in (0, 7200):
        parts.append(tmp_path / f"{offset_s}.ts")
        ffmpeg("-i", demo_clip, "-t", "1", "-output_ts_offset", offset_s, parts[-1])
    joined = tmp_path / "joined.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in (*parts, parts[0])))
    out = tmp_path / "a.csv"
    _, broken = analyze(AnalyzeOptions([str(joined)], out=out))
    assert broken == []
    rows = pd.read_csv(out)
    is_late = rows["time_s"] > 7000
    first, second = is_late.idxmax(), is_late[::-1].idxmax()
    scenes = [set(rows["track_id"][part]) for part in (slice(first), slice(second + 1, None))]
    assert all(scenes)
    assert not scenes[0] & scenes[1], "who comes after it got the number of who was there before"


def test_ctrl_c_is_the_end_of_a_stream(demo_frames: list[np.ndarray], tmp_path: Path):
    partial = tmp_path / "a.partial.csv"
    with mjpeg_server(demo_frames[:40], "repeat", fps=60) as url:
        done = interrupt(
            ["analyze", url, "--out", "a.csv"],
            tmp_path,
            lambda: partial.is_file() and partial.stat().st_size > 5_000,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(pd.read_csv(tmp_path / "a.csv")) > 10


def test_no_output_replaces_a_source_or_another_output(
    demo_frames: list[np.ndarray], tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    for name in ("a.csv", "b.html", "c.jsonl"):  # images by their content
        cv2.imwrite(str(tmp_path / "a.jpg"), demo_frames[20])
        (tmp_path / "a.jpg").rename(tmp_path / name)
    for option, name in (("--out", "a.csv"), ("--report", "b.html"), ("--jsonl", "c.jsonl")):
        before = (tmp_path / name).read_bytes()
        done = run_here(capfd, "fer-live", "analyze", tmp_path / name, option, tmp_path / name)
        fails(done, 2, "is a source itself", option)
        assert (tmp_path / name).read_bytes() == before
    twice = ("--out", tmp_path / "d.csv", "--csv", tmp_path / "." / "d.csv")
    done = run_here(capfd, "fer-live", "analyze", tmp_path / "a.csv", *twice)
    fails(done, 2, "--out and --csv")


def test_an_empty_folder_among_others_is_named_and_they_are_read(
    demo_frames: list[np.ndarray], tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    cv2.imwrite(str(tmp_path / "a.jpg"), demo_frames[20])
    (tmp_path / "empty").mkdir()
    out = tmp_path / "a.csv"
    done = run_here(
        capfd, "fer-live", "analyze", tmp_path / "empty", tmp_path / "a.jpg", "--out", out
    )
    fails(done, 1, "no image in this folder")
    assert len(pd.read_csv(out)) == 1


def test_a_link_stays_and_what_it_leads_to_is_written(demo_frames, tmp_path: Path):
    cv2.imwrite(str(tmp_path / "a.png"), demo_frames[20])
    (tmp_path / "elsewhere").mkdir()
    for name in ("there.csv", "missing.csv"):
        target, link = tmp_path / "elsewhere" / name, tmp_path / f"link_{name}"
        if name == "there.csv":
            target.write_text("old")
        link.symlink_to(target)
        analyze(AnalyzeOptions([str(tmp_path / "a.png")], out=link))
        assert link.is_symlink()
        assert len(pd.read_csv(target)) == 1
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    with pytest.raises(InputError, match="leads to itself"):
        analyze(AnalyzeOptions([str(tmp_path / "a.png")], out=loop))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name here")
def test_what_is_no_file_is_never_replaced_by_one(demo_frames, tmp_path: Path):
    """A link to a device would take it away from the whole system, where it is written as root."""
    cv2.imwrite(str(tmp_path / "a.png"), demo_frames[20])
    pipe, link = tmp_path / "pipe.csv", tmp_path / "link.csv"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for out in (pipe, link):
        with pytest.raises(InputError, match="a device or a pipe"):
            analyze(AnalyzeOptions([str(tmp_path / "a.png")], out=out))
        with pytest.raises(InputError, match="a device or a pipe"):
            write_atomically(out, b"new")
    assert pipe.is_fifo() and link.is_symlink()
    assert {file.name for file in tmp_path.iterdir()} == {"a.png", "pipe.csv", "link.csv"}


def test_a_name_at_the_limit_is_written_and_a_longer_one_refused(demo_frames, tmp_path: Path):
    cv2.imwrite(str(tmp_path / "a.png"), demo_frames[20])
    for suffix in (".csv", ".parquet", ".jsonl"):
        longest = tmp_path / ("é" * ((255 - len(suffix)) // 2) + suffix)
        analyze(AnalyzeOptions([str(tmp_path / "a.png")], out=longest))
        assert longest.is_file()
    with pytest.raises(InputError, match="name is too long"):
        analyze(AnalyzeOptions([str(tmp_path / "a.png")], out=tmp_path / ("a" * 252 + ".csv")))
    assert len(list(tmp_path.iterdir())) == 4


def test_a_second_writer_of_a_file_is_told_and_one_that_crashed_blocks_nobody(
    demo_frames: list[np.ndarray], tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    cv2.imwrite(str(tmp_path / "a.png"), demo_frames[20])
    out = tmp_path / "a.csv"
    hold = (
        "import sys; from pathlib import Path\n"
        "from fer_live.base.atomic_file import partial_path\n"
        "print(partial_path(Path(sys.argv[1])), flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", hold, out], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    assert first.stdout.readline().strip() == str(tmp_path / "a.partial.csv")
    done = run_here(capfd, "fer-live", "analyze", tmp_path / "a.png", "--out", out)
    fails(done, 2, "a.csv: is being written by another run")
    first.kill()
    first.communicate()
    assert (tmp_path / "a.partial.csv").is_file()
    done = run_here(capfd, "fer-live", "analyze", tmp_path / "a.png", "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(pd.read_csv(out)) == 1
