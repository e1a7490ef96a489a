"""`fer-train persons`: what retraining gains on simulated persons, and what it forgets."""

import statistics
from pathlib import Path
from typing import Any

import numpy as np

from fer_live.datatypes import UInt8Array
from fer_live.model.manifest import Manifest
from training.config import TrainConfig
from training.data.labeled_images import LabeledImages
from training.measure.evaluate import load_crops, read_faces
from training.measure.markdown import table_row
from training.measure.metrics import measure
from training.models.checkpoint import load_model
from training.models.resnet import ExpressionNet
from training.personalize.persons import SimulatedPerson, make_persons
from training.personalize.retrain import retrain

ROWS = ("labels alone", "clips alone", "labels and clips")


def try_persons(
    start: Path,
    data: str,
    runs: Path,
    config: TrainConfig,
    *,
    split: str | None,
    rule: str | None,
    seed: int,
) -> dict[str, Any]:
    """Retrain `start` for each simulated person, with labels alone, clips alone, and both.

    Measures the accuracy before and after, on the person's tested images, and on the images that
    were used nowhere, as they are. Each run is in `runs`/PERSON/ROW; an interrupted one is resumed.
    """
    network, manifest = load_model(start)
    labeled = load_crops(data, split, rule, manifest.input_side, manifest.labels)
    persons, rest = make_persons(labeled, seed=seed)
    results = []
    for person in persons:
        rows = {}
        for row in ROWS:
            unlabeled, labels = _material(row, person)
            run_dir = runs / person.look.name / row
            learned, _ = retrain(start, unlabeled, labels, run_dir, config=config)
            rows[row] = {
                "after": _accuracy(learned, manifest, person.tested),
                "rest": _accuracy(learned, manifest, rest),
            }
        results.append(
            {
                "person": person.look.name,
                "without_look": _accuracy(network, manifest, _as_they_are(labeled, person)),
                "before": _accuracy(network, manifest, person.tested),
                "rows": rows,
            }
        )
    return {
        "start": str(start),
        "data": data,
        "split": split,
        "rule": rule,
        "seed": seed,
        "n_tested": len(persons[0].tested),
        "n_labeled": len(persons[0].labeled),
        "n_unlabeled": len(persons[0].unlabeled),
        "n_rest": len(rest),
        "rest_before": _accuracy(network, manifest, rest),
        "persons": results,
    }


def _as_they_are(data: LabeledImages, person: SimulatedPerson) -> LabeledImages:
    """Select the person's tested images, without the look."""
    return data.where(np.isin(data.ids, person.tested.ids))


def _material(row: str, person: SimulatedPerson) -> tuple[UInt8Array, LabeledImages | None]:
    if row == "labels alone":
        return person.labeled.images, person.labeled
    return person.unlabeled.images, person.labeled if row == "labels and clips" else None


def _accuracy(network: ExpressionNet, manifest: Manifest, data: LabeledImages) -> float:
    probs = read_faces(network, manifest, data.images)
    return measure(probs, data.labels, data.classes).accuracy


def to_markdown(result: dict[str, Any]) -> str:
    """Write one table with one row for each material that was learned from.

    The columns are the persons, their mean gain, and the accuracy on the rest, which tells what is
    forgotten.
    """
    persons = result["persons"]
    names = [person["person"] for person in persons]
    lines = [
        f"Accuracy in percent on {result['n_tested']} images a person; "
        f"{result['n_labeled']} labeled, {result['n_unlabeled']} unlabeled; rest: "
        f"{result['n_rest']} images used nowhere, as they are; seed {result['seed']}.\n",
        table_row("learnt from", *names, "mean gain", "rest"),
        table_row(*["---"] * (len(names) + 3)),
        table_row("(without the look)", *(_percent(p["without_look"]) for p in persons), "", ""),
        table_row(
            "nothing",
            *(_percent(p["before"]) for p in persons),
            "",
            _percent(result["rest_before"]),
        ),
    ]
    for row in ROWS:
        gains = [p["rows"][row]["after"] - p["before"] for p in persons]
        rest = statistics.mean(p["rows"][row]["rest"] for p in persons)
        lines.append(
            table_row(
                row,
                *(_percent(p["rows"][row]["after"]) for p in persons),
                f"{100 * statistics.mean(gains):+.1f}",
                _percent(rest),
            )
        )
    return "\n".join(lines) + "\n"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
