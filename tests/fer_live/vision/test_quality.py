from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_live import Frame, Pipeline
from fer_live.datatypes import FaceDetection, TrackedFace
from fer_live.model.manifest import CropGeometry
from fer_live.vision.alignment import align_face
from fer_live.vision.quality import FaceMeasures, QualityJudge, _core, judge, measure
from tests.helpers.made_up_faces import CAUSES, Portrait

GOOD = FaceMeasures(
    side_px=200.0,
    outside=0.0,
    turn_deg=3.0,
    light=180.0,
    glare=0.0,
    sharpness=1.0,
    eyes_covered=0.0,
    mouth_covered=0.0,
)
GEOMETRY = CropGeometry()
WHERE = GEOMETRY, (640, 480)
WORST = [
    ("side_px", 6.0, "small"),
    ("outside", 0.7, "cut"),
    ("turn_deg", 80.0, "turned"),
    ("light", 5.0, "dark"),
    ("glare", 0.95, "bright"),
    ("sharpness", 0.66, "blurred"),
    ("mouth_covered", 1.0, "covered"),
]
STRENGTHS: dict[str, tuple[float, ...]] = {
    "small": (13, 15, 17),
    "dark": (0.02, 0.01, 0.005),
    "backlit": (0.02, 0.01),
    "bright": (10, 16, 24),
    "defocused": (2, 2.5),
    "moved": (10, 12, 14),
    "turned": (36, 40, 44),
    "mouth covered": (0.08, 0.1, 0.12),
    "eyes covered": (0.09, 0.12),
    "cut": (0.28, 0.33),
}
"""Beyond the limits, and still found by the detector."""
FRAMES = (10, 20, 40, 60, 95, 110, 125, 140)
"""Of the demo: the first half shows one of its portraits alone, the others the other one."""


@dataclass
class Head:
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0


@pytest.fixture(scope="module")
def pipeline():
    with Pipeline.load(provider="cpu", detector="short") as loaded:
        yield loaded


@pytest.fixture(scope="module")
def portraits(pipeline: Pipeline, demo_frames: list[np.ndarray]) -> list[Portrait]:
    found = []
    for index in FRAMES:
        (face,) = pipeline.detector.detect(demo_frames[index], 0.0)
        found.append(Portrait(demo_frames[index], face.keypoints_xy))
    return found


def upright(x: float, y: float, eye_distance: float) -> FaceDetection:
    """A face that looks straight ahead, its eyes' middle at x and y."""
    e = eye_distance
    points = [(-e / 2, 0), (e / 2, 0), (0, 0.6 * e), (0, 1.07 * e), (-0.9 * e, 0.2), (0.9 * e, 0.2)]
    box = np.array([x - e, y - e, x + e, y + 1.5 * e], np.float32)
    return FaceDetection(box, np.array(points, np.float32) + np.float32([x, y]), 0.9)


def numbered(*faces: FaceDetection) -> list[TrackedFace]:
    return [TrackedFace(number, face) for number, face in enumerate(faces, 1)]


def textured() -> np.ndarray:
    noise = np.random.default_rng(0).integers(30, 220, (48, 48)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 0.8)


def test_no_face_has_no_quality():
    assert QualityJudge().judge([], np.zeros((0, 48, 48), np.uint8), *WHERE, 0.0) == []


def test_a_good_picture_has_no_reason():
    quality = judge(GOOD)
    assert (quality.value, quality.reason, quality.can_be_read) == (1.0, "", True)


@pytest.mark.parametrize(("name", "value", "reason"), WORST, ids=[reason for *_, reason in WORST])
def test_each_measure_alone_has_its_word_and_can_hold_a_label(name: str, value: float, reason: str):
    quality = judge(replace(GOOD, **{name: value}))
    assert quality.reason == reason
    assert not quality.can_be_read


def test_dark_glasses_have_a_reason_but_are_read():
    quality = judge(replace(GOOD, eyes_covered=1.0))
    assert quality.reason == "covered"
    assert quality.can_be_read


@given(
    st.builds(
        FaceMeasures,
        side_px=st.floats(0, 2000),
        outside=st.floats(0, 1),
        turn_deg=st.floats(0, 180),
        light=st.floats(0, 255),
        glare=st.floats(0, 1),
        sharpness=st.floats(0, 3),
        eyes_covered=st.floats(0, 1),
        mouth_covered=st.floats(0, 1),
    )
)
def test_the_number_is_a_share_and_below_a_half_there_is_a_word(measures: FaceMeasures):
    quality = judge(measures)
    assert 0 <= quality.value <= 1
    assert bool(quality.reason) == (quality.value < 0.5)


@pytest.mark.parametrize(("name", "worst", "_"), WORST, ids=[reason for *_, reason in WORST])
def test_worse_is_never_better(name: str, worst: float, _: str):
    steps = np.linspace(getattr(GOOD, name), worst, 50)
    values = [judge(replace(GOOD, **{name: float(step)})).value for step in steps]
    assert values == sorted(values, reverse=True)


def test_size_and_place_are_those_of_the_key_points():
    crop = textured()
    middle = measure(upright(320, 200, 60), crop, GEOMETRY, (640, 480))
    assert middle.side_px == pytest.approx(60 / GEOMETRY.eye_distance, rel=0.01)
    assert (middle.outside, middle.turn_deg) == (0.0, pytest.approx(0.0, abs=0.1))
    for x, y in ((0, 200), (640, 200), (320, 480 - 30)):
        face = upright(x, y, 60)
        assert measure(face, crop, GEOMETRY, (640, 480)).outside == pytest.approx(0.5, abs=0.15)
    assert measure(upright(-900, 200, 60), crop, GEOMETRY, (640, 480)).outside == 1.0


def test_the_places_of_a_face_are_spread_evenly_over_an_ellipse():
    """In sides of the crop: 0.36 to either side and 0.42 up and down, as wide as nine steps."""
    places, farthest = _core()
    assert places.dtype == np.float32
    x, y = places
    across, down = np.arange(-4, 5) * 0.36 / 4, np.arange(-4, 5) * 0.42 / 4
    np.testing.assert_allclose(np.unique(x), across, atol=1e-6)
    np.testing.assert_allclose(np.unique(y), down, atol=1e-6)
    expected = {
        (i, k) for i in range(-4, 5) for k in range(-4, 5) if (i / 4) ** 2 + (k / 4) ** 2 <= 1
    }
    found = {(round(4 * a / 0.36), round(4 * b / 0.42)) for a, b in places.T.tolist()}
    assert found == expected and len(expected) == places.shape[1]
    assert farthest == pytest.approx(0.42), "the farthest place is straight above or below"


def test_places_turn_with_the_head():
    """Half of a face that lies on its side is above the frame; the ellipse is symmetric."""
    face = upright(320, 240, 60)
    middle = (face.keypoints_xy[:2].mean(axis=0) + face.keypoints_xy[3]) / 2
    shares = []
    for degrees in (0, 40, 90, 180):
        spin = cv2.getRotationMatrix2D(middle.tolist(), degrees, 1.0)
        points = cv2.transform(face.keypoints_xy[:, None], spin)[:, 0] - (0, middle[1] - 1)
        detection = FaceDetection(face.box_xyxy, points.astype(np.float32), 0.9)
        shares.append(measure(detection, textured(), GEOMETRY, (640, 480)).outside)
    assert shares[0] == shares[2] == shares[3]
    assert all(0.4 < share < 0.5 for share in shares), "those on the edge itself are inside"


@pytest.mark.parametrize(
    ("name", "scale"),
    [
        ("side_px", [(0, 0), (13, 0.25), (17, 0.375), (21, 0.5), (31.5, 0.75), (42, 1), (900, 1)]),
        ("outside", [(0, 1), (0.05, 0.75), (0.1, 0.5), (0.35, 0.25), (0.6, 0), (1, 0)]),
        ("turn_deg", [(0, 1), (16, 1), (24, 0.75), (32, 0.5), (60, 0.25), (75, 0.125), (90, 0)]),
        ("light", [(0, 0), (9, 0.125), (18, 0.25), (42, 0.5), (84, 1), (255, 1)]),
        ("glare", [(0, 1), (0.15, 0.75), (0.3, 0.5), (0.8, 0.25), (1, 0)]),
        ("sharpness", [(0, 0), (0.65, 0), (0.71, 0.25), (0.8, 0.5), (0.87, 0.75), (0.94, 1)]),
        ("mouth_covered", [(0, 1), (0.85, 0.5), (0.992, 0.25), (1, 0.2)]),
        ("eyes_covered", [(0, 1), (0.46, 0.75), (0.92, 0.5), (1, 0.3)]),
    ],
)
def test_what_a_measure_is_worth(name: str, scale: list[tuple[float, float]]):
    worths = [judge(replace(GOOD, **{name: value})).value for value, _ in scale]
    assert worths == pytest.approx([worth for _, worth in scale])


def test_a_label_is_held_below_a_quarter_and_a_reason_given_below_a_half():
    assert judge(replace(GOOD, light=18.0)).can_be_read
    assert not judge(replace(GOOD, light=17.9)).can_be_read
    assert judge(replace(GOOD, light=42.0)).reason == ""
    assert judge(replace(GOOD, light=41.9)).reason == "dark"


def test_what_spoils_the_whole_picture_is_told_before_a_cover():
    assert judge(replace(GOOD, light=40.0, mouth_covered=1.0)).reason == "dark"
    assert judge(replace(GOOD, light=43.0, mouth_covered=1.0)).reason == "covered"


def test_light_is_the_95th_percentile_and_glare_the_share_of_white():
    """Of the 42 x 32 pixels in the middle, four rows are white; around it all is black."""
    crop = np.zeros((48, 48), np.uint8)
    crop[4:46, 8:40] = 100
    crop[4:8, 8:40] = 250
    crop[8:10, 8:40] = 249
    measures = measure(upright(320, 240, 60), crop, GEOMETRY, (640, 480))
    assert measures.glare == pytest.approx(4 / 42)
    assert measures.light == 250
    crop[4:46, 8:40] = 100
    crop[4:6, 8:40] = 200  # 2 of 42 rows are 4.8 %
    assert measure(upright(320, 240, 60), crop, GEOMETRY, (640, 480)).light == 100


def test_what_is_smaller_than_its_crop_is_not_called_blurred():
    blurred = cv2.GaussianBlur(textured(), (0, 0), 3)
    large, small = (
        measure(upright(320, 240, distance), blurred, GEOMETRY, (640, 480)).sharpness
        for distance in (60, 10)
    )
    assert large < 0.8
    assert small == 1.0


@pytest.mark.parametrize(
    ("right", "down", "usual"), [(1, 0, 0.458), (0, 1, 0.484), (1, 1, 0.544), (-1, 1, 0.535)]
)
def test_sharpness_is_that_along_a_blur_in_any_direction(right: int, down: int, usual: float):
    """Along one direction gray rises by 2 a step, and so by 6 in three; across it, it is noise.

    The norms are of as many differences as there are in 42 x 36 pixels.
    """
    y, x = np.indices((48, 48))
    noise = np.random.default_rng(0).integers(0, 100, 200)
    n_directions = abs(right) + down
    rising = 2 * (right * x + down * y) // n_directions
    crop = (noise[right * y - down * x + 100] + rising + 50).astype(np.uint8)
    n_near = (42 - down) * (36 - abs(right))
    n_far = (42 - 3 * down) * (36 - 3 * abs(right))
    found = measure(upright(320, 240, 60), crop, GEOMETRY, (640, 480)).sharpness
    assert found == pytest.approx(2 * n_near**0.5 / (6 * n_far**0.5) / usual, rel=1e-6)


def test_the_nose_tells_the_turn_and_roll_does_not_matter():
    face = upright(320, 240, 60)
    face.keypoints_xy[2, 0] += 20
    turned = measure(face, textured(), GEOMETRY, (640, 480)).turn_deg
    assert 30 < turned < 35
    spin = cv2.getRotationMatrix2D((320, 240), 33, 1.0)
    rolled = cv2.transform(face.keypoints_xy[:, None], spin)[:, 0].astype(np.float32)
    rolled_face = FaceDetection(face.box_xyxy, rolled, 0.9)
    measures = measure(rolled_face, textured(), GEOMETRY, (640, 480))
    assert measures.turn_deg == pytest.approx(turned, abs=0.1)


def test_a_landmarkers_angles_count_where_there_are_any():
    face, crop = upright(320, 240, 60), textured()
    for head in (Head(yaw_deg=-48), Head(pitch_deg=48)):
        (quality,) = QualityJudge().judge(numbered(face), crop[None], *WHERE, 0.0, [head])
        assert quality.reason == "turned"
    (plain,) = QualityJudge().judge(numbered(face), crop[None], *WHERE, 0.0, [None])
    assert plain.reason != "turned"
    face.keypoints_xy[2, 0] += 25  # the key points are wrong
    (known,) = QualityJudge().judge(numbered(face), crop[None], *WHERE, 0.0, [Head()])
    assert known.reason != "turned"


def test_a_verdict_stands_for_three_frames_and_for_its_own_face():
    judge_of, face = QualityJudge(), upright(320, 240, 60)
    bright, black = textured()[None], np.zeros((1, 48, 48), np.uint8)
    reasons = [
        judge_of.judge(numbered(face), bright if k == 0 else black, *WHERE, k / 30)[0].reason
        == "dark"
        for k in range(4)
    ]
    assert reasons == [False, False, False, True]
    both = np.concatenate([black, bright])
    new = judge_of.judge(numbered(face, upright(100, 240, 60)), both, *WHERE, 0.11)
    assert [one.reason == "dark" for one in new] == [True, False], (
        "a new face has a verdict at once"
    )
    judge_of.reset()
    (again,) = judge_of.judge(numbered(face), bright, *WHERE, 0.12)
    assert again.reason != "dark"


def test_verdicts_come_in_the_order_of_the_faces_and_of_nobody_else():
    judge_of, (one, other) = QualityJudge(), numbered(upright(100, 240, 60), upright(320, 240, 60))
    black, bright = np.zeros((48, 48), np.uint8), textured()
    both = judge_of.judge([one, other], np.stack([black, bright]), *WHERE, 0.0)
    assert [quality.reason == "dark" for quality in both] == [True, False]
    turned_round = judge_of.judge([other, one], np.stack([bright, black]), *WHERE, 0.01)
    assert turned_round == both[::-1]
    assert judge_of.judge([other], bright[None], *WHERE, 0.02) == both[1:], "the first has left"
    (back,) = judge_of.judge([one], bright[None], *WHERE, 0.03)
    assert back.reason != "dark", "who left was forgotten"


@pytest.mark.parametrize("value", [0, 90, 255])
def test_a_crop_of_one_gray_is_measured_too(value: int):
    flat = np.full((48, 48), value, np.uint8)
    measures = measure(upright(320, 240, 60), flat, GEOMETRY, (640, 480))
    assert np.isfinite([measures.light, measures.glare, measures.sharpness]).all()
    assert measures.light == value


def test_a_model_of_another_input_side_is_judged_alike(
    pipeline: Pipeline, demo_frames: list[np.ndarray]
):
    (face,) = pipeline.detector.detect(demo_frames[20], 0.0)
    judged = []
    for side in (48, 64, 112):
        crop = align_face(demo_frames[20], face, side, GEOMETRY)[None]
        judged += QualityJudge().judge(numbered(face), crop, *WHERE, 0.0)
    assert [one.reason for one in judged] == ["", "", ""]
    assert np.ptp([one.value for one in judged]) < 0.25


def test_no_frame_of_the_demo_has_a_reason(pipeline: Pipeline, demo_frames: list[np.ndarray]):
    pipeline.reset()
    for index, image in enumerate(demo_frames):
        for face in pipeline.process(Frame(image, index, index / 30)).faces:
            assert face.quality_reason == "", (index, face.track_id, face.quality)


@pytest.fixture(scope="module")
def named(pipeline: Pipeline, portraits: list[Portrait]) -> dict[tuple[str, str], list[str]]:
    """(cause, way in which it was made up) -> the reasons given, where a face was found."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for cause, ways in CAUSES.items():
        for way, spoil in ways.items():
            given = reasons.setdefault((cause, way), [])
            for k, portrait in enumerate(portraits):
                for strength in STRENGTHS[way]:
                    spoilt = spoil(portrait, strength, np.random.default_rng([k, 0]))
                    pipeline.reset()
                    faces = pipeline.process(Frame(spoilt, 0, 0.0)).faces
                    given += (
                        [max(faces, key=lambda face: face.area).quality_reason] if faces else []
                    )
    return reasons


def test_what_is_wrong_is_named_in_nine_of_ten_made_up_cases(
    named: dict[tuple[str, str], list[str]],
):
    """docs/quality.md has many more faces."""
    right = [reason == cause for (cause, _), reasons in named.items() for reason in reasons]
    assert len(right) > 120
    assert np.mean(right) >= 0.9


@pytest.mark.parametrize("way", STRENGTHS)
def test_no_way_in_which_a_picture_is_bad_goes_unseen(
    named: dict[tuple[str, str], list[str]], way: str
):
    """Least of all are turned heads and motion along no axis: key points do not follow a warped
    picture as they follow a head, and sharpness is measured in four directions."""
    ((cause, _),) = [key for key in named if key[1] == way]
    reasons = named[cause, way]
    assert len(reasons) >= 6, "the detector sees nearly nothing: the cases are too strong"
    assert reasons.count(cause) >= 2 / 3 * len(reasons), reasons


def test_a_face_that_darkens_keeps_its_label_for_a_moment_and_is_unsure_then(
    pipeline: Pipeline, portraits: list[Portrait]
):
    portrait = portraits[1]
    dark = CAUSES["dark"]["dark"](portrait, 0.002, np.random.default_rng(0))
    pipeline.reset()
    shown = []
    for index in range(90):
        image = dark if 30 <= index < 75 else portrait.image_bgr
        faces = pipeline.process(Frame(image, index, index / 30)).faces
        shown.append(faces[0] if faces else None)
    before, after = shown[29], shown[-1]
    assert before.shown_label == after.shown_label == "happiness"
    held = [face for face in shown[30:43] if face]
    assert {face.shown_label for face in held} == {"happiness"}
    assert {face.quality_reason for face in held} == {"dark"}
    unsure = [face for face in shown[47:75] if face]
    assert {(face.shown_label, face.shown_confidence) for face in unsure} == {("", None)}
