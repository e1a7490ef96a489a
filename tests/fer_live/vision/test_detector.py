"""Many and small faces, and those that the look at the whole frame misses."""

import cv2
import numpy as np
import pytest

from fer_live import Frame, Pipeline
from fer_live.datatypes import FaceDetection
from fer_live.vision.detector import FaceDetector
from fer_live.vision.squares import Square
from tests.helpers.scenes import crowd, full_body, n_found


@pytest.fixture(scope="module")
def auto():
    with FaceDetector("auto") as detector:
        yield detector


@pytest.fixture(scope="module")
def pipeline():
    with Pipeline.load(provider="cpu") as loaded:
        yield loaded


@pytest.fixture
def squares(monkeypatch: pytest.MonkeyPatch) -> list[Square]:
    """The squares that were looked at, in turn."""
    looked_at: list[Square] = []
    look_at = FaceDetector._look_at

    def counted(self: FaceDetector, square: Square, image: np.ndarray) -> list[FaceDetection]:
        looked_at.append(square)
        return look_at(self, square, image)

    monkeypatch.setattr(FaceDetector, "_look_at", counted)
    return looked_at


def small_face(demo_frames: list[np.ndarray], at_xy: tuple[int, int] = (500, 300)) -> np.ndarray:
    """One face of 50 pixels in 1280x720."""
    picture = np.full((720, 1280, 3), 110, np.uint8)
    small = cv2.resize(demo_frames[20][60:440, 200:540], (80, 90), interpolation=cv2.INTER_AREA)
    picture[at_xy[1] : at_xy[1] + 90, at_xy[0] : at_xy[0] + 80] = small
    return picture


@pytest.mark.parametrize(
    ("frame_wh", "cell_wh", "n_faces", "smallest"),
    [
        ((1920, 1080), (210, 210), 40, 1.0),
        ((1920, 1080), (170, 170), 60, 1.0),
        ((1920, 1080), (240, 180), 40, 1.0),
        ((1920, 1080), (180, 240), 40, 1.0),
        ((1920, 1080), (210, 210), 40, 0.6),
        ((1280, 720), (140, 140), 40, 1.0),
        ((1280, 720), (200, 200), 20, 0.5),
        ((3840, 2160), (420, 420), 40, 1.0),
    ],
)
def test_a_crowd_is_found_with_a_bounded_number_of_looks(
    auto: FaceDetector,
    demo_frames: list[np.ndarray],
    squares: list[Square],
    frame_wh: tuple[int, int],
    cell_wh: tuple[int, int],
    n_faces: int,
    smallest: float,
):
    """The still, and what `auto` does between two probes of a clip."""
    picture, places = crowd(demo_frames, frame_wh, cell_wh, n_faces, smallest)
    auto.reset()
    for time_s, max_looks in ((0.0, 28), (0.1, 16), (0.2, 16)):
        squares.clear()
        faces = auto.detect(picture, time_s)
        assert n_found([face.box_xyxy for face in faces], places) >= 0.975 * len(places)
        assert len(faces) <= len(places)
        assert len(squares) <= max_looks
    assert auto.name == "full-parts"


@pytest.mark.parametrize("is_textured", [False, True])
@pytest.mark.parametrize("face_px", [45, 60, 90])
def test_a_small_face_in_a_full_body_clip_is_found_and_keeps_its_number(
    pipeline: Pipeline, demo_frames: list[np.ndarray], face_px: float, is_textured: bool
):
    pipeline.reset()
    clip = full_body(demo_frames, face_px, 90, is_textured=is_textured)
    results = [pipeline.process(Frame(image, k, k / 30)) for k, image in enumerate(clip)]
    assert sum(len(result.faces) == 1 for result in results) >= 0.97 * 90
    assert {face.track_id for result in results for face in result.faces} == {1}


def test_a_face_that_the_look_at_the_frame_misses_is_looked_for_where_it_was(
    demo_frames: list[np.ndarray], squares: list[Square], monkeypatch: pytest.MonkeyPatch
):
    with Pipeline.load(provider="cpu") as pipeline:
        pipeline.process(Frame(demo_frames[20], 0, 0.0))
        monkeypatch.setattr(FaceDetector, "_look", lambda *_: [])
        squares.clear()
        for k in range(1, 10):
            result = pipeline.process(Frame(demo_frames[20 + k], k, k / 10))
            assert [face.track_id for face in result.faces] == [1]
        assert len(squares) == 9, "one look a frame"


def test_a_small_face_is_looked_for_where_it_went_and_for_two_seconds(
    auto: FaceDetector, demo_frames: list[np.ndarray], squares: list[Square]
):
    auto.reset()
    assert len(auto.detect(small_face(demo_frames), 0.0)) == 1
    for k in range(1, 6):
        squares.clear()
        (face,) = auto.detect(small_face(demo_frames, (500 + 40 * k, 300)), k / 10)
        assert face.box_xyxy[0] > 490 + 40 * k
        assert len(squares) <= 1
    empty = np.full((720, 1280, 3), 110, np.uint8)
    looks = []
    for k in range(6, 30):
        squares.clear()
        assert auto.detect(empty, k / 10) == []
        looks.append(len(squares))
    assert looks[0] == 1
    probes = [n for n in looks if n > 1]
    assert len(probes) <= 3, "squares all over the frame once a second"
    assert looks[21:23] == [0, 0], "nobody is looked for for longer"


def test_what_was_never_sure_is_not_looked_for(
    auto: FaceDetector, demo_frames: list[np.ndarray], squares: list[Square]
):
    auto.reset()
    weak = FaceDetection(np.array([10, 10, 90, 90], np.float32), np.zeros((6, 2), np.float32), 0.6)
    auto.detect(demo_frames[20], 0.0)
    auto._places = []
    auto._remember([weak], 0.05)
    squares.clear()
    auto.detect(demo_frames[20], 0.1)
    assert squares == []


def test_one_near_face_costs_one_look_and_no_squares(
    auto: FaceDetector, demo_frames: list[np.ndarray], squares: list[Square]
):
    auto.reset()
    auto.detect(demo_frames[20], 0.0)
    squares.clear()
    for k in range(1, 70):
        assert len(auto.detect(demo_frames[20], k / 10)) == 1
    assert squares == []
    assert auto.name == "short"


@pytest.mark.parametrize("mode", ["short", "full"])
def test_a_named_range_is_one_look(demo_frames: list[np.ndarray], squares: list[Square], mode: str):
    with FaceDetector(mode) as detector:
        for k in range(3):
            detector.detect(small_face(demo_frames), k / 10)
        assert detector.name == mode
    assert squares == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (900, 2, 3), (33, 1700, 3)])
def test_odd_pictures_have_no_face(auto: FaceDetector, shape: tuple[int, ...]):
    auto.reset()
    assert auto.detect(np.zeros(shape, np.uint8), 0.0) == []
