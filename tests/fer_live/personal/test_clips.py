import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from fer_live.base.settings import Settings, load_settings, save_settings
from fer_live.datatypes import FaceResult, Frame, FrameResult
from fer_live.errors import InputError, OutputError
from fer_live.model.assets import CPU_MODEL, GPU_MODEL, asset
from fer_live.personal.capture import capture, import_clips
from fer_live.personal.clip_recorder import ClipRecorder
from fer_live.personal.clips import (
    ClipSummary,
    bytes_used,
    clips_folder,
    find_clips,
    list_clips,
    list_takes,
    name_of,
    person_names,
    summarize,
)
from fer_live.personal.takes import (
    TakeStep,
    discard_unreviewed,
    keep_take,
    next_round,
    take_number,
    unreviewed_folder,
)
from fer_live.recording.recorder import About, Recorder, Recording
from fer_live.vision.pipeline import Pipeline
from fer_live.window.personal.clip_words import title_of

LABELS = ("neutral", "happiness")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="module")
def pipeline():
    with Pipeline.load() as loaded:
        yield loaded


def about() -> About:
    return About(
        labels=LABELS,
        model="m",
        source="camera 0",
        began_at=datetime(2026, 11, 25, 14, 3, 22),
        with_overlay=False,
    )


def result(time_s: float, level: int, *, n_faces: int = 1) -> FrameResult:
    """A frame of one gray, so that a face changes by as much as `level` does."""
    keypoints = np.array(
        [[40, 40], [60, 40], [50, 50], [50, 62], [30, 45], [70, 45]], dtype=np.float32
    )
    probs = np.array([0.6, 0.4], np.float32)
    faces = tuple(
        FaceResult(
            track_id=number,
            box_xyxy=np.array([30, 30, 70, 70], np.float32),
            keypoints_xy=keypoints,
            detection_confidence=0.9,
            probs=probs,
            label="neutral",
            confidence=0.6,
            smoothed_probs=probs,
            shown_label="neutral",
        )
        for number in range(1, n_faces + 1)
    )
    image = np.full((96, 128, 3), level, np.uint8)
    return FrameResult(Frame(image, 0, time_s), faces, {}, "cpu", "short")


def test_only_frames_with_something_new_are_kept(tmp_path: Path):
    recorder = ClipRecorder(tmp_path, about, 10**9)
    recorder.write("c", result(0.0, 100, n_faces=0))  # no face
    assert recorder.recorder is None, "a clip without a face is none"
    recorder.write("c", result(0.2, 100))
    recorder.write("c", result(0.4, 101))  # a still face
    recorder.write("c", result(0.45, 150))  # changed, but kept since
    recorder.write("c", result(0.48, 200))  # changed, too soon
    recorder.write("c", result(0.7, 150, n_faces=2))  # another face
    recorder.paused = True
    recorder.write("c", result(0.9, 20))
    recorder.paused = False
    recorder.write("c", result(1.1, 20, n_faces=2))
    recorder.close()
    assert recorder.recorder is not None
    rows = Recording.open(recorder.recorder.folder).rows()
    times = sorted({row["time_s"] for row in rows})
    assert times == pytest.approx([0.0, 0.25, 0.5, 0.9])
    assert (recorder.n_kept, recorder.n_dropped) == (4, 3)


def test_a_clip_ends_where_the_limit_is_reached_and_stays(tmp_path: Path):
    recorder = ClipRecorder(tmp_path, about, 1)
    with pytest.raises(OutputError, match="limit"):
        recorder.write("c", result(0.0, 100))
    folder = recorder.abandon()
    assert folder is not None
    assert len(Recording.open(folder).rows()) == 1


def test_a_captured_clip_is_readable_by_its_owner_alone(pipeline: Pipeline, demo_clip: Path):
    from fer_live.sources.open import open_source

    captured = capture(open_source(str(demo_clip)), pipeline, Settings(), minutes=2 / 60)
    assert captured.clip is not None
    assert captured.trouble is None
    folder = captured.clip.folder
    assert folder.parent == clips_folder()
    # The folder, and in it the video, the rows, their index, and what the clip says of itself.
    assert [path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())] == [0] * 5
    summary = summarize(captured.clip)
    assert 0 < summary.seconds <= 2, "two seconds of the source's own time"
    assert 0 < summary.n_frames == captured.n_kept <= 20
    assert sum(summary.faces_by_track.values()) >= summary.n_frames
    row = captured.clip.rows()[0]
    assert sum(float(row[f"p_{label}"]) for label in pipeline.labels) == pytest.approx(1, abs=1e-5)
    assert bytes_used() == summary.n_bytes > 0


def test_a_corrupt_clip_among_good_ones_is_named(
    pipeline: Pipeline, demo_clip: Path, tmp_path: Path
):
    corrupt, cut, empty = (tmp_path / f"{name}.mp4" for name in ("corrupt", "cut", "empty"))
    corrupt.write_bytes(b"no video at all")
    whole = demo_clip.read_bytes()
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    empty.write_bytes(b"")
    clips, broken = import_clips([corrupt, demo_clip, cut, empty], pipeline, Settings())
    assert demo_clip.name in {Path(clip.about.source).name for clip in clips}
    assert {corrupt.name, empty.name} <= {
        file.name for file in (corrupt, cut, empty) if any(str(file) in line for line in broken)
    }
    assert len(list_clips()) == len(clips)


def test_a_capture_that_was_killed_is_named_at_the_next_start(
    run_cli: Run, own_home: Path, demo_clip: Path
):
    command = [sys.executable, "-m", "fer_live", "capture", "--source", str(demo_clip)]
    capturing = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list((own_home / "unfinished").glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    capturing.kill()
    capturing.wait()
    (clip,) = list_clips()
    again = run_cli("fer-live", "capture", "--source", demo_clip, "--minutes", "0.05")
    assert "did not end by itself" in again.stderr
    assert clip.name in again.stderr
    assert list((own_home / "unfinished").iterdir()) == []


def test_deleting_deletes_and_says_what(run_cli: Run, own_home: Path, demo_clip: Path):
    done = run_cli("fer-live", "capture", "--source", demo_clip, "--minutes", "0.05")
    assert done.returncode == 0, done.stderr
    (name,) = (clip.name for clip in list_clips())
    assert name in done.stdout
    assert name in run_cli("fer-live", "clips", "list").stdout
    shown = run_cli("fer-live", "clips", "show", name).stdout
    assert "face 1: in" in shown
    wrong = run_cli("fer-live", "clips", "delete", "nothing")
    assert (wrong.returncode, len(list_clips())) == (2, 1)
    assert name in wrong.stderr
    neither = run_cli("fer-live", "clips", "delete")
    assert (neither.returncode, len(list_clips())) == (2, 1)
    deleted = run_cli("fer-live", "clips", "delete", name)
    assert deleted.returncode == 0
    assert f"deleted {name}" in deleted.stdout
    assert list(clips_folder().iterdir()) == []
    again = run_cli("fer-live", "clips", "delete", "--all")
    assert (again.returncode, again.stdout) == (0, "")


def test_a_camera_is_not_opened_before_consent(run_cli: Run, own_home: Path):
    asked = run_cli("fer-live", "capture", "--camera", "0")
    assert asked.returncode == 2
    assert "--agree" in asked.stderr
    assert not (own_home / "settings.json").exists()
    agreed = run_cli("fer-live", "capture", "--camera", "7", "--agree")
    assert agreed.returncode == 2
    assert "camera 7" in agreed.stderr, "there is none here"
    assert "capture_accepted_on" in (own_home / "settings.json").read_text()


def recorded_take() -> Recording:
    recorder = Recorder(unreviewed_folder(), about())
    recorder.write("camera 0", result(0.0, 100))
    recorder.close()
    return Recording.open(recorder.folder)


def test_takes_come_in_rounds_and_are_kept_only_when_reviewed():
    assert next_round(LABELS) == [TakeStep("neutral", 1), TakeStep("happiness", 1)]
    kept = keep_take(recorded_take(), TakeStep("happiness", 2))
    recorded_take()
    assert [name_of(take.folder) for take in list_takes()] == [f"happiness/{kept.name}"]
    assert take_number(kept.folder) == 2
    assert next_round(LABELS) == [TakeStep("neutral", 1), TakeStep("happiness", 3)]
    assert take_number(Path("a mistake 2")) is None
    assert discard_unreviewed() == 1
    assert list_takes()[0].folder == kept.folder
    assert find_clips([f"happiness/{kept.name}"])[0].folder == kept.folder
    with pytest.raises(InputError, match="there are"):
        find_clips(["happiness"])
    assert kept.folder.parent.stat().st_mode & 0o077 == 0


def test_each_person_has_clips_and_takes_of_their_own(run_cli: Run, own_home: Path):
    mine = keep_take(recorded_take(), TakeStep("happiness", 1))
    hers = keep_take(recorded_take(), TakeStep("happiness", 1), "Ada")
    assert person_names() == ["me", "Ada"]
    assert [take.folder for take in list_takes("Ada")] == [hers.folder]
    assert [take.folder for take in list_takes("me")] == [mine.folder]
    names = [f"happiness/{mine.name}", f"Ada: happiness/{hers.name}"]
    assert [name_of(take.folder) for take in list_takes()] == names
    assert find_clips(names[1:])[0].folder == hers.folder
    assert bytes_used() == mine.n_bytes + hers.n_bytes


def test_everything_of_a_person_goes_in_one_step(run_cli: Run, own_home: Path):
    mine = keep_take(recorded_take(), TakeStep("happiness", 1))
    keep_take(recorded_take(), TakeStep("happiness", 1), "Ada")
    recorded_take()
    folder = own_home / "models" / "Ada"
    folder.mkdir(parents=True)
    for variant in (CPU_MODEL, GPU_MODEL):
        (folder / variant).write_bytes(asset(variant).read_bytes())
    save_settings(Settings(model=str(folder)))
    (own_home / "calibrated" / "Ada").mkdir(parents=True)
    wrong = run_cli("fer-live", "clips", "delete", "--everything", "Adam")
    assert wrong.returncode == 2 and "there are: me, Ada" in wrong.stderr
    gone = run_cli("fer-live", "clips", "delete", "--everything", "Ada")
    assert gone.returncode == 0, gone.stderr
    assert "deleted 1 clips and takes of Ada, and Ada" in gone.stdout
    assert load_settings()[0].model is None
    left = {path.name for path in own_home.rglob("*") if path.is_file()}
    kept = {"settings.json", ".settings.json.lock"}  # the lock is empty
    assert left == {*kept, *(file.name for file in mine.folder.iterdir())}
    assert [take.folder for take in list_takes()] == [mine.folder]
    assert not (own_home / "persons" / "Ada").exists()


def test_a_clip_is_one_line_whatever_its_name_and_source_hold():
    summary = ClipSummary("a\nb", "c\r\nd\u2028e", 1.0, 2, {1: 2}, 3, datetime.now(UTC))
    assert summary.line() == (
        "a\\u000ab  0:01  2 frames, 1 face, 0.0 MB, from c\\u000d\\u000ad\\u2028e"
    )
    assert title_of(summary) == "c\\u000d\\u000ad\\u2028e"
