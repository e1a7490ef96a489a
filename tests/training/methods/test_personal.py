import pytest
import torch

from training.methods.method import Batch
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
