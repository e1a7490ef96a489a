"""Stage 2 of a retraining: learn the person's faces, and let other networks learn for the proof."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_live.model.manifest import Manifest
from training.data.labeled_images import LabeledImages
from training.loop.train import OnStep
from training.models.resnet import ExpressionNet
from training.personalize.faces import PersonData
from training.personalize.progress import OnProgress
from training.personalize.retrain import retrain
from training.personalize.task import Task

LEARNING = "learning"
HALVES = ("half-1", "half-2")
RUN_FOLDERS = (LEARNING, *HALVES)
"""The runs in the folder of an unfinished retraining: of the new model, and of the halves."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """A network, and the rows (n,) of the labeled faces that it has never learned."""

    network: ExpressionNet
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """The new network with its manifest, and the networks that it is proven by."""

    network: ExpressionNet
    manifest: Manifest
    held_out: tuple[HeldOut, ...]


def learn(task: Task, person: PersonData, on_progress: OnProgress) -> Learned:
    """Retrain on all faces of a person but the second takes.

    The new network is tested on the second takes. Where there are none, the labeled takes are
    halved, and each half is tested by another network that learned the other half alone.
    """
    on_progress("learn", 0.0)
    first, labeled = person.is_first_take, person.labeled
    halves = [] if first is not None else _halves(person.takes)
    n_runs = len(halves) + 1
    held_out = []
    for number, half in enumerate(halves):
        on_step = _share_of(on_progress, number, n_runs)
        other, _ = _run(task, person, labeled.where(~half), HALVES[number], on_step)
        held_out.append(HeldOut(other, np.flatnonzero(half)))
    on_step = _share_of(on_progress, len(halves), n_runs)
    network, manifest = _run(task, person, person.training, LEARNING, on_step)
    if first is not None:
        held_out.append(HeldOut(network, np.flatnonzero(~first)))
    return Learned(network, manifest, tuple(held_out))


def _run(
    task: Task, person: PersonData, labeled: LabeledImages, folder: str, on_step: OnStep
) -> tuple[ExpressionNet, Manifest]:
    """Retrain one network on the unlabeled faces and some labeled ones, of which there may be 0."""
    return retrain(
        task.start,
        person.unlabeled.images,
        labeled if len(labeled) else None,
        task.out / folder,
        config=task.config,
        on_step=on_step,
    )


def _share_of(on_progress: OnProgress, number: int, n_runs: int) -> OnStep:
    """Tell the steps of one of several runs as the progress of this stage."""
    return lambda done, steps: on_progress("learn", (number + done / steps) / n_runs)


def _halves(takes: NDArray[np.str_]) -> list[NDArray[np.bool_]]:
    """Masks (L,) of every second take and of the others; none where there is only one take."""
    _, numbers = np.unique(takes, return_inverse=True)
    halves = [numbers % 2 == 0, numbers % 2 == 1]
    return halves if all(half.any() for half in halves) else []
