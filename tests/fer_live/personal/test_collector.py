import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.errors import DataError, InputError
from fer_live.model.manifest import CropGeometry
from fer_live.personal.collector import collect_own_faces, files_of_person
from fer_live.personal.whose_face import SeenFace, TrackChoice, of_one_person
from tests.helpers.commands import fails
from tests.helpers.retraining import write_crops

SIDE = 48


def seen(*tracks_of_look: tuple[int, ...]) -> list[SeenFace]:
    crop = np.zeros((1, 1), np.uint8)
    return [
        SeenFace(crop, crop, look / 4, look, track, 0.2 if track == 1 else 0.8)
        for look, tracks in enumerate(tracks_of_look)
        for track in tracks
    ]


def test_whose_face_is_asked_where_several_are_there():
    choice = TrackChoice.parse(["largest", "a b.mp4:2", "2026-11-25/video.mp4:3", "mine:4"])
    for clip, wanted in (
        ("x/a b.mp4", "2"),
        ("c.mp4", "largest"),
        ("clips/2026-11-25/video.mp4", "3"),
        ("clips/2026-11-26/video.mp4", "largest"),
        ("clips/mine/video.mp4", "4"),
        ("clips/mine.mov", "4"),
    ):
        assert choice.of(Path(clip)) == wanted, clip
    assert TrackChoice.parse([], otherwise="largest").of(Path("c.mp4")) == "largest"
    assert TrackChoice.parse(["c.mp4:2"], otherwise="all").of(Path("d.mp4")) == "all"
    with pytest.raises(InputError, match="CLIP:NUMBER"):
        TrackChoice.parse(["me"])


def test_faces_of_one_person_are_chosen_or_asked_for():
    clip = Path("clips/one/video.mp4")
    assert of_one_person([], clip, "") == []
    assert len(of_one_person(seen((1,), (2,), (1, 2)), clip, "")) == 4, "never long together"
    together = seen(*[(1, 2)] * 5)
    assert len(of_one_person(together, clip, "all")) == 10
    assert {face.track_id for face in of_one_person(together, clip, "2")} == {2}
    with pytest.raises(InputError, match=r"one/video.mp4 has the faces 1, 2"):
        of_one_person(together, clip, "3")
    with pytest.raises(InputError, match=r"face 1 \(left, in 5 pictures\), face 2 \(right"):
        of_one_person(together, clip, "")


def test_faces_of_a_clip_keep_their_distance_in_time(tmp_path: Path, demo_clip: Path):
    (tmp_path / "demo.mp4").write_bytes(demo_clip.read_bytes())
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    (tmp_path / ".unreviewed").mkdir()
    (tmp_path / ".unreviewed" / "demo.mp4").write_bytes(demo_clip.read_bytes())
    shares: list[float] = []
    for choice in (None, TrackChoice("all")):
        faces = collect_own_faces(
            files_of_person(tmp_path), SIDE, CropGeometry(), choice, shares.append
        )
        names = {take.partition("#")[0] for take in faces.takes.tolist()}
        assert names == {str(tmp_path / "demo.mp4")}
        assert (faces.crops.shape[1:], faces.patches.shape[1:]) == ((SIDE, SIDE), (192, 192))
        for take in np.unique(faces.takes):
            assert np.diff(faces.times_s[faces.takes == take]).min() >= 0.2
        assert any("broken.mp4" in line for line in faces.skipped)
    assert min(shares) == 0 and max(shares) < 1


def test_small_square_images_are_crops_and_unreadable_ones_are_named(tmp_path: Path):
    folder = write_crops(tmp_path / "crops", 3)
    (folder / "x.png").write_bytes(b"no image")
    faces = collect_own_faces(files_of_person(folder), SIDE, CropGeometry())
    assert len(faces) == 3
    image = cv2.imread(str(folder / "000.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(faces.crops[0], image)
    assert len(faces.skipped) == 1
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="no clip and no image"):
        files_of_person(empty)


def test_the_command_takes_whose_face_is_meant(
    run_cli: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
):
    crops = write_crops(tmp_path / "crops", 1)
    command = ("fer-live", "personalize", "--clips", crops, "--track")
    fails(run_cli(*command, "me"), 2, "CLIP:NUMBER")
