import pytest
import torch

from training.models.resnet import ExpressionNet, predict_probs, scale_faces


@pytest.mark.parametrize(("side", "map_side"), [(48, 6), (64, 8), (96, 12)])
def test_the_last_map_is_an_eighth_and_never_below_six(side: int, map_side: int):
    net = ExpressionNet(8, width=8).eval()
    faces = torch.zeros(2, 1, side, side)
    assert net.features(faces).shape == (2, 64, map_side, map_side)
    assert net(faces).shape == (2, 8)


def test_the_default_network_has_the_size_that_is_written_everywhere():
    n = sum(p.numel() for p in ExpressionNet(8).parameters())
    assert 2.7e6 < n < 2.9e6


def test_scaling():
    scaled = scale_faces(torch.tensor([0, 255], dtype=torch.uint8))
    torch.testing.assert_close(scaled, torch.tensor([-1.0, 1.0]))


def test_temperature_softens_without_changing_the_winner():
    net = ExpressionNet(8, width=8).eval()
    faces = torch.randint(0, 256, (5, 1, 48, 48), dtype=torch.uint8)
    sharp, soft = predict_probs(net, faces), predict_probs(net, faces, temperature=5.0)
    assert (sharp.argmax(1) == soft.argmax(1)).all()
    assert (soft.max(1).values <= sharp.max(1).values).all()
