"""Stage 3 of a retraining: gradient steps, kept only where takes prove that they add.

The rule, written before anything was measured: as in the evidence for the closed form, the j-th
take of each expression is left out in turn. A network learns the rest by gradient, the closed form
is fitted on top of it, and the faces left out are read. The steps are kept where their gain over
the closed form alone has a 95 % interval (balanced recall, paired bootstrap over takes) above 0,
from `MIN_TAKES` takes on. With fewer, nothing could be proven, so no step is taken. A first fold
without any gain ends it, because what is left would have to be better than it ever was.

The time is said before. A few steps are measured; where all of them would take longer than was
allowed there are fewer, and where less than a third would be left, none.
"""

import json
import math
import shutil
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from fer_live.base.atomic_file import write_atomically
from fer_live.base.parse import parse_json
from fer_live.base.regular_file import read_whole
from fer_live.errors import InputError
from fer_live.model.manifest import Manifest
from fer_live.personal.calibration import (
    CalibrationStart,
    Embedded,
    Material,
    calibrate_embedded,
    choose_hold,
    embed_person,
    read_probs,
)
from fer_live.personal.evidence import Evidence, take_folds, weigh
from fer_live.personal.own_faces import cut_again
from fer_live.personal.proof import MIN_TAKES
from training.config import TrainConfig
from training.data.labeled_images import LabeledImages
from training.loop.train import OnStep
from training.models.resnet import ExpressionNet
from training.personalize.progress import OnProgress
from training.personalize.reader import open_network
from training.personalize.retrain import card_of, retrain
from training.personalize.task import Task

LEARNING, PROBE = "learning", "probe"
_LEFT_OUT = "left-out-{}"
_MAX_FOLDS = 3
RUN_FOLDERS = (LEARNING, PROBE, *(_LEFT_OUT.format(n) for n in range(_MAX_FOLDS)))
"""The runs in the folder of an unfinished retraining: of the new model, and with takes left out."""
PLAN_FILE = "plan.json"
_PROBED_STEPS = 4
_MIN_SHARE = 1 / 3
"""Of the steps that the config wants: fewer are another method than the one that was measured."""
_MOST_OF_THE_LIMIT = 0.9
_SECONDS_OF_A_RUN = 5.0
"""Beside its steps: the norms, the closed form on top, the checkpoint."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many steps each of `n_runs` runs takes, and about how many seconds all of them."""

    steps: int
    n_runs: int
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Adapted:
    """A network that learned by gradient, and the evidence over the start and over the closed form
    alone."""

    network: ExpressionNet
    steps: int
    evidence: Evidence
    over_closed_form: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class _Person:
    """A person's faces by the chosen crop, and how the start reads them."""

    task: Task
    material: Material
    embedded: Embedded
    folds: list[NDArray[np.bool_]]


def adapt(
    task: Task, material: Material, embedded: Embedded, tell: Tell, on_progress: OnProgress
) -> Adapted | None:
    """Take gradient steps where they prove to add; None where they do not, or could not."""
    everything = np.ones(len(embedded.labels), dtype=np.bool_)
    folds = take_folds(embedded.labels, embedded.takes, everything)
    why_not = _why_not(task, embedded, folds)
    if why_not:
        tell(f"gradient steps: left out; {why_not}")
        return None
    person = _Person(task, material, embedded, folds)
    on_progress("learn", 0.0)
    plan = _planned(person)
    if plan.steps == 0:
        tell(
            f"gradient steps: left out; they would take about {_in_minutes(plan.seconds)}, and "
            f"--minutes allows {task.minutes:g}"
        )
        return None
    tell(f"gradient steps: about {_in_minutes(plan.seconds)} to see whether they add")
    return _proven(person, plan, tell, on_progress)


def _why_not(task: Task, embedded: Embedded, folds: list[NDArray[np.bool_]]) -> str:
    """Why no step is taken; empty where some are."""
    if task.minutes == 0:
        return "as you asked"
    if not folds or n_tested_takes(embedded, folds) < MIN_TAKES:
        return (
            f"whether they add could not be told with fewer than {MIN_TAKES} takes of expressions "
            "that have two"
        )
    return ""


def n_tested_takes(embedded: Embedded, folds: list[NDArray[np.bool_]]) -> int:
    """Count the takes that are left out once."""
    return len(np.unique(embedded.takes[np.logical_or.reduce(folds)])) if folds else 0


def _proven(person: _Person, plan: Plan, tell: Tell, on_progress: OnProgress) -> Adapted | None:
    """Learn without each fold, compare on the takes left out, and learn from all if it adds."""
    embedded, start = person.embedded, person.task.reader
    everything = np.ones(len(embedded.labels), dtype=np.bool_)
    right = {name: np.zeros(len(everything), dtype=np.bool_) for name in ("closed", "gradient")}
    for number, fold in enumerate(person.folds):
        on_step = _share_of(on_progress, number, plan)
        network = _learned(person, plan, ~fold, _LEFT_OUT.format(number), on_step)
        right["closed"][fold] = _right_after(start, embedded, fold)
        right["gradient"][fold] = _right_after(*_read_by(person, network), fold)
        over = _compared(embedded, right["closed"], right["gradient"], person.folds[: number + 1])
        if over.verdict == "against" or (over.after or 0) <= (over.before or 0):
            break
    said = f"{over.before:.0%} without and {over.after:.0%} with them"
    if over.verdict != "proven":
        tell(f"gradient steps: left out; {over.n_takes} takes were read right in {said}")
        return None
    tell(f"gradient steps: kept; {over.n_takes} takes left out were read right in {said}")
    before = read_probs(start, start.head, embedded.labeled).argmax(axis=1) == embedded.labels
    network = _learned(
        person, plan, everything, LEARNING, _share_of(on_progress, plan.n_runs - 1, plan)
    )
    evidence = _compared(embedded, before, right["gradient"], person.folds)
    return Adapted(network, plan.steps, evidence, over)


def _compared(
    embedded: Embedded,
    before: NDArray[np.bool_],
    after: NDArray[np.bool_],
    folds: list[NDArray[np.bool_]],
) -> Evidence:
    tested = np.logical_or.reduce(folds)
    return weigh(before[tested], after[tested], embedded.labels[tested], embedded.takes[tested])


def _right_after(
    start: CalibrationStart, embedded: Embedded, fold: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Which faces of a fold are read right by a closed form that never saw them."""
    hold = choose_hold(start, embedded, take_folds(embedded.labels, embedded.takes, ~fold))
    fitted = calibrate_embedded(start, embedded, ~fold, hold)
    probs = read_probs(start, fitted.head, embedded.labeled[fold])
    return np.asarray(probs.argmax(axis=1) == embedded.labels[fold])


def _read_by(person: _Person, network: ExpressionNet) -> tuple[CalibrationStart, Embedded]:
    reader = open_adapted(person.task, network)
    change = person.embedded.crop_change
    return reader, embed_person(reader, person.material, crop_change=change)


def open_adapted(task: Task, network: ExpressionNet) -> CalibrationStart:
    """A network after gradient steps, as a start of the closed form.

    Other people's statistics stay those of the start: what is compared with them is this person's
    face as the new network reads it, which learned to bring it nearer to what the start knows.
    """
    return open_network(network, task.manifest, task.reader.statistics)


def with_note(manifest: Manifest, adapted: Adapted, start: Manifest) -> Manifest:
    """Say in the manifest of a new model that its network learned, and what that added."""
    over = adapted.over_closed_form
    personalized = {
        **manifest.training["personalized"],
        "closed_form": False,
        "gradient_steps": adapted.steps,
        "gradient_gain": {
            "closed_form_alone": over.before,
            "with_steps": over.after,
            "interval": over.interval,
        },
    }
    training = {**manifest.training, "personalized": personalized}
    return manifest.model_copy(update={"training": training, "card": card_of(start.card)})


def _learned(
    person: _Person,
    plan: Plan,
    learned: NDArray[np.bool_],
    folder: str,
    on_step: OnStep = lambda done, steps: None,
) -> ExpressionNet:
    """Retrain the start on one face of each half second, and the labeled faces `learned` (L,)."""
    task, material = person.task, person.material
    change = person.embedded.crop_change
    labeled_crops = cut_again(material.labeled, change)
    unlabeled = cut_again(material.unlabeled, change)[_one_a_segment(material.unlabeled.segments)]
    rows = np.zeros_like(learned)
    rows[_one_a_segment(material.labeled.segments)] = True
    rows &= learned
    labeled = LabeledImages(
        "the person's takes",
        task.manifest.labels,
        labeled_crops[rows],
        material.labels[rows],
        material.labeled.takes[rows],
    )
    faces = unlabeled if len(unlabeled) else labeled.images
    config = _with_steps(task.config, plan.steps)
    network, _ = retrain(
        task.start, faces, labeled, task.out / folder, config=config, on_step=on_step
    )
    return network


def _one_a_segment(segments: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first face of each half second: near copies in time count once."""
    return np.sort(np.unique(segments, return_index=True)[1])


def _with_steps(config: TrainConfig, steps: int) -> TrainConfig:
    schedule = config.schedule.model_copy(update={"steps": steps})
    return config.model_copy(update={"schedule": schedule})


def _planned(person: _Person) -> Plan:
    """Measure some steps and plan by them; a resumed run keeps the plan that it began with."""
    task = person.task
    file = task.out / PLAN_FILE
    if file.is_file():
        try:
            return Plan(**parse_json(read_whole(file)))
        except (ValueError, TypeError):
            raise InputError(f"{file}: not the plan of a retraining; delete it") from None
    n_runs = len(person.folds) + 1
    a_step_s = _seconds_a_step(person)
    plan = plan_for(task.config.schedule.steps, n_runs, a_step_s, 60 * task.minutes)
    write_atomically(file, json.dumps(asdict(plan)).encode())
    return plan


def plan_for(wanted: int, n_runs: int, a_step_s: float, limit_s: float) -> Plan:
    """As many of the `wanted` steps as fit into the limit; with too few of them, none, and then
    `seconds` are what all would take."""
    beside_s = n_runs * _SECONDS_OF_A_RUN
    fitting = (_MOST_OF_THE_LIMIT * limit_s - beside_s) / (n_runs * max(a_step_s, 1e-9))
    steps = max(min(wanted, math.floor(fitting)), 0)
    if steps < math.ceil(_MIN_SHARE * wanted):
        return Plan(0, n_runs, beside_s + n_runs * wanted * a_step_s)
    return Plan(steps, n_runs, beside_s + n_runs * steps * a_step_s)


def _seconds_a_step(person: _Person) -> float:
    """The middle one of some measured steps; the first one sets everything up and is left out."""
    folder = person.task.out / PROBE
    shutil.rmtree(folder, ignore_errors=True)
    ended_s: list[float] = []
    everything = np.ones(len(person.embedded.labels), dtype=np.bool_)
    _learned(
        person,
        Plan(_PROBED_STEPS, 1, 0.0),
        everything,
        PROBE,
        lambda done, steps: ended_s.append(time.monotonic()),
    )
    shutil.rmtree(folder, ignore_errors=True)
    return statistics.median(np.diff(ended_s).tolist())


def _share_of(on_progress: OnProgress, number: int, plan: Plan) -> OnStep:
    """Tell the steps of one of several runs as the progress of this stage."""
    expected = {"learn": plan.seconds}

    def on_step(done: int, steps: int) -> None:
        on_progress("learn", (number + done / steps) / plan.n_runs, expected)

    return on_step


def _in_minutes(seconds: float) -> str:
    minutes = max(round(seconds / 60), 1)
    return f"{minutes} minute{'s' if minutes > 1 else ''}"
