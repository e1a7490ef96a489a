import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import training.personalize.own_expression_trial as trial
from fer_live.errors import DataError
from fer_live.model.assets import GPU_MODEL, asset
from fer_live.personal.own_faces import CropChange, OwnFaces, cut_patches
from training.personalize.made_up_expressions import MADE_UP


def noise(n: int, seed: int) -> OwnFaces:
    """Patches of one made-up face, a little different each time."""
    generator = np.random.default_rng(seed)
    face = generator.integers(0, 256, (12, 12)).astype(np.float32)
    patches = np.stack(
        [
            cv2.resize(
                np.clip(face + generator.normal(0, 8, face.shape), 0, 255).astype(np.uint8),
                (192, 192),
                interpolation=cv2.INTER_CUBIC,
            )
            for _ in range(n)
        ]
    )
    crops = cut_patches(patches, CropChange())
    return OwnFaces(crops, patches, np.full(n, "clip"), np.arange(n) / 8)


@pytest.mark.parametrize("name", MADE_UP)
def test_an_expression_is_made_up_in_its_place_and_leaves_the_rest(name: str):
    patch = noise(1, 3).patches[0]
    changed = np.abs(MADE_UP[name](patch).astype(int) - patch) > 8
    rows, columns = np.nonzero(changed)
    assert 100 < changed.sum() < 0.35 * patch.size
    assert not changed[:20].any() and not changed[-10:].any() and not changed[:, :20].any()
    if name == "wink":
        assert columns.max() < 110, "the other eye stays open"
    if name in ("mouth left", "cheeks blown"):
        assert rows.min() > 90, "the eyes stay"


def test_every_expression_of_every_person_is_tried(monkeypatch: pytest.MonkeyPatch):
    people = {Path("a.mp4"): noise(36, 1), Path("b.mp4"): noise(36, 2)}
    monkeypatch.setattr(trial, "collect_own_faces", lambda files, *_, **__: people[files[0]])
    monkeypatch.setattr(trial, "MADE_UP", {"wink": MADE_UP["wink"]})
    result = trial.try_own_expressions(asset(GPU_MODEL), list(people))
    assert [r["person"] for r in result["results"]] == ["person 1", "person 2"]
    for row in result["results"]:
        assert set(row["rows"]) == set(trial.AGAINST)
        assert all(found["same_answer"] == 1 for found in row["rows"].values())
        told = row["rows"]["other takes"]
        assert told["recall"] > 0.7 and told["false_alarms"] < 0.3
    json.dumps(result)
    assert "2 persons, 1 made-up expressions each" in trial.to_table(result)
    people[Path("b.mp4")] = noise(20, 2)
    with pytest.raises(DataError, match=r"b\.mp4: 20 faces; a trial takes 36 or more"):
        trial.try_own_expressions(asset(GPU_MODEL), list(people))
