"""`fer-train persons --own-expressions`: how well an expression of one's own is learnt and read.

Each clip shows one real person; the expressions are made up on their faces (made_up_expressions),
for nobody's own can be had. A clip is cut into twelve parts of equal length. Of 0 and 6 the person
shows the expression; 1 and 7 are the other takes, called what the model reads in most of each; 3,
4, 9 and 10 are tested, each face as it is and with the expression. Every face is read by itself,
unsmoothed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_live.errors import DataError
from fer_live.model.head import Head
from fer_live.personal.calibration import (
    CalibrationStart,
    Material,
    calibrate_embedded,
    embed_person,
    read_probs,
)
from fer_live.personal.collector import collect_own_faces
from fer_live.personal.own_expression import with_own_rows
from fer_live.personal.own_faces import CropChange, OwnFaces, cut_patches, joined, no_faces
from fer_live.personal.own_head import HOLDS
from training.measure.markdown import table_row
from training.personalize.made_up_expressions import MADE_UP

AGAINST = ("other takes", "a clip", "nothing of the person")
_LOOKS_PER_S = 8.0
_N_PARTS = 12
_SHOWS, _OTHERS, _TESTED = (0, 6), (1, 7), (3, 4, 9, 10)
_RESAMPLES = 10_000
_FIGURES = ("recall", "false_alarms", "false_alarms_others", "same_answer")


def try_own_expressions(model: Path, clips: Sequence[Path]) -> dict[str, Any]:
    """Teach `model` (a folder of variants, or an fp32 file) each made-up expression of each clip's
    person, by takes of it and each kind of other faces, and read faces that were not learnt."""
    start = CalibrationStart.open(model)
    side, crop = start.manifest.input_side, start.manifest.crop
    found = {
        clip: collect_own_faces([clip], side, crop, faces_per_s=_LOOKS_PER_S) for clip in clips
    }
    for clip, faces in found.items():
        if len(faces) < 3 * _N_PARTS:
            raise DataError(f"{clip}: {len(faces)} faces; a trial takes {3 * _N_PARTS} or more")
    embeddings = {clip: _embed(start, faces.patches) for clip, faces in found.items()}
    results = []
    cases = [(number, clip, name) for number, clip in enumerate(clips, 1) for name in MADE_UP]
    for number, clip, name in tqdm(cases, desc="expressions", disable=None):
        of_others = [embeddings[other] for other in clips if other != clip]
        others = np.concatenate([embeddings[clip][:0], *of_others])
        rows = {against: _try(start, found[clip], name, against, others) for against in AGAINST}
        results.append({"person": f"person {number}", "expression": name, "rows": rows})
    n_faces = [len(found[clip]) for clip in clips]
    return {"model": str(model), "n_faces": n_faces, "results": results}


def to_table(figures: dict[str, Any]) -> str:
    """One row for what the expression was told from, then one for each expression and person."""
    results = figures["results"]
    head = ("told from", "recall", "false alarms", "of other people", "same answer of the eight")
    lines = [
        f"{len(figures['n_faces'])} persons, {len(MADE_UP)} made-up expressions each; shares of "
        "faces in percent, with 95 % intervals by a bootstrap over persons and expressions. *Same "
        "answer*: the likeliest of the eight is the same as without the own expression.\n",
        table_row(*head),
        table_row(*["---"] * len(head)),
    ]
    for against in AGAINST:
        values = [[r["rows"][against][figure] for r in results] for figure in _FIGURES]
        lines.append(table_row(against, *(_with_interval(np.array(column)) for column in values)))
    lines += ["\nTold from other takes, recall / false alarms:\n"]
    lines += [table_row("person", *MADE_UP), table_row(*["---"] * (1 + len(MADE_UP)))]
    for person in dict.fromkeys(r["person"] for r in results):
        of_one = [r["rows"][AGAINST[0]] for r in results if r["person"] == person]
        cells = [f"{100 * r['recall']:.0f} / {100 * r['false_alarms']:.0f}" for r in of_one]
        lines.append(table_row(person, *cells))
    return "\n".join(lines) + "\n"


def _try(
    start: CalibrationStart,
    faces: OwnFaces,
    name: str,
    against: str,
    others: NDArray[np.float64],
) -> dict[str, float]:
    own = len(start.manifest.common_labels)
    person = embed_person(start, _material(start, faces, name, against), may_cut_again=False)
    everything = np.ones(len(person.labels), dtype=np.bool_)
    common = calibrate_embedded(start, person, everything, HOLDS[0])
    head = with_own_rows(start, person, common, everything)
    tested = np.concatenate([_parts(faces)[part] for part in _TESTED])
    shown = _embed(start, _with_expression(faces.patches[tested], name))
    plain = _embed(start, faces.patches[tested])
    probs = read_probs(start, head, plain)
    before = read_probs(start, common.head, plain).argmax(axis=1)
    return {
        "recall": _share(start, head, shown, own),
        "false_alarms": float((probs.argmax(axis=1) == own).mean()),
        "false_alarms_others": _share(start, head, others, own) if len(others) else float("nan"),
        "same_answer": float((probs[:, :own].argmax(axis=1) == before).mean()),
    }


def _material(start: CalibrationStart, faces: OwnFaces, name: str, against: str) -> Material:
    side, own = start.manifest.input_side, len(start.manifest.common_labels)
    shows = joined([_take(faces, part, name) for part in _SHOWS], side)
    labels = np.full(len(shows), own)
    others = [_take(faces, part) for part in _OTHERS]
    if against == "a clip":
        return Material(joined(others, side), shows, labels, (name,))
    if against != "other takes":
        return Material(no_faces(side), shows, labels, (name,))
    read = [start.classify(take.crops).argmax(axis=1) for take in others]
    called = [np.full(len(r), np.bincount(r).argmax()) for r in read]
    labels = np.concatenate([labels, *called])
    return Material(no_faces(side), joined([shows, *others], side), labels, (name,))


def _take(faces: OwnFaces, part: int, name: str = "") -> OwnFaces:
    """One part of a clip as a take of its own, with a made-up expression or as it is."""
    rows = _parts(faces)[part]
    patches = faces.patches[rows]
    patches = _with_expression(patches, name) if name else patches
    takes = np.full(len(rows), f"part {part}")
    return OwnFaces(cut_patches(patches, CropChange()), patches, takes, faces.times_s[rows])


def _parts(faces: OwnFaces) -> list[NDArray[np.int64]]:
    return list(np.array_split(np.arange(len(faces)), _N_PARTS))


def _with_expression(patches: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    return np.stack([MADE_UP[name](patch) for patch in patches])


def _embed(start: CalibrationStart, patches: NDArray[np.uint8]) -> NDArray[np.float64]:
    """As the app reads a face: once, and not its mirror image."""
    return start.classifier.embed(cut_patches(patches, CropChange())).astype(np.float64)


def _share(
    start: CalibrationStart, head: Head, embeddings: NDArray[np.float64], label: int
) -> float:
    return float((read_probs(start, head, embeddings).argmax(axis=1) == label).mean())


def _with_interval(shares: NDArray[np.float64]) -> str:
    drawn = np.random.default_rng(0).integers(0, len(shares), (_RESAMPLES, len(shares)))
    lower, upper = np.percentile(shares[drawn].mean(axis=1), [2.5, 97.5])
    return f"{100 * shares.mean():.1f} ({100 * lower:.1f} to {100 * upper:.1f})"
