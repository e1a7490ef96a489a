import numpy as np
import pytest
import torch

from training.models.norms import move_norms
from training.models.resnet import ExpressionNet


def moved(share: float) -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    network = ExpressionNet(4, width=8).eval()
    move_norms(network, np.full((10, 48, 48), 200, np.uint8), share)
    assert not any(module.training for module in network.modules())
    return network.state_dict()


@pytest.mark.parametrize("statistic", ["running_mean", "running_var"])
def test_norms_move_by_the_share_asked_for(statistic: str):
    name = f"stem.1.{statistic}"
    none, half, whole = (moved(share)[name] for share in (0, 0.5, 1))
    fresh = {"running_mean": torch.zeros, "running_var": torch.ones}[statistic]
    torch.testing.assert_close(none, fresh(len(none)))
    torch.testing.assert_close(half, (none + whole) / 2)
    assert not torch.allclose(none, whole)


def norms_of(faces: np.ndarray) -> torch.Tensor:
    torch.manual_seed(0)
    network = ExpressionNet(4, width=8).eval()
    move_norms(network, faces, 1.0)
    return network.state_dict()["stem.1.running_mean"]


def test_a_few_faces_more_than_a_batch_move_norms_a_little():
    faces = np.full((258, 48, 48), 20, np.uint8)
    faces[-2:] = 230
    torch.testing.assert_close(norms_of(faces), norms_of(faces[::-1].copy()), rtol=0.05, atol=1e-3)
    torch.testing.assert_close(norms_of(faces), norms_of(faces[:256]), rtol=0.05, atol=0.02)


def test_a_single_face_moves_nothing():
    assert torch.equal(norms_of(np.full((1, 48, 48), 200, np.uint8)), torch.zeros(8))
