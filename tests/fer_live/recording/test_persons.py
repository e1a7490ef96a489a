"""Faces of a recording as persons: by hand, by appearance, and what is kept of it."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_live.errors import InputError
from fer_live.recording.face_pictures import PICTURE_SIDE, face_pictures
from fer_live.recording.persons import (
    PERSONS_FILE,
    Persons,
    load_persons,
    save_persons,
    with_persons,
)
from fer_live.recording.recorder import Recording
from fer_live.recording.report import write_report
from fer_live.recording.rows_file import write_rows
from fer_live.recording.same_person import best_looks, group_descriptors, group_faces
from tests.helpers.recordings import recorded_demo


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return recorded_demo(tmp_path_factory.mktemp("demo"))


@pytest.mark.parametrize(
    ("merges", "told"),
    [
        ([], [1, 2, 3, 4, 5]),
        ([[3]], [1, 2, 3, 4, 5]),
        ([[5, 2]], [1, 2, 3, 4, 2]),
        ([[5, 2], [5, 1]], [1, 1, 3, 4, 1]),
        ([[1, 2], [3, 4], [4, 1]], [1, 1, 1, 1, 5]),
    ],
)
def test_merging_gives_the_smallest_number(merges: list[list[int]], told: list[int]):
    persons = Persons()
    for faces in merges:
        persons = persons.merged(faces)
    assert [persons.person_of(face) for face in range(1, 6)] == told


@pytest.mark.parametrize(
    ("apart", "told"),
    [
        ([], [1, 1, 1, 4, 4]),
        ([2], [1, 2, 1, 4, 4]),
        ([1], [1, 2, 2, 4, 4]),
        ([1, 2], [1, 2, 3, 4, 4]),
        ([5], [1, 1, 1, 4, 5]),
        ([9], [1, 1, 1, 4, 4]),
    ],
)
def test_who_is_taken_apart_is_alone_and_the_others_stay_together(
    apart: list[int], told: list[int]
):
    persons = Persons().merged([1, 2, 3]).merged([4, 5]).apart(apart)
    assert [persons.person_of(face) for face in range(1, 6)] == told


@given(st.lists(st.lists(st.integers(1, 8), max_size=4), max_size=6))
def test_no_face_is_ever_in_two_groups(steps: list[list[int]]):
    persons = Persons()
    for number, faces in enumerate(steps):
        persons = persons.apart(faces) if number % 3 == 2 else persons.merged(faces)
    grouped = [face for group in persons.groups for face in group]
    assert len(grouped) == len(set(grouped))
    assert all(len(group) > 1 and list(group) == sorted(group) for group in persons.groups)


def near(*places: float) -> dict[int, np.ndarray]:
    """Faces on a line."""
    return {number: np.array([x, 0.0], np.float32) for number, x in enumerate(places, start=1)}


@pytest.mark.parametrize(
    ("places", "apart", "groups"),
    [
        ((), [], ()),
        ((0.0,), [], ()),
        ((0.0, 0.0), [], ((1, 2),)),
        ((0.0, 0.39), [], ((1, 2),)),
        ((0.0, 0.41), [], ()),
        ((0.0, 5.0, 0.1), [], ((1, 3),)),
        ((0.0, 0.1, 0.2), [(1, 2)], ((2, 3),)),
        ((0.0, 0.1), [(1, 2)], ()),
        ((0.0, 0.1), [(1, 7)], ((1, 2),)),
        ((0.0, 0.3, 0.6), [], ((1, 2),)),
    ],
    ids=str,
)
def test_groups_are_those_that_lie_near_on_average(places, apart, groups):
    """In the last one 2 and 3 are near, but the mean of 3 to 1 and 2 is 0.45."""
    assert group_descriptors(near(*places), apart, limit=0.4).groups == groups


def test_two_faces_kept_apart_stay_so_through_a_third():
    """Merging 1 and 3 must not forget that 1 and 2 were seen at once."""
    persons = group_descriptors(near(0.0, 0.05, 0.02), [(1, 2)], limit=0.4)
    assert persons.person_of(1) != persons.person_of(2)
    assert len(persons.groups) == 1


def test_faces_of_the_demo_are_two_persons_and_nothing_else_is_written(recording: Recording):
    before = {path: path.stat().st_mtime_ns for path in recording.folder.iterdir()}
    persons = group_faces(recording.video, recording.rows())
    assert persons is not None
    assert persons.groups == ((1, 3), (2, 4))
    assert {path: path.stat().st_mtime_ns for path in recording.folder.iterdir()} == before
    save_persons(recording.folder, persons)
    assert {path.name for path in recording.folder.iterdir()} - {path.name for path in before} == {
        PERSONS_FILE
    }
    kept = json.loads((recording.folder / PERSONS_FILE).read_text())
    assert kept == {"groups": [[1, 3], [2, 4]]}, "numbers of faces, and nothing of the faces"
    rows = Recording.open(recording.folder).rows()
    assert {(row["track_id"], row["person"]) for row in rows} == {(1, 1), (3, 1), (2, 2), (4, 2)}
    (recording.folder / PERSONS_FILE).unlink()
    assert "person" not in recording.rows()[0]


def test_grouping_ends_when_it_is_stopped(recording: Recording):
    asked: list[bool] = []

    def stopped() -> bool:
        asked.append(True)
        return len(asked) > 3

    assert group_faces(recording.video, recording.rows(), stopped) is None
    assert len(asked) == 4


def test_nobody_is_seen_where_no_face_was_found(recording: Recording):
    assert group_faces(recording.video, []) == Persons()
    assert face_pictures(recording.video, []) == {}


def test_a_row_whose_face_is_not_there_is_grouped_with_nobody(recording: Recording):
    rows = recording.rows()
    wrong = [{**row, "track_id": 9, "x1": 0, "y1": 400, "x2": 60, "y2": 460} for row in rows[:3]]
    persons = group_faces(recording.video, [*rows, *wrong])
    assert persons is not None
    assert persons.person_of(9) == 9


def test_each_face_has_its_picture(recording: Recording):
    pictures = face_pictures(recording.video, recording.rows())
    assert sorted(pictures) == [1, 2, 3, 4]
    assert {picture.shape for picture in pictures.values()} == {(PICTURE_SIDE, PICTURE_SIDE, 3)}
    assert all(picture.std() > 20 for picture in pictures.values())


def test_good_pictures_are_taken_and_bad_ones_where_there_are_no_others():
    rows = [{"track_id": 1, "n": n, "quality": 0.9 if n % 2 else 0.1} for n in range(20)]
    rows += [{"track_id": 2, "n": n, "quality": 0.1} for n in range(2)]
    rows += [{"track_id": 3, "n": 0}]  # of a version that told no quality
    box = {"x1": 1.0, "y1": 1.0, "x2": 20.0, "y2": 20.0}
    chosen = best_looks([row | box for row in rows], 4)
    assert [row["n"] for row in chosen[1]] == [1, 7, 13, 19]
    assert [len(chosen[number]) for number in (2, 3)] == [2, 1]


@pytest.mark.parametrize("content", ["", "{", '{"groups": [["a"]]}', '{"groups": 3}'])
def test_a_file_of_persons_that_is_spoilt_is_as_none(tmp_path: Path, content: str):
    assert load_persons(tmp_path) is None
    (tmp_path / PERSONS_FILE).write_text(content)
    assert load_persons(tmp_path) is None


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_rows_are_saved_with_their_persons(recording: Recording, tmp_path: Path, suffix: str):
    rows = list(with_persons(recording.rows(), Persons().merged([1, 4])))
    rows[0]["points"] = [1.0, 2.0]  # what a recording keeps for its picture is no column
    path = tmp_path / f"rows{suffix}"
    write_rows(path, rows, recording.about.labels, signals=False)
    if suffix == ".csv":
        back = list(csv.DictReader(path.read_text().splitlines()))
    elif suffix == ".jsonl":
        back = [json.loads(line) for line in path.read_text().splitlines()]
    else:
        from pyarrow import parquet

        back = parquet.read_table(path).to_pylist()
    assert len(back) == len(rows)
    assert list(back[0])[-1] == "person"
    assert [int(row["person"]) for row in back] == [row["person"] for row in rows]


def test_rows_are_saved_in_known_kinds_alone(recording: Recording, tmp_path: Path):
    with pytest.raises(InputError, match=r"rows\.xlsx"):
        write_rows(tmp_path / "rows.xlsx", recording.rows(), recording.about.labels, signals=False)


def test_a_report_has_a_part_for_each_person(recording: Recording, tmp_path: Path):
    rows = list(with_persons(recording.rows(), Persons().merged([1, 3]).merged([2, 4])))
    write_report(tmp_path / "report.html", rows, recording.about.labels)
    page = (tmp_path / "report.html").read_text()
    assert "person 1" in page
    assert "person 2" in page
    assert "person 3" not in page
    assert "face 1" not in page
