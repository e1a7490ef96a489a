import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.errors import InputError
from fer_live.model.manifest import CropGeometry
from training.cli import main
from training.measure.corruptions import CORRUPTIONS, CROP_CORRUPTIONS, STRENGTHS, corrupt
from training.measure.robustness import measure_robustness, to_markdown


def faces(n: int = 6, side: int = 48) -> np.ndarray:
    """Smooth images with some edges, as faces are."""
    noise = np.random.default_rng(0).integers(0, 256, (n, 12, 12), dtype=np.uint8)
    resized = [cv2.resize(image, (side, side)) for image in noise]
    return np.array(resized, dtype=np.uint8).reshape(n, side, side)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_strength_changes_an_image_more(name: str):
    original = faces()
    kept = original.copy()
    changes = []
    for strength in STRENGTHS:
        corrupted = corrupt(name, original, strength)
        assert corrupted.shape == original.shape
        assert corrupted.dtype == np.uint8
        changes.append(np.abs(corrupted.astype(int) - original).mean())
    assert np.array_equal(original, kept), "the images themselves stay as they are"
    assert 0 < changes[0] < changes[1] < changes[2]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_seed_gives_the_same_images(name: str):
    first, again = (corrupt(name, faces(), 2, seed=4) for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_no_face_is_no_fault_and_other_sides_do(name: str):
    assert corrupt(name, faces(0), 1).shape == (0, 48, 48)
    assert corrupt(name, faces(2, side=112), 3).shape == (2, 112, 112)


def test_covers_lie_on_eyes_and_mouth():
    white = np.full((1, 48, 48), 255, dtype=np.uint8)
    crop = CropGeometry()
    rows = {"eyes_covered": crop.center_y - crop.eye_mouth_distance / 2}
    rows["mouth_covered"] = crop.center_y + crop.eye_mouth_distance / 2
    for name, y in rows.items():
        covered = np.flatnonzero((corrupt(name, white, 1)[0] < 255).any(axis=1))
        assert covered.min() <= y * 48 <= covered.max() + 1
        assert len(covered) < 8


def test_a_strength_that_does_not_exist():
    with pytest.raises(ValueError, match="strength"):
        corrupt("noise", faces(), 4)


def test_models_side_by_side(
    small_models: list[Path], learnable_tree: Path, tmp_path: Path, capsys, monkeypatch
):
    out = tmp_path / "figures.json"
    data = f"fer2013:{learnable_tree}"
    arguments = ["--data", data, "--split", "PublicTest", "--labels", "ferplus-argmax"]
    names = [str(path) for path in small_models[:2]]
    monkeypatch.setattr(
        "sys.argv", ["fer-train", "robustness", *names, *arguments, "--json", str(out)]
    )
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 0
    result = json.loads(out.read_text())
    assert list(result["accuracy"]) == names
    for figures in result["accuracy"].values():
        assert set(figures) == {"clean", *CORRUPTIONS}
        assert all(len(figures[name]) == 3 for name in CORRUPTIONS)
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len(table) == 2 * (2 + 1 + 1) + len(CORRUPTIONS)
    assert {line.count("|") for line in table} == {1 + 1 + 6}
    one = result["accuracy"][names[0]]
    mean = 100 * np.mean([one[name][0] for name in CROP_CORRUPTIONS])
    assert table[-1].split("|")[2].strip() == f"{mean:.1f}"
    assert table[2].split("|")[2].strip() == f"{100 * one['clean']:.1f}"
    assert to_markdown(result).count("\n") == len(table) + 3


@pytest.mark.parametrize(
    ("chosen", "says"), [((0, 0), "named twice"), ((0, 2), "different input sides")]
)
def test_models_that_cannot_be_compared(
    small_models: list[Path], learnable_tree: Path, chosen: tuple[int, ...], says: str
):
    with pytest.raises(InputError, match=says):
        measure_robustness(
            [small_models[i] for i in chosen],
            f"fer2013:{learnable_tree}",
            split="PublicTest",
            rule="ferplus-argmax",
        )
