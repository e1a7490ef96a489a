import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import training.personalize.closed_form_trial as trial
from fer_live.model.assets import CPU_MODEL, asset
from fer_live.model.manifest import EXPRESSIONS
from tests.helpers.commands import fails
from training.data.labeled_images import LabeledImages
from training.personalize.persons import Look, make_persons


def test_every_step_is_measured_on_every_kind_of_clip(monkeypatch: pytest.MonkeyPatch):
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (48, 48, 48)).astype(np.uint8)
    data = LabeledImages("x", EXPRESSIONS, images, np.arange(48) % 8, np.arange(48).astype(str))
    few = partial(make_persons, labeled_a_class=1, n_unlabeled=16, n_tested=10)
    monkeypatch.setattr(trial, "make_persons", few)
    monkeypatch.setattr(trial, "load_crops", lambda *_: data)
    monkeypatch.setattr(trial, "MORE_LOOKS", (Look("dark", gamma=2.0),))
    result = trial.try_closed_form(asset(CPU_MODEL), "x", split=None, rule=None, seeds=[3, 4])
    assert [(p["look"], p["seed"]) for p in result["persons"]] == [("dark", 3), ("dark", 4)]
    keys = set(result["persons"][0]["rows"])
    assert {"labels: head alone", "labels and clips: all | natural"} <= keys
    assert len(keys) == sum(2 if row.with_clips else 1 for row in trial.TRIAL_ROWS)
    assert (result["n_labeled"], result["n_tested"], result["n_rest"]) == (8, 10, 14)
    json.dumps(result)
    table = trial.to_table(result)
    assert "2 simulated persons" in table and table.count("| dark |") == 1


def test_a_face_of_ones_own_is_moved_in_each_image_alike():
    images = np.random.default_rng(0).integers(0, 256, (2, 48, 48)).astype(np.uint8)
    images[1] = images[0]
    one, other = (Look("x", warp=0.03, warp_seed=s).apply(images) for s in (1, 2))
    np.testing.assert_array_equal(one[0], one[1])
    assert not np.array_equal(one, other) and not np.array_equal(one, images)


def test_without_run_folders_only_the_closed_form_is_measured(
    run_cli, small_models: list[Path], learnable_tree: Path
):
    data = ("--data", f"fer2013:{learnable_tree}", "--split", "PublicTest")
    rule = ("--labels", "ferplus-argmax")
    fails(
        run_cli("fer-train", "persons", small_models[0], *data, *rule), 2, "--runs DIR is missing"
    )
