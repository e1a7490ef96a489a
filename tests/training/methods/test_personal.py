import math

import pytest
import torch

from tests.helpers.scripted import Scripted, faces_with
from training.methods.method import Batch, StepResult
from training.methods.personal import Personal, PersonalOptions
from training.models.checkpoint import build_network
from training.models.config import ModelConfig


def test_at_its_start_the_anchor_pulls_nowhere():
    torch.manual_seed(1)
    network = build_network(ModelConfig(width=8, blocks=1, dropout=0.0), 8).eval()
    method = Personal(PersonalOptions(lambda_u=0, lambda_n=0, pull=10.0), 8)
    method.begin(network)
    network.train()
    faces = torch.rand(6, 1, 48, 48) * 2 - 1
    batch = Batch(faces[:0], torch.empty(0, 8), (faces,), faces)
    result = method.step(network, network, batch, 0.0)
    result.loss.backward()  # type: ignore[no-untyped-call]
    assert result.loss.item() == pytest.approx(0, abs=1e-5)
    largest = max(float(p.grad.abs().max()) for p in network.parameters() if p.grad is not None)
    assert largest < 1e-4
    moved = torch.rand(6, 1, 48, 48)
    batch = Batch(faces[:0], torch.empty(0, 8), (faces,), moved)
    assert method.step(network, network, batch, 0.0).loss.item() > 1e-4


def test_frozen_norms_keep_their_statistics_and_others_move():
    for freeze in (True, False):
        torch.manual_seed(1)
        network = build_network(ModelConfig(width=8, blocks=1), 8)
        method = Personal(PersonalOptions(freeze_norms=freeze), 8)
        method.begin(network)
        network.train()
        before = network.state_dict()["stem.1.running_mean"].clone()
        faces = torch.rand(6, 1, 48, 48)
        method.step(network, network, Batch(faces, torch.eye(8)[:6], (faces,), faces), 0.0)
        after = network.state_dict()["stem.1.running_mean"]
        assert torch.equal(before, after) == freeze


@pytest.mark.parametrize(("stages", "moving"), [(1, ("stem.", "stages.0.")), (4, ("",))])
def test_only_the_first_stages_learn_where_that_is_asked_for(stages: int, moving: tuple[str, ...]):
    torch.manual_seed(1)
    network = build_network(ModelConfig(width=8, blocks=1), 8)
    method = Personal(PersonalOptions(learning_stages=stages), 8)
    method.begin(network)
    before = {name: value.clone() for name, value in network.named_parameters()}
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=0)
    faces = torch.rand(6, 1, 48, 48)
    result = method.step(network, network, Batch(faces, torch.eye(8)[:6], (faces,), faces), 0.0)
    result.loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    moved = {n for n, value in network.named_parameters() if not torch.equal(value, before[n])}
    assert moved == {name for name in before if name.startswith(moving)}


def test_thresholds_are_the_manifests_and_stay_without_labels():
    taus = (0.8, 0.85, 0.9, 0.95, 0.8, 0.81, 0.82, 0.83)
    method = Personal(PersonalOptions(thresholds=taus), 8)
    network = build_network(ModelConfig(width=8, blocks=1), 8)
    method.begin(network)
    faces = torch.rand(4, 1, 48, 48)
    method.step(network, network, Batch(faces[:0], torch.empty(0, 8), (faces,), faces), 0.0)
    assert method.thresholds(0.0).tolist() == pytest.approx(taus)
    assert Personal(PersonalOptions(), 8).thresholds(3.0).tolist() == pytest.approx([0.8] * 8)


def stepped(scale: float = 1.0, **options: object) -> StepResult:
    """A step on one face that is surely of class 0 and one that is of none, for a student whose
    logits have become `scale` times those of its start."""
    method = Personal(PersonalOptions.model_validate(options), 3)
    student = Scripted(3)
    method.begin(student)
    student.scale.data.fill_(scale)
    weak = faces_with([[0.9, 0.06, 0.04], [0.5, 0.4, 0.1]])
    strong = faces_with([[0.6, 0.3, 0.1], [0.3, 0.5, 0.2]])
    return method.step(student, Scripted(3), Batch(weak[:0], torch.empty(0, 3), (weak,), strong), 0)


NOTHING = {"lambda_u": 0.0, "lambda_n": 0.0, "lambda_a": 0.0}


def test_pseudo_and_complementary_labels_have_their_weights():
    """The first face is kept; of the second, class 2 is ruled out."""
    options = {**NOTHING, "ceiling": 0.2, "rank": 2}
    pseudo = stepped(**{**options, "lambda_u": 3.0})
    assert pseudo.loss.item() == pytest.approx(-3 * math.log(0.6) / 2, rel=1e-5)
    negative = stepped(**{**options, "lambda_n": 5.0})
    assert negative.loss.item() == pytest.approx(-5 * math.log(0.8), rel=1e-5)
    assert negative.complementary is not None
    assert negative.complementary.tolist() == [[False] * 3, [False, False, True]]


def test_distillation_is_the_divergence_from_the_start_averaged_over_the_faces():
    """KL(f_0(weak) || f(strong)); the student is still its start."""
    weak = [[0.9, 0.06, 0.04], [0.5, 0.4, 0.1]]
    strong = [[0.6, 0.3, 0.1], [0.3, 0.5, 0.2]]
    divergence = sum(
        p * math.log(p / q)
        for face in zip(weak, strong, strict=True)
        for p, q in zip(*face, strict=True)
    )
    loss = stepped(**{**NOTHING, "lambda_a": 4.0}).loss.item()
    assert loss == pytest.approx(4 * divergence / 2, rel=1e-5)


def test_weights_are_pulled_back_by_half_the_squared_distance():
    """One weight of the student has moved, from 1 to 1.5."""
    loss = stepped(1.5, **NOTHING, pull=8.0).loss.item()
    assert loss == pytest.approx(8 / 2 * 0.5**2)


def test_the_start_is_kept_as_it_was_however_far_the_student_goes():
    method, student = Personal(PersonalOptions(), 3), Scripted(3)
    method.begin(student)
    student.scale.data.fill_(3.0)
    (anchor,) = method._anchor
    assert anchor.scale.item() == 1 and not anchor.training
    assert not any(weight.requires_grad for weight in anchor.parameters())


def test_labeled_faces_move_the_thresholds_at_their_decay():
    taus = (0.81, 0.82, 0.83)
    method = Personal(PersonalOptions(thresholds=taus, beta=0.9, decay=0.75, tau_max=0.9), 3)
    student, faces = Scripted(3), faces_with([[0.98, 0.01, 0.01]])
    method.begin(student)
    method.step(student, Scripted(3), Batch(faces, torch.eye(3)[:1], (faces,), faces), 0.0)
    moved = 0.9 * (0.75 * 0.81 / 0.9 + 0.25 * 0.98)
    assert method.thresholds(0.0).tolist() == pytest.approx([moved, 0.82, 0.83])


def test_thresholds_keep_their_limits():
    method = Personal(PersonalOptions(thresholds=(0.1, 0.85, 0.99), tau_min=0.7, tau_max=0.9), 3)
    assert method.thresholds(0.0).tolist() == pytest.approx([0.7, 0.85, 0.9])


def test_without_labeled_faces_there_are_no_labeled_logits():
    result = stepped()
    assert result.labeled_logits.shape == (0, 3) and not result.labeled_logits.requires_grad
