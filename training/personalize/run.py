"""The whole of `fer-train personalize`: find faces, learn, prove, export, in a folder of its own.

RUN_DIR/
    personalize.json      what it is made from; a later start with the same resumes it
    faces.npz             the person's faces, found once; deleted at the end
    learning/             the run of the method, with its checkpoints; half-1/, half-2/ where the
                          proof needs them
    model.safetensors     the new model; fer_live_*.onnx and fer_live.safetensors: what is installed
    proof.json            the evidence for it; written last
    compared.npz          faces that the two models read differently, until the person has chosen
"""

import hashlib
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from fer_live.base.atomic_file import write_atomically
from fer_live.errors import DataError, InputError
from fer_live.model.assets import CHECKPOINT, asset
from fer_live.personal.proof import COMPARED_FILE, FACES_FILE, PROOF_FILE, Proof, save_proof
from training.config import load_config
from training.models.checkpoint import MODEL_FILE, load_model
from training.personalize.collect import TrackChoice
from training.personalize.export import BuildModels, export
from training.personalize.faces import find_faces
from training.personalize.learn import RUN_FOLDERS, learn
from training.personalize.progress import OnProgress
from training.personalize.prove import prove
from training.personalize.retrain import CONFIG
from training.personalize.task import PersonalizeOptions, Task

ABOUT_FILE = "personalize.json"


def personalize(
    options: PersonalizeOptions,
    build_models: BuildModels,
    on_progress: OnProgress = lambda stage, done: None,
) -> tuple[Proof, dict[str, Any]]:
    """Retrain and prove; returns the proof and the figures that `--json` writes.

    An interrupted run in `options.out` is resumed if it was asked for the same. Nothing is
    installed. Raises `InputError` or `DataError` where there is nothing to learn from.
    """
    began_s = time.monotonic()
    task = _prepared(options)
    _begin(task, options)
    person = find_faces(task, on_progress)
    learned = learn(task, person, on_progress)
    proof = prove(task, person, learned, on_progress)
    export(task, person, learned, proof, build_models, on_progress)
    _finish(task.out, proof)
    figures = {
        "passes": proof.passes,
        "verdict": proof.verdict(),
        "n_unlabeled": len(person.unlabeled),
        "n_labeled": len(person.labeled),
        "skipped": list(person.skipped),
        "wall_s": round(time.monotonic() - began_s, 1),
        "model": str(task.out / MODEL_FILE),
        **proof.model_dump(),
    }
    return proof, figures


def _prepared(options: PersonalizeOptions) -> Task:
    start, config = options.start or asset(CHECKPOINT), options.config or load_config(CONFIG)
    network, manifest = load_model(start)
    return Task(
        clips=options.clips,
        labeled=options.labeled,
        out=options.out,
        config=config,
        choice=TrackChoice.parse(options.tracks),
        start=start,
        starts_from_shipped=options.start is None,
        network=network,
        manifest=manifest,
    )


def _begin(task: Task, options: PersonalizeOptions) -> None:
    """Make the run's folder, or check that the one that is there can be resumed.

    A finished run is not overwritten. An unfinished one is resumed on the faces that were found
    then, whatever was captured or deleted since. Before they were found there is nothing to lose,
    and it begins anew with what is asked for now.
    """
    about = {
        "clips": [_existing(folder) for folder in task.clips],
        "labeled": task.labeled and _existing(task.labeled),
        "start": hashlib.sha256(task.start.read_bytes()).hexdigest(),
        "tracks": list(options.tracks),
        "config": task.config.model_dump(mode="json"),
    }
    out, file = task.out, task.out / ABOUT_FILE
    if (out / PROOF_FILE).exists():
        raise InputError(f"{out}: a finished retraining is there; choose another --out")
    if (out / FACES_FILE).is_file() and file.is_file():
        if json.loads(file.read_bytes()) != about:
            raise InputError(
                f"{out}: an unfinished retraining from other clips, labels or start is there; "
                "choose another --out"
            )
        print(f"{out}: resuming the retraining there", file=sys.stderr)
        return
    if out.is_dir() and any(out.iterdir()) and not file.is_file():
        raise InputError(f"{out}: is not empty, and no retraining; choose another --out")
    _delete_run_folders(out)  # their checkpoints are of other faces
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot make this folder: {error.strerror}") from None
    write_atomically(file, json.dumps(about, indent=2).encode())


def _existing(folder: Path) -> str:
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    return str(folder.resolve())


def _finish(out: Path, proof: Proof) -> None:
    """Delete what a finished run does not keep, and write the proof.

    The proof ends the run, so the faces are deleted before it is written: killed between them, no
    face is left in a finished run.
    """
    (out / FACES_FILE).unlink()
    if not proof.may_ask:
        (out / COMPARED_FILE).unlink()
    for unfinished in out.glob("*.partial*"):  # of a write that a kill cut off
        unfinished.unlink()
    save_proof(out, proof)
    _delete_run_folders(out)


def _delete_run_folders(out: Path) -> None:
    for name in RUN_FOLDERS:
        shutil.rmtree(out / name, ignore_errors=True)
