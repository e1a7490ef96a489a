import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_live.datatypes import FaceDetection
from fer_live.vision.tracker import FaceTracker, iou


def face(x: float, y: float, side: float = 100, confidence: float = 0.9) -> FaceDetection:
    box = np.array([x, y, x + side, y + side], np.float32)
    return FaceDetection(box, np.zeros((6, 2), np.float32), confidence)


def ids(tracker: FaceTracker, faces: list[FaceDetection], time_s: float) -> list[int]:
    return [tracked.track_id for tracked in tracker.update(faces, time_s)]


def test_no_face_gives_no_track():
    assert FaceTracker().update([], 0.0) == []


def test_a_moving_face_keeps_its_number():
    tracker = FaceTracker()
    assert {ids(tracker, [face(10 * k, 0)], k / 30)[0] for k in range(60)} == {1}


def test_a_fast_move_without_overlap_keeps_its_number():
    tracker = FaceTracker()
    assert ids(tracker, [face(0, 0)], 0.0) == ids(tracker, [face(105, 0)], 0.1) == [1]


def test_two_faces_keep_their_numbers_whatever_their_order():
    tracker = FaceTracker()
    assert ids(tracker, [face(0, 0), face(300, 0)], 0.0) == [1, 2]
    assert ids(tracker, [face(305, 0), face(5, 0)], 0.1) == [2, 1]


@pytest.mark.parametrize("fps", [10, 15, 30])
@pytest.mark.parametrize("speed", [100.0, 200.0, 400.0])
@pytest.mark.parametrize("hidden_within", [0, 60, 100])
def test_faces_that_cross_keep_their_numbers(fps: int, speed: float, hidden_within: int):
    """One goes right, one left; where they overlap, the one in front hides the other."""
    tracker = FaceTracker()
    rng = np.random.default_rng(0)
    seen = {"right": set(), "left": set()}
    for k in range(int(700 / speed * fps)):
        goes_right = speed * k / fps
        goes_left = 700 - goes_right
        places = {"right": (goes_right, 10.0), "left": (goes_left, 0.0)}
        if abs(goes_right - goes_left) < hidden_within:
            del places["left"]
        faces = [face(*(np.array(xy) + rng.normal(0, 1.5, 2))) for xy in places.values()]
        for name, track_id in zip(places, ids(tracker, faces, k / fps), strict=True):
            seen[name].add(track_id)
    assert seen["right"] == {1}
    assert seen["left"] == {2}


def test_a_face_that_stops_or_turns_back_at_once_keeps_its_number():
    tracker = FaceTracker()
    path = [*range(0, 600, 20), *[600] * 15, *range(600, 0, -20)]
    assert {ids(tracker, [face(x, 0)], k / 30)[0] for k, x in enumerate(path)} == {1}


def test_a_face_back_within_two_seconds_keeps_its_number_and_later_gets_a_new_one():
    tracker = FaceTracker()
    assert ids(tracker, [face(0, 0)], 0.0) == [1]
    assert ids(tracker, [], 1.0) == []
    assert ids(tracker, [face(30, 0)], 1.9) == [1]
    assert ids(tracker, [], 3.95) == []
    assert ids(tracker, [face(30, 0)], 4.0) == [2]


@pytest.mark.parametrize("seconds_between_frames", [1 / 30, 0.3, 2.5, 20])
@pytest.mark.parametrize("confidence", [0.6, 0.9])
def test_a_steady_face_is_one_track_at_any_frame_rate(
    seconds_between_frames: float, confidence: float
):
    tracker = FaceTracker()
    ids(tracker, [], 0.0)
    times = [k * seconds_between_frames for k in range(1, 60)]
    numbers = [ids(tracker, [face(5, 5, confidence=confidence)], time_s) for time_s in times]
    assert numbers[-1] == [1]
    assert {tuple(n) for n in numbers} <= {(), (1,)}


def test_a_weak_detection_counts_on_the_first_frame_alone():
    """A still has no past; in a clip, a few weak frames are not a face."""
    tracker = FaceTracker()
    assert ids(tracker, [face(0, 0, confidence=0.55)], 0.0) == [1]
    for k in range(1, 10):
        faces = [face(0, 0, confidence=0.55), face(400, 0, confidence=0.65)]
        assert ids(tracker, faces, k / 30) == [1]


def test_a_weak_face_is_reported_once_it_was_sure_or_lasted_half_a_second():
    tracker = FaceTracker()
    assert ids(tracker, [], 0.0) == []
    weak = [face(0, 0, confidence=0.55)]
    reported = [ids(tracker, weak, k / 30) for k in range(1, 31)]
    assert reported[:15] == [[]] * 15
    assert reported[16:] == [[1]] * 14
    sure = [*weak, face(400, 0, confidence=0.71)]
    assert ids(tracker, sure, 1.1) == [1, 2]


def test_a_face_of_quite_another_size_is_another_face():
    tracker = FaceTracker()
    ids(tracker, [face(0, 0, 300)], 0.0)
    assert ids(tracker, [face(310, 310, 40)], 0.1) == [2]


@pytest.mark.parametrize(
    ("b", "expected"),
    [((0, 0, 0, 0), 0.0), ((20, 20, 30, 30), 0.0), ((0, 0, 10, 10), 1.0), ((5, 0, 15, 10), 1 / 3)],
)
def test_iou(b: tuple[int, ...], expected: float):
    a = np.array([0, 0, 10, 10], np.float32)
    assert iou(a, np.array(b, np.float32)) == pytest.approx(expected)


@given(st.lists(st.lists(st.tuples(st.floats(0, 500), st.floats(0, 500)), max_size=5), max_size=8))
def test_within_a_frame_numbers_are_distinct(frames: list[list[tuple[float, float]]]):
    tracker = FaceTracker()
    for index, places in enumerate(frames):
        numbers = ids(tracker, [face(x, y) for x, y in places], index / 10)
        assert len(set(numbers)) == len(places)


@pytest.mark.parametrize(("x", "same"), [(119, True), (121, False)])
def test_a_face_may_jump_by_one_and_a_fifth_of_its_sides(x: float, same: bool):
    tracker = FaceTracker()
    ids(tracker, [face(0, 0)], 0.0)
    assert ids(tracker, [face(x, 0)], 1e-6) == [1 if same else 2]


@pytest.mark.parametrize(("x", "same"), [(215, True), (225, False)])
def test_after_a_gap_a_face_may_be_a_side_further_for_each_second(x: float, same: bool):
    tracker = FaceTracker()
    ids(tracker, [face(0, 0)], 0.0)
    assert ids(tracker, [face(x, 0)], 1.0) == [1 if same else 2]


@pytest.mark.parametrize(("side", "same"), [(49, False), (51, True), (199, True), (202, False)])
def test_what_jumps_is_of_half_to_twice_the_size_or_another_face(side: float, same: bool):
    tracker = FaceTracker()
    ids(tracker, [face(0, 0)], 0.0)
    beside = face(105, 50 - side / 2, side)
    assert ids(tracker, [beside], 0.5) == [1 if same else 2]


def test_a_tentative_face_that_is_lost_for_a_quarter_of_a_second_begins_anew():
    """It would be reported after half a second of being seen."""
    for gap_s, reported in ((0.25, [1]), (0.375, [])):
        tracker = FaceTracker()
        ids(tracker, [], 0.0)
        weak = [face(0, 0, confidence=0.55)]
        ids(tracker, weak, 1.0)
        ids(tracker, weak, 1.25)
        ids(tracker, [], 1.25 + gap_s)
        assert ids(tracker, weak, 1.25 + gap_s + 0.01) == reported


def test_numbers_go_on_after_a_cut_and_begin_at_one_after_a_reset():
    tracker = FaceTracker()
    assert ids(tracker, [face(0, 0)], 0.0) == [1]
    tracker.end_all()
    assert ids(tracker, [face(0, 0)], 0.1) == [2]
    assert ids(tracker, [face(400, 0, confidence=0.6)], 0.2) == [], "the first frame is over"
    tracker.reset()
    assert ids(tracker, [face(0, 0, confidence=0.6)], 0.3) == [1], "a first frame again"


def test_of_two_tracks_that_fit_alike_it_is_the_one_seen_lately():
    """The first face was hidden a moment ago, just where the second one is now."""
    tracker = FaceTracker()
    assert ids(tracker, [face(0, 0), face(60, 0)], 0.0) == [1, 2]
    assert ids(tracker, [face(60, 0)], 0.5) == [2]
    assert ids(tracker, [face(30, 0)], 0.501) == [2]
