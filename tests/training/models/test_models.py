import pytest
import torch

from training.models.local_attention import LocalAttention, SpatialAttention, _kept
from training.models.resnet import ExpressionNet, predict_probs, scale_faces


@pytest.mark.parametrize(("side", "map_side"), [(48, 6), (64, 8), (96, 12)])
def test_the_last_map_is_an_eighth_and_never_below_six(side: int, map_side: int):
    net = ExpressionNet(8, width=8).eval()
    faces = torch.zeros(2, 1, side, side)
    features, attention = net.features(faces)
    assert features.shape == (2, 64, map_side, map_side)
    assert attention is None
    assert net(faces).shape == (2, 8)


def test_the_default_network_has_the_size_that_is_written_everywhere():
    n = sum(p.numel() for p in ExpressionNet(8).parameters())
    assert 2.7e6 < n < 2.9e6


@pytest.mark.parametrize("stem", ["deep", "unshuffle"])
def test_both_stems_halve_the_side(stem: str):
    net = ExpressionNet(8, width=8, stem=stem).eval()
    assert net.stem(torch.zeros(2, 1, 48, 48)).shape == (2, 8, 24, 24)


def test_a_standardized_image_is_read_alike_in_any_light():
    torch.manual_seed(0)
    faces = torch.rand(3, 1, 48, 48) * 1.5 - 0.75
    for standardize in (True, False):
        net = ExpressionNet(8, width=8, standardize=standardize).eval()
        change = (net(faces) - net(faces * 0.6 + 0.2)).norm() / net(faces).norm()
        assert (change < 0.02) == standardize
    black = ExpressionNet(8, width=8, standardize=True).eval()(-torch.ones(1, 1, 48, 48))
    assert torch.isfinite(black).all()


def test_attention_enhances_and_never_weakens():
    torch.manual_seed(0)
    attention = LocalAttention(8, n_branches=3, drop_probability=0.5).eval()
    features = torch.rand(2, 8, 6, 6)
    enhanced, maps = attention(features)
    assert maps.shape == (2, 6, 6)
    assert maps.min() >= 0 and maps.max() <= 1
    torch.testing.assert_close(enhanced, features * (1 + maps[:, None]))


def test_the_strongest_branch_decides_where_to_look():
    """max over k of F * A_k, written as one product, is what the K products give."""
    torch.manual_seed(0)
    attention = LocalAttention(8, n_branches=3, drop_probability=0.0).eval()
    features = torch.rand(2, 8, 6, 6)
    maps = torch.sigmoid(attention.look(torch.relu(attention.reduce(features))))
    products = torch.stack([features * maps[:, k : k + 1] for k in range(3)]).amax(dim=0)
    torch.testing.assert_close(attention(features)[0], features + products)


def test_feature_map_dropout_takes_one_branch_of_some_images_in_training_only():
    torch.manual_seed(0)
    attention = LocalAttention(8, n_branches=4, drop_probability=0.25)
    kept = _kept(8000, 4, 0.25, torch.device("cpu"))
    assert set(kept.unique().tolist()) == {0, 1}
    dropped = 4 - kept.sum(dim=1)
    assert dropped.max() == 1
    assert abs(dropped.float().mean() - 0.25) < 0.02
    assert torch.allclose((kept == 0).float().mean(dim=0), torch.tensor(0.25 / 4), atol=0.01)
    features = torch.rand(2, 8, 6, 6)
    attention.drop_probability = 1.0
    assert not torch.equal(attention(features)[0], attention.eval()(features)[0])
    assert torch.equal(attention(features)[0], attention(features)[0])


def test_spatial_attention_moves_weight_and_cannot_vanish():
    """Its maps have mean 1 whatever its weights are; at first they are even."""
    torch.manual_seed(0)
    attention = SpatialAttention(8, n_branches=3, drop_probability=0.0).eval()
    features = torch.rand(2, 8, 6, 6)
    attended, maps = attention(features)
    torch.testing.assert_close(attended, features)
    assert maps.shape == (2, 6, 6) and maps.min() == maps.max() == 1
    for size in (1.0, 100.0):
        torch.nn.init.normal_(attention.look.weight, std=size)
        attended, maps = attention(features)
        weight = attended / features
        torch.testing.assert_close(weight.mean(dim=(2, 3)), torch.ones(2, 8))
        assert weight.std() > 0.1
        assert maps.max() == 1 and maps.min() >= 0
        attended.square().sum().backward()
        assert attention.look.weight.grad.abs().max() > 0


def test_a_dropped_map_leaves_its_weight_to_the_others():
    """Two branches by hand: where one is lost, the other alone decides, and the mean stays 1."""
    attention = SpatialAttention(4, n_branches=2, drop_probability=1.0)
    torch.nn.init.normal_(attention.look.weight)
    features = torch.rand(40, 4, 6, 6)
    attended, _ = attention.train()(features)
    torch.testing.assert_close((attended / features).mean(dim=(2, 3)), torch.ones(40, 4))
    looks = attention.look(torch.relu(attention.reduce(features)))
    alone = looks.flatten(2).softmax(dim=2).view_as(looks) * 36
    from_first, from_second = (
        torch.isclose(attended, features * alone[:, k : k + 1], rtol=1e-4).flatten(1).all(dim=1)
        for k in (0, 1)
    )
    assert (from_first ^ from_second).all()
    assert from_first.any() and from_second.any()
    whole, _ = attention.eval()(features)
    torch.testing.assert_close(whole, features * alone.mean(dim=1, keepdim=True))


@pytest.mark.parametrize(("stage", "map_side"), [(1, 24), (2, 12), (3, 6), (4, 6)])
def test_attention_can_sit_behind_any_stage(stage: int, map_side: int):
    form = "softmax" if stage % 2 else "gate"
    net = ExpressionNet(
        8, width=8, attention_branches=2, attention_stage=stage, attention_form=form
    ).eval()
    features, attention = net.features(torch.rand(2, 1, 48, 48))
    assert features.shape == (2, 64, 6, 6)
    assert attention.shape == (2, map_side, map_side)


def test_dropout_keeps_the_mean():
    torch.manual_seed(0)
    net = ExpressionNet(8, width=8, dropout=0.5)
    net.features = lambda faces: (torch.ones(4000, 64, 1, 1), None)
    torch.nn.init.ones_(net.classifier.weight)
    torch.nn.init.zeros_(net.classifier.bias)
    assert abs(net.read(torch.zeros(1)).logits.mean() / 64 - 1) < 0.02
    assert torch.equal(net.eval().read(torch.zeros(1)).logits, torch.full((4000, 8), 64.0))


def test_scaling():
    scaled = scale_faces(torch.tensor([0, 255], dtype=torch.uint8))
    torch.testing.assert_close(scaled, torch.tensor([-1.0, 1.0]))


def test_temperature_softens_without_changing_the_winner():
    net = ExpressionNet(8, width=8).eval()
    faces = torch.randint(0, 256, (5, 1, 48, 48), dtype=torch.uint8)
    sharp, soft = predict_probs(net, faces), predict_probs(net, faces, temperature=5.0)
    assert (sharp.argmax(1) == soft.argmax(1)).all()
    assert (soft.max(1).values <= sharp.max(1).values).all()
