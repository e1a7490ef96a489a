import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_live.datatypes import Frame
from fer_live.recording.face_pictures import face_pictures
from fer_live.recording.recorded_faces import RecordedFaces
from fer_live.recording.recorder import FACES_FILE
from fer_live.recording.report import write_recording_report
from fer_live.recording.same_person import group_faces
from fer_live.window.personal.takes_check import faces_of
from tests.helpers.recordings import recorded
from tests.helpers.results import face_signals, result, with_signals


def frame_at(time_s: float) -> Frame:
    return Frame(np.zeros((96, 128, 3), np.uint8), 0, time_s)


def test_without_any_face_there_are_no_moments(tmp_path: Path):
    faces = RecordedFaces(recorded(tmp_path, [result(k, k / 30, n_faces=0) for k in range(3)]))
    assert faces.curves == []
    assert faces.result(frame_at(0.0)).faces == ()


@pytest.mark.parametrize(
    ("time_s", "n_faces"),
    [(0.0, 2), (0.0008, 2), (0.05, 0), (0.0999, 1), (0.1, 1), (0.2, 0), (9.0, 0)],
)
def test_faces_are_those_of_the_frame_at_this_time_to_the_millisecond(
    tmp_path: Path, time_s: float, n_faces: int
):
    results = [
        result(0, 5.0, n_faces=2),
        result(1, 5.1, happy=0.8),
        result(2, 5.2, n_faces=0),
    ]
    faces = RecordedFaces(recorded(tmp_path, results))
    first, second = faces.curves
    assert [curve.number for curve in faces.curves] == [1, 2]
    assert first.labels_shown() == ["neutral", "happiness"]
    assert second.times_s.tolist() == [0.0]
    np.testing.assert_allclose(first.probs, [[0.7, 0.3], [0.2, 0.8]], atol=5e-4)
    shown = faces.result(frame_at(time_s))
    assert len(shown.faces) == n_faces
    if n_faces == 1:
        np.testing.assert_allclose(shown.faces[0].probs, [0.2, 0.8], atol=1e-5)


def test_the_number_beside_a_label_is_the_one_that_was_shown(tmp_path: Path):
    """Not the raw probability of that frame, which may be 0 while the label is held."""
    shown = result(0, 0.0, happy=0.1)
    held = replace(shown.faces[0], shown_label="happiness", shown_confidence=0.62, quality=0.4)
    dark = replace(held, shown_label="", shown_confidence=None, quality_reason="dark")
    faces = RecordedFaces(recorded(tmp_path, [replace(shown, faces=(held, dark))]))
    first, second = faces.result(frame_at(0.0)).faces
    assert (first.shown_label, first.shown_confidence, first.quality) == ("happiness", 0.62, 0.4)
    assert (second.shown_confidence, second.quality_reason) == (None, "dark")


def test_a_recording_of_an_earlier_version_shows_no_number(tmp_path: Path):
    recording = recorded(tmp_path, [result(0, 0.0)])
    file = recording.folder / "faces.jsonl"
    new = ("shown_confidence", "quality", "quality_reason")
    row = {key: value for key, value in json.loads(file.read_text()).items() if key not in new}
    file.write_text(json.dumps(row) + "\n")
    (face,) = RecordedFaces(recording).result(frame_at(0.0)).faces
    assert (face.shown_label, face.shown_confidence) == ("neutral", None)
    assert (face.quality, face.quality_reason) == (1.0, "")


def test_a_picture_with_its_overlay_gets_no_second_one(tmp_path: Path):
    faces = RecordedFaces(recorded(tmp_path, [result(0, 0.0)], with_overlay=True))
    assert faces.result(frame_at(0.0)).faces == ()
    assert len(faces.curves[0].times_s) == 1


def test_signals_and_outlines_come_back_and_points_that_were_not_kept_do_not(tmp_path: Path):
    told = face_signals()
    results = [
        with_signals(result(0, 0.0), told),
        with_signals(result(1, 0.1), None),
        result(2, 0.2),
    ]
    faces = RecordedFaces(recorded(tmp_path, results))
    (face,) = faces.result(frame_at(0.0)).faces
    back = face.signals
    assert back is not None
    assert back.head_deg == pytest.approx(told.head_deg)
    assert back.mean_gaze_deg == pytest.approx(told.mean_gaze_deg)
    assert back.landmarks.blendshapes == pytest.approx(told.landmarks.blendshapes, abs=1e-4)
    kept = np.isfinite(back.landmarks.points_xyz[:, 0])
    assert 100 < kept.sum() < 200
    assert back.landmarks.points_xyz[kept, :2] == pytest.approx(
        told.landmarks.points_xyz[kept, :2], abs=0.05
    )
    for time_s in (0.1, 0.2):
        assert faces.result(frame_at(time_s)).faces[0].signals is None


@pytest.mark.parametrize("odd", [{"x1": ""}, {"y2": float("nan")}, {"x2": -5.0}])
def test_a_row_without_a_place_is_not_painted_and_has_no_picture(
    tmp_path: Path, odd: dict[str, object]
):
    """The other face of the frame is, and the reading stays in the curve of its face."""
    recording = recorded(tmp_path, [result(k, k / 30, n_faces=2) for k in range(3)])
    first, *others = recording.rows()
    lines = [json.dumps(row) for row in (first | odd, *others)]
    (recording.folder / FACES_FILE).write_text("\n".join([*lines, ""]))
    faces = RecordedFaces(recording)
    assert [face.track_id for face in faces.faces_at(frame_at(0.0))] == [2]
    assert [len(curve.times_s) for curve in faces.curves] == [3, 3]
    write_recording_report(tmp_path / "report.html", recording, with_pictures=True)
    assert faces_of(recording, 3)
    group_faces(recording.video, recording.rows())
    assert set(face_pictures(recording.video, recording.rows())) == {1, 2}
