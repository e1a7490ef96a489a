import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fer_live.analyze.options import AnalyzeOptions
from fer_live.analyze.run import analyze
from fer_live.base.cores import usable_cores
from fer_live.errors import InputError, ModelError, OutputError, SourceError
from tests.helpers.clips import N_FRAMES, truncated
from tests.helpers.commands import fails, interrupt
from tests.helpers.here import run_here
from tests.helpers.models import save_own_model


def test_a_clip_from_the_command_line(run_cli, short_clip: Path, tmp_path: Path):
    out, video = tmp_path / "demo.csv", tmp_path / "demo.mp4"
    done = run_cli("fer-live", "analyze", short_clip, "--out", out, "--video", video, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    figures = json.loads(done.stdout.splitlines()[-1])
    rows = pd.read_csv(out, keep_default_na=False)
    assert figures["frames"] == figures["frames_with_face"] == N_FRAMES
    assert figures["faces"] == len(rows)
    assert rows["frame"].nunique() == N_FRAMES
    assert figures["fps"] == pytest.approx(N_FRAMES / figures["wall_s"], rel=0.02)
    assert (figures["provider"], figures["model"]) == ("cpu", "fer_live_int8.onnx")
    probs = rows[[c for c in rows.columns if c.startswith("p_")]]
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)
    assert (probs.idxmax(axis=1) == "p_" + rows["label"]).all()
    capture, original = cv2.VideoCapture(str(video)), cv2.VideoCapture(str(short_clip))
    n_frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    assert n_frames == N_FRAMES
    painted, plain = capture.read()[1].astype(int), original.read()[1].astype(int)
    box = rows.iloc[0]
    edge = slice(int(box.y1) + 20, int(box.y2) - 20), slice(int(box.x1) - 1, int(box.x1) + 2)
    assert np.abs(painted - plain)[edge].mean() > 15, "no box is painted"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["demo.csv", "demo.mp4"]


def test_every_kth_frame_keeps_its_number(demo_clip: Path, tmp_path: Path):
    out = tmp_path / "a.jsonl"
    summary, broken = analyze(AnalyzeOptions([str(demo_clip)], out=out, every=50))
    frames = sorted({json.loads(line)["frame"] for line in out.read_text().splitlines()})
    assert (frames, summary.frames, broken) == ([0, 50, 100, 150, 200], 5, [])


def test_folders_and_images_are_read_each_as_a_source_of_its_own(
    demo_frames: list[np.ndarray], tmp_path: Path
):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, image in (("a.png", demo_frames[20]), ("b.jpg", demo_frames[100])):
        cv2.imwrite(str(folder / name), image)
    (folder / "notes.txt").write_text("not an image")
    cv2.imwrite(str(tmp_path / "gray.png"), np.full((60, 80), 99, np.uint8))
    out = tmp_path / "a.parquet"
    summary, broken = analyze(AnalyzeOptions([str(folder), str(tmp_path / "gray.png")], out=out))
    rows = pd.read_parquet(out)
    assert (summary.frames, summary.frames_with_face, broken) == (3, 2, [])
    assert [Path(source).name for source in rows["source"]] == ["a.png", "b.jpg"]
    assert rows["track_id"].tolist() == [1, 1]


@pytest.mark.usefixtures("in_this_process")
def test_an_unreadable_image_in_a_folder_is_named_and_the_rest_is_read(
    demo_frames: list[np.ndarray], tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.png").write_text("no image")
    cv2.imwrite(str(folder / "b.png"), demo_frames[20])
    out = tmp_path / "a.csv"
    done = run_here(capfd, "fer-live", "analyze", folder, "--out", out, "--json")
    fails(done, 1, "a.png", "not an image")
    assert pd.read_csv(out)["source"].map(lambda s: Path(s).name).tolist() == ["b.png"]


def test_a_clip_that_ends_early_is_read_as_far_as_it_goes(
    run_cli, short_clip: Path, tmp_path: Path
):
    cut, out = truncated(short_clip, tmp_path, 0.6), tmp_path / "a.csv"
    done = run_cli("fer-live", "analyze", cut, "--out", out, "--json")
    fails(done, 1, "cut.avi", "damaged or was cut off")
    assert json.loads(done.stdout.splitlines()[-1])["frames"] == pd.read_csv(out)["frame"].nunique()
    assert 20 < pd.read_csv(out)["frame"].nunique() < N_FRAMES


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.mp4", None, "no such file"),
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"hello", "not a video"),
        ("text.png", b"hello", "not an image"),
    ],
)
def test_a_source_that_cannot_be_read_costs_nothing(
    tmp_path: Path,
    name: str,
    content: bytes | None,
    says: str,
    capfd: pytest.CaptureFixture[str],
):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    out = tmp_path / "old.csv"
    out.write_text("precious")
    fails(run_here(capfd, "fer-live", "analyze", tmp_path / name, "--out", out), 2, name, says)
    assert out.read_text() == "precious"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--out", "nowhere/a.csv"), "does not exist"),
        (("--out", "a.xml"), "unknown kind"),
        (("--out", "a"), "no file extension"),
        ((), "nothing to write"),
        (("--out", "a.csv", "--every", "0"), "'0' is not a whole number"),
        (("--out", "a.csv", "--every", "x"), "'x' is not a whole number"),
        (("--out", "a.csv", "--video", "a.avi"), "unknown kind"),
        (("--out", "a.csv", "--model", "text.onnx"), "not a model"),
        (("--out", "a.csv", "--model", "no.onnx"), "no such model"),
        (("--out", "a.csv", "--provider", "magic"), "invalid choice"),
        (("--out", "a.csv", "--nonsense"), "unrecognized arguments"),
    ],
)
def test_a_mistake_in_the_arguments_is_one_line(
    demo_clip: Path, tmp_path: Path, monkeypatch, capfd, options: tuple[str, ...], says: str
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.onnx").write_text("no model")
    fails(run_here(capfd, "fer-live", "analyze", demo_clip, *options), 2, says)
    assert [p.name for p in tmp_path.iterdir()] == ["text.onnx"]


def test_the_source_is_never_overwritten(demo_clip: Path, tmp_path: Path):
    copy = tmp_path / "clip.mp4"
    shutil.copy(demo_clip, copy)
    with pytest.raises(InputError, match="is a source itself"):
        analyze(AnalyzeOptions([str(copy)], video=copy))
    table = copy.rename(tmp_path / "clip.csv")
    with pytest.raises(InputError, match="is a source itself"):
        analyze(AnalyzeOptions([str(table)], out=table))


def test_a_stream_that_is_not_there_costs_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    out = tmp_path / "old.csv"
    out.write_text("precious")
    done = run_here(capfd, "fer-live", "analyze", "http://127.0.0.1:9/none", "--out", out)
    fails(done, 2, "no stream there")
    assert [path.name for path in tmp_path.iterdir()] == ["old.csv"]
    assert out.read_text() == "precious"


def test_options_before_the_command_count(
    demo_clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    model, out = ("--model", tmp_path / "no.onnx"), ("--out", tmp_path / "a.csv")
    fails(run_here(capfd, "fer-live", *model, "analyze", demo_clip, *out), 2, "no such model")


def test_ctrl_c_keeps_and_names_what_was_read(demo_frames: list[np.ndarray], tmp_path: Path):
    long_clip, small_wh = tmp_path / "long.avi", (320, 240)
    frames = [cv2.resize(frame, small_wh) for frame in demo_frames[:100]]
    writer = cv2.VideoWriter(str(long_clip), cv2.VideoWriter.fourcc(*"MJPG"), 30, small_wh)
    for frame in 10 * frames:
        writer.write(frame)
    writer.release()
    partial = tmp_path / "a.partial.csv"
    done = interrupt(
        ["analyze", "long.avi", "--out", "a.csv"],
        tmp_path,
        lambda: partial.is_file() and partial.stat().st_size > 10_000,
    )
    assert (done.returncode, done.stderr) == (
        1,
        "fer-live: interrupted; read so far: a.partial.csv\n",
    )
    assert len(pd.read_csv(partial)) > 10


def copies(clip: Path, folder: Path, n: int) -> list[str]:
    names = [f"clip{k}.mp4" for k in range(n)]
    for name in names:
        shutil.copy(clip, folder / name)
    return names


def test_several_clips_are_read_side_by_side_and_in_order(short_clip: Path, tmp_path: Path):
    names = copies(short_clip, tmp_path, 3)
    paths = [str(tmp_path / name) for name in names]
    out, report = tmp_path / "all.csv", tmp_path / "all.html"
    summary, broken = analyze(AnalyzeOptions(paths, out=out, report=report, every=9))
    analyze(AnalyzeOptions(paths[:1], out=tmp_path / "one.csv", every=9))
    rows, one = pd.read_csv(out), pd.read_csv(tmp_path / "one.csv")
    assert (summary.frames, broken) == (15, [])
    assert (summary.provider, summary.model) == ("cpu", "fer_live_int8.onnx")
    assert rows["source"].drop_duplicates().tolist() == paths
    for path in paths:
        same = rows[rows["source"] == path].drop(columns="source").reset_index(drop=True)
        pd.testing.assert_frame_equal(same, one.drop(columns="source"))
    assert report.read_text().count('<section class="face">') >= 3
    assert not (tmp_path / "all.csv.parts").exists()


def test_a_report_has_pictures_where_they_are_asked_for(short_clip: Path, tmp_path: Path):
    report = tmp_path / "a.html"
    options = AnalyzeOptions([str(short_clip)], report=report, every=4)
    analyze(options)
    assert "data:image/jpeg" not in report.read_text()
    analyze(replace(options, report_pictures=True))
    assert report.read_text().count("data:image/jpeg") >= 2
    assert report.stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="--report-pictures: add --report"):
        analyze(replace(options, report=None, out=tmp_path / "a.csv", report_pictures=True))


def test_own_expressions_come_last_read_in_turn_and_side_by_side(short_clip: Path, tmp_path: Path):
    model = save_own_model(
        tmp_path / "own.onnx", ("wink left", "집중"), logit=4, variant="fer_live_int8.onnx"
    )
    clips = [str(shutil.copy(short_clip, tmp_path / f"{name}.mp4")) for name in "ab"]
    plain = tmp_path / "plain.csv"
    analyze(AnalyzeOptions(clips[:1], out=plain, every=20, provider="cpu"))
    eight = pd.read_csv(plain, keep_default_na=False).filter(like="p_")
    for sources in (clips[:1], clips):
        out, report = tmp_path / "a.csv", tmp_path / "a.html"
        options = AnalyzeOptions(
            sources, out=out, report=report, every=20, model=model, provider="cpu"
        )
        assert analyze(options)[1] == []
        rows = pd.read_csv(out, keep_default_na=False)
        probs = rows.filter(like="p_")
        assert list(probs.columns) == [*eight.columns, "p_wink left", "p_집중"]
        np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)
        common = probs[eight.columns].iloc[: len(eight)]
        np.testing.assert_allclose(common.div(common.sum(axis=1), axis=0), eight, atol=1e-5)
        assert ("p_" + rows["label"] == probs.idxmax(axis=1)).all()
        page = report.read_text()
        assert "Shares of your own expressions" in page and "집중" in page


@pytest.mark.usefixtures("in_this_process")
def test_an_interrupted_batch_goes_on_where_it_was(
    short_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
):
    """The second run reads in this process, the interrupted one over all cores."""
    n_clips = 4 * usable_cores()
    names = copies(short_clip, tmp_path, n_clips)
    parts = tmp_path / "a.csv.parts"
    command = ["analyze", *names, "--out", "a.csv"]
    done = interrupt(command, tmp_path, lambda: len(list(parts.glob("*.json"))) >= 2)
    assert done.returncode == 1
    assert "interrupted" in done.stderr
    assert "the same command goes on from there" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    finished = {path: path.stat().st_mtime_ns for path in parts.glob("*.json")}
    assert 2 <= len(finished) < n_clips

    monkeypatch.chdir(tmp_path)
    assert run_here(capfd, "fer-live", *command).returncode == 0
    rows = pd.read_csv(tmp_path / "a.csv")
    assert rows["source"].drop_duplicates().tolist() == names
    assert rows.groupby("source")["frame"].nunique().tolist() == [N_FRAMES] * n_clips
    assert not parts.exists()


@pytest.mark.usefixtures("in_this_process")
def test_a_broken_clip_among_others_is_named_and_the_rest_is_read(short_clip: Path, tmp_path: Path):
    names = copies(short_clip, tmp_path, 2)
    cut = truncated(short_clip, tmp_path, 0.6)
    sources = [str(tmp_path / names[0]), str(cut), str(tmp_path / names[1])]
    summary, broken = analyze(AnalyzeOptions(sources, out=tmp_path / "a.csv", every=9))
    assert len(broken) == 1
    assert "cut.avi" in broken[0]
    assert pd.read_csv(tmp_path / "a.csv")["source"].drop_duplicates().tolist() == sources
    assert summary.frames > 10


def test_a_bad_model_for_a_batch_is_one_line_and_leaves_nothing(demo_clip: Path, tmp_path: Path):
    names = copies(demo_clip, tmp_path, 2)
    (tmp_path / "text.onnx").write_text("no model")
    options = AnalyzeOptions(
        [str(tmp_path / name) for name in names],
        out=tmp_path / "a.csv",
        model=tmp_path / "text.onnx",
    )
    with pytest.raises(ModelError, match="not a model"):
        analyze(options)
    assert not (tmp_path / "a.csv").exists()


def test_a_folder_without_images_is_refused(tmp_path: Path):
    with pytest.raises(SourceError, match="no image in this folder"):
        analyze(AnalyzeOptions([str(tmp_path)], out=tmp_path / "a.csv"))


def test_a_full_disk_is_told_and_the_old_file_stays(
    demo_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """/dev/full refuses every byte, as a full disk does."""
    out = tmp_path / "old.csv"
    out.write_text("precious")
    monkeypatch.setattr("fer_live.outputs.text_file.partial_path", lambda _: Path("/dev/full"))
    with pytest.raises(OutputError, match="the disk is full"):
        analyze(AnalyzeOptions([str(demo_clip)], out=out))
    assert out.read_text() == "precious"


def test_the_same_clip_gives_the_same_rows(short_clip: Path, tmp_path: Path):
    outs = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for out in outs:
        analyze(AnalyzeOptions([str(short_clip)], out=out, every=2))
    assert outs[0].read_text() == outs[1].read_text()
