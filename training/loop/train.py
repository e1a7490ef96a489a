"""The training loop, read top to bottom."""

import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.profiler import record_function
from tqdm import tqdm

from fer_live.base.atomic_file import write_atomically
from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.errors import InputError
from fer_live.model.manifest import CropGeometry, Manifest
from training import distributed
from training.config import ScheduleConfig, TrainConfig, config_to_toml, load_config
from training.data.batches import Batches
from training.data.sources import TrainingData, load_training_data
from training.data.splits import save_list
from training.loop.ema import EmaTeacher
from training.loop.log import TrainingLog
from training.loop.optimizers import build_optimizers
from training.loop.resume import RESUME_FILE, restore_run, save_run
from training.measure.metrics import measure, reliability
from training.methods import METHODS
from training.methods.method import Method
from training.models import checkpoint
from training.models.config import ModelConfig
from training.models.resnet import ExpressionNet, predict_probs

CONFIG_FILE = "config.toml"
LOG_FILE = "log.jsonl"
METRICS_FILE = "metrics.json"
UNLABELED = "unlabeled images"
"""Name of the figures on the images whose labels training did not see."""
SPLIT_FILE = "split.json"

_MAX_EVALUATIONS = 30
"""In a run of more passes than this, not every pass is evaluated: at 5 % of the labels a pass is 40
steps, and the evaluation takes longer."""


_NATIVE_BF16 = ("avx512_bf16", "amx_bf16", "bf16")
"""As x86 and, the last one, Arm processors call it."""


def fit(
    config: TrainConfig,
    run_dir: Path,
    *,
    resume: bool,
    show_progress: bool = True,
    data: TrainingData | None = None,
    on_step: Callable[[int, int], None] = lambda done, steps: None,
) -> dict[str, Any]:
    """Train by `config` into `run_dir` and return the final figures.

    `data`, where it is given, is trained on in place of what config.data names. `on_step` is told
    after each step how many of how many are done.

    An interrupted run, resumed, ends in the same weights as an uninterrupted one: the order of
    images is a function of seed and step, everything else that moves is in the checkpoint. Under
    torchrun, every process calls this, and the first one writes.
    """
    _check_run_dir(config, run_dir, resume)
    device = resolve_device(config.run.device)
    with distributed.process_group(device):
        return _fit(
            config, run_dir, device, data, on_step, resume=resume, show_progress=show_progress
        )


def _fit(
    config: TrainConfig,
    run_dir: Path,
    device: torch.device,
    data: TrainingData | None,
    on_step: Callable[[int, int], None],
    *,
    resume: bool,
    show_progress: bool,
) -> dict[str, Any]:
    torch.backends.cudnn.deterministic = True  # or a resumed run would differ on a GPU
    torch.manual_seed(config.run.seed)
    schedule = config.schedule
    if distributed.n_processes() > 1 and not METHODS[config.run.method].several_processes:
        raise InputError(f"run.method {config.run.method}: one process alone; leave torchrun out")
    distributed.check_divisible(
        **{
            "schedule.batch_size": schedule.batch_size,
            "schedule.unlabeled_batch_size": schedule.unlabeled_batch_size,
        }
    )

    # Data, networks, objective.
    if data is None:
        data = load_training_data(config.data, config.model.input_side, config.run.seed)
    student = checkpoint.build_network(config.model, len(data.labeled.classes))
    if schedule.start_from:
        _start_from(student, Path(schedule.start_from), data.labeled.classes, config.model)
    distributed.with_global_norms(student)
    student.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    teacher = EmaTeacher(student, schedule.ema_decay, ramp=not schedule.start_from)
    optimizers = build_optimizers(student, schedule)
    method = METHODS[config.run.method](config.options, len(data.labeled.classes)).to(device)
    method.begin(student)
    batches = Batches(config, data, method, device)

    began = time.monotonic()
    modules = {"student": student, "teacher": teacher.module, "method": method}
    first_step, log = 0, TrainingLog(device)
    resume_file = run_dir / RESUME_FILE
    if resume and resume_file.is_file():
        state = restore_run(resume_file, modules, optimizers)
        _check_same_run(resume_file, state, **_identity(data, device))
        first_step, log = state["step"], TrainingLog.restored(device, state["log"])
        began -= state["wall_s"]
    elif resume and show_progress and distributed.is_first():
        print(f"{run_dir}: no checkpoint to go on from; begins at the first step", file=sys.stderr)
    distributed.wait_for_all()  # until every process has found the folder free
    if distributed.is_first():
        _make_run_dir(config, run_dir, data)

    n_passes = batches.n_steps // batches.steps_per_pass
    evaluate_every = batches.steps_per_pass * max(math.ceil(n_passes / _MAX_EVALUATIONS), 1)
    saved_at = time.monotonic()
    precision = resolve_precision(config.run.precision, device)
    student.train()
    for step in tqdm(
        range(first_step, batches.n_steps),
        initial=first_step,
        total=batches.n_steps,
        unit="step",
        desc="training",
        mininterval=1.0,
        disable=not (show_progress and distributed.is_first()),
    ):
        passes = step / batches.steps_per_pass
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = learning_rate(step, batches.n_steps, schedule)
        batch, unlabeled_rows = batches(step)
        with (
            record_function("objective"),
            torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"),
        ):
            result = method.step(student, teacher.module, batch, passes)
        with record_function("backward"):
            student.zero_grad(set_to_none=True)
            result.loss.backward()  # type: ignore[no-untyped-call]
        with record_function("update"):
            distributed.average_gradients(student)
            for optimizer in optimizers:
                optimizer.step()
            teacher.update(student, step)
        log.add(result, batch, batches.hidden_labels[unlabeled_rows])

        done = step + 1
        evaluate_now = done % evaluate_every == 0 or done == batches.n_steps
        lines_before, lines_now = (
            s * schedule.logs_per_pass // batches.steps_per_pass for s in (step, done)
        )
        if lines_now > lines_before or evaluate_now:
            log.close_line(done, done / batches.steps_per_pass, method)
            if evaluate_now:
                log.history[-1] |= _validate(teacher.module, data, device)
            if distributed.is_first():
                log.write(run_dir / LOG_FILE)
        # Between passes one process alone may save: others have parts of the log's line.
        in_time = time.monotonic() - saved_at > config.run.checkpoint_every_s
        if (evaluate_now and distributed.is_first()) or (
            in_time and distributed.n_processes() == 1
        ):
            state = {
                "step": done,
                "wall_s": time.monotonic() - began,
                "log": log.state(),
                **_identity(data, device),
            }
            save_run(resume_file, state, modules, optimizers)
            saved_at = time.monotonic()
        on_step(done, batches.n_steps)

    metrics = _final_metrics(teacher.module, data, device)
    if distributed.is_first():
        manifest = _manifest(config, data, batches, method, metrics, precision)
        checkpoint.save_model(run_dir / checkpoint.MODEL_FILE, teacher.module, manifest)
        write_atomically(run_dir / METRICS_FILE, json.dumps(metrics, indent=2).encode() + b"\n")
    distributed.wait_for_all()
    return metrics


def learning_rate(step: int, n_steps: int, schedule: ScheduleConfig) -> float:
    """Linear warm-up, then half a cosine to zero at the last step."""
    warmup = schedule.warmup * n_steps
    if step < warmup:
        return schedule.learning_rate * min((step + 1) / warmup, 1.0)
    share = (step - warmup) / max(n_steps - warmup, 1)
    return schedule.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


def resolve_device(name: str) -> torch.device:
    """The device of a config; asking for cuda where there is none is the user's mistake."""
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("run.device: cuda was asked for, but torch finds no CUDA GPU; use cpu")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def resolve_precision(name: str, device: torch.device) -> str:
    """The precision of a config, "bf16" or "fp32". A processor that has to emulate bf16 takes ten
    times as long as in fp32."""
    if name != "auto":
        return name
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = any(torch.cpu.get_capabilities().get(ability) for ability in _NATIVE_BF16)
    return "bf16" if native else "fp32"


def _identity(data: TrainingData, device: torch.device) -> dict[str, int | str]:
    """What must not change under a run: order and random numbers mean nothing on other data or
    another device."""
    return {
        "n_images": len(data.labeled),
        "n_unlabeled": len(data.unlabeled),
        "device": device.type,
        "processes": distributed.n_processes(),
    }


def _check_run_dir(config: TrainConfig, run_dir: Path, resume: bool) -> None:
    """Never overwrite a run, nor go on with another config."""
    config_file = run_dir / CONFIG_FILE
    if not config_file.is_file():
        outputs = (checkpoint.MODEL_FILE, METRICS_FILE, LOG_FILE, SPLIT_FILE)
        foreign = [name for name in outputs if (run_dir / name).exists()]
        if foreign:
            raise InputError(
                f"{run_dir}: holds a {foreign[0]} that is no part of a run, for there is no "
                f"{CONFIG_FILE}; choose another --out"
            )
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
    for name, value in now.items():
        if state[name] != value:
            raise InputError(
                f"{path}: the run there had {name} {state[name]}, this one has {value}; it cannot "
                "be resumed, choose another --out"
            )


def _make_run_dir(config: TrainConfig, run_dir: Path, data: TrainingData) -> None:
    """Only once data and device are known to be there: a mistake leaves no half-made run."""
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{run_dir}: cannot make this folder: {error.strerror}") from None
    write_atomically(run_dir / CONFIG_FILE, config_to_toml(config).encode())
    save_list(run_dir / SPLIT_FILE, data.split)


def _start_from(
    student: ExpressionNet, path: Path, classes: tuple[str, ...], config: ModelConfig
) -> None:
    network, manifest = checkpoint.load_model(path)
    if manifest.labels != classes:
        raise InputError(
            f"schedule.start_from {path}: its labels {', '.join(manifest.labels)} are not the "
            f"data's: {', '.join(classes)}"
        )
    try:
        student.load_state_dict(network.state_dict())
    except RuntimeError:
        raise InputError(
            f"schedule.start_from {path}: another network than [model] says, "
            f"{manifest.architecture}; make both the same"
        ) from None


def _probs(network: ExpressionNet, faces: UInt8Array, device: torch.device) -> FloatArray:
    images = torch.from_numpy(faces).unsqueeze(1).to(device)
    return np.asarray(predict_probs(network, images).numpy(), dtype=np.float32)


def _validate(network: ExpressionNet, data: TrainingData, device: torch.device) -> dict[str, float]:
    """The teacher's accuracy, for the log alone: nothing is chosen by it."""
    for evaluation in data.evaluations.values():
        probs = _probs(network, evaluation.images, device)
        accuracy = measure(probs, evaluation.labels, evaluation.classes).accuracy
        return {"evaluation_acc": round(accuracy, 4)}
    return {}


def _final_metrics(
    network: ExpressionNet, data: TrainingData, device: torch.device
) -> dict[str, Any]:
    """By each evaluation, and on the unlabeled images whose true labels are known: ten times as
    many, and no semi-supervised run has seen one of these labels."""
    metrics: dict[str, Any] = {}
    for name, evaluation in data.evaluations.items():
        probs = _probs(network, evaluation.images, device)
        figures = measure(probs, evaluation.labels, evaluation.classes).as_dict()
        metrics[name] = {**figures, "reliability": reliability(probs, evaluation.labels)}
    known = data.hidden_labels >= 0
    if data.evaluations and known.any():
        labels = data.hidden_labels[known]
        probs = _probs(network, data.unlabeled[known], device)
        figures = measure(probs, labels, data.labeled.classes).as_dict()
        metrics[UNLABELED] = {**figures, "reliability": reliability(probs, labels)}
    return metrics


def _rounded(values: torch.Tensor) -> list[float]:
    return [round(value, 5) for value in values.tolist()]


def _manifest(
    config: TrainConfig,
    data: TrainingData,
    batches: Batches,
    method: Method,
    metrics: dict[str, Any],
    precision: str,
) -> Manifest:
    passes = batches.n_steps / batches.steps_per_pass
    schedule = config.schedule
    start = {}
    if schedule.start_from:
        start["start"] = checkpoint.load_model(Path(schedule.start_from))[1].training
    measured_on = {
        name: Path(path).name
        for name in ("evaluation_only", "evaluation_without")
        if (path := getattr(config.data, name))
    }
    thresholds = method.thresholds(passes)
    return Manifest(
        labels=data.labeled.classes,
        input_side=config.model.input_side,
        crop=CropGeometry(),
        architecture=checkpoint.architecture(config.model),
        training={
            "method": config.run.method,
            "data": data.labeled.name,
            "n_images": len(data.labeled),
            "n_unlabeled": len(data.unlabeled) if batches.uses_unlabeled else 0,
            "unlabeled": list(config.data.unlabeled),
            "targets": config.data.targets,
            "logit_adjustment": schedule.logit_adjustment,
            "balance": schedule.balance,
            "class_shares": _rounded(batches.class_shares),
            "seed": config.run.seed,
            "precision": precision,
            "passes": round(passes, 2),
            "steps": batches.n_steps,
            "labeled_images_seen": batches.n_steps * batches.labeled_a_step,
            "checkpoint": "last EMA teacher",
            **start,
            **measured_on,
            **({} if thresholds is None else {"thresholds": _rounded(thresholds)}),
        },
        metrics={
            name: {key: value for key, value in figures.items() if key != "reliability"}
            for name, figures in metrics.items()
        },
    )
