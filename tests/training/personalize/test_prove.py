import numpy as np

from fer_live.personal.own_faces import OwnFaces
from fer_live.personal.proof import LabelGain, Preference, Proof, differing
from training.personalize.prove import flicker


def gain(lower: float, *, n_takes: int = 8, after: float = 0.7) -> LabelGain:
    return LabelGain(
        n_faces=50, n_takes=n_takes, before=0.6, after=after, lower=lower, upper=lower + 0.2
    )


def test_flicker_counts_switches_a_minute_of_each_clip_alone():
    probs = np.eye(2, dtype=np.float32)[[0, 1, 0, 1, 0]]
    still = np.eye(2, dtype=np.float32)[[0, 0, 0, 1, 1]]
    nothing = np.zeros((5, 1, 1), np.uint8)
    takes, times_s = np.array(["a", "a", "a", "b", "b"]), np.array([0.0, 5, 10, 0, 10])
    found = flicker(probs, still, OwnFaces(nothing, nothing, takes, times_s))
    assert found is not None
    assert (found.before, found.after) == (9.0, 0.0), "three switches in twenty seconds"
    assert differing(probs, still, 2).tolist() == [1, 4]


def test_a_person_chooses_among_twenty_faces_at_least():
    assert not Proof(n_differing=19).may_ask
    asked = Proof(n_differing=20)
    assert asked.may_ask
    assert not asked.passes
    for new, old, passes in ((11, 9, True), (10, 10, False), (3, 0, True)):
        preferred = Preference(n_shown=20, n_new=new, n_old=old)
        assert asked.model_copy(update={"preference": preferred}).passes is passes


def test_gains_are_told_with_their_bounds():
    assert "+2.0% and +22.0%" in Proof(gain=gain(0.02)).verdict()
    assert Proof(gain=gain(0.02)).passes


def test_few_takes_prove_nothing_and_leave_the_word_to_the_person():
    """One take that gets better is above 0 however it is drawn."""
    for lower in (0.05, -0.1):
        proof = Proof(gain=gain(lower, n_takes=2), n_differing=30)
        assert not proof.passes and proof.may_ask and not proof.speaks_against
        assert "too few takes" in proof.verdict() and "30 faces to choose by" in proof.verdict()
        liked = proof.model_copy(update={"preference": Preference(n_shown=20, n_new=15, n_old=3)})
        assert liked.passes and not liked.may_ask


def test_a_gain_that_may_be_chance_is_the_persons_to_judge_and_no_gain_is_not():
    unproven = Proof(gain=gain(-0.05), n_differing=30)
    assert not unproven.passes and unproven.may_ask and not unproven.speaks_against
    against = Proof(gain=gain(-0.15, after=0.6), n_differing=30)
    assert against.speaks_against and not against.may_ask and not against.passes
