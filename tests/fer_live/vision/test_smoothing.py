import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_live.vision.smoothing import UNSURE, ExpressionSmoother, SmoothingConfig

LABELS = ("neutral", "happiness", "anger")
NEUTRAL = np.array([0.9, 0.05, 0.05], np.float32)
HAPPY = np.array([0.05, 0.9, 0.05], np.float32)
FLAT = np.array([0.34, 0.33, 0.33], np.float32)


def run(frames: list[np.ndarray], fps: float = 30.0) -> list[str]:
    smoother = ExpressionSmoother(LABELS)
    return [smoother.update(1, probs, k / fps)[1] for k, probs in enumerate(frames)]


def test_the_first_frame_is_shown_at_once():
    assert run([HAPPY]) == ["happiness"]


def test_no_probability_above_the_bar_is_unsure():
    assert run([FLAT] * 5) == [UNSURE] * 5


def test_one_odd_frame_does_not_change_the_label():
    assert set(run([NEUTRAL] * 10 + [HAPPY] + [NEUTRAL] * 10)) == {"neutral"}


def test_a_lasting_change_is_shown_within_half_a_second():
    shown = run([NEUTRAL] * 10 + [HAPPY] * 30)
    assert shown[-1] == "happiness"
    assert shown.index("happiness") - 10 <= 15


def test_the_time_constant_is_in_seconds_whatever_the_frame_rate():
    for fps in (5, 30, 120):
        smoother = ExpressionSmoother(LABELS, SmoothingConfig(time_constant_s=1.0))
        smoother.update(1, NEUTRAL, 0.0)
        for k in range(1, fps + 1):
            probs, _ = smoother.update(1, HAPPY, k / fps)
        share = (probs[1] - NEUTRAL[1]) / (HAPPY[1] - NEUTRAL[1])
        assert share == pytest.approx(1 - math.exp(-1), abs=1e-3)


def test_each_face_has_its_own_state():
    smoother = ExpressionSmoother(LABELS)
    smoother.update(1, NEUTRAL, 0.0)
    assert smoother.update(2, HAPPY, 0.01)[1] == "happiness"
    assert smoother.update(1, NEUTRAL, 0.02)[1] == "neutral"


def test_an_ended_track_is_forgotten():
    smoother = ExpressionSmoother(LABELS)
    smoother.update(1, NEUTRAL, 0.0)
    smoother.forget_unseen(10.0)
    assert smoother.update(1, HAPPY, 10.0)[1] == "happiness"


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.floats(0, 2, allow_nan=False)), min_size=1, max_size=30
    )
)
def test_smoothed_values_stay_probabilities(steps: list[tuple[int, float]]):
    smoother, now = ExpressionSmoother(LABELS), 0.0
    for winner, gap in steps:
        now += gap
        probs, shown = smoother.update(1, np.eye(3, dtype=np.float32)[winner], now)
        assert probs.sum() == pytest.approx(1, abs=1e-4)
        assert probs.min() >= 0
        assert shown in (*LABELS, UNSURE)


def test_the_slider_goes_from_quick_to_calm_through_the_default():
    quick, middle, calm = (SmoothingConfig.from_calm(c) for c in (0, 0.5, 1))
    assert middle == SmoothingConfig()
    for name in ("time_constant_s", "hold_s", "margin"):
        assert getattr(quick, name) < getattr(middle, name) < getattr(calm, name)


def run_seen(parts: list[tuple[np.ndarray, bool, float]], fps: float = 30.0) -> list[str]:
    """Probabilities, whether the face can be read, and for how many seconds -> what is shown."""
    smoother, shown, k = ExpressionSmoother(LABELS), [], 0
    for probs, can_be_read, seconds in parts:
        for _ in range(round(seconds * fps)):
            shown.append(smoother.update(1, probs, k / fps, can_be_read=can_be_read)[1])
            k += 1
    return shown


def test_a_face_that_cannot_be_read_is_unsure_from_the_first_frame():
    assert run_seen([(HAPPY, False, 0.5)]) == [UNSURE] * 15


def test_what_passes_before_a_face_changes_nothing():
    blind_s = SmoothingConfig().blind_s
    parts = [(NEUTRAL, True, 1.0), (HAPPY, False, 0.9 * blind_s), (NEUTRAL, True, 1.0)]
    assert set(run_seen(parts)) == {"neutral"}


def test_what_stays_before_a_face_makes_it_unsure_and_nothing_is_guessed():
    shown = run_seen([(NEUTRAL, True, 1.0), (HAPPY, False, 4.0), (HAPPY, True, 1.0)])
    blind = shown[30:150]
    n_held = blind.index(UNSURE)
    assert n_held / 30 == pytest.approx(SmoothingConfig().blind_s, abs=0.05)
    assert set(blind[:n_held]) == {"neutral"}
    assert set(blind[n_held:]) == {UNSURE}
    after = shown[150:]
    assert after.index("happiness") / 30 == pytest.approx(SmoothingConfig().hold_s, abs=0.07)
    assert set(after) == {UNSURE, "happiness"}


def test_while_a_label_is_held_its_number_is_too():
    smoother = ExpressionSmoother(LABELS)
    before, _ = smoother.update(1, NEUTRAL, 0.0)
    held, shown = smoother.update(1, HAPPY, 0.3, can_be_read=False)
    assert shown == "neutral"
    np.testing.assert_array_equal(held, before)


def test_flicker_of_the_picture_alone_never_shows_unsure():
    smoother = ExpressionSmoother(LABELS)
    shown = [smoother.update(1, NEUTRAL, k / 30, can_be_read=k % 3 == 0)[1] for k in range(200)]
    assert set(shown) == {"neutral"}


def seconds_until_shown(speaks: float) -> float:
    """From when a face that was neutral is happy, frame by frame at 100 a second."""
    smoother = ExpressionSmoother(("neutral", "happiness"))
    smoother.update(1, np.array([1, 0], np.float32), 0.0)
    for step in range(1, 500):
        happy = np.array([0, 1], np.float32)
        _, shown = smoother.update(1, happy, step / 100, speaks=speaks)
        if shown == "happiness":
            return step / 100
    raise AssertionError("never")


def test_changes_take_longer_while_somebody_speaks():
    calm, half, speech = (seconds_until_shown(speaks) for speaks in (0.0, 0.5, 1.0))
    assert half == pytest.approx(2.5 * calm, abs=0.03)
    assert speech == pytest.approx(4 * calm, abs=0.03)
