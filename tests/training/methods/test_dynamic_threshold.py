import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.methods.dynamic_threshold import DynamicThreshold

N = 4
STEPS = st.lists(
    st.lists(
        st.tuples(st.lists(st.floats(-30, 30), min_size=N, max_size=N), st.integers(0, N - 1)),
        min_size=1,
        max_size=6,
    ),
    max_size=6,
)


def threshold(**options: float) -> DynamicThreshold:
    usual = {"beta": 0.9, "gamma": 3.0, "tau_min": 0.2, "tau_max": 0.95, "tau_unseen": 0.9}
    return DynamicThreshold(3, **{**usual, "decay": 0.75, **options})


def test_thresholds_follow_the_confidence_of_right_answers():
    tau = threshold()
    probs = torch.tensor([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.9, 0.1, 0.0]])
    tau.update(probs, torch.tensor([0, 0, 1]))  # the third is wrong: class 1 is not seen
    assert tau.confidence[0].item() == pytest.approx(0.7)
    assert tau.seen.tolist() == [True, False, False]
    torch.testing.assert_close(tau(0.0), torch.tensor([0.9 * 0.7 / 2, 0.9, 0.9]))
    tau.update(probs[:1], torch.tensor([0]))
    assert tau.confidence[0].item() == pytest.approx(0.75 * 0.7 + 0.25 * 0.8)


def test_thresholds_rise_with_the_passes_within_their_limits():
    tau = threshold()
    tau.update(torch.tensor([[0.99, 0.01, 0.0]]), torch.tensor([0]))
    values = [tau(passes)[0].item() for passes in (0, 0.5, 1, 2, 5, 50)]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(0.9 * 0.99)
    limited = threshold(tau_min=0.6, tau_max=0.7)
    limited.update(torch.tensor([[0.99, 0.01, 0.0]]), torch.tensor([0]))
    assert limited(0)[0].item() == pytest.approx(0.6)
    assert limited(50)[0].item() == pytest.approx(0.7)


def test_a_class_that_never_occurs_keeps_its_threshold():
    tau = threshold()
    for _ in range(100):
        tau.update(torch.tensor([[0.99, 0.01, 0.0]]), torch.tensor([0]))
    assert tau(50)[2].item() == pytest.approx(0.9)


def made(steps: list[list[tuple[list[float], int]]]) -> DynamicThreshold:
    threshold = DynamicThreshold(
        N, beta=0.97, gamma=2.7, tau_min=0.3, tau_max=0.95, tau_unseen=0.8, decay=0.9
    )
    for step in steps:
        probs = torch.tensor([logits for logits, _ in step]).softmax(dim=1)
        threshold.update(probs, torch.tensor([label for _, label in step]))
    return threshold


@given(STEPS, st.floats(0, 1000))
def test_thresholds_stay_within_their_limits(steps, passes: float):
    threshold = made(steps)
    tau = threshold(passes)
    assert tau.shape == (N,)
    assert ((tau >= 0.3 - 1e-6) & (tau <= 0.95 + 1e-6)).all()
    assert (tau[~threshold.seen] == torch.tensor(0.8)).all()


@given(STEPS)
def test_whatever_the_teacher_says_thresholds_rise_with_the_passes(steps):
    threshold = made(steps)
    assert (threshold(1.0) <= threshold(5.0) + 1e-6).all()
    assert (threshold(5.0) <= threshold(float("inf")) + 1e-6).all()
