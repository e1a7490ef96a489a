"""Parts of sources, folders below folders, shards, batch files, and what a second run skips."""

import json
import os
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
import pytest

from fer_live.analyze.jobs import Job, load_batch, parse_shard, shard_of
from fer_live.analyze.options import AnalyzeOptions
from fer_live.analyze.run import analyze
from fer_live.errors import InputError, SourceError
from tests.helpers.clips import ffmpeg, truncated
from tests.helpers.commands import fails
from tests.helpers.documentation import blocks, commands
from tests.helpers.here import run_here


@pytest.fixture
def photos(demo_frames: list[np.ndarray], tmp_path: Path) -> Path:
    """Five pictures in three folders, one of them hidden, and a text."""
    for index, name in enumerate(("a.png", "sub/b.png", "sub/c.png", "sub/below/d.jpg", "e.jpg")):
        file = tmp_path / "study" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), demo_frames[20 + index])
    (tmp_path / "study/sub/notes.txt").write_text("not an image")
    (tmp_path / "study/__MACOSX").mkdir()
    shutil.copy(tmp_path / "study/a.png", tmp_path / "study/__MACOSX/a.png")
    return tmp_path / "study"


def rows_of(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False)


def names(rows: pd.DataFrame) -> list[str]:
    return [Path(source).name for source in rows["source"].unique()]


def test_a_part_keeps_numbers_and_times(demo_clip: Path, tmp_path: Path):
    """225 frames at 30 a second: from 2 to 4 s these are the frames 60 to 119."""
    out = tmp_path / "a.csv"
    options = AnalyzeOptions([str(demo_clip)], out=out, begin_s=2.0, end_s=4.0)
    summary, broken = analyze(options)
    assert (summary.frames, broken) == (60, [])
    frames = rows_of(out)["frame"]
    assert (frames.min(), frames.max()) == (60, 119)
    whole = tmp_path / "whole.csv"
    analyze(AnalyzeOptions([str(demo_clip)], out=whole, every=25))
    at_three = rows_of(whole).query("frame == 75")
    np.testing.assert_array_equal(at_three["time_s"], rows_of(out).query("frame == 75")["time_s"])


def test_every_kth_frame_of_a_part_is_one_of_the_whole(demo_clip: Path, tmp_path: Path):
    out = tmp_path / "a.csv"
    analyze(AnalyzeOptions([str(demo_clip)], out=out, every=20, begin_s=1.0, end_s=4.6))
    assert sorted(rows_of(out)["frame"].unique()) == [40, 60, 80, 100, 120]


def test_a_part_that_the_file_does_not_have_is_named(
    short_clip: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    part = ("--from", "1:00", "--to", "1:30.5")
    done = run_here(capfd, "fer-live", "analyze", short_clip, *part, "--out", tmp_path / "a.csv")
    fails(done, 2, "short.mp4", "has no frame from 1:00 to 1:30.5", "last one is at 1.47 s")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--from", "x"), "--from 'x': write seconds"),
        (("--from", "5", "--to", "4"), "--to 4 is not after --from 5"),
        (("--shard", "3/2"), "--shard '3/2': write I/N"),
        (("--shard", "0/2"), "--shard '0/2'"),
        (("--began-at", "yesterday"), "--began-at 'yesterday': not a moment"),
        (("--batch", "b.csv"), "either SOURCE... or --batch"),
    ],
)
def test_wrong_options_are_one_line(
    demo_clip: Path, tmp_path: Path, options, says: str, capfd: pytest.CaptureFixture[str]
):
    done = run_here(capfd, "fer-live", "analyze", demo_clip, "--out", tmp_path / "a.csv", *options)
    fails(done, 2, says)
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.usefixtures("in_this_process")
def test_folders_below_are_read_if_asked_for(
    short_clip: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    shutil.copy(short_clip, photos / "sub/clip.bin")  # what a file is is told by its content
    out = tmp_path / "a.csv"
    summary, broken = analyze(AnalyzeOptions([str(photos)], out=out, every=20, recursive=True))
    assert broken == []
    assert names(rows_of(out)) == ["a.png", "e.jpg", "b.png", "c.png", "clip.bin", "d.jpg"]
    assert summary.frames == 5 + 3
    told = capsys.readouterr().err
    assert "images and videos 6; left out: other files 1, the file system's own 1" in told
    with pytest.raises(SourceError, match="no image or video in this folder or below it"):
        (tmp_path / "empty/below").mkdir(parents=True)
        analyze(AnalyzeOptions([str(tmp_path / "empty")], out=out, recursive=True))


@pytest.mark.parametrize("n", range(1, 8))
@pytest.mark.parametrize("n_jobs", [0, 1, 5, 7, 200])
def test_shards_are_equal_parts_that_make_the_whole(n: int, n_jobs: int):
    jobs = [Job(f"{index}.mp4") for index in range(n_jobs)]
    parts = [shard_of(jobs, (which, n)) for which in range(1, n + 1)]
    assert [job for part in parts for job in part] == jobs
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert parse_shard(f"1/{n}") == (1, n)


def test_the_rows_of_all_shards_are_those_of_one_run(photos: Path, tmp_path: Path):
    whole = tmp_path / "whole.csv"
    analyze(AnalyzeOptions([str(photos)], out=whole, recursive=True))
    shards = []
    for which in range(1, 8):
        out = tmp_path / f"{which}.csv"
        analyze(AnalyzeOptions([str(photos)], out=out, recursive=True, shard=(which, 7)))
        shards.append(out.read_text().splitlines())
    header, *rows = whole.read_text().splitlines()
    assert all(lines[0] == header for lines in shards), "also of the empty ones"
    assert [row for lines in shards for row in lines[1:]] == rows


ENDS_OF_THE_CALENDAR = (
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59",
    "0001-01-01T00:00:00+23:59",
    "0001-01-01T00:00:00",
)

BATCH = """source, participant ,condition,"my, order",from,to,began_at
demo.mp4,P1,baseline,01,0,1,2026-01-02T03:04:05Z
demo.mp4,P1,stimulus,2,2,3,2026-01-02T03:04:05Z

sub/b.png,P2,baseline,,,,
"""


@pytest.fixture
def batch(demo_clip: Path, photos: Path) -> Path:
    shutil.copy(demo_clip, photos / "demo.mp4")
    path = photos / "batch.csv"
    path.write_text(BATCH, encoding="utf-8-sig")
    return path


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_batch_file_tells_parts_participants_and_conditions(
    batch: Path, tmp_path: Path, suffix: str
):
    out = tmp_path / f"a{suffix}"
    _, broken = analyze(AnalyzeOptions(batch=batch, out=out, every=5))
    assert broken == []
    rows = {
        ".csv": lambda: pd.read_csv(out, keep_default_na=False, dtype={"my, order": str}),
        ".jsonl": lambda: pd.read_json(out, lines=True, dtype=False),
        ".parquet": lambda: pd.read_parquet(out),
    }[suffix]()
    assert list(rows.columns)[-3:] == ["participant", "condition", "my, order"]
    assert [str(order) for order in rows["my, order"].unique()] == ["01", "2", ""]
    groups = rows.groupby(["participant", "condition"])["time_s"]
    spans = {key: (times.min(), times.max()) for key, times in groups}
    assert spans == {
        ("P1", "baseline"): (0.0, 0.833333),
        ("P1", "stimulus"): (2.0, 2.833333),
        ("P2", "baseline"): (0.0, 0.0),
    }
    utc = rows.loc[rows["condition"] == "stimulus", "utc"].iloc[0]
    assert datetime.fromisoformat(utc) == datetime(2026, 1, 2, 3, 4, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("source,began_at\na.png,then\n", "line 2: began_at 'then'"),
        *(
            (f"source,began_at\na.png,{moment}\n", "line 2: began_at .*: nothing was recorded in")
            for moment in ENDS_OF_THE_CALENDAR
        ),
        ("source,=cmd()\na.png,x\n", "would take the column =cmd.. for a formula"),
        ("source,from\na.png,soon\n", "line 2: from 'soon'"),
        ("source\na.png\ngone.png\n", "line 3: .*gone.png: no such file or folder; correct"),
        ("source,label\na.png,x\n", "rows have a column label of their own"),
        ("source,p_joy\na.png,x\n", "rows have a column p_joy of their own"),
        ("source,bs_jawOpen\na.png,x\n", "rows have a column bs_jawOpen of their own"),
    ],
)
def test_a_wrong_batch_file_is_named_with_its_line(photos: Path, text: str, says: str):
    path = photos / "batch.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        load_batch(path)


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_own_columns_of_a_batch_file_outlive_a_second_run(
    batch: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
):
    out = tmp_path / f"a{suffix}"
    analyze(AnalyzeOptions(batch=batch, out=out, every=30))
    before = out.read_bytes()
    assert b"01" in before
    capsys.readouterr()
    analyze(AnalyzeOptions(batch=batch, out=out, every=30))
    assert "not read again: 3 of 3" in capsys.readouterr().err
    assert out.read_bytes() == before


def test_a_relative_source_lies_beside_its_batch_file(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Even where the current folder has one of that name; backslashes are of Windows."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.png").write_bytes(b"another")
    (tmp_path / "elsewhere.png").write_bytes(b"another")
    (photos / "batch.csv").write_text("source\na.png\nsub\\b.png\nelsewhere.png\n")
    jobs, columns = load_batch(Path("study/batch.csv"))
    assert [job.name for job in jobs] == ["study/a.png", "study/sub/b.png", "elsewhere.png"]
    assert columns == ("participant", "condition")


def test_a_source_of_a_batch_file_that_is_not_there_costs_nothing(
    photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    (photos / "batch.csv").write_text("source\na.png\nmissing.mp4\n")
    out = tmp_path / "a.csv"
    out.write_text("precious")
    done = run_here(capfd, "fer-live", "analyze", "--batch", photos / "batch.csv", "--out", out)
    fails(done, 2, "missing.mp4", "no such file")
    assert out.read_text() == "precious"


def test_the_moment_of_the_beginning_fills_the_utc_column(
    short_clip: Path, photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    out = tmp_path / "a.csv"
    began = ("--began-at", "2026-01-02T03:04:05+02:00")
    done = run_here(capfd, "fer-live", "analyze", short_clip, "--every", "10", "--out", out, *began)
    assert done.returncode == 0, done.stderr
    rows = rows_of(out)
    for time_s, utc in zip(rows["time_s"], rows["utc"], strict=True):
        since = datetime.fromisoformat(utc) - datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC)
        assert since.total_seconds() == pytest.approx(time_s, abs=1.1e-3)
    fails(
        run_here(capfd, "fer-live", "analyze", short_clip, photos / "a.png", "--out", out, *began),
        2,
        "--began-at goes with one source, got 2",
    )


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_second_run_reads_only_what_is_new_or_has_changed(
    short_clip: Path, photos: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
):
    clips = [photos / f"{name}.mp4" for name in ("one", "two", "=three")]
    for clip in clips:
        shutil.copy(short_clip, clip)
    out = tmp_path / f"a{suffix}"
    fresh = tmp_path / f"fresh{suffix}"

    def run(which: list[Path], into: Path = out) -> str:
        _, broken = analyze(AnalyzeOptions([*map(str, which)], out=into, every=15, signals=True))
        assert broken == []
        return capsys.readouterr().err

    assert "finished before" not in run(clips[:2])
    before = out.read_bytes()
    assert "not read again: 2 of 2 sources" in run(clips[:2])
    assert out.read_bytes() == before
    assert "not read again: 2 of 3 sources" in run(clips)
    assert "not read again: 3 of 3 sources" in run([clips[2], clips[0], clips[1]])
    run([clips[2], clips[0], clips[1]], fresh)
    same = out.read_bytes() == fresh.read_bytes()
    assert same or pd.read_parquet(out).equals(pd.read_parquet(fresh))
    os.utime(clips[0], (1, 1))
    assert "not read again: 2 of 3 sources" in run(clips)
    with out.open("ab") as file:
        file.write(b"\n")
    assert "finished before" not in run(clips), "somebody has changed the output"


@pytest.mark.usefixtures("in_this_process")
def test_what_broke_is_tried_again(short_clip: Path, photos: Path, tmp_path: Path):
    cut, out = truncated(short_clip, tmp_path, 0.6), tmp_path / "a.csv"
    sources = [str(cut), str(short_clip)]
    for _ in range(2):
        _, broken = analyze(AnalyzeOptions(sources, out=out, every=15))
        assert len(broken) == 1 and "cut" in broken[0]
    kept = json.loads((tmp_path / "a.csv.sources.json").read_text())
    assert [bool(part["counts"]["broken"]) for part in kept["parts"]] == [True, False]


@pytest.mark.parametrize(
    ("codec", "suffix", "kept"),
    [("aac", ".mp4", "aac"), ("pcm_s16le", ".mp4", "aac"), ("pcm_s16le", ".mkv", "pcm_s16le"),
     ("libvorbis", ".mp4", "aac"), ("flac", ".mkv", "flac")],
)  # fmt: skip
def test_an_annotated_video_keeps_its_sound(tmp_path: Path, codec: str, suffix: str, kept: str):
    """A high tone in every second second: what is heard is at its place, of a part as well."""
    clip, black = tmp_path / "tone.mkv", "color=black:size=160x120:rate=30:duration=5.5"
    tone = "sine=frequency=200:duration=6.5[a];sine=frequency=1000:duration=6.5[b];"
    mixed = f"{tone}[b]volume='if(lt(mod(t,2),1),0,1)':eval=frame[c];[a][c]amix=2"
    ffmpeg("-f", "lavfi", "-i", black, "-filter_complex", mixed, "-map", "0:v", "-c:v", "mpeg4",
           "-c:a", codec, "-ac", "1", "-ar", "16000", clip)  # fmt: skip
    for begin_s, end_s in ((None, None), (1.5, 5.0)):
        video = tmp_path / f"out{suffix}"
        analyze(AnalyzeOptions([str(clip)], video=video, every=5, begin_s=begin_s, end_s=end_s))
        heard, rate, name = sound_of(video)
        original, _, _ = sound_of(clip)
        begin, end = begin_s or 0.0, end_s or 6.5
        assert name == kept
        assert len(heard) / rate == pytest.approx(end - begin, abs=0.15)
        for at_s in np.arange(0.5, end - begin - 0.5, 1.0):
            here = loudness_of_the_high_tone(heard, rate, at_s)
            there = loudness_of_the_high_tone(original, rate, at_s + begin)
            assert here == pytest.approx(there, abs=0.15)


def sound_of(path: Path) -> tuple[np.ndarray, int, str]:
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        parts = [frame.to_ndarray().astype(float).ravel() for frame in container.decode(track)]
        return np.concatenate(parts), track.rate, track.codec_context.name


def loudness_of_the_high_tone(sound: np.ndarray, rate: int, at_s: float) -> float:
    """Its share of the sound in a third of a second."""
    part = sound[int(at_s * rate) : int((at_s + 0.33) * rate)]
    spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part))))
    frequency = np.fft.rfftfreq(len(part), 1 / rate)
    high = spectrum[(frequency > 950) & (frequency < 1050)].max()
    return float(high / spectrum.max())


@pytest.fixture(scope="module")
def claps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip that flashes and clicks in every second, as a clapperboard does."""
    clip = tmp_path_factory.mktemp("claps") / "claps.mkv"
    flashes = (
        "color=black:size=160x120:rate=30:duration=6,geq=lum='if(lt(mod(T+0.668,1),0.16),235,16)'"
    )
    clicks = "aevalsrc='if(lt(mod(t+2/3,1),0.02),0.8*sin(2*PI*1500*t),0)':s=16000:d=6"
    ffmpeg("-f", "lavfi", "-i", f"{flashes}:cb=128:cr=128", "-f", "lavfi", "-i", clicks,
           "-c:v", "libx264", "-c:a", "pcm_s16le", clip)  # fmt: skip
    return clip


@pytest.mark.parametrize(
    ("begin_s", "end_s", "every"), [(None, None, 1), (1.5, None, 1), (1.5, 4.5, 5), (None, 3.6, 2)]
)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_clicks_stay_with_their_flashes(
    claps: Path, tmp_path: Path, suffix: str, begin_s: float | None, end_s: float | None, every: int
):
    video = tmp_path / f"out{suffix}"
    analyze(AnalyzeOptions([str(claps)], video=video, every=every, begin_s=begin_s, end_s=end_s))
    heard, rate, _ = sound_of(video)
    loud = np.flatnonzero(np.abs(heard) > 0.3 * np.abs(heard).max()) / rate
    clicked_s = loud[np.diff(loud, prepend=-1) > 0.5] + sound_begins_s(video)
    with av.open(str(video)) as container:
        shown = [
            (frame.time, float(frame.to_ndarray(format="gray")[40:80, 60:100].mean()))
            for frame in container.decode(video=0)
        ]
    flashed_s = [
        time_s
        for (_, before), (time_s, now) in zip([(0.0, 0.0), *shown], shown, strict=False)
        if now > 120 > before
    ]
    assert len(flashed_s) >= 3 and len(clicked_s) == len(flashed_s)
    np.testing.assert_allclose(clicked_s, flashed_s, atol=0.05)


def sound_begins_s(path: Path) -> float:
    with av.open(str(path)) as container:
        return float(next(container.decode(audio=0)).time or 0.0)


def test_a_video_without_sound_has_none(short_clip: Path, tmp_path: Path):
    video = tmp_path / "out.mp4"
    analyze(AnalyzeOptions([str(short_clip)], video=video, every=15))
    with av.open(str(video)) as container:
        assert not container.streams.audio


@pytest.mark.usefixtures("in_this_process")
def test_the_commands_of_the_documentation_run(
    demo_clip: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
):
    """On a folder with what they name; the shards of both schedulers, one by one, are the whole."""
    for name in ("interview.mp4", "p01/talk.mp4", "p02/talk.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(demo_clip, tmp_path / name)
    photos.rename(tmp_path / "recordings")
    (tmp_path / "study.csv").write_text(blocks("studies.md", "csv")[0])
    monkeypatch.chdir(tmp_path)
    lines = commands("studies.md", "sh")
    assert len(lines) == 3
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "fer-live"
        done = run_here(capfd, "fer-live", *words)
        assert done.returncode == 0, (line, done.stderr)
    (array_job,) = [c for c in commands("studies.md", "slurm") if c.startswith("fer-live")]
    (parallel,) = commands("studies.md", "parallel")
    assert parallel.removeprefix("parallel -j 2 ").partition(" :::")[0] == array_job.replace(
        "$SLURM_ARRAY_TASK_ID", "{}"
    )
    header, *rows = (tmp_path / "rows.csv").read_text().splitlines()
    shards = []
    for which in (1, 2, 3, 4, 5, 6, 7, 8):
        command = shlex.split(array_job.replace("$SLURM_ARRAY_TASK_ID", str(which)))
        out = tmp_path / command[-1]
        options = AnalyzeOptions(
            batch=Path(command[command.index("--batch") + 1]),
            shard=parse_shard(command[command.index("--shard") + 1]),
            out=out,
        )
        analyze(options)
        shards += out.read_text().splitlines()[1:]
        assert out.read_text().splitlines()[0] == header
    assert shards == rows
