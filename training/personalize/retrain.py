"""Retrains one network on a person's faces: a short run of the method `personal`."""

import copy
from pathlib import Path

import numpy as np
import torch

from fer_live.datatypes import UInt8Array
from fer_live.model.manifest import Manifest
from training.config import TrainConfig
from training.data.face_pool import FacePool, LabeledFaces
from training.data.labeled_images import LabeledImages
from training.data.sources import TrainingData
from training.data.splits import SplitList
from training.loop.train import OnStep, fit
from training.methods.personal import PersonalOptions
from training.models import checkpoint
from training.models.norms import move_norms
from training.models.resnet import ExpressionNet

CONFIG = Path(__file__).parents[1] / "configs" / "personal.toml"
"""Set after two looks, see docs/method.md; `fer-train persons` measures it."""

_PERSONAL_CARD = (
    "**Retrained on one person's faces.** That it reads that person better is proven before it is "
    "installed; how well it reads anyone else is not measured. What follows is the card of the "
    "model that it was retrained from."
)

START_FILE = "start.safetensors"


def retrain(
    start: Path,
    unlabeled: UInt8Array,
    labeled: LabeledImages | None,
    run_dir: Path,
    *,
    config: TrainConfig,
    on_step: OnStep = lambda done, steps: None,
) -> tuple[ExpressionNet, Manifest]:
    """Train the network of the checkpoint `start` on faces; returns it and its manifest.

    `unlabeled` (U, S, S) uint8 and the images of `labeled` have the start's input side, `labeled`
    its classes. The model that `config` names is replaced by the start's. An interrupted run in
    `run_dir` is resumed.
    """
    network, manifest = checkpoint.load_model(start)
    config = _for_start(config, manifest)
    options = config.options
    assert isinstance(options, PersonalOptions)
    if labeled is None:
        labeled = _no_labels(manifest)
    start_file = run_dir / START_FILE
    if not start_file.is_file():
        run_dir.mkdir(parents=True, exist_ok=True)
        faces = np.concatenate([unlabeled, labeled.images])
        adapted = copy.deepcopy(network)
        move_norms(adapted, faces, options.norm_share)
        checkpoint.save_model(start_file, adapted, manifest)
    schedule = config.schedule.model_copy(update={"start_from": str(start_file)})
    config = config.model_copy(update={"schedule": schedule})
    data = _training_data(unlabeled, labeled)
    fit(config, run_dir, resume=True, show_progress=False, data=data, on_step=on_step)
    learned, made = checkpoint.load_model(run_dir)
    personalized = {
        "n_labeled": len(labeled),
        "n_unlabeled": len(unlabeled),
        "steps": made.training["steps"],
        "seed": config.run.seed,
    }
    training = manifest.training | {
        "personalized": personalized,
        "thresholds": made.training["thresholds"],
    }
    update = {"training": training, "metrics": {}, "card": card_of(manifest.card)}
    return averaged(learned, network, options.keep), manifest.model_copy(update=update)


def _training_data(unlabeled: UInt8Array, labeled: LabeledImages) -> TrainingData:
    """Give the person's faces the form in which a run takes its data.

    Nothing is known of the unlabeled faces, nothing is measured, and nobody needs the list of those
    that kept their labels.
    """
    rows = np.arange(len(labeled))
    return TrainingData(
        LabeledFaces.rows_of(labeled, rows),
        LabeledFaces.rows_of(labeled, rows[:0]),
        FacePool([(unlabeled, np.arange(len(unlabeled)))]),
        np.full(len(unlabeled), -1, dtype=np.int64),
        SplitList(data=labeled.name, n_images=len(labeled), seed=0, per_class={}, ids=()),
        {},
    )


def card_of(card_of_start: str) -> str:
    """Put our note before the start's card, whose limits hold for the retrained model too."""
    if card_of_start.startswith(_PERSONAL_CARD):
        return card_of_start
    return f"{_PERSONAL_CARD}\n\n---\n\n{card_of_start}"


def averaged(new: ExpressionNet, old: ExpressionNet, share_of_old: float) -> ExpressionNet:
    """Average the weights and statistics of two networks.

    Wortsman et al., "Robust fine-tuning of zero-shot models" (CVPR 2022).
    """
    if share_of_old == 0:
        return new
    mixed, before = new.state_dict(), old.state_dict()
    for name, value in mixed.items():
        if value.is_floating_point():
            mixed[name] = torch.lerp(value, before[name], share_of_old)
    new.load_state_dict(mixed)
    return new


def _for_start(config: TrainConfig, manifest: Manifest) -> TrainConfig:
    """Put the start's network into the config, and the thresholds that it was trained with."""
    options = config.options
    assert isinstance(options, PersonalOptions)
    model = checkpoint.described_config(manifest)
    thresholds = options.thresholds or tuple(manifest.training.get("thresholds", ()))
    return config.model_copy(
        update={"model": model, "options": options.model_copy(update={"thresholds": thresholds})}
    )


def _no_labels(manifest: Manifest) -> LabeledImages:
    side = manifest.input_side
    return LabeledImages(
        "no labels",
        manifest.labels,
        np.empty((0, side, side), np.uint8),
        np.empty(0, np.int64),
        np.empty(0, np.str_),
    )
