"""The training loop, read top to bottom."""

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from fer_live.atomic_file import write_atomically
from fer_live.datatypes import UInt8Array
from fer_live.errors import DataError, InputError
from fer_live.manifest import CropGeometry, Manifest
from training import checkpoint
from training.config import ScheduleConfig, TrainConfig, config_to_toml, load_config
from training.data.augment import weak_augmentation
from training.data.fer2013 import Fer2013
from training.data.labeled_images import LabeledImages, resize_faces
from training.data.sources import load_training_source
from training.ema import EmaTeacher
from training.methods import METHODS
from training.metrics import measure
from training.models.resnet import ExpressionNet, predict_probs

CONFIG_FILE = "config.toml"
LOG_FILE = "log.jsonl"
METRICS_FILE = "metrics.json"


def fit(config: TrainConfig, run_dir: Path, *, resume: bool) -> dict[str, Any]:
    """Train by `config` into `run_dir` and return the final figures.

    An interrupted run, resumed, ends in the same weights as an uninterrupted one: order of images
    is a function of seed and epoch, everything else that moves is in the checkpoint.
    """
    _check_run_dir(config, run_dir, resume)
    device = resolve_device(config.run.device)
    torch.backends.cudnn.deterministic = True  # or a resumed run would differ on a GPU
    torch.manual_seed(config.run.seed)

    # Data: everything lives on the device as uint8.
    source = load_training_source(config.data.source)
    training_set = source.select("Training", config.data.labels)
    targets = _targets(training_set, config.data.targets).to(device)
    images = _to_device(training_set.images, config.model.input_side, device)
    augment = weak_augmentation(config.augmentation).to(device)

    # Networks.
    student = ExpressionNet(len(training_set.classes), config.model.width, config.model.dropout)
    student.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    teacher = EmaTeacher(student, config.schedule.ema_decay)
    optimizer = _optimizer(student, config.schedule)
    objective = METHODS[config.run.method]

    steps_per_epoch = len(training_set) // config.schedule.batch_size
    if steps_per_epoch == 0:
        raise DataError(
            f"{training_set.name}: {len(training_set)} images, fewer than one batch of "
            f"{config.schedule.batch_size}; lower schedule.batch_size"
        )
    n_steps = steps_per_epoch * config.schedule.epochs
    first_step, history, running = 0, [], _RunningMeans()
    resume_file = run_dir / checkpoint.RESUME_FILE
    if resume and resume_file.is_file():
        state = checkpoint.restore_run(resume_file, student, teacher.module, optimizer)
        _check_same_run(resume_file, state, n_images=len(training_set), device=device.type)
        first_step, history = state["step"], state["history"]
        running = _RunningMeans(*state["running"])

    _make_run_dir(config, run_dir)
    with tqdm(
        total=n_steps * config.schedule.batch_size,
        initial=first_step * config.schedule.batch_size,
        unit="img",
        unit_scale=True,
        desc="training",
        mininterval=1.0,
    ) as progress:
        order = _batches(len(training_set), config, first_step, n_steps)
        saved_at = time.monotonic()
        student.train()
        for step, rows in enumerate(order, first_step):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, steps_per_epoch, config.schedule)
            batch_rows = rows.to(device)
            faces = augment(images[batch_rows].float() / 255) * 2 - 1  # (B, 1, S, S) in [-1, 1]
            with torch.autocast(
                device.type, torch.bfloat16, enabled=config.run.precision == "bf16"
            ):
                terms = objective(student, faces, targets[batch_rows])
            optimizer.zero_grad(set_to_none=True)
            terms["loss"].backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            teacher.update(student, step)

            running.add(terms["loss"].detach(), terms["logits"], targets[batch_rows])
            progress.update(len(rows))
            done = step + 1
            if done % 10 == 0:
                progress.set_postfix(running.as_dict())
            if done % steps_per_epoch == 0:
                history.append({"epoch": done // steps_per_epoch, **running.as_dict()})
                history[-1] |= _validate(teacher.module, source, config, device)
                running = _RunningMeans()
                _write_log(run_dir, history)
            if done % steps_per_epoch == 0 or (
                time.monotonic() - saved_at > config.run.checkpoint_every_s
            ):
                state = {
                    "step": done,
                    "history": history,
                    "running": running.sums(),
                    "n_images": len(training_set),
                    "device": device.type,
                }
                checkpoint.save_run(resume_file, state, student, teacher.module, optimizer)
                saved_at = time.monotonic()

    metrics = _final_metrics(teacher.module, source, config, device)
    manifest = Manifest(
        labels=training_set.classes,
        input_side=config.model.input_side,
        crop=CropGeometry(),
        architecture={"name": "resnet18", "width": config.model.width},
        training={
            "method": config.run.method,
            "data": training_set.name,
            "n_images": len(training_set),
            "targets": config.data.targets,
            "seed": config.run.seed,
            "epochs": config.schedule.epochs,
            "checkpoint": "last EMA teacher",
        },
        metrics=metrics,
    )
    checkpoint.save_model(run_dir / checkpoint.MODEL_FILE, teacher.module, manifest)
    write_atomically(run_dir / METRICS_FILE, json.dumps(metrics, indent=2).encode() + b"\n")
    return metrics


def learning_rate(step: int, steps_per_epoch: int, schedule: ScheduleConfig) -> float:
    """Linear warm-up, then half a cosine to zero at the last step."""
    warmup = schedule.warmup_epochs * steps_per_epoch
    if step < warmup:
        return schedule.learning_rate * (step + 1) / warmup
    share = (step - warmup) / max(schedule.epochs * steps_per_epoch - warmup, 1)
    return schedule.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


def resolve_device(name: str) -> torch.device:
    """The device of a config; asking for cuda where there is none is the user's mistake."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("run.device: cuda was asked for, but torch finds no CUDA GPU; use cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


class _RunningMeans:
    """Loss and accuracy since the epoch began; summed on the device, read when shown."""

    def __init__(self, loss_sum: float = 0.0, n_right: int = 0, n: int = 0) -> None:
        self._loss: Tensor | float = loss_sum
        self._right: Tensor | int = n_right
        self._n = n

    def add(self, loss: Tensor, logits: Tensor, targets: Tensor) -> None:
        n = len(targets)
        self._loss = self._loss + loss * n
        self._right = self._right + (logits.argmax(1) == targets.argmax(1)).sum()
        self._n += n

    def as_dict(self) -> dict[str, float]:
        n = max(self._n, 1)
        return {"loss": round(float(self._loss) / n, 4), "acc": round(float(self._right) / n, 4)}

    def sums(self) -> tuple[float, int, int]:
        """What a checkpoint keeps, and `__init__` takes."""
        return float(self._loss), int(self._right), self._n


def _check_run_dir(config: TrainConfig, run_dir: Path, resume: bool) -> None:
    """Never overwrite a run, nor go on with another config."""
    config_file = run_dir / CONFIG_FILE
    if not config_file.is_file():
        return
    if not resume:
        raise InputError(
            f"{run_dir}: a run is there already; add --resume, or choose another --out"
        )
    if load_config(config_file) != config:
        raise InputError(
            f"{config_file}: the run there was started with another config; resume with that file, "
            "or choose another --out"
        )


def _check_same_run(path: Path, state: dict[str, Any], **now: int | str) -> None:
    """The order of images and the random state mean nothing on other data or another device."""
    for name, value in now.items():
        if state[name] != value:
            raise InputError(
                f"{path}: the run there had {name} {state[name]}, this one has {value}; it cannot "
                "be resumed, choose another --out"
            )


def _make_run_dir(config: TrainConfig, run_dir: Path) -> None:
    """Only once data and device are known to be there: a mistake leaves no half-made run."""
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{run_dir}: cannot make this folder: {error.strerror}") from None
    write_atomically(run_dir / CONFIG_FILE, config_to_toml(config).encode())


def _targets(data: LabeledImages, kind: str) -> Tensor:
    if kind == "votes":
        if data.votes is None:
            raise InputError(f"data.targets: {data.name} has no votes; use hard")
        return torch.from_numpy(data.votes)
    return F.one_hot(torch.from_numpy(data.labels), len(data.classes)).float()


def _to_device(images: UInt8Array, side: int, device: torch.device) -> Tensor:
    return torch.from_numpy(resize_faces(images, side)).unsqueeze(1).to(device)


def _optimizer(student: nn.Module, schedule: ScheduleConfig) -> torch.optim.SGD:
    """SGD; biases and norms are not decayed, as in He et al., "Bag of Tricks" (2018)."""
    matrices = [p for p in student.parameters() if p.ndim > 1]
    vectors = [p for p in student.parameters() if p.ndim <= 1]
    return torch.optim.SGD(
        [
            {"params": matrices, "weight_decay": schedule.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ],
        lr=schedule.learning_rate,
        momentum=schedule.momentum,
        nesterov=schedule.momentum > 0,
    )


def _batches(n: int, config: TrainConfig, first_step: int, n_steps: int) -> Iterator[Tensor]:
    """Rows of each step's batch; the order of an epoch depends on seed and epoch alone."""
    size = config.schedule.batch_size
    steps_per_epoch = n // size
    epoch, order = -1, torch.empty(0)
    for step in range(first_step, n_steps):
        if step // steps_per_epoch != epoch:
            epoch = step // steps_per_epoch
            generator = torch.Generator().manual_seed(config.run.seed * 1_000_003 + epoch)
            order = torch.randperm(n, generator=generator)
        begin = step % steps_per_epoch * size
        yield order[begin : begin + size]


def _validate(
    network: nn.Module, source: Fer2013, config: TrainConfig, device: torch.device
) -> dict[str, float]:
    """PublicTest accuracy, for the log alone: nothing is chosen by it."""
    if "PublicTest" not in source.usages:
        return {}
    data = source.select("PublicTest", config.data.labels)
    images = _to_device(data.images, config.model.input_side, device)
    probs = predict_probs(network, images).numpy()
    return {"publictest_acc": round(measure(probs, data.labels, data.classes).accuracy, 4)}


def _final_metrics(
    network: nn.Module, source: Fer2013, config: TrainConfig, device: torch.device
) -> dict[str, Any]:
    rules = ("fer2013",) if source.votes is None else ("ferplus-argmax", "ferplus-majority")
    metrics: dict[str, Any] = {}
    if "PublicTest" not in source.usages:
        return metrics
    for rule in rules:
        data = source.select("PublicTest", rule)  # type: ignore[arg-type]
        images = _to_device(data.images, config.model.input_side, device)
        probs = predict_probs(network, images).numpy()
        metrics[f"PublicTest {rule}"] = measure(probs, data.labels, data.classes).as_dict()
    return metrics


def _write_log(run_dir: Path, history: list[dict[str, float]]) -> None:
    lines = "".join(json.dumps(row) + "\n" for row in history)
    write_atomically(run_dir / LOG_FILE, lines.encode())
