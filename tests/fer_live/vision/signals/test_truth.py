"""Signals against what is known: rendered heads, turned pictures, blinks counted by hand.

`python -m benchmarks.signals` prints every error; docs/signals.md has the tables.
"""

from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.datatypes import ACTION_UNITS, BLENDSHAPES, FaceSignals
from fer_live.vision.signals.head_pose import direction, rotation_degrees
from tests.helpers.blinks import BLINKS, found_blinks, matched, watch_eyes
from tests.helpers.heads import Measuring, turned

ASTRONAUT, OFFICER = 20, 110
"""Frames of assets/demo.mp4: one smiles, the other does not."""
MAX_MEAN_DEG, MAX_95_DEG, MAX_ANY_DEG = 1.5, 3.0, 4.0
MAX_GAZE_YAW_DEG, MAX_GAZE_PITCH_DEG = 4.0, 9.0

Portrait = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def measuring():
    with Measuring() as opened:
        yield opened


@pytest.fixture(scope="module")
def portraits(measuring: Measuring, demo_frames: list[np.ndarray]) -> list[Portrait]:
    return [measuring.portrait(demo_frames[number]) for number in (ASTRONAUT, OFFICER)]


def measured(signals: FaceSignals | None) -> FaceSignals:
    assert signals is not None
    return signals


@pytest.mark.parametrize("yaw", [-40, 0, 25])
@pytest.mark.parametrize("pitch", [-35, 0, 20])
@pytest.mark.parametrize("roll", [-170, 0, 60])
def test_angles_of_a_rotation_are_those_that_made_it(yaw: int, pitch: int, roll: int):
    assert rotation_degrees(turned(yaw, pitch, roll)) == pytest.approx((yaw, pitch, roll), abs=1e-3)


def test_signs_are_the_persons_own_left_and_up():
    assert turned(10, 0, 0)[0, 2] > 0, "faces the right of the image"
    assert turned(0, 10, 0)[1, 2] > 0, "faces up"
    assert turned(0, 0, 10)[0, 1] > 0, "the top of the head goes to the right of the image"


def test_a_rendered_head_has_its_pose(measuring: Measuring, portraits: list[Portrait]):
    errors = []
    for portrait, axis, angle in product(portraits, range(3), (-30, -20, -10, 0, 10, 20, 30)):
        pose = np.eye(3)[axis] * angle
        signals = measured(measuring.head(portrait, turned(*pose)))
        errors.append(np.abs(signals.head_deg - pose))
    assert np.mean(errors, axis=0).max() <= MAX_MEAN_DEG
    assert np.percentile(errors, 95, axis=0).max() <= MAX_95_DEG
    assert np.max(errors) <= MAX_ANY_DEG


@pytest.mark.parametrize("angle", [-30, -15, 15, 30])
def test_a_turned_picture_is_a_head_that_rolls(
    measuring: Measuring, demo_frames: list[np.ndarray], angle: int
):
    """The exact truth: the head turns about the line of sight, by as much as the picture."""
    for number in (ASTRONAUT, OFFICER):
        picture = demo_frames[number]
        before = measured(measuring.picture(picture)).head_deg
        center = picture.shape[1] / 2, picture.shape[0] / 2
        about_center = cv2.getRotationMatrix2D(center, -angle, 1)
        after = measured(
            measuring.picture(cv2.warpAffine(picture, about_center, picture.shape[1::-1]))
        ).head_deg
        expected = rotation_degrees(turned(0, 0, angle) @ turned(*before))
        assert after == pytest.approx(expected, abs=3.0)


def test_a_mirrored_picture_turns_the_other_way(
    measuring: Measuring, demo_frames: list[np.ndarray]
):
    for number in (ASTRONAUT, OFFICER):
        one = measured(measuring.picture(demo_frames[number]))
        other = measured(measuring.picture(cv2.flip(demo_frames[number], 1)))
        assert other.head_deg * (-1, 1, -1) == pytest.approx(one.head_deg, abs=2.0)
        assert other.eyes_open[::-1] == pytest.approx(one.eyes_open, abs=0.05)
        assert other.mean_gaze_deg * (-1, 1) == pytest.approx(one.mean_gaze_deg, abs=6.0)


def test_rendered_eyes_look_where_they_do(measuring: Measuring, portraits: list[Portrait]):
    looks = [(yaw, 0) for yaw in range(-30, 31, 10)] + [(0, -20), (0, -10), (0, 10), (0, 20)]
    errors, found_yaws = [], []
    for portrait, look in product(portraits, looks):
        signals = measured(measuring.head(portrait, np.eye(3), direction(*look)))
        errors.append(np.abs(signals.mean_gaze_deg - look))
        found_yaws.append((look[0], signals.mean_gaze_deg[0]))
    yaw_error, pitch_error = np.mean(errors, axis=0)
    assert yaw_error <= MAX_GAZE_YAW_DEG
    assert pitch_error <= MAX_GAZE_PITCH_DEG
    assert 0.8 <= np.polyfit(*zip(*found_yaws, strict=True), 1)[0] <= 1.2


@pytest.mark.parametrize("head_yaw", [-20, 20])
def test_gaze_is_told_for_the_head_and_for_the_camera(
    measuring: Measuring, portraits: list[Portrait], head_yaw: int
):
    """A head that turns while the eyes stay on the camera."""
    signals = measured(measuring.head(portraits[0], turned(head_yaw, 0, 0), direction(0, 0)))
    assert signals.mean_gaze_deg[0] == pytest.approx(0, abs=8)
    assert signals.gaze_in_head_deg[:, 0].mean() == pytest.approx(-head_yaw, abs=8)


@pytest.mark.parametrize(("look", "left", "right"), [(25, "Out", "In"), (-25, "In", "Out")])
def test_eye_blendshapes_follow_the_gaze(
    measuring: Measuring, portraits: list[Portrait], look: int, left: str, right: str
):
    for portrait in portraits:
        signals = measured(measuring.head(portrait, np.eye(3), direction(look, 0)))
        shapes = dict(zip(BLENDSHAPES, signals.landmarks.blendshapes.tolist(), strict=True))
        for side, towards in (("Left", left), ("Right", right)):
            away = "In" if towards == "Out" else "Out"
            assert shapes[f"eyeLook{towards}{side}"] > 0.25 > shapes[f"eyeLook{away}{side}"]


def test_blendshapes_are_what_the_portraits_show(
    measuring: Measuring, demo_frames: list[np.ndarray]
):
    """The astronaut smiles with her teeth and her eyes are open; the officer's mouth is closed."""
    astronaut, officer = (
        measured(measuring.picture(demo_frames[number])) for number in (ASTRONAUT, OFFICER)
    )
    smiles, does_not = (
        dict(zip(BLENDSHAPES, one.landmarks.blendshapes.tolist(), strict=True))
        for one in (astronaut, officer)
    )
    for side in ("Left", "Right"):
        assert smiles[f"mouthSmile{side}"] > 0.5 > 0.2 > does_not[f"mouthSmile{side}"]
        assert smiles[f"eyeBlink{side}"] < 0.3
    assert max(smiles["jawOpen"], does_not["jawOpen"]) < 0.2
    assert officer.mouth_open < 0.03
    assert (astronaut.eyes_open > 0.2).all()
    units = dict(zip(ACTION_UNITS, astronaut.action_units.tolist(), strict=True))
    assert units["12"] == pytest.approx((smiles["mouthSmileLeft"] + smiles["mouthSmileRight"]) / 2)


def test_action_units_are_means_of_blendshapes_that_exist():
    assert all(name in BLENDSHAPES for names in ACTION_UNITS.values() for name in names)
    assert list(ACTION_UNITS) == sorted(ACTION_UNITS)


def test_blinks_are_those_counted_by_hand(shared_data: Path):
    """Every frame; and what fewer measurements a second lose, which the docs tell.

    Of the one clip that is longer than three others and has two blinks, the part around them.
    """
    right = found = 0
    right_at_half = found_at_half = 0
    for name, counted in BLINKS.items():
        part = range(600, 850) if "cap12_edit" in name else None
        eyes = watch_eyes(shared_data / "clips" / name, part)
        blinks = found_blinks(eyes)
        right, found = right + matched(blinks, counted), found + len(blinks)
        blinks = found_blinks(eyes[::2])
        right_at_half += matched(blinks, counted, 2)
        found_at_half += len(blinks)
    n = sum(map(len, BLINKS.values()))
    assert right / n >= 0.95 and right / found >= 0.95, (right, found, n)
    assert right_at_half / n >= 0.9 and right_at_half / found_at_half >= 0.9
