"""The whole of `fer-train personalize`: faces, learning, proof, export, in a folder of its own.

RUN_DIR/
    personalize.json      what it is made from; a later start with the same goes on
    faces.npz             the person's faces, found once; deleted at the end
    learning/             the run of the method, with its checkpoints; half-1/, half-2/ where the
                          proof needs them
    model.safetensors     the new model; fer_live_*.onnx and fer_live.safetensors: what is installed
    proof.json            what speaks for it; written last
    compared.npz          faces that the two models read differently, until the person has chosen
"""

import hashlib
import io
import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from export.build import build_models
from fer_live.base.atomic_file import write_atomically
from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.errors import DataError, InputError
from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL, asset
from fer_live.model.manifest import Manifest
from fer_live.personal.proof import (
    COMPARED_FILE,
    FACES_FILE,
    PROOF_FILE,
    LabelGain,
    Proof,
    save_proof,
)
from fer_live.personal.takes import take_number
from training.config import TrainConfig, load_config
from training.data.labeled_images import LabeledImages
from training.measure.evaluate import read_faces
from training.models.checkpoint import MODEL_FILE, load_model, save_model
from training.models.resnet import ExpressionNet
from training.personalize.faces import PersonFaces, TrackChoice, collect_faces
from training.personalize.learn import CONFIG, learn
from training.personalize.progress import Report
from training.personalize.prove import differing, flicker, label_gain

ABOUT_FILE = "personalize.json"

_LEARNING = ("learning", "half-1", "half-2")
_LEAST_FACES = 20
_MOST_FACES = 4000
_MOST_COMPARED = 40


@dataclass(frozen=True, slots=True)
class PersonalizeOptions:
    """What `fer-train personalize` was asked for; `start` None: the shipped checkpoint; `config`
    None: configs/personal.toml."""

    clips: tuple[Path, ...]
    labeled: Path | None
    start: Path | None
    out: Path
    tracks: tuple[str, ...] = ()
    config: TrainConfig | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Person:
    """`unlabeled` faces; `labeled` ones with the take that each is of (L,), and which of them are
    of first takes (L,) where there are first and second takes, else None."""

    unlabeled: PersonFaces
    labeled: LabeledImages
    takes: np.ndarray
    is_first_take: np.ndarray | None
    skipped: tuple[str, ...]


class _Tested(NamedTuple):
    """Rows (n,) of the labeled faces, and (n, C) probabilities by a network that never learnt
    them."""

    rows: np.ndarray
    before: FloatArray
    after: FloatArray


def personalize(
    options: PersonalizeOptions, report: Report = lambda stage, done: None
) -> tuple[Proof, dict[str, Any]]:
    """Retrain and prove; returns the proof and the figures that `--json` writes.

    A run in `options.out` that was interrupted is gone on with, if it was asked for the same.
    Nothing is installed. Raises `InputError` for what cannot be learnt from.
    """
    began_s = time.monotonic()
    start, config = options.start or asset(CHECKPOINT), options.config or load_config(CONFIG)
    network, manifest = load_model(start)
    choice = TrackChoice.parse(options.tracks)
    _begin(options, start, config)
    person = _find_faces(options, manifest, choice, report)
    report("learn", 0.0)

    labeled, first = person.labeled, person.is_first_take
    unlabeled = person.unlabeled.images
    training = labeled if first is None else labeled.where(first)
    halves = [] if first is not None or not len(labeled) else _halves(person.takes)
    n_runs = 1 + len(halves)
    tested: list[_Tested] = []

    def test(other: ExpressionNet, rows: np.ndarray) -> None:
        images = labeled.images[rows]
        tested.append(
            _Tested(rows, *(read_faces(net, manifest, images) for net in (network, other)))
        )

    for number, half in enumerate(halves):
        # No second takes: each half is read by a model that learnt the other half alone.
        other, _ = learn(
            start,
            unlabeled,
            labeled.where(~half),
            options.out / f"half-{number + 1}",
            config=config,
            on_step=lambda done, of, n=number: report("learn", (n + done / of) / n_runs),  # type: ignore[misc]
        )
        test(other, np.flatnonzero(half))
    learned, made = learn(
        start,
        unlabeled,
        training if len(training) else None,
        options.out / "learning",
        config=config,
        on_step=lambda done, of: report("learn", (n_runs - 1 + done / of) / n_runs),
    )
    report("prove", 0.0)
    if first is not None:
        test(learned, np.flatnonzero(~first))
    gain = _gain(tested, person)
    proof = _compare(options.out, network, learned, manifest, person.unlabeled, gain)
    proof = proof.model_copy(update={"skipped": person.skipped})
    made = _told(made, options, start, person, proof)
    report("export", 0.0)
    _export(options.out, learned, made, np.concatenate([unlabeled, training.images]), report)
    # Before the proof, which ends the run: killed between them, no face is left in a finished one.
    (options.out / FACES_FILE).unlink()
    if not proof.may_ask:
        (options.out / COMPARED_FILE).unlink()
    for unfinished in options.out.glob("*.partial*"):  # of a write that a kill cut off
        unfinished.unlink()
    save_proof(options.out, proof)
    for name in _LEARNING:
        shutil.rmtree(options.out / name, ignore_errors=True)
    figures = {
        "passes": proof.passes,
        "verdict": proof.verdict(),
        "n_unlabeled": len(unlabeled),
        "n_labeled": len(labeled),
        "skipped": list(person.skipped),
        "wall_s": round(time.monotonic() - began_s, 1),
        "model": str(options.out / MODEL_FILE),
        **proof.model_dump(),
    }
    return proof, figures


def _begin(options: PersonalizeOptions, start: Path, config: TrainConfig) -> None:
    """A finished run is not overwritten. An unfinished one is gone on with, on the faces that were
    found then, whatever was captured or deleted since. Before they were found there is nothing to
    lose, and it begins anew with what is asked for now."""
    about = {
        "clips": [_existing(folder) for folder in options.clips],
        "labeled": options.labeled and _existing(options.labeled),
        "start": hashlib.sha256(start.read_bytes()).hexdigest(),
        "tracks": list(options.tracks),
        "config": config.model_dump(mode="json"),
    }
    if (options.out / PROOF_FILE).exists():
        raise InputError(f"{options.out}: a finished retraining is there; choose another --out")
    file = options.out / ABOUT_FILE
    if (options.out / FACES_FILE).is_file() and file.is_file():
        if json.loads(file.read_bytes()) != about:
            raise InputError(
                f"{options.out}: an unfinished retraining from other clips, labels or start is "
                "there; choose another --out"
            )
        print(f"{options.out}: going on with the retraining there", file=sys.stderr)
        return
    if options.out.is_dir() and any(options.out.iterdir()) and not file.is_file():
        raise InputError(f"{options.out}: is not empty, and no retraining; choose another --out")
    for name in _LEARNING:
        shutil.rmtree(options.out / name, ignore_errors=True)  # it is of other faces
    try:
        options.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{options.out}: cannot make this folder: {error.strerror}") from None
    write_atomically(file, json.dumps(about, indent=2).encode())


def _existing(folder: Path) -> str:
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    return str(folder.resolve())


def _find_faces(
    options: PersonalizeOptions, manifest: Manifest, choice: TrackChoice, report: Report
) -> _Person:
    file = options.out / FACES_FILE
    report("faces", 0.0)
    if file.is_file():
        return _load_person(file, manifest)
    side, crop = manifest.input_side, manifest.crop
    parts = [collect_faces(folder, side, crop, choice) for folder in options.clips]
    report("faces", 0.7)
    # Second takes are the proof, in whatever folder they lie.
    first_takes = [
        np.array([_take_of(name) != 2 for name in part.files.tolist()]) for part in parts
    ]
    parts = [part.where(rows) for part, rows in zip(parts, first_takes, strict=True)]
    unlabeled = _joined(parts)
    labels = _label_folders(options.labeled, manifest.labels) if options.labeled else {}
    found: dict[str, PersonFaces] = {}
    trouble: list[str] = []
    for label, folder in labels.items():
        try:
            found[label] = collect_faces(folder, side, crop, choice)
        except DataError as error:
            trouble.append(str(error))
    if options.labeled and not found:
        raise DataError(f"{options.labeled}: no labeled face; the first: {trouble[0]}")
    if len(unlabeled) < _LEAST_FACES:
        raise DataError(
            f"{', '.join(map(str, options.clips))}: {len(unlabeled)} faces in all, and at least "
            f"{_LEAST_FACES} are needed; capture some minutes"
        )
    skipped = (*unlabeled.skipped, *trouble, *(line for f in found.values() for line in f.skipped))
    for line in trouble:
        print(line, file=sys.stderr)
    images = [faces.images for faces in found.values()]
    classes = [np.full(len(f), manifest.labels.index(label)) for label, f in found.items()]
    takes = [np.char.add(f"{label}/", f.files) for label, f in found.items()]
    content = io.BytesIO()
    np.savez_compressed(
        content,
        images=unlabeled.images,
        files=unlabeled.files,
        times_s=unlabeled.times_s,
        tracks=unlabeled.tracks,
        skipped=np.array(skipped, dtype=np.str_),
        labeled=np.concatenate(images) if images else np.empty((0, side, side), np.uint8),
        classes=np.concatenate(classes).astype(np.int64) if classes else np.empty(0, np.int64),
        takes=np.concatenate(takes) if takes else np.empty(0, np.str_),
    )
    write_atomically(file, content.getvalue())
    return _load_person(file, manifest)


def _load_person(file: Path, manifest: Manifest) -> _Person:
    with np.load(file) as stored:
        faces = PersonFaces(*(stored[name] for name in ("images", "files", "times_s", "tracks")))
        takes, classes, images = stored["takes"], stored["classes"], stored["labeled"]
        skipped = tuple(stored["skipped"].tolist())
    name = "the person's takes" if len(takes) else "no labels"
    labeled = LabeledImages(name, manifest.labels, images, classes, takes)
    numbers = np.array([_take_of(take) for take in takes.tolist()], dtype=np.int64)
    has_second = (numbers == 2).any()
    return _Person(faces, labeled, takes, numbers != 2 if has_second else None, skipped)


def _take_of(name: str) -> int:
    """The number of a take: in its own name, or in its folder's; 0 where there is none."""
    path = Path(name)
    return next((n for part in (Path(path.stem), path.parent) if (n := take_number(part))), 0)


def _label_folders(folder: Path, labels: tuple[str, ...]) -> dict[str, Path]:
    """`InputError` names a folder that is none of the model's labels."""
    folders = sorted(path for path in folder.glob("[!.]*") if path.is_dir())
    unknown = [path.name for path in folders if path.name not in labels]
    if unknown:
        raise DataError(
            f"{folder / unknown[0]}: {unknown[0]} is no label of this model; they are "
            f"{', '.join(labels)}"
        )
    if not folders:
        raise DataError(f"{folder}: no folder of a label in it, for instance {labels[0]}/")
    return {path.name: path for path in folders}


def _joined(parts: Sequence[PersonFaces]) -> PersonFaces:
    """All of them, or as many as can be learnt from in time, spread evenly."""
    joined = PersonFaces(
        np.concatenate([part.images for part in parts]),
        np.concatenate([np.char.add(f"{n}/", part.files) for n, part in enumerate(parts)]),
        np.concatenate([part.times_s for part in parts]),
        np.concatenate([part.tracks for part in parts]),
        tuple(line for part in parts for line in part.skipped),
    )
    chosen = np.zeros(len(joined), dtype=np.bool_)
    chosen[np.linspace(0, len(joined) - 1, min(len(joined), _MOST_FACES)).astype(int)] = True
    return joined.where(chosen)


def _halves(takes: np.ndarray) -> list[np.ndarray]:
    """Every second take, and the others: two masks; none where there is one take alone."""
    _, numbers = np.unique(takes, return_inverse=True)
    halves = [numbers % 2 == 0, numbers % 2 == 1]
    return halves if all(half.any() for half in halves) else []


def _gain(tested: list[_Tested], person: _Person) -> LabelGain | None:
    if not tested:
        return None
    rows, before, after = map(np.concatenate, zip(*tested, strict=True))
    truth = person.labeled.labels[rows]
    right = [probs.argmax(axis=1) == truth for probs in (before, after)]
    return label_gain(right[0], right[1], person.takes[rows])


def _compare(
    out: Path,
    network: ExpressionNet,
    learned: ExpressionNet,
    manifest: Manifest,
    faces: PersonFaces,
    gain: LabelGain | None,
) -> Proof:
    before, after = (read_faces(net, manifest, faces.images) for net in (network, learned))
    n_differing = int((before.argmax(axis=1) != after.argmax(axis=1)).sum())
    rows = differing(before, after, _MOST_COMPARED)
    content = io.BytesIO()
    np.savez_compressed(
        content,
        faces=faces.images[rows],
        before=before[rows],
        after=after[rows],
        labels=np.array(manifest.labels),
    )
    write_atomically(out / COMPARED_FILE, content.getvalue())
    return Proof(gain=gain, n_differing=n_differing, flicker=flicker(before, after, faces))


def _told(
    made: Manifest, options: PersonalizeOptions, start: Path, person: _Person, proof: Proof
) -> Manifest:
    """The card: what it was made from, and what came of it."""
    clips = np.unique(person.unlabeled.files)
    told = {
        **made.training["personalized"],
        "from": start.name if options.start else "the shipped model",
        "n_clips": len(clips),
        "n_takes": len(np.unique(person.takes)),
        "verdict": "chosen by the person on faces that the two models read differently"
        if proof.may_ask
        else proof.verdict(),
    }
    training = {
        **made.training,
        "data": f"{made.training.get('data', '?')}, then {len(person.unlabeled)} faces of a person",
        "made_on": date.today().isoformat(),
        "personalized": told,
    }
    metrics = {"gain": proof.gain.model_dump()} if proof.gain else {}
    return made.model_copy(update={"training": training, "metrics": metrics})


def _export(
    out: Path, network: ExpressionNet, manifest: Manifest, faces: UInt8Array, report: Report
) -> None:
    save_model(out / MODEL_FILE, network, manifest)
    save_model(out / CHECKPOINT, network, manifest)
    sample = faces[np.linspace(0, len(faces) - 1, min(len(faces), 768)).astype(int)]
    files = {"fp32": out / GPU_MODEL, "int8": out / CPU_MODEL}
    for precision, content, _ in build_models(network, manifest, ("fp32", "int8"), sample):
        write_atomically(files[precision], content)
        report("export", 0.5)
