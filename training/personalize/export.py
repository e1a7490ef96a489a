"""Stage 4 of a retraining: write the new model, with all that tells what it was made from."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

from fer_live.base.atomic_file import write_atomically
from fer_live.datatypes import UInt8Array
from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL
from fer_live.model.manifest import Manifest
from fer_live.personal.proof import Proof
from training.models.checkpoint import MODEL_FILE, save_model
from training.models.resnet import ExpressionNet
from training.personalize.faces import PersonData
from training.personalize.learn import Learned
from training.personalize.progress import OnProgress
from training.personalize.task import Task

Precision = Literal["fp32", "int8"]
BuildModels = Callable[
    [ExpressionNet, Manifest, Sequence[Precision], UInt8Array],
    Iterable[tuple[str, bytes, object]],
]
"""(network, manifest, precisions, faces (N, S, S) that set the ranges of int8) -> the precision and
content of each ONNX file, and how it compares with the network: `export.build.build_models`, which
this room must not import."""

_MAX_SAMPLE = 768
"""Faces that the int8 model is made and compared with."""


def export(
    task: Task,
    person: PersonData,
    learned: Learned,
    proof: Proof,
    build_models: BuildModels,
    on_progress: OnProgress,
) -> None:
    """Write the checkpoint twice, for training and for installation, and both ONNX files."""
    manifest = _with_story(learned.manifest, task, person, proof)
    on_progress("export", 0.0)
    save_model(task.out / MODEL_FILE, learned.network, manifest)
    save_model(task.out / CHECKPOINT, learned.network, manifest)
    faces = np.concatenate([person.unlabeled.images, person.training.images])
    sample = faces[np.linspace(0, len(faces) - 1, min(len(faces), _MAX_SAMPLE)).astype(int)]
    files: dict[str, Path] = {"fp32": task.out / GPU_MODEL, "int8": task.out / CPU_MODEL}
    for precision, content, _ in build_models(learned.network, manifest, ("fp32", "int8"), sample):
        write_atomically(files[precision], content)
        on_progress("export", 0.5)


def _with_story(manifest: Manifest, task: Task, person: PersonData, proof: Proof) -> Manifest:
    """Add to the manifest what the model was made from, and what came of it."""
    personalized = {
        **manifest.training["personalized"],
        "from": "the shipped model" if task.starts_from_shipped else task.start.name,
        "n_clips": len(np.unique(person.unlabeled.files)),
        "n_takes": len(np.unique(person.takes)),
        "verdict": "chosen by the person on faces that the two models read differently"
        if proof.may_ask
        else proof.verdict(),
    }
    data = manifest.training.get("data", "?")
    training = {
        **manifest.training,
        "data": f"{data}, then {len(person.unlabeled)} faces of a person",
        "made_on": date.today().isoformat(),
        "personalized": personalized,
    }
    metrics = {"gain": proof.gain.model_dump()} if proof.gain else {}
    # The statistics are of the start's embeddings, and those of this network are others.
    story = {"training": training, "metrics": metrics, "embedding": None}
    return manifest.model_copy(update=story)
