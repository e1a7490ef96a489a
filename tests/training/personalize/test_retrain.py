from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.retraining import small_config
from training.models.checkpoint import load_model
from training.personalize.retrain import averaged, retrain, with_norms_of


def test_norms_move_by_the_share_asked_for(start: Path):
    network, _ = load_model(start)
    faces = np.full((10, 48, 48), 200, np.uint8)
    name = "stem.1.running_mean"
    none, half, whole = (
        with_norms_of(network, faces, share).state_dict()[name] for share in (0, 0.5, 1)
    )
    assert torch.equal(none, network.state_dict()[name])
    torch.testing.assert_close(half, (none + whole) / 2)
    assert not torch.allclose(none, whole)
    assert torch.equal(averaged(network, network, 0.5).state_dict()[name], none)


def test_an_interrupted_retraining_ends_in_the_same_weights(start: Path, tmp_path: Path):
    faces = np.random.default_rng(0).integers(0, 255, (24, 48, 48)).astype(np.uint8)
    config = small_config()
    frequent = config.run.model_copy(update={"checkpoint_every_s": 1e-9})
    config = config.model_copy(update={"run": frequent})
    whole, _ = retrain(start, faces, None, tmp_path / "whole", config=config)

    class Killed(Exception):
        pass

    def kill(done: int, of: int) -> None:
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        retrain(start, faces, None, tmp_path / "parts", config=config, on_step=kill)
    resumed: list[int] = []
    again, made = retrain(
        start,
        faces,
        None,
        tmp_path / "parts",
        config=config,
        on_step=lambda done, of: resumed.append(done),
    )
    assert resumed == [3, 4]
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=0, atol=0, msg=name)
    assert made.training["personalized"]["n_unlabeled"] == 24
