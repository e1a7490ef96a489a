from pathlib import Path

import numpy as np
import pytest
import torch

from tests.helpers.retraining import small_config
from training.personalize.retrain import retrain


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
