import json

import pytest

from fer_live.outputs.face_rows import box_in
from fer_live.recording.faces_in_time import FacesInTime
from fer_live.recording.row_line import row_in
from fer_live.recording.same_person import best_looks

LABELS = ("neutral", "happiness")
ROW = {
    "source": "a",
    "frame": 3,
    "time_s": 0.1,
    "track_id": 1,
    "label": "neutral",
    "shown_label": "",
    "p_neutral": 0.9,
    "p_happiness": 0.1,
    "shown_confidence": None,
}
ENDLESS = (float("inf"), float("-inf"), 1e308, -(10**30))


def test_a_row_is_read_as_it_is():
    assert row_in(json.dumps(ROW).encode(), LABELS) == ROW


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000, b'{"frame": 1}', b"1" * 9999]
)
def test_what_is_no_row_is_none(line: bytes):
    assert row_in(line, LABELS) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("track_id", odd) for odd in (None, "1", -1, 1.5, True, 2**31)],
        *[("time_s", odd) for odd in (None, "0", float("nan"), float("inf"), 10**400)],
        *[("p_neutral", odd) for odd in ("x", [], {}, True)],
        *[("source", 3), ("shown_label", None), ("frame", -1)],
        *[(name, odd) for name in ("x1", "quality", "p_happiness") for odd in ENDLESS],
        *[("person", odd) for odd in (1.5, -1, "", float("nan"), float("inf"), 2**31)],
    ],
)
def test_a_cell_of_another_kind_makes_it_none(name: str, value: object):
    assert row_in(json.dumps(ROW | {name: value}).encode(), LABELS) is None


@pytest.mark.parametrize(
    "box",
    [
        *(("", 1, 2, 2), (None, 1, 2, 2), (float("nan"), 1, 2, 2), (1, 1, 2, 1e9), (-1e9, 1, 2, 2)),
        *((2, 1, 1, 2), (1, 2, 2, 1), (1, 1, 1, 2), (1, 1, 2, 1)),
    ],
)
def test_a_box_that_is_in_no_picture_is_none(box: tuple[object, ...]):
    row = ROW | dict(zip(("x1", "y1", "x2", "y2"), box, strict=True))
    assert row_in(json.dumps(row).encode(), LABELS) is not None
    assert box_in(row) is None
    assert best_looks([row], 3) == {}
    faces = FacesInTime(LABELS)
    faces.take([row])
    assert faces.faces()[0].sights == {}


def test_a_box_is_left_top_right_and_bottom():
    assert box_in({"x1": -3.5, "y1": 0, "x2": 20, "y2": 31}) == (-3.5, 0, 20, 31)
    assert box_in({}) is None
