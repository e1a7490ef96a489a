import numpy as np
import pytest

from fer_live.personal.proof import LabelGain, Preference, Proof, differing
from training.personalize.collect import PersonFaces
from training.personalize.prove import flicker, label_gain


def test_a_gain_is_bounded_over_takes_not_faces():
    """One take that improves in each of its hundred faces is one observation, not a hundred."""
    before = np.zeros(102, dtype=bool)
    after = np.r_[np.ones(100, dtype=bool), False, False]
    takes = np.array(["a"] * 100 + ["b", "c"])
    gain = label_gain(before, after, takes)
    assert (gain.n_faces, gain.n_takes) == (102, 3)
    assert gain.after == pytest.approx(100 / 102)
    assert gain.lower == 0, "a third of all draws of three takes has no a"
    assert not Proof(gain=gain).passes
    each = label_gain(before[:40], after[:40], np.arange(40).astype(str))
    assert each.lower == each.upper == 1
    assert Proof(gain=each).passes
    assert not Proof(gain=label_gain(after[:40], before[:40], np.arange(40).astype(str))).passes


def test_flicker_counts_switches_a_minute_of_each_face_alone():
    probs = np.eye(2, dtype=np.float32)[[0, 1, 0, 1, 0]]
    still = np.eye(2, dtype=np.float32)[[0, 0, 0, 1, 1]]
    faces = PersonFaces(
        np.zeros((5, 1, 1), np.uint8),
        np.array(["a", "a", "a", "b", "b"]),
        np.array([0.0, 5, 10, 0, 10]),
        np.array([1, 1, 1, 1, 1]),
    )
    found = flicker(probs, still, faces)
    assert found is not None
    assert (found.before, found.after) == (9.0, 0.0), "three switches in twenty seconds"
    rows = differing(probs, still, 2)
    assert rows.tolist() == [1, 4]


def test_a_person_chooses_among_twenty_faces_at_least():
    assert not Proof(n_differing=19).may_ask
    asked = Proof(n_differing=20)
    assert asked.may_ask
    assert not asked.passes
    for new, old, passes in ((11, 9, True), (10, 10, False), (3, 0, True)):
        preferred = Preference(n_shown=20, n_new=new, n_old=old)
        assert asked.model_copy(update={"preference": preferred}).passes is passes


def test_gains_are_told_with_their_bounds():
    gain = LabelGain(n_faces=50, n_takes=8, before=0.6, after=0.7, lower=0.02, upper=0.18)
    assert "+2.0% and +18.0%" in Proof(gain=gain).verdict()


def test_few_takes_prove_nothing_by_themselves():
    """One take that gets better is above 0 however it is drawn."""
    few = LabelGain(n_faces=9, n_takes=2, before=0.5, after=0.6, lower=0.05, upper=0.15)
    proof = Proof(gain=few, n_differing=30)
    assert not proof.passes and proof.may_ask
    assert "too few takes" in proof.verdict() and "30 faces to choose by" in proof.verdict()
    liked = proof.model_copy(update={"preference": Preference(n_shown=20, n_new=15, n_old=3)})
    assert liked.passes and not liked.may_ask
    worse = few.model_copy(update={"lower": -0.1})
    assert not Proof(gain=worse, n_differing=30).may_ask
    many = few.model_copy(update={"n_takes": 6})
    assert Proof(gain=many).passes
