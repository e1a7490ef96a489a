import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer_live.datatypes import Frame, HeatMap
from fer_live.recording import row_line
from fer_live.recording.recorded_faces import RecordedFaces
from fer_live.recording.row_index import INDEX_FILE, build_index, load_index
from tests.helpers.recordings import recorded, two_faces
from tests.helpers.results import LABELS, result


def frame_at(time_s: float) -> Frame:
    return Frame(np.zeros((96, 128, 3), np.uint8), 0, time_s)


def test_a_recorder_leaves_the_index_that_a_reader_would_make(tmp_path: Path):
    recording = recorded(tmp_path, two_faces(1.5))
    rows = recording.folder / "faces.jsonl"
    written = load_index(rows, LABELS)
    made = build_index(rows, LABELS)
    assert written is not None and made is not None
    for name in ("times_s", "offsets", "frames", "track_ids", "probs", "shown"):
        np.testing.assert_array_equal(getattr(written, name), getattr(made, name))
    assert len(written.times_s) == 90


def test_rows_that_changed_have_no_index_and_a_damaged_one_is_made_anew(tmp_path: Path):
    recording = recorded(tmp_path, two_faces(0.2))
    rows = recording.folder / "faces.jsonl"
    with rows.open("a") as file:
        file.write('{"cut off')
    assert load_index(rows, LABELS) is None
    assert len(RecordedFaces(recording).of(1)) == 6
    assert load_index(rows, LABELS) is not None, "kept for the next time"
    (recording.folder / INDEX_FILE).write_bytes(b"PK damaged")
    assert len(RecordedFaces(recording).of(1)) == 6
    assert load_index(rows, ("other", "labels")) is None


def test_lines_that_are_no_rows_are_left_out_and_the_others_found(tmp_path: Path):
    recording = recorded(tmp_path, [result(k, k / 30) for k in range(3)])
    rows = recording.folder / "faces.jsonl"
    first, *others = rows.read_text().splitlines()
    rows.write_text("\n".join([first, "[1]", "", '{"frame": 1}', *others]) + "\n")
    faces = RecordedFaces(recording)
    assert len(faces.of(1)) == 3
    assert [len(faces.result(frame_at(k / 30)).faces) for k in range(3)] == [1, 1, 1]


def test_making_it_can_be_stopped(tmp_path: Path):
    recording = recorded(tmp_path, [result(0, 0.0)])
    assert build_index(recording.folder / "faces.jsonl", LABELS, lambda: True) is None


def test_moments_of_a_face_are_cut_by_time_and_its_curve_has_all(tmp_path: Path):
    faces = RecordedFaces(recorded(tmp_path, two_faces(2)))
    assert faces.numbers == [1, 2]
    assert {moment.shown_label for moment in faces.of(1)} == {"neutral"}
    part = faces.of(2).between(0.9, 1.1)
    assert [moment.shown_label for moment in part] == ["neutral"] * 3 + ["happiness"] * 4
    assert len(faces.of(7)) == 0
    assert faces.of(2)[-1].probs == pytest.approx([0.1, 0.9], abs=1e-3)
    assert [curve.number for curve in faces.curves] == [1, 2]
    assert faces.curves[1].labels_shown()[-1] == "happiness"
    assert faces.seen_longest == 1


def test_smoothed_probabilities_and_heat_maps_come_back(tmp_path: Path):
    """What the bars of the review show is smoothed, as the number beside the label is."""
    plain = result(0, 0.0, happy=0.9)
    heat_map = HeatMap(np.array([[0.0, 0.5], [1.0, 0.25]], np.float32), np.eye(2, 3, dtype="f4"))
    face = replace(
        plain.faces[0], smoothed_probs=np.array([0.4, 0.6], np.float32), heat_map=heat_map
    )
    faces = RecordedFaces(recorded(tmp_path, [replace(plain, faces=(face,))]))
    (back,) = faces.result(frame_at(0.0)).faces
    assert back.smoothed_probs == pytest.approx([0.4, 0.6])
    assert back.probs == pytest.approx([0.1, 0.9])
    assert back.heat_map is not None
    np.testing.assert_allclose(back.heat_map.weights, heat_map.weights)
    np.testing.assert_allclose(back.heat_map.crop_to_frame, heat_map.crop_to_frame)
    assert faces.of(1)[0].probs == pytest.approx([0.4, 0.6], abs=1e-3)


def test_only_the_rows_of_the_picture_are_read_where_there_is_an_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    recording = recorded(tmp_path, two_faces(3))
    read = []

    def loads(line: bytes) -> object:
        read.append(line)
        return json.JSONDecoder().decode(line.decode())

    monkeypatch.setattr(row_line, "parse_json", loads)
    RecordedFaces(recording).result(frame_at(1.0))
    assert len(read) == 2
