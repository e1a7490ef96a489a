from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from tests.helpers.here import run_here
from training.study.cells import any_config
from training.study.views import draw_views, views_of

CLAIM = Path("training/grids/claim.toml")


def test_the_first_view_is_the_face_and_strong_ones_differ_more():
    torch.manual_seed(0)
    face = torch.rand(1, 48, 48)
    change = torch.zeros(12)
    for _ in range(20):
        views = views_of(face, any_config(CLAIM))
        assert views.shape == (12, 1, 48, 48)
        assert torch.equal(views[0], face)
        change += (views - face).abs().mean(dim=(1, 2, 3))
    assert change[5:].mean() > 1.1 * change[1:5].mean()


def test_the_picture_is_a_function_of_the_seed(tmp_path: Path):
    faces = np.random.default_rng(0).integers(0, 256, (16, 48, 48), dtype=np.uint8)
    config = any_config(CLAIM)
    pictures = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        draw_views(config, faces, seed, tmp_path / f"{name}.png")
        pictures.append(cv2.imread(str(tmp_path / f"{name}.png")))
    assert np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[0], pictures[2])


def test_the_page_shows_what_the_command_makes(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Up to the noise of JPEG: the committed picture is of the views as they are now."""
    out = tmp_path / "views.jpg"
    result = run_here(capfd, "fer-train", "views", "--config", CLAIM, "--out", out)
    assert result.returncode == 0, result.stderr
    made, committed = (cv2.imread(str(file)).astype(int) for file in (out, Path("docs/views.jpg")))
    assert made.shape == committed.shape
    assert np.abs(made - committed).mean() < 1


@pytest.mark.parametrize("path", [CLAIM, Path("training/configs/released.toml")], ids=str)
def test_views_are_drawn_of_configs_and_grids(path: Path):
    assert any_config(path).model.standardize
