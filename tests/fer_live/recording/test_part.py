"""A part of a recording, its table, its painted video, and videos opened as recordings."""

import csv
import wave
from contextlib import closing
from pathlib import Path

import av
import numpy as np
import pytest

from fer_live.datatypes import Frame, Marker
from fer_live.errors import InputError, SourceError
from fer_live.painting.annotated_recording import write_annotated_recording
from fer_live.recording import part
from fer_live.recording.opened_video import open_video
from fer_live.recording.part import save_part
from fer_live.recording.player import ClipPlayer
from fer_live.recording.recorded_faces import RecordedFaces
from fer_live.recording.recorder import Recording
from fer_live.recording.rows_file import write_recording_rows
from fer_live.recording.shelf import look_at, renamed, shelf
from fer_live.recording.video_copy import copy_frames
from fer_live.recording.video_file import VideoFile
from fer_live.vision.pipeline import Pipeline
from tests.helpers.recordings import recorded, two_faces

MARKERS = [
    Marker("smile", 1.5),
    Marker("task", 0.5, kind="begin"),
    Marker("task", 2.5, kind="end"),
    Marker("late", 2.9),
]


class StoppedError(Exception):
    pass


def stop(done_s: float) -> None:
    raise StoppedError


def pictures(video: Path) -> list[tuple[float, float]]:
    """The time and the mean gray of each."""
    with av.open(str(video)) as container:
        return [
            (float(f.time or 0), float(f.to_ndarray(format="gray").mean()))
            for f in container.decode(video=0)
        ]


@pytest.mark.parametrize(("from_s", "is_copied"), [(1.0, True), (1.2, False)])
def test_a_part_is_a_recording_with_its_rows_and_markers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_s: float, is_copied: bool
):
    whole = recorded(tmp_path, two_faces(3), markers=MARKERS)
    encoded = []
    monkeypatch.setattr(part, "VideoFile", lambda *told: encoded.append(told) or VideoFile(*told))
    folder = save_part(whole, from_s, 2.0, tmp_path, lambda _: None)
    assert bool(encoded) is not is_copied
    made = Recording.open(folder)
    shown, of_whole = pictures(made.video), pictures(whole.video)
    expected = [(at_s, gray) for at_s, gray in of_whole if from_s - 1e-3 <= at_s <= 2.001]
    assert len(shown) == len(expected)
    np.testing.assert_allclose(
        [at_s for at_s, _ in shown], [at_s - expected[0][0] for at_s, _ in expected], atol=1.1e-3
    )
    np.testing.assert_allclose([gray for _, gray in shown], [gray for _, gray in expected], atol=4)
    spans = [
        (span.text, round(span.from_s, 2), round(span.to_s or 0, 2)) for span in made.markers()
    ]
    length = round(2.0 - expected[0][0], 2)
    smile = round(1.5 - expected[0][0], 2)
    assert spans == [("task", 0.0, length), ("smile", smile, smile)]
    rows = made.rows()
    assert {row["frame"] for row in rows} == set(range(len(expected)))
    faces = RecordedFaces(made)
    for number, (at_s, _) in enumerate(shown):
        frame = Frame(np.zeros((96, 128, 3), np.uint8), number, at_s)
        assert len(faces.result(frame).faces) == 2
    assert made.about.name.startswith(whole.name)
    with closing(ClipPlayer(made.video)) as player:
        assert player.at(0.3) is not None


def test_a_part_without_a_picture_and_one_that_was_stopped_leave_nothing(tmp_path: Path):
    whole = recorded(tmp_path, two_faces(1.5))
    with pytest.raises(InputError, match="no picture between"):
        save_part(whole, 0.401, 0.402, tmp_path, lambda _: None)
    for from_s in (0.0, 0.2):
        with pytest.raises(StoppedError):
            save_part(whole, from_s, 1.0, tmp_path, stop)
    assert [entry.folder for entry in shelf(tmp_path)] == [whole.folder]


def test_a_part_of_a_damaged_video_ends_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """FFmpeg has errors that are named like those of the disk."""
    whole = recorded(tmp_path, two_faces(1.5))
    container = av.open(str(whole.video))

    class Damaged:
        name, streams = str(whole.video), container.streams

        def seek(self, *_: object, **__: object) -> None:
            raise av.error.PermissionError(1, "Operation not permitted")

        def close(self) -> None:
            container.close()

    monkeypatch.setattr("fer_live.recording.video_copy.av.open", lambda *_, **__: Damaged())
    with pytest.raises(SourceError, match="cannot be read as a video"):
        copy_frames(whole.video, 0.0, 1.0, tmp_path / "part.mkv", lambda _: None)


def test_a_part_of_what_has_no_picture_ends_in_one_line(tmp_path: Path):
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16_000))
    with pytest.raises(SourceError, match="cannot be read as a video"):
        copy_frames(path, 0.0, 1.0, tmp_path / "part.mkv", lambda _: None)


def test_the_table_has_each_row_with_its_interval_and_no_columns_of_the_review(tmp_path: Path):
    whole = recorded(tmp_path / "r", two_faces(3), markers=MARKERS)
    path = tmp_path / "rows.csv"
    with pytest.raises(StoppedError):
        write_recording_rows(path, whole, stop)
    assert [file.name for file in tmp_path.iterdir()] == ["r"]
    told: list[float] = []
    write_recording_rows(path, whole, told.append)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 180
    inside = {float(row["time_s"]) for row in rows if row["marker"] == "task"}
    assert (min(inside), max(inside)) == pytest.approx((0.5, 2.4667), abs=0.001)
    assert "smoothed" not in rows[0]
    assert "smile" in (tmp_path / "rows.csv.markers.csv").read_text()
    assert told


def test_the_painted_video_has_every_frame_and_a_stopped_one_none(tmp_path: Path):
    whole = recorded(tmp_path / "r", two_faces(1))
    path = tmp_path / "painted.mp4"
    with pytest.raises(StoppedError):
        write_annotated_recording(path, whole, stop, with_heat_map=False)
    assert [file.name for file in tmp_path.iterdir()] == ["r"]
    write_annotated_recording(path, whole, lambda _: None, with_heat_map=False)
    painted, plain = pictures(path), pictures(whole.video)
    assert [at_s for at_s, _ in painted] == pytest.approx([at_s for at_s, _ in plain], abs=2e-3)
    assert any(abs(p - q) > 1 for (_, p), (_, q) in zip(painted, plain, strict=True)), "no boxes"


def test_the_shelf_has_what_cannot_be_read_and_the_newest_first(tmp_path: Path):
    old, new = recorded(tmp_path, two_faces(0.5), day=3), recorded(tmp_path, two_faces(0.5), day=9)
    broken = tmp_path / "2020-01-01 00.00.00"
    broken.mkdir()
    (tmp_path / "a file").touch()
    entries = shelf(tmp_path)
    found = [entry.folder for entry in entries if entry.recording is not None]
    assert found == [new.folder, old.folder]
    (bad,) = [entry for entry in entries if entry.recording is None]
    assert "recording.json" in bad.trouble
    bad.delete()
    assert not broken.exists()
    named = renamed(old, "  First\n talk ")
    assert Recording.open(old.folder).name == named.name == "First talk"
    assert renamed(named, "").name == old.folder.name
    look = look_at(old)
    assert look.length_s == pytest.approx(14 / 30, abs=2e-3)
    assert look.picture_bgr is not None and look.picture_bgr.shape == (54, 96, 3)
    new.video.write_bytes(b"no video")
    assert look_at(new).trouble


@pytest.fixture(scope="module")
def pipeline():
    with closing(Pipeline.load(provider="cpu")) as loaded:
        yield loaded


def test_any_video_becomes_a_recording_that_refers_to_it(tmp_path: Path, pipeline: Pipeline):
    from fer_live.sources.choice import Demo

    source = Demo().open()
    video = VideoFile(tmp_path / "talk.mp4")
    for _ in range(20):
        frame = source.read()
        assert frame is not None
        video.write(frame.image_bgr, frame.captured_at_s)
    video.close()
    source.close()
    parent = tmp_path / "recordings"
    with pytest.raises(StoppedError):
        open_video(tmp_path / "talk.mp4", pipeline, parent, stop)
    assert shelf(parent) == []
    folder = open_video(tmp_path / "talk.mp4", pipeline, parent, lambda _: None)
    made = Recording.open(folder)
    assert (made.name, made.about.source) == ("talk", "talk.mp4")
    assert made.video == tmp_path / "talk.mp4"
    with closing(ClipPlayer(made.video)) as player:
        shown = player.at(0.3)
        assert shown is not None
        assert RecordedFaces(made).result(shown).faces
    (tmp_path / "talk.mp4").rename(tmp_path / "moved.mp4")
    with pytest.raises(InputError, match="was moved or deleted"):
        Recording.open(folder)
    (tmp_path / "talk.mp4").write_bytes(b"another")
    with pytest.raises(InputError, match="another video lies there"):
        Recording.open(folder)
    with pytest.raises(InputError, match="cannot be read"):
        open_video(tmp_path / "none.mp4", pipeline, parent, lambda _: None)
