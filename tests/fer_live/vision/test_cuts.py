"""A hard cut, and what looks like one."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_live import Frame, Pipeline
from fer_live.sources.clip import ClipSource
from fer_live.vision.cuts import CutDetector
from tests.helpers.clips import read_all

HEIGHT, WIDTH = 480, 640
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH] / (HEIGHT, WIDTH)[0]


def clipped(image: np.ndarray) -> np.ndarray:
    return np.clip(image, 0, 255).astype(np.uint8)


def lamp(image: np.ndarray) -> np.ndarray:
    """Turned on at the left: there it is two and a half times as bright."""
    return clipped(image * (1 + 1.5 * np.exp(-(X**2 + (Y - 0.3) ** 2) / 0.15))[..., None] + 20)


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "nothing": lambda image: image,
    "twice the exposure": lambda image: clipped(image * 2.0),
    "half the exposure": lambda image: clipped(image * 0.5),
    "darker by a gamma of 2": lambda image: clipped(255 * (image / 255) ** 2),
    "almost dark": lambda image: clipped(image * 0.12),
    "a lamp": lamp,
    "warm light": lambda image: clipped(image * np.array([0.6, 0.9, 1.2])),
    "a pan of a tenth": lambda image: np.roll(image, WIDTH // 10, axis=1),
    "a step nearer": lambda image: cv2.resize(image, None, fx=1.08, fy=1.08)[19:499, 25:665],
    "somebody in front": lambda image: cv2.rectangle(
        image.copy(), (0, 0), (200, 480), (40, 60, 120), -1
    ),
    "noise": lambda image: clipped(image + np.random.default_rng(0).normal(0, 25, image.shape)),
}


@pytest.fixture(scope="module")
def pipeline():
    with Pipeline.load(provider="cpu") as loaded:
        yield loaded


def tracks(pipeline: Pipeline, images: list[np.ndarray], fps: float = 30) -> list[list[int]]:
    pipeline.reset()
    results = [pipeline.process(Frame(image, k, k / fps)) for k, image in enumerate(images)]
    return [[face.track_id for face in result.faces] for result in results]


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("index", [20, 100, 180])
def test_what_changes_light_or_place_alone_is_no_cut(
    demo_frames: list[np.ndarray], name: str, index: int
):
    """Nor is the way back."""
    before, after = demo_frames[index], CHANGES[name](demo_frames[index + 1])
    for pair in ((before, after), (after, before)):
        cuts = CutDetector()
        assert [cuts.look(image, k / 30) for k, image in enumerate(pair)] == ["none"] * 2


@given(st.floats(0.4, 1.8), st.floats(-20, 20), st.integers(-50, 50), st.integers(-40, 40))
def test_no_exposure_and_no_pan_is_a_cut(
    demo_frames: list[np.ndarray], gain: float, offset: float, dx: int, dy: int
):
    image = demo_frames[20]
    cuts = CutDetector()
    cuts.look(image, 0.0)
    other = np.roll(clipped(image * gain + offset), (dy, dx), axis=(0, 1))
    assert cuts.look(other, 1 / 30) == "none"


@pytest.mark.parametrize("step", [1, 3, 10])
def test_the_cuts_of_the_demo_are_found_at_any_frame_rate(demo_frames: list[np.ndarray], step: int):
    cuts = CutDetector()
    indices = range(0, len(demo_frames), step)
    found = [k for k in indices if cuts.look(demo_frames[k], k / 30) != "none"]
    assert found == [next(k for k in indices if k >= cut) for cut in (75, 150)]


@pytest.mark.parametrize("gap", ["black", "white"])
@pytest.mark.parametrize(("after", "change"), [(21, "none"), (100, "cut")])
def test_an_empty_picture_decides_nothing(
    demo_frames: list[np.ndarray], gap: str, after: int, change: str
):
    empty = np.full_like(demo_frames[0], 0 if gap == "black" else 253)
    cuts = CutDetector()
    cuts.look(demo_frames[20], 0.0)
    assert [cuts.look(empty, k / 30) for k in range(1, 5)] == ["none"] * 4
    assert cuts.look(demo_frames[after], 5 / 30) == change


def test_a_source_that_begins_with_a_plain_picture_can_be_cut(demo_frames: list[np.ndarray]):
    plain = np.full_like(demo_frames[0], 230)
    plain[200:230, 300:330] = 90
    cuts = CutDetector()
    assert [cuts.look(plain, 0.0), cuts.look(plain[:, ::-1], 0.1)] == ["none"] * 2
    assert cuts.look(demo_frames[20], 0.2) == "cut"


def test_a_burnt_out_picture_waits_for_what_comes_but_not_for_long(demo_frames: list[np.ndarray]):
    burnt_out = clipped(demo_frames[100] * 2.0 + 150)
    cuts = CutDetector()
    cuts.look(demo_frames[20], 0.0)
    changes = [cuts.look(burnt_out, k / 30) for k in range(1, 8)]
    assert changes == ["blinded"] * 5 + ["cut", "none"]
    cuts.look(demo_frames[20], 1.0)
    assert cuts.look(burnt_out, 1.03) == "blinded"
    assert cuts.look(demo_frames[21], 1.07) == "none"


def test_another_source_and_a_first_frame_are_no_cut(demo_frames: list[np.ndarray]):
    cuts = CutDetector()
    assert cuts.look(demo_frames[20], 5.0) == "none"
    assert cuts.look(demo_frames[100], 0.0) == "none"
    cuts.reset()
    assert cuts.look(demo_frames[20], 1.0) == "none"


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 900, 3), (900, 2, 3)])
def test_odd_pictures_do_no_harm(shape: tuple[int, ...]):
    cuts = CutDetector()
    rng = np.random.default_rng(0)
    for k in range(3):
        assert cuts.look(rng.integers(0, 256, shape, np.uint8), k / 30) in ("none", "cut")


def test_every_portrait_of_the_demo_has_a_number_of_its_own(
    pipeline: Pipeline, demo_frames: list[np.ndarray]
):
    seen = tracks(pipeline, demo_frames)
    assert all(ids == [1] for ids in seen[:75])
    assert all(ids == [2] for ids in seen[75:150])
    assert {number for ids in seen[150:] for number in ids} == {3, 4}
    again = tracks(pipeline, demo_frames[:80])
    assert again[0] == [1], "numbers begin again after a reset alone"


def test_a_cut_to_the_same_place_ends_the_smoothing_too(
    pipeline: Pipeline, demo_frames: list[np.ndarray]
):
    pipeline.reset()
    for k, index in enumerate((70, 71, 72, 80, 81)):
        result = pipeline.process(Frame(demo_frames[index], k, k / 30))
        if index == 80:
            (face,) = result.faces
            assert face.smoothed_probs == pytest.approx(face.probs)
            assert face.track_id == 2
            fresh = face.detection_confidence
    assert fresh >= 0.7


@pytest.mark.parametrize("name", ["twice the exposure", "half the exposure", "a lamp"])
def test_light_that_changes_for_good_keeps_the_numbers(
    pipeline: Pipeline, demo_frames: list[np.ndarray], name: str
):
    images = [*demo_frames[10:25], *(CHANGES[name](image) for image in demo_frames[25:45])]
    seen = tracks(pipeline, images)
    assert {number for ids in seen for number in ids} == {1}
    assert sum(map(bool, seen)) >= 34


@pytest.mark.parametrize(
    "flash",
    [lambda image: np.full_like(image, 252), lambda image: clipped(image * 4.0 + 60)],
    ids=["white", "burnt out"],
)
def test_a_flash_keeps_the_numbers(
    pipeline: Pipeline,
    demo_frames: list[np.ndarray],
    flash: Callable[[np.ndarray], np.ndarray],
):
    images = list(demo_frames[10:40])
    images[12:14] = [flash(image) for image in images[12:14]]
    seen = tracks(pipeline, images)
    assert {number for ids in seen for number in ids} == {1}
    assert all(seen[:12])
    assert all(seen[14:])


def test_a_fast_pan_keeps_the_number(pipeline: Pipeline, demo_frames: list[np.ndarray]):
    """A tenth of the picture's width with every frame, there and back."""
    wide = np.hstack([demo_frames[20][:, ::-1], demo_frames[20], demo_frames[20][:, ::-1]])
    lefts = [640 + x for x in (0, 60, 120, 180, 120, 60, 0, -60, -120, -180, -120, -60, 0)]
    seen = tracks(pipeline, [np.ascontiguousarray(wide[:, x : x + 640]) for x in lefts])
    assert all(1 in ids for ids in seen)


def test_no_frame_of_an_uncut_clip_is_taken_for_a_cut(shared_data):
    for name in ("ferlib/test.mp4", "ferlib/woman2.mp4", "pyfeat/single_face.mp4"):
        frames = read_all(ClipSource(shared_data / "clips" / name))
        for step in (1, 6):
            cuts = CutDetector()
            changes = [cuts.look(f.image_bgr, f.captured_at_s) for f in frames[::step]]
            assert set(changes) == {"none"}, (name, step)
