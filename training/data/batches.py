"""Makes the batch of every step: images drawn by the step's number, augmented on the device."""

from typing import get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.profiler import record_function

from fer_live.errors import DataError, InputError
from training import distributed
from training.config import ScheduleConfig, TrainConfig
from training.data.annotated_faces import AnnotatedFaces, load_annotation_files
from training.data.annotations import Kind
from training.data.augment import augmentation
from training.data.face_pool import LabeledFaces
from training.data.sampling import BalancedStream, ShuffledStream
from training.data.sources import TrainingData
from training.methods.method import Batch, Heldout, Landmarks, Method


class Batches:
    """The batches of a run: `batches(step)` gives this process's rows of the batch of a step.

    A run has `n_steps` steps and a pass `steps_per_pass`. Each step has `labeled_a_step` labeled
    images, of which `class_shares` (C,) are the shares of the classes.
    """

    def __init__(
        self, config: TrainConfig, data: TrainingData, method: Method, device: torch.device
    ) -> None:
        schedule, seed = config.schedule, config.run.seed
        n_labeled, n_unlabeled = len(data.labeled), len(data.unlabeled)
        self.uses_unlabeled = method.uses_unlabeled
        self._n_weak_views = method.n_weak_views
        self._needs_heldout = method.needs_heldout
        self._unlabeled_size = schedule.unlabeled_batch_size
        _check_images(config, data, method)
        # First the labeled images, then those held out.
        self._n_heldout = len(data.heldout)
        kind = config.data.targets
        files = load_annotation_files(
            config.annotations, config.model.input_side, data.labeled.classes
        )
        self._images = AnnotatedFaces(data.labeled.faces + data.heldout.faces, files, device)
        self._targets = torch.cat([_targets(part, kind) for part in (data.labeled, data.heldout)])
        self._targets = self._mixed(self._targets.to(device), config.annotations.answers_weight)
        labels = torch.from_numpy(np.concatenate([data.labeled.labels, data.heldout.labels]))
        self._labels = labels.to(device)
        self._unlabeled = AnnotatedFaces(data.unlabeled, files, device)
        self._check_annotated(config)
        if method.needs_answers:
            self._check_answers(config)
        self._landmarks_weight = config.annotations.landmarks_weight
        self.n_landmarks = files.n_landmarks
        self.hidden_labels = torch.from_numpy(data.hidden_labels).to(device)
        self._weak = augmentation(config.weak).to(device)
        self._strong = augmentation(config.strong).to(device)
        self._device = device

        self.steps_per_pass = _steps_per_pass(schedule, data)
        self.n_steps = schedule.steps or self.steps_per_pass * schedule.passes
        self._all_labels_from = round(self.n_steps * schedule.heldout_until)
        batch_size = schedule.batch_size if n_labeled else 0
        self._n_weak_labeled = round(batch_size * (1 - schedule.strong_labeled))
        self.labeled_a_step = batch_size
        if not self.uses_unlabeled:
            self.labeled_a_step += self._unlabeled_size
        self._labeled_rows, self._all_rows = (
            _stream(of_part, self.labeled_a_step, schedule.balance, seed)
            for of_part in (labels[:n_labeled], labels)
        )
        self._heldout_rows = ShuffledStream(
            max(self._n_heldout, 1), schedule.heldout_batch_size, seed + 2
        )
        self._logit_adjustment = None
        self.class_shares = torch.zeros(self._targets.shape[1])
        if n_labeled:
            # A class without an image counts as half of one, for the logarithm.
            shares = self._labeled_rows.class_shares(self._targets[:n_labeled])
            self.class_shares = shares.clamp_min(0.5 / n_labeled)
            if schedule.logit_adjustment:
                self._logit_adjustment = schedule.logit_adjustment * self.class_shares.log()
        self._unlabeled_rows = ShuffledStream(max(n_unlabeled, 1), self._unlabeled_size, seed + 1)

    def _check_annotated(self, config: TrainConfig) -> None:
        """Refuse annotations that are all of other faces: they would do nothing."""
        for kind in get_args(Kind):
            named = getattr(config.annotations, kind)
            if named and not (self._images.has(kind) or self._unlabeled.has(kind)):
                raise InputError(
                    f"annotations.{kind}: {named if isinstance(named, str) else ', '.join(named)}: "
                    "of none of the faces that this config trains on; make them with this config"
                )

    def _check_answers(self, config: TrainConfig) -> None:
        """Refuse files that lack a face whose answer is needed: a step would have no loss."""
        n_lacking = {"unlabeled": (self._unlabeled.n_without_answer(), len(self._unlabeled))}
        if self._needs_heldout and config.schedule.heldout_until:
            n_labeled = len(self._images) - self._n_heldout
            n = self._images.n_without_answer(n_labeled)
            n_lacking["held-out"] = n, self._n_heldout
        told = [f"{n} of {of} {kind} faces" for kind, (n, of) in n_lacking.items() if n]
        if told:
            raise InputError(
                f"annotations.answers: no file has an answer for {' and '.join(told)}, which "
                f"{config.run.method} with options.stored_answers needs; name a teacher's that has "
                "them (`fer-train annotate answers`)"
            )

    def __call__(self, step: int) -> tuple[Batch, Tensor]:
        """Make the batch of a step; returns it with the rows (U,) of its unlabeled images."""
        own = distributed.own_rows
        with record_function("augment"):
            holds_out = self._n_heldout > 0 and step < self._all_labels_from
            stream = self._labeled_rows if holds_out else self._all_rows
            rows = stream(step).to(self._device)
            targets = own(self._targets[rows])
            weak, strong = self._images.take(rows).tensor_split([self._n_weak_labeled])
            measures = self._images.landmarks(rows)
            if not self.uses_unlabeled:
                labeled = torch.cat([_augment(self._weak, weak), _augment(self._strong, strong)])
                batch = Batch(
                    own(labeled),
                    targets,
                    logit_adjustment=self._logit_adjustment,
                    landmarks=self._own_landmarks(measures, None),
                )
                return batch, rows[:0]
            rows = self._unlabeled_rows(step).to(self._device)
            images = self._unlabeled.take(rows)
            landmarks = self._own_landmarks(measures, self._unlabeled.landmarks(rows))
            answers = self._unlabeled.answers(rows)
            told = self._heldout_rows(step)[: self._heldout_size(holds_out)].to(self._device)
            told += len(self._labels) - self._n_heldout
            # Labeled and unlabeled images in one call, because a call costs as much as ten images.
            weak_views, heldout_views = _augment(
                self._weak,
                torch.cat([weak, *[images] * self._n_weak_views, self._images.take(told)]),
            ).tensor_split([len(weak) + len(images) * self._n_weak_views])
            strong_views = _augment(self._strong, torch.cat([strong, images]))
            labeled = torch.cat([weak_views[: len(weak)], strong_views[: len(strong)]])
            labeled_weakly = torch.arange(len(labeled), device=self._device) < len(weak)
            weak_unlabeled = torch.split(weak_views[len(weak) :], len(images))
            return (
                Batch(
                    own(labeled),
                    targets,
                    tuple(own(view) for view in weak_unlabeled[: self._n_weak_views]),
                    own(strong_views[len(strong) :]),
                    own(labeled_weakly),
                    self._logit_adjustment,
                    self._heldout(heldout_views, told) if len(told) else None,
                    self.class_shares,
                    landmarks,
                    None if answers is None else own(answers),
                ),
                own(rows),
            )

    def _heldout(self, views: Tensor, rows: Tensor) -> Heldout:
        own, answers = distributed.own_rows, self._images.answers(rows)
        return Heldout(
            own(views),
            own(self._labels[rows]),
            self._n_heldout,
            None if answers is None else own(answers),
        )

    def _own_landmarks(self, labeled: Tensor | None, unlabeled: Tensor | None) -> Landmarks | None:
        """This process's rows of the measures of a batch; None without landmarks."""
        if labeled is None:
            return None
        own = distributed.own_rows
        return Landmarks(
            own(labeled), None if unlabeled is None else own(unlabeled), self._landmarks_weight
        )

    def _mixed(self, targets: Tensor, share: float) -> Tensor:
        """Mix the targets (N, C) of the labeled images with the teachers' answers, where there are
        some."""
        answers = self._images.answers(torch.arange(len(targets), device=targets.device))
        if answers is None:
            return targets
        return torch.where(answers.isfinite(), targets.lerp(answers, share), targets)

    def _heldout_size(self, holds_out: bool) -> int:
        """How many held-out images a step looks at: none where no method asks for them."""
        return self._heldout_rows.size if holds_out and self._needs_heldout else 0


def _stream(
    labels: Tensor, batch_size: int, balance: float, seed: int
) -> ShuffledStream | BalancedStream:
    if balance and len(labels):
        return BalancedStream(labels, batch_size, balance, seed)
    return ShuffledStream(len(labels), batch_size, seed)


def _check_images(config: TrainConfig, data: TrainingData, method: Method) -> None:
    """Refuse data that lacks the images that the method needs."""
    name = config.run.method
    if method.uses_unlabeled and not config.schedule.unlabeled_batch_size:
        raise InputError(f"run.method {name} needs schedule.unlabeled_batch_size above 0")
    if method.uses_unlabeled and not len(data.unlabeled):
        raise DataError(
            f"{name} needs unlabeled images, and there are none: lower data.labeled_share or name "
            "some in data.unlabeled"
        )
    if method.needs_labels and not len(data.labeled):
        raise DataError(f"{name} needs labeled images, and there are none")
    if method.needs_answers and not config.annotations.answers:
        raise InputError(
            f"{name} with options.stored_answers needs the answers; name a file of `fer-train "
            "annotate answers` in annotations.answers"
        )
    if config.annotations.landmarks and not method.learns_landmarks:
        raise InputError(f"{name} learns no landmarks; leave annotations.landmarks out")
    schedule = config.schedule
    if method.needs_weak_labeled and not round(schedule.batch_size * (1 - schedule.strong_labeled)):
        raise InputError(
            f"{name} takes its thresholds from weakly augmented labeled images, and there are "
            "none; lower schedule.strong_labeled"
        )
    if method.needs_heldout and not len(data.heldout):
        raise InputError(
            f"{name} with these options needs labeled images that carry no gradient; set "
            "data.heldout_share"
        )


def _steps_per_pass(schedule: ScheduleConfig, data: TrainingData) -> int:
    """How many steps go once through all images; `DataError` where these are fewer than a batch."""
    n_labeled, n_unlabeled = len(data.labeled), len(data.unlabeled)
    if schedule.unlabeled_batch_size:
        steps = (n_labeled + n_unlabeled) // schedule.unlabeled_batch_size
    else:
        steps = n_labeled // schedule.batch_size
    if schedule.steps and n_labeled + n_unlabeled:
        # So many steps, however few images there are: one comes more than once a step then.
        steps = max(steps, 1)
    if steps == 0:
        raise DataError(
            f"{data.labeled.name}: {n_labeled} labeled and {n_unlabeled} unlabeled images, fewer "
            "than one batch; lower schedule.batch_size or schedule.unlabeled_batch_size"
        )
    return steps


def _augment(augment: nn.Module, images: Tensor) -> Tensor:
    """Scale and augment images: (N, 1, S, S) uint8 -> float in [-1, 1]."""
    faces = images.float() / 255
    augmented: Tensor = augment(faces) if len(images) else faces
    return augmented * 2 - 1


def _targets(data: LabeledFaces, kind: str) -> Tensor:
    if kind == "votes":
        if data.votes is None:
            raise InputError(f"data.targets: {data.name} has no votes; use hard")
        return torch.from_numpy(data.votes)
    return F.one_hot(torch.from_numpy(data.labels), len(data.classes)).float()
