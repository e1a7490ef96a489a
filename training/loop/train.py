"""The training loop, read top to bottom."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.profiler import record_function
from tqdm import tqdm

from fer_live.base.atomic_file import write_atomically
from fer_live.errors import FerLiveError
from training import distributed
from training.config import ScheduleConfig, TrainConfig
from training.data.sources import TrainingData
from training.loop.figures import final_metrics, manifest_of, validate
from training.loop.resume import BEFORE_COOLDOWN_FILE, RESUME_FILE, save_run
from training.loop.run import (
    LOG_FILE,
    METRICS_FILE,
    Run,
    check_run_dir,
    cooldown_begin,
    prepare_run,
    resolve_device,
)
from training.loop.tracker import Tracker, open_tracker
from training.models.checkpoint import MODEL_FILE, save_model
from training.models.norms import move_norms

_MAX_EVALUATIONS = 30
"""In a run of more passes than this, not every pass is evaluated: at 5 % of the labels a pass is 40
steps, and the evaluation takes longer."""

_MAX_NORM_FACES = 8192
_STEPS_A_QUESTION = 16
"""Of several processes the first decides when to save; asking it at each step would take longer."""

OnStep = Callable[[int, int], None]
"""Is called after each step with the number of steps that are done, and of all steps."""


def fit(
    config: TrainConfig,
    run_dir: Path,
    *,
    resume: bool,
    show_progress: bool = True,
    data: TrainingData | None = None,
    on_step: OnStep = lambda done, steps: None,
) -> dict[str, Any]:
    """Train by `config` into `run_dir` and return the final figures.

    `data`, where it is given, is trained on in place of what config.data names. `on_step` is told
    after each step how many steps are done.

    An interrupted run that is resumed ends in the same weights as an uninterrupted one: the order
    of images is a function of seed and step, everything else that moves is in the checkpoint. Under
    torchrun, every process calls this, and the first one writes.
    """
    check_run_dir(config, run_dir, resume)
    device = resolve_device(config.run.device)
    with distributed.process_group(device):
        run = prepare_run(config, run_dir, device, data, resume=resume, show_progress=show_progress)
        name = config.run.tracker if distributed.is_first() else "none"
        tracker = open_tracker(name, run_dir, run.data.labeled.classes, run.first_step)
        try:
            _train(run, on_step, tracker, show_progress=show_progress)
        finally:
            tracker.close()
        return _finish(run)


def _train(run: Run, on_step: OnStep, tracker: Tracker, *, show_progress: bool) -> None:
    """Take every step that is left, with the lines of the log and the checkpoints between them."""
    config, batches, log = run.config, run.batches, run.log
    n_passes = batches.n_steps // batches.steps_per_pass
    evaluate_every = batches.steps_per_pass * max(math.ceil(n_passes / _MAX_EVALUATIONS), 1)
    saved_at_s = time.monotonic()
    is_trapezoid = config.schedule.shape == "trapezoid"
    cooldown_at = cooldown_begin(config.schedule, batches.n_steps) if is_trapezoid else None
    run.student.train()
    for step in tqdm(
        range(run.first_step, batches.n_steps),
        initial=run.first_step,
        total=batches.n_steps,
        unit="step",
        desc="training",
        mininterval=1.0,
        disable=not (show_progress and distributed.is_first()),
    ):
        _descend(run, step)

        done = step + 1
        evaluate_now = done % evaluate_every == 0 or done == batches.n_steps
        lines_before, lines_now = (
            s * config.schedule.logs_per_pass // batches.steps_per_pass for s in (step, done)
        )
        if lines_now > lines_before or evaluate_now:
            log.close_line(
                done,
                done / batches.steps_per_pass,
                run.method,
                rate=learning_rate(step, batches.n_steps, config.schedule),
                seconds=time.monotonic() - run.began_s,
            )
            _check_finite(run, log.history[-1]["loss"], done)
            if evaluate_now:
                log.history[-1] |= validate(run)
            tracker.add(log.history[-1])
            if distributed.is_first():
                log.write(run.run_dir / LOG_FILE)
        in_time = time.monotonic() - saved_at_s > config.run.checkpoint_every_s
        if done % _STEPS_A_QUESTION == 0 or distributed.n_processes() == 1:
            in_time = distributed.first_says(in_time, run.device)
        else:
            in_time = False
        if in_time:
            _check_finite(run, log.gather(), done)
        if evaluate_now or in_time:
            if distributed.is_first():
                _save(run, run.run_dir / RESUME_FILE, done)
            saved_at_s = time.monotonic()
        if done == cooldown_at and distributed.is_first():
            _save(run, run.run_dir / BEFORE_COOLDOWN_FILE, done)
        on_step(done, batches.n_steps)


def _check_finite(run: Run, loss: float | None, done: int) -> None:
    """Stop before a checkpoint or a line of the log would hold a loss that is no number.

    A loss that was one is not enough: its gradient may not have been finite. Raises
    `FerLiveError` in every process, because all know the same loss and the same weights.
    """
    weights = run.student.classifier.weight
    if (loss is None or math.isfinite(loss)) and bool(weights.isfinite().all()):
        return
    raise FerLiveError(
        f"{run.run_dir}: training diverged before step {done}, its loss is no number any more; "
        "begin anew with a lower schedule.learning_rate or lower weights of the losses"
    )


def _save(run: Run, path: Path, done: int) -> None:
    """Write everything that is needed to go on from here, after `done` steps."""
    state = {
        "step": done,
        "wall_s": time.monotonic() - run.began_s,
        "log": run.log.state(),
        "precision": run.precision,
        **run.identity,
    }
    save_run(path, state, run.modules, run.optimizers)


def _descend(run: Run, step: int) -> None:
    """One step: a batch, its loss, the gradient, the optimizers, the teacher, the log."""
    rate = learning_rate(step, run.batches.n_steps, run.config.schedule)
    for group in (group for optimizer in run.optimizers for group in optimizer.param_groups):
        group["lr"] = rate * group.get("rate", 1.0)
    batch, unlabeled_rows = run.batches(step)
    with (
        record_function("objective"),
        torch.autocast(run.device.type, torch.bfloat16, enabled=run.precision == "bf16"),
    ):
        passes = step / run.batches.steps_per_pass
        result = run.method.step(run.student, run.teacher.module, batch, passes)
    with record_function("backward"):
        run.student.zero_grad(set_to_none=True)
        result.loss.backward()  # type: ignore[no-untyped-call]
    with record_function("update"):
        distributed.average_gradients(run.student)
        for optimizer in run.optimizers:
            optimizer.step()
        run.teacher.update(run.student, step)
    run.log.add(result, batch, run.batches.hidden_labels[unlabeled_rows])


def _finish(run: Run) -> dict[str, Any]:
    """Measure the teacher, and write it with its figures; returns the figures."""
    if run.config.schedule.norms_at_end:
        distributed.with_own_norms(run.teacher.module)
        faces = run.data.labeled.faces
        rows = np.linspace(0, len(faces) - 1, min(len(faces), _MAX_NORM_FACES)).astype(np.int64)
        move_norms(run.teacher.module, faces.take(rows), run.config.schedule.norms_at_end)
    metrics = final_metrics(run)
    if distributed.is_first():
        manifest = manifest_of(run, metrics)
        save_model(run.run_dir / MODEL_FILE, run.teacher.module, manifest)
        write_atomically(run.run_dir / METRICS_FILE, json.dumps(metrics, indent=2).encode() + b"\n")
    distributed.wait_for_all()
    return metrics


def learning_rate(step: int, n_steps: int, schedule: ScheduleConfig) -> float:
    """Compute the learning rate of a step.

    A linear warm-up, then half a cosine to zero; or, as a trapezoid, a constant rate and a linear
    fall to zero.
    """
    warmup = schedule.warmup * n_steps
    if step < warmup:
        return schedule.learning_rate * min((step + 1) / warmup, 1.0)
    if schedule.shape == "trapezoid":
        n_falling = n_steps - cooldown_begin(schedule, n_steps)
        return schedule.learning_rate * min((n_steps - step) / n_falling, 1.0)
    share = (step - warmup) / max(n_steps - warmup, 1)
    return schedule.learning_rate * 0.5 * (1 + math.cos(math.pi * share))
