"""What tests of retraining share: a small start, its config, and crops to learn from."""

from pathlib import Path

import cv2
import numpy as np
import torch

from fer_live.model.manifest import EXPRESSIONS, CropGeometry, Manifest
from training.config import TrainConfig, parse_config
from training.data.labeled_images import LabeledImages
from training.measure.embedding import embed, embedding_statistics
from training.models.checkpoint import architecture, build_network, save_model
from training.models.config import ModelConfig


def write_start(path: Path) -> Path:
    """A small network with random weights, as a checkpoint that can be calibrated."""
    torch.manual_seed(0)
    config = ModelConfig(width=8, blocks=1)
    network = build_network(config, len(EXPRESSIONS)).eval()
    labels = np.arange(32) % len(EXPRESSIONS)
    others = np.random.default_rng(1).integers(0, 255, (32, 48, 48)).astype(np.uint8)
    ids = np.arange(32).astype(str)
    labeled = LabeledImages("noise", EXPRESSIONS, others, labels, ids)
    manifest = Manifest(
        labels=EXPRESSIONS,
        input_side=48,
        crop=CropGeometry(),
        architecture=architecture(config),
        card="The start's card.",
        embedding=embedding_statistics(embed(network, others), labeled),
    )
    save_model(path, network, manifest)
    return path


def small_config(**options: object) -> TrainConfig:
    schedule = {"steps": 4, "batch_size": 4, "unlabeled_batch_size": 8, "learning_rate": 0.01}
    run = {"method": "personal", "device": "cpu", "precision": "fp32"}
    return parse_config({"run": run, "schedule": schedule, "options": options}, "test")


def write_crops(folder: Path, n: int, *, level: int = 0, seed: int = 0) -> Path:
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    for index in range(n):
        image = generator.integers(level, level + 60, (48, 48)).astype(np.uint8)
        cv2.imwrite(str(folder / f"{index:03}.png"), image)
    return folder
