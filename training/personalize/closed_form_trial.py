"""`fer-train persons --closed-form`: what calibration gains on simulated persons, step by step.

The rule, written before the measurement: a step is better where the mean gain in balanced recall
over all persons has a 95 % interval (bootstrap over persons, which are the looks times the seeds)
above 0, and the mean accuracy on faces of natural shares does not fall by more than a point. It
forgets where the accuracy on the images used nowhere, as they are, falls by more than a point. What
is measured is the calibration itself; one row adds the gate, which installs nothing that the
person's own labels speak against, each left out in turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_live.datatypes import UInt8Array
from fer_live.model.head import Head
from fer_live.personal.calibration import (
    CalibrationStart,
    Embedded,
    Material,
    calibrate_embedded,
    embed_person,
    read_probs,
)
from fer_live.personal.gate import choose_calibration
from fer_live.personal.own_faces import CropChange, OwnFaces, crops_alone, cut_again, no_faces
from fer_live.personal.own_head import HOLDS
from training.data.labeled_images import LabeledImages
from training.measure.evaluate import load_crops
from training.measure.markdown import table_row
from training.measure.metrics import measure
from training.personalize.persons import LOOKS, Look, SimulatedPerson, make_persons

MORE_LOOKS = (
    *LOOKS,
    Look("blur", blur=0.04),
    Look("contrast", contrast=0.35, gamma=1.3),
    Look("far", scale=0.7, blur=0.03),
    # A face of one's own, so that there is something for a rest face to tell.
    Look("own face 1", warp=0.035, warp_seed=1),
    Look("own face 2", warp=0.035, warp_seed=2),
)
CLIPS = ("natural", "80 % neutral")
_N_CLIP = 120
_N_REST = 10
_MAX_REST = 1000
_NEUTRAL_SHARE = 0.8
_RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class TrialRow:
    """What is used: labels (of neutral faces alone with `only_rest`), clips, and which steps; and
    whether the labels, left out in turn, choose the hold and may speak against the result."""

    name: str
    with_labels: bool
    with_clips: bool
    only_rest: bool = False
    with_crop: bool = False
    with_alignment: bool = False
    with_head: bool = False
    with_gate: bool = False


TRIAL_ROWS = (
    TrialRow("clips: crop alone", False, True, with_crop=True),
    TrialRow("clips: alignment alone", False, True, with_alignment=True),
    TrialRow("clips: crop and alignment", False, True, with_crop=True, with_alignment=True),
    TrialRow("rest face: alignment alone", True, False, only_rest=True, with_alignment=True),
    TrialRow("labels: head alone", True, False, with_head=True),
    TrialRow(
        "labels and clips: all", True, True, with_crop=True, with_alignment=True, with_head=True
    ),
    TrialRow(
        "labels and clips: after the gate",
        True,
        True,
        with_crop=True,
        with_alignment=True,
        with_head=True,
        with_gate=True,
    ),
)


def try_closed_form(
    model: Path, data: str, *, split: str | None, rule: str | None, seeds: Sequence[int]
) -> dict[str, Any]:
    """Calibrate `model` (a folder of variants, or an fp32 file) to each simulated person by each
    row, and measure accuracy and balanced recall on the person's tested images and on the rest."""
    start = CalibrationStart.open(model)
    labels = start.manifest.common_labels
    labeled = load_crops(data, split, rule, start.manifest.input_side, labels)
    results = []
    cases = [(look, seed) for seed in seeds for look in MORE_LOOKS]
    for look, seed in tqdm(cases, desc="persons", disable=None):
        (person,), rest = make_persons(labeled, seed=seed, looks=(look,))
        results.append({"look": look.name, "seed": seed, **_try_person(start, person, rest)})
    return {
        "model": str(model),
        "data": data,
        "split": split,
        "rule": rule,
        "seeds": list(seeds),
        "n_labeled": len(person.labeled),
        "n_clip": _N_CLIP,
        "n_tested": len(person.tested),
        "n_rest": results[0]["n_rest"],
        "persons": results,
    }


def to_table(result: dict[str, Any]) -> str:
    """One row for each step and kind of clip: mean gains with their 95 % intervals."""
    persons = result["persons"]
    before = [np.mean([p["before"][figure] for p in persons]) for figure in (0, 1)]
    lines = [
        f"{len(persons)} simulated persons ({len(MORE_LOOKS)} looks, seeds "
        f"{', '.join(map(str, result['seeds']))}); a person has {result['n_labeled']} labeled, "
        f"{result['n_clip']} unlabeled and {result['n_tested']} tested images; rest: "
        f"{result['n_rest']} images used nowhere, as they are. Before: accuracy "
        f"{100 * before[0]:.1f}, balanced recall {100 * before[1]:.1f}. Gains in points, with 95 % "
        "intervals by a bootstrap over persons.\n",
        table_row("step", "clips", "accuracy", "balanced recall", "rest"),
        table_row(*["---"] * 5),
    ]
    for key in persons[0]["rows"]:
        gains = np.array([p["rows"][key] for p in persons])
        name, _, clip = key.partition(" | ")
        lines.append(table_row(name, clip or "-", *(_with_interval(gains[:, i]) for i in range(3))))
    by_look = table_row("look", "before", *(row.name for row in TRIAL_ROWS))
    lines += ["\nBalanced recall by look, natural clips:\n", by_look]
    lines.append(table_row(*["---"] * (2 + len(TRIAL_ROWS))))
    for look in MORE_LOOKS:
        of_look = [p for p in persons if p["look"] == look.name]
        cells = [f"{100 * np.mean([p['before'][1] for p in of_look]):.1f}"]
        for row in TRIAL_ROWS:
            key = _key(row, CLIPS[0])
            cells.append(f"{100 * np.mean([p['rows'][key][1] for p in of_look]):+.1f}")
        lines.append(table_row(look.name, *cells))
    return "\n".join(lines) + "\n"


def _try_person(
    start: CalibrationStart, person: SimulatedPerson, rest: LabeledImages
) -> dict[str, Any]:
    rest = rest.where(np.arange(len(rest)) < _MAX_REST)
    at_rest = _embed(start, rest.images)
    faces = crops_alone(person.tested.images, person.tested.ids)
    tested = {CropChange(): _embed(start, faces.crops)}
    before = _figures(start, start.head, tested[CropChange()], person.tested)
    rest_before = _figures(start, start.head, at_rest, rest)[0]
    embedded: dict[tuple[bool, bool, str, bool], Embedded] = {}
    rows: dict[str, tuple[float, float, float]] = {}
    for row in TRIAL_ROWS:
        for clip in CLIPS if row.with_clips else ("",):
            # Several rows read the same faces by the same crop.
            key = (row.with_labels, row.only_rest, clip, row.with_crop)
            if key not in embedded:
                material = _material_of(person, row, clip)
                embedded[key] = embed_person(start, material, may_cut_again=row.with_crop)
            change, head = _fitted(start, embedded[key], row)
            if change not in tested:
                tested[change] = _embed(start, cut_again(faces, change))
            after = _figures(start, head, tested[change], person.tested)
            rest_after = _figures(start, head, at_rest, rest)[0]
            rows[_key(row, clip)] = (
                after[0] - before[0],
                after[1] - before[1],
                rest_after - rest_before,
            )
    return {"before": before, "rest_before": rest_before, "n_rest": len(rest), "rows": rows}


def _key(row: TrialRow, clip: str) -> str:
    return f"{row.name} | {clip}" if row.with_clips else row.name


def _material_of(person: SimulatedPerson, row: TrialRow, clip: str) -> Material:
    side = person.tested.images.shape[1]
    unlabeled = _clip_of(person.unlabeled, clip) if row.with_clips else no_faces(side)
    if not row.with_labels:
        return Material(unlabeled, no_faces(side), np.empty(0, np.int64))
    labeled = person.labeled
    if row.only_rest:
        neutral = np.flatnonzero(person.unlabeled.labels == labeled.classes.index("neutral"))
        rows = np.isin(np.arange(len(person.unlabeled)), neutral[:_N_REST])
        labeled = person.unlabeled.where(rows)
    return Material(unlabeled, _faces(labeled), labeled.labels)


def _fitted(start: CalibrationStart, embedded: Embedded, row: TrialRow) -> tuple[CropChange, Head]:
    """The crop and the classifier that a row ends with."""
    everything = np.ones(len(embedded.labels), dtype=np.bool_)
    if row.with_gate:
        chosen, evidence = choose_calibration(start, embedded)
        if evidence.verdict == "against":
            return CropChange(), start.head
        return embedded.crop_change, chosen.head
    fitted = calibrate_embedded(
        start,
        embedded,
        everything,
        HOLDS[0],
        with_alignment=row.with_alignment,
        with_head=row.with_head,
    )
    return embedded.crop_change, fitted.head


def _clip_of(data: LabeledImages, clip: str) -> OwnFaces:
    """Unlabeled images of natural shares, or mostly neutral ones as somebody at work shows."""
    if clip == CLIPS[0]:
        return _faces(data.where(np.arange(len(data)) < _N_CLIP))
    is_neutral = data.labels == data.classes.index("neutral")
    n_neutral = round(_NEUTRAL_SHARE * _N_CLIP)
    rows = np.concatenate(
        [np.flatnonzero(is_neutral)[:n_neutral], np.flatnonzero(~is_neutral)[: _N_CLIP - n_neutral]]
    )
    return _faces(data.where(np.isin(np.arange(len(data)), rows)))


def _faces(data: LabeledImages) -> OwnFaces:
    """Each image is a take of its own."""
    return crops_alone(data.images, data.ids.astype(np.str_))


def _embed(start: CalibrationStart, crops: UInt8Array) -> NDArray[np.float64]:
    return start.classifier.embed(crops).astype(np.float64)


def _figures(
    start: CalibrationStart, head: Head, embeddings: NDArray[np.float64], truth: LabeledImages
) -> tuple[float, float]:
    """Accuracy and balanced recall of embeddings (N, D)."""
    probs = read_probs(start, head, embeddings).astype(np.float32)
    figures = measure(probs, truth.labels, truth.classes)
    return figures.accuracy, figures.balanced_accuracy


def _with_interval(gains: NDArray[np.float64]) -> str:
    drawn = np.random.default_rng(0).integers(0, len(gains), (_RESAMPLES, len(gains)))
    lower, upper = np.percentile(gains[drawn].mean(axis=1), [2.5, 97.5])
    return f"{100 * gains.mean():+.1f} ({100 * lower:+.1f} to {100 * upper:+.1f})"
