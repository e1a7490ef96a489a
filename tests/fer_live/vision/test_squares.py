from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_live.datatypes import FaceDetection
from fer_live.vision.squares import Square, around, grid, moved, shared, without_repeats

sizes = st.integers(1, 5000)


def box(x: float, y: float, side: float) -> np.ndarray:
    return np.array([x, y, x + side, y + side], np.float32)


def face(x: float, y: float, side: float, confidence: float) -> FaceDetection:
    return FaceDetection(box(x, y, side), np.full((6, 2), x, np.float32), confidence)


boxes_in_a_frame = st.lists(
    st.builds(box, st.floats(0, 1200), st.floats(0, 650), st.floats(4, 300)), max_size=30
)


@pytest.mark.parametrize("frame_wh", [(1, 1), (192, 192), (190, 4000), (120, 90)])
def test_a_frame_in_which_squares_show_nothing_larger_has_none(frame_wh: tuple[int, int]):
    assert grid(frame_wh) == []


@pytest.mark.parametrize(
    ("frame_wh", "n"), [((640, 480), 12), ((1280, 720), 18), ((1920, 1080), 18), ((720, 1080), 15)]
)
def test_a_grid_has_as_many_squares_as_it_was_measured_with(frame_wh: tuple[int, int], n: int):
    assert len(grid(frame_wh)) == n


@given(sizes, sizes)
def test_a_grid_covers_the_frame_and_its_squares_overlap(width: int, height: int):
    squares = grid((width, height))
    assert len(squares) <= 24
    if not squares:
        return
    side = squares[0].side
    assert 192 <= side < min(width, height)
    assert {square.side for square in squares} == {side}
    lefts = sorted({square.left for square in squares})
    tops = sorted({square.top for square in squares})
    assert len(squares) == len(lefts) * len(tops)
    for starts, length in ((lefts, width), (tops, height)):
        assert starts[0] == 0
        assert starts[-1] + side == length
        assert all(b - a <= 0.85 * side + 1 for a, b in pairwise(starts))


def test_no_faces_need_no_squares():
    assert around([], (640, 480), 4) == []


@given(boxes_in_a_frame, st.integers(1, 20))
def test_squares_lie_in_the_frame_and_there_are_no_more_than_asked_for(
    boxes: list[np.ndarray], max_squares: int
):
    squares = around(boxes, (1280, 720), max_squares)
    assert len(squares) <= min(max_squares, len(boxes))
    for square in squares:
        assert 0 <= square.left <= 1280 - square.side
        assert 0 <= square.top <= 720 - square.side


@given(boxes_in_a_frame)
def test_the_middle_of_every_face_lies_in_a_square_in_which_it_is_large(boxes: list[np.ndarray]):
    squares = around(boxes, (1280, 720), len(boxes))
    for one in boxes:
        x, y = np.clip((one[:2] + one[2:]) / 2, 0, (1280, 720))
        width = max(float((one[2:] - one[:2]).max()), 1)
        assert any(
            square.left - 1 <= x <= square.left + square.side + 1
            and square.top - 1 <= y <= square.top + square.side + 1
            and width >= 0.15 * square.side
            for square in squares
        )


def test_faces_beside_each_other_share_a_square_and_one_far_off_has_its_own():
    row = [box(100 + 60 * k, 300, 50) for k in range(3)]
    assert len(around(row, (1280, 720), 4)) == 1
    assert len(around([*row, box(1100, 600, 50)], (1280, 720), 4)) == 2
    assert len(around([*row, box(1100, 600, 50)], (1280, 720), 1)) == 1


def test_a_face_found_in_a_square_is_moved_to_its_place_in_the_frame():
    found = moved(face(10, 20, 30, 0.9), Square(100, 200, 64))
    assert found.box_xyxy.tolist() == [110, 220, 140, 250]
    assert found.keypoints_xy[0].tolist() == [110, 210]


@pytest.mark.parametrize(
    ("faces", "kept"),
    [
        ([], []),
        ([(0, 0, 100, 0.8)], [0.8]),
        ([(0, 0, 100, 0.8), (10, 0, 100, 0.9)], [0.9]),  # seen by two
        ([(0, 0, 100, 0.9), (60, 40, 40, 0.8)], [0.9]),  # a part of it
        ([(0, 0, 100, 0.8), (90, 0, 100, 0.9)], [0.9, 0.8]),  # a neighbour
    ],
)
def test_each_face_counts_once(faces: list[tuple[float, ...]], kept: list[float]):
    found = without_repeats([face(*values) for values in faces])
    assert [one.confidence for one in found] == kept


@given(boxes_in_a_frame, boxes_in_a_frame)
def test_shares_lie_between_nothing_and_all_and_a_box_shares_all_of_itself(
    a: list[np.ndarray], b: list[np.ndarray]
):
    a, b = [box(0, 0, 10), *a], [box(5, 0, 10), *b]
    shares = shared(np.stack(a), np.stack(b))
    assert shares.shape == (len(a), len(b))
    assert shares[0, 0] == pytest.approx(0.5)
    assert np.all((shares >= 0) & (shares <= 1 + 1e-5))
    assert np.diag(shared(np.stack(a), np.stack(a))) == pytest.approx(1)


def test_a_square_is_four_times_as_wide_as_its_face_and_holds_it_in_the_middle():
    (square,) = around([box(600, 300, 50)], (1280, 720), 4)
    assert square == Square(525, 225, 200)


def test_a_square_at_the_border_stays_in_the_frame():
    assert around([box(0, 690, 50)], (1280, 720), 4) == [Square(0, 520, 200)]


def test_a_square_is_no_larger_than_the_frame_is_high():
    assert around([box(500, 100, 300)], (1280, 720), 4) == [Square(290, 0, 720)]


def test_faces_further_apart_share_the_larger_square():
    """Six times as wide as a face; in the square of one the other lies near the edge."""
    (square,) = around([box(500, 300, 50), box(690, 300, 50)], (1280, 720), 4)
    assert square.side == 300
    assert square.left <= 501 and square.left + square.side >= 739


def test_a_grid_begins_at_the_left_top_and_goes_row_by_row():
    squares = grid((640, 480))
    assert [square.side for square in squares] == [192] * 12
    assert [square.left for square in squares[:4]] == [0, 149, 299, 448]
    assert [square.top for square in squares[::4]] == [0, 144, 288]


def test_a_face_found_in_a_square_keeps_its_confidence():
    assert moved(face(10, 20, 30, 0.75), Square(100, 200, 64)).confidence == 0.75


@pytest.mark.parametrize(("x", "n_kept"), [(49, 1), (51, 2)])
def test_faces_that_share_half_of_the_smaller_are_one(x: float, n_kept: int):
    assert len(without_repeats([face(0, 0, 100, 0.9), face(x, 0, 100, 0.8)])) == n_kept
