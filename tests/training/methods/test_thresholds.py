"""What holds of the thresholds whatever the teacher says."""

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
def test_thresholds_rise_with_the_passes(steps):
    threshold = made(steps)
    assert (threshold(1.0) <= threshold(5.0) + 1e-6).all()
    assert (threshold(5.0) <= threshold(float("inf")) + 1e-6).all()
