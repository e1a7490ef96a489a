"""The whole of `fer-train personalize`: find faces, calibrate, learn, export.

RUN_DIR/
    personalize.json      what it is made from; a later start with the same resumes it
    faces.npz             the person's faces, found once; deleted at the end
    plan.json             how many gradient steps are taken, while they are
    learning/             the run of the method, with its checkpoints; left-out-N/ where takes are
                          left out, to see whether it adds
    model.safetensors     the new model; fer_live_*.onnx and fer_live.safetensors: what is installed
    proof.json            the evidence for it; written last
    compared.npz          faces that the two models read differently, until the person has chosen
"""

import json
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fer_live.base.atomic_file import write_atomically
from fer_live.base.parse import parse_json
from fer_live.base.regular_file import read_whole, sha256_of
from fer_live.errors import DataError, InputError
from fer_live.model.assets import CHECKPOINT, CPU_MODEL, asset
from fer_live.model.manifest import Manifest
from fer_live.personal.account import personal_manifest, story
from fer_live.personal.answer import as_json
from fer_live.personal.calibration import (
    Calibrated,
    CalibrationStart,
    Embedded,
    Material,
    calibrate_embedded,
    choose_hold,
    embed_person,
)
from fer_live.personal.evidence import Evidence, take_folds
from fer_live.personal.gate import choose_calibration
from fer_live.personal.own_faces import cut_again, joined
from fer_live.personal.personalize import Wishes
from fer_live.personal.proof import COMPARED_FILE, FACES_FILE, PROOF_FILE, Proof, save_proof
from fer_live.personal.whose_face import TrackChoice
from fer_live.plain_text import say
from training.config import load_config
from training.models.checkpoint import load_model
from training.models.resnet import ExpressionNet
from training.personalize.export import (
    BuildModels,
    build_variants,
    put_head,
    write_checkpoints,
    write_with_head,
)
from training.personalize.faces import find_faces
from training.personalize.gradient import (
    PLAN_FILE,
    RUN_FOLDERS,
    Adapted,
    adapt,
    open_adapted,
    with_note,
)
from training.personalize.progress import OnProgress
from training.personalize.prove import prove
from training.personalize.reader import open_network, variants_of
from training.personalize.retrain import CONFIG
from training.personalize.task import PersonalizeOptions, Task

ABOUT_FILE = "personalize.json"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Retrained:
    """What came of it: `model` is the exported file for this processor, None where the takes speak
    against the new model and none was written; `figures` are what `--json` writes."""

    proof: Proof
    evidence: Evidence
    model: Path | None
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """The new model before it is written: the network with the start's classifier, what reads with
    it, the person's faces by it, and the classifier that was fitted to them."""

    network: ExpressionNet
    reader: CalibrationStart
    embedded: Embedded
    fitted: Calibrated
    evidence: Evidence
    adapted: Adapted | None


def personalize(
    options: PersonalizeOptions,
    build_models: BuildModels,
    on_progress: OnProgress = lambda stage, done, expected_s={}, /: None,
    tell: Tell = lambda line: None,
) -> Retrained:
    """Calibrate in closed form, take gradient steps where they add, prove and write the model.

    `tell` is told in plain words what each step used. An interrupted run in `options.out` is
    resumed if it was asked for the same. Nothing is installed. Raises `InputError` or `DataError`
    where there is nothing to learn from.
    """
    began_s = time.monotonic()
    task = _prepared(options, tell)
    _begin(task, options)
    material = find_faces(task, tell, on_progress)
    made = _made(task, material, tell, on_progress)
    builds = made.adapted is not None or task.variants is None
    on_progress("export", 0.0, {"export": 20.0 if builds else 2.0})
    change, head = made.embedded.crop_change, made.fitted.head
    proof = prove(task, material, change, made.reader, head, made.evidence)
    model = None
    if made.evidence.verdict != "against":
        _write(task, material, made, build_models, tell, on_progress)
        model = task.out / CPU_MODEL
    _finish(task.out, proof)
    on_progress("export", 1.0)
    return Retrained(proof, made.evidence, model, _figures(material, made, proof, model, began_s))


def _made(task: Task, material: Material, tell: Tell, on_progress: OnProgress) -> _Made:
    """The closed form, gradient steps below it where they add, and what the takes say."""
    on_progress("calibrate", 0.0)
    network, reader = task.network, task.reader
    embedded = embed_person(reader, material)
    on_progress("calibrate", 0.5)
    fitted, evidence = choose_calibration(reader, embedded)
    adapted = adapt(task, material, embedded, tell, on_progress)
    if adapted is not None:
        network, evidence = adapted.network, adapted.evidence
        reader = open_adapted(task, network)
        embedded = embed_person(reader, material, crop_change=embedded.crop_change)
        everything = np.ones(len(embedded.labels), dtype=np.bool_)
        folds = take_folds(embedded.labels, embedded.takes, everything)
        hold = choose_hold(reader, embedded, folds)
        fitted = calibrate_embedded(reader, embedded, everything, hold)
    for line in story(reader, material, embedded, fitted):
        tell(line)
    return _Made(network, reader, embedded, fitted, evidence, adapted)


def _write(
    task: Task,
    material: Material,
    made: _Made,
    build_models: BuildModels,
    tell: Tell,
    on_progress: OnProgress,
) -> None:
    manifest = _manifest(task, material, made)
    head = made.fitted.head
    network = put_head(made.network, head)
    write_checkpoints(task.out, network, manifest)
    if made.adapted is None and task.variants is not None:
        write_with_head(task.out, task.variants, head, manifest)
        return
    everything = joined([material.unlabeled, material.labeled], manifest.input_side)
    faces = cut_again(everything, made.embedded.crop_change)
    build_variants(task.out, network, manifest, faces, build_models, tell, on_progress)


def _manifest(task: Task, material: Material, made: _Made) -> Manifest:
    """The start's manifest, with what the new model was made from."""
    manifest = personal_manifest(
        made.reader, material, made.embedded, made.fitted, made.evidence, {}, task.wishes.name
    )
    personalized = {
        **manifest.training["personalized"],
        "from": "the shipped model" if task.starts_from_shipped else task.start.name,
        "n_clips": len(np.unique(material.unlabeled.takes)),
    }
    training = {**manifest.training, "personalized": personalized}
    manifest = manifest.model_copy(update={"training": training})
    return manifest if made.adapted is None else with_note(manifest, made.adapted, task.manifest)


def _figures(
    material: Material, made: _Made, proof: Proof, model: Path | None, began_s: float
) -> dict[str, Any]:
    skipped = (*material.unlabeled.skipped, *material.labeled.skipped)
    used = {
        "labeled": len(material.labeled),
        "unlabeled": len(material.unlabeled),
        "left_out": len(skipped),
    }
    absolute = None if model is None else model.absolute()
    return {
        **proof.model_dump(),
        "passes": proof.passes,
        "verdict": proof.verdict(),
        "gradient_steps": 0 if made.adapted is None else made.adapted.steps,
        "n_unlabeled": used["unlabeled"],
        "n_labeled": used["labeled"],
        "wall_s": round(time.monotonic() - began_s, 1),
        **as_json(made.evidence, used, skipped, absolute, installed=False),
    }


def _prepared(options: PersonalizeOptions, tell: Tell) -> Task:
    if not options.clips and options.labeled is None:
        raise InputError("nothing to learn from; name --clips DIR, --labeled DIR, or both")
    choice = TrackChoice.parse(options.tracks)
    start, config = options.start or asset(CHECKPOINT), options.config or load_config(CONFIG)
    network, manifest = load_model(start)
    if manifest.embedding is None and "personalized" in manifest.training:
        # Made by an earlier version, whose network nobody else's embeddings are known of.
        tell(f"{start}: says nothing of other people's faces; this time from the shipped model")
        start = asset(CHECKPOINT)
        network, manifest = load_model(start)
    if manifest.embedding is None:
        raise InputError(
            f"{start}: its manifest has no statistics of other people's embeddings; add them with "
            "fer-train embedding, or leave out --from"
        )
    variants = variants_of(start, manifest)
    reader = (
        open_network(network, manifest, manifest.embedding)
        if variants is None
        else CalibrationStart.open(variants)
    )
    return Task(
        wishes=Wishes(options.clips, options.labeled, options.person, choice),
        out=options.out,
        config=config,
        minutes=options.minutes,
        start=start,
        starts_from_shipped=start == asset(CHECKPOINT),
        network=network,
        manifest=manifest,
        reader=reader,
        variants=variants,
    )


def _begin(task: Task, options: PersonalizeOptions) -> None:
    """Make the run's folder, or check that the one that is there can be resumed.

    A finished run is not overwritten. An unfinished one is resumed on the faces that were found
    then, whatever was captured or deleted since. Before they were found there is nothing to lose,
    and it begins anew with what is asked for now.
    """
    about = {
        "clips": [_existing(folder) for folder in options.clips],
        "labeled": options.labeled and _existing(options.labeled),
        "start": sha256_of(task.start),
        "tracks": list(options.tracks),
        "config": task.config.model_dump(mode="json"),
    }
    out, file = task.out, task.out / ABOUT_FILE
    if (out / PROOF_FILE).exists():
        raise InputError(f"{out}: a finished retraining is there; choose another --out")
    if (out / FACES_FILE).is_file() and file.is_file():
        if _told(file) != about:
            raise InputError(
                f"{out}: an unfinished retraining from other clips, labels or start is there; "
                "choose another --out"
            )
        say(f"{out}: resuming the retraining there", to=sys.stderr)
        return
    if out.is_dir() and any(out.iterdir()) and not file.is_file():
        raise InputError(f"{out}: is not empty, and no retraining; choose another --out")
    _delete_run_folders(out)  # their checkpoints are of other faces
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot make this folder: {error.strerror}") from None
    (out / PLAN_FILE).unlink(missing_ok=True)
    write_atomically(file, json.dumps(about, indent=2).encode())


def _told(file: Path) -> object:
    try:
        return parse_json(read_whole(file))
    except ValueError:
        return None  # which is another retraining than any


def _existing(folder: Path) -> str:
    if not folder.exists():
        raise DataError(f"{folder}: no such folder")
    return str(folder.resolve())


def _finish(out: Path, proof: Proof) -> None:
    """Delete what a finished run does not keep, and write the proof.

    The proof ends the run, so the faces are deleted before it is written: killed between them, no
    face is left in a finished run.
    """
    (out / FACES_FILE).unlink()
    (out / PLAN_FILE).unlink(missing_ok=True)
    if not proof.may_ask:
        (out / COMPARED_FILE).unlink()
    for unfinished in out.glob("*.partial*"):  # of a write that a kill cut off
        unfinished.unlink()
    save_proof(out, proof)
    _delete_run_folders(out)


def _delete_run_folders(out: Path) -> None:
    for name in RUN_FOLDERS:
        shutil.rmtree(out / name, ignore_errors=True)
