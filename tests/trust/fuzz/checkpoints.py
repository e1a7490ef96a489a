"""Files of safetensors: checkpoints, what an interrupted run goes on from, and annotations."""

from pathlib import Path

import numpy as np
import torch

from fer_live.model.manifest import EXPRESSIONS, CropGeometry, Manifest
from tests.trust.fuzz.kind import InputKind, kind_of
from tests.trust.fuzz.spoil import spoil_folder
from training.data.annotations import (
    Annotations,
    AnnotationsAbout,
    load_annotations,
    mean_of,
    save_annotations,
)
from training.loop.resume import load_run_state, restore_run, save_run
from training.models.checkpoint import architecture, build_network, load_model, save_model
from training.models.config import ModelConfig

_FILE = "file.safetensors"


def _write_checkpoint(folder: Path) -> None:
    torch.manual_seed(0)
    config = ModelConfig(width=8, blocks=1, input_side=48)
    manifest = Manifest(
        labels=EXPRESSIONS, input_side=48, crop=CropGeometry(), architecture=architecture(config)
    )
    save_model(folder / _FILE, build_network(config, 8), manifest)


def _load_checkpoint(folder: Path) -> None:
    """As `fer-train evaluate`, `fer-export` and a retraining do."""
    network, manifest = load_model(folder / _FILE)
    with torch.no_grad():
        answer = network(torch.zeros(1, 1, manifest.input_side, manifest.input_side))
    assert answer.shape == (1, len(manifest.labels))


def _parts() -> tuple[dict[str, torch.nn.Module], list[torch.optim.Optimizer]]:
    torch.manual_seed(0)
    module = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(module.parameters())
    module(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return {"student": module, "teacher": torch.nn.Linear(3, 2)}, [optimizer]


def _write_run(folder: Path) -> None:
    save_run(folder / _FILE, {"step": 10, "best": 0.5}, *_parts())


def _resume(folder: Path) -> None:
    """As `fer-train fit --resume` and a grid do."""
    load_run_state(folder / _FILE)
    restore_run(folder / _FILE, *_parts())


def _write_annotations(folder: Path) -> None:
    random = np.random.default_rng(0)
    prints = random.integers(0, 255, (6, 16)).astype(np.uint8)
    about = AnnotationsAbout(kind="answers", side=48, names=EXPRESSIONS, source={"teacher": "t"})
    values = random.random((6, 8)).astype(np.float32)
    save_annotations(folder / _FILE, Annotations(about, prints, values))


def _load_annotations(folder: Path) -> None:
    """As a training with answers of several teachers does."""
    one = load_annotations(folder / _FILE, "answers", 48)
    mean_of([one, one])


KINDS: dict[str, InputKind] = {
    "checkpoint": kind_of(_write_checkpoint, spoil_folder, _load_checkpoint),
    "resume": kind_of(_write_run, spoil_folder, _resume),
    "annotations": kind_of(_write_annotations, spoil_folder, _load_annotations),
}
