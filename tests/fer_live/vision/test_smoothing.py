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


@pytest.mark.parametrize(
    ("calm", "time_constant_s", "hold_s", "margin"),
    [(0.0, 0.1 / 3, 0.05, 0.0), (0.5, 0.1, 0.15, 0.1), (1.0, 0.3, 0.45, 0.2)],
)
def test_the_ends_of_the_slider_are_a_third_and_thrice_the_default(
    calm: float, time_constant_s: float, hold_s: float, margin: float
):
    config = SmoothingConfig.from_calm(calm)
    assert config.time_constant_s == pytest.approx(time_constant_s)
    assert config.hold_s == pytest.approx(hold_s)
    assert config.margin == pytest.approx(margin)


def at_once(**options: float) -> ExpressionSmoother:
    """Follows every frame wholly and holds nothing, but for what is asked."""
    config = SmoothingConfig(**{"time_constant_s": 0.0, "hold_s": 0.0, "margin": 0.0, **options})
    return ExpressionSmoother(LABELS, config)


@pytest.mark.parametrize(("second", "shown"), [(0.5625, "neutral"), (0.625, "happiness")])
def test_a_new_label_leads_by_its_margin_or_is_not_shown(second: float, shown: str):
    """By 0.125 or by 0.25; 0.25 is enough."""
    smoother = at_once(margin=0.25)
    smoother.update(1, NEUTRAL, 0.0)
    probs = np.array([1 - second, second, 0], np.float32)
    assert smoother.update(1, probs, 1.0)[1] == shown


@pytest.mark.parametrize(("best", "shown"), [(0.5, "neutral"), (0.4375, UNSURE)])
def test_a_label_that_reaches_the_bar_is_shown(best: float, shown: str):
    smoother = at_once(unsure_below=0.5)
    rest = (1 - best) / 2
    assert smoother.update(1, np.array([best, rest, rest], np.float32), 0.0)[1] == shown


def test_a_new_label_must_lead_without_a_break():
    """It leads for 0.25 s, then the old one for a moment, then it has to begin anew."""
    smoother = at_once(hold_s=0.375)
    frames = [NEUTRAL, HAPPY, HAPPY, HAPPY, NEUTRAL, HAPPY, HAPPY, HAPPY, HAPPY]
    shown = [smoother.update(1, probs, k / 8)[1] for k, probs in enumerate(frames)]
    assert shown == ["neutral"] * 8 + ["happiness"]


def test_an_ended_track_is_remembered_for_three_seconds():
    smoother = ExpressionSmoother(LABELS)
    smoother.update(1, NEUTRAL, 0.0)
    smoother.forget_unseen(3.0)
    assert smoother.update(1, HAPPY, 0.01)[1] == "neutral"
    smoother.forget_unseen(3.02)
    assert smoother.update(1, HAPPY, 0.02)[1] == "happiness"


@pytest.mark.parametrize("begins_anew", ["reset", "a clock that goes back"])
def test_another_source_begins_anew(begins_anew: str):
    smoother = ExpressionSmoother(LABELS)
    smoother.update(1, NEUTRAL, 5.0)
    if begins_anew == "reset":
        smoother.reset()
    time_s = 5.01 if begins_anew == "reset" else 4.99
    probs, shown = smoother.update(1, HAPPY, time_s)
    assert shown == "happiness"
    np.testing.assert_array_equal(probs, HAPPY)


def test_smoothed_probabilities_stay_float32():
    smoother = ExpressionSmoother(LABELS)
    smoother.update(1, NEUTRAL, 0.0)
    assert smoother.update(1, HAPPY, 0.1)[0].dtype == np.float32
