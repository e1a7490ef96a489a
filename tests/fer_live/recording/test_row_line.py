import json

import pytest

from fer_live.recording.row_line import row_in

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
    ],
)
def test_a_cell_of_another_kind_makes_it_none(name: str, value: object):
    assert row_in(json.dumps(ROW | {name: value}).encode(), LABELS) is None
