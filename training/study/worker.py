"""Runs one cell of a grid, or one start, in a process of its own."""

import json
import multiprocessing
import os
import subprocess
import threading
from functools import cache
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock

import fer_live
from fer_live.base.atomic_file import write_atomically
from fer_live.base.parse import parse_json
from fer_live.base.regular_file import read_text, read_whole
from fer_live.errors import InputError
from training.config import TrainConfig, parse_former_config
from training.loop.resume import RESUME_FILE, load_run_state
from training.loop.run import LOG_FILE, SPLIT_FILE, resolve_device, resolve_precision
from training.loop.train import fit
from training.models import checkpoint
from training.study.cells import CELLS, Cell, compute_same, start_name

SPLITS = "splits"
STARTS = "starts"


def begin_worker(threads: int) -> None:
    torch.set_num_threads(threads)
    _commit()  # now, because the files may change while cells run
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when the grid is killed, or it would write into the runs of the next one."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def run_start(config: TrainConfig, out: Path, runs: Path, data: str | None) -> None:
    """Train a start, unless its weights are there.

    A grid that is resumed elsewhere, where RUNS is empty and numbers round differently, must
    continue from the very same weights. Of several grids side by side one trains it, and the others
    wait.
    """
    with FileLock(runs / f"{start_name(config)}.lock"):
        _run_start(config, out, runs, data)


def _run_start(config: TrainConfig, out: Path, runs: Path, data: str | None) -> None:
    weights, run_dir = start_file(out, config), runs / start_name(config)
    if weights.is_file():
        made_by = checkpoint.load_model(weights)[1].training.get("config")
        if not made_by or not compute_same(parse_former_config(made_by, str(weights)), config):
            raise InputError(f"{weights}: was made by another config; delete it")
        return  # by these labeled images, too, or the grid would not have begun
    fit(with_source(config, data), run_dir, resume=True, show_progress=False)
    network, manifest = checkpoint.load_model(run_dir)
    training = manifest.training | _cost(run_dir) | {"config": config.model_dump(mode="json")}
    checkpoint.save_model(weights, network, manifest.model_copy(update={"training": training}))


def run_cell(cell: Cell, out: Path, runs: Path, data: str | None) -> float:
    """Train, measure and write one cell; returns its accuracy."""
    config, run_dir = with_source(cell.config, data), runs / cell.name
    start: dict[str, Any] = {"config": None, "steps": 0, "labeled_images_seen": 0, "wall_s": 0.0}
    if cell.start is not None:
        weights = start_file(out, cell.start)
        schedule = config.schedule.model_copy(update={"start_from": str(weights)})
        config = config.model_copy(update={"schedule": schedule})
        took = checkpoint.load_model(weights)[1].training
        start = {name: took[name] for name in ("steps", "labeled_images_seen", "wall_s")}
        start["config"] = cell.start.model_dump(mode="json")
    metrics = fit(config, run_dir, resume=True, show_progress=False)
    if not metrics:
        raise InputError(f"{config.data.source}: nothing to measure on; name data.evaluation")
    result = _result(cell, config, run_dir, metrics, start)
    split_list = out / SPLITS / f"{cell.budget:g}_{cell.seed}.json"
    if not split_list.is_file():  # every row of a budget and seed has the same
        write_atomically(split_list, read_whole(run_dir / SPLIT_FILE))
    write_atomically(out / CELLS / f"{cell.name}.json", json.dumps(result).encode() + b"\n")
    (run_dir / RESUME_FILE).unlink(missing_ok=True)
    return float(result["metrics"]["accuracy"])


def _result(
    cell: Cell, config: TrainConfig, run_dir: Path, metrics: dict[str, Any], start: dict[str, Any]
) -> dict[str, Any]:
    """The content of a cell's file, from its run folder and the cost of its start."""
    network, manifest = checkpoint.load_model(run_dir)
    device = resolve_device(config.run.device)
    evaluation, *others = metrics
    split, _, rule = evaluation.partition(" ")
    return {
        "method": cell.row,
        "objective": cell.method,
        "budget": cell.budget,
        "seed": cell.seed,
        "network": {
            **manifest.architecture,
            "parameters": sum(p.numel() for p in network.parameters()),
        },
        "passes": manifest.training["passes"],
        "split": split,
        "rule": rule,
        "metrics": metrics[evaluation],
        "other_metrics": {name: metrics[name] for name in others},
        "data_identity": manifest.training["data_identity"],
        "labeled_images": manifest.training["n_images"],
        "unlabeled_images": manifest.training["n_unlabeled"],
        **_cost(run_dir),
        "device": _device_name(device),
        "precision": resolve_precision(config.run.precision, device),
        "commit": _commit(),
        "config": cell.config.model_dump(mode="json"),
        "start": start,
        "log": [parse_json(line) for line in read_text(run_dir / LOG_FILE).splitlines()],
    }


def _cost(run_dir: Path) -> dict[str, Any]:
    """Return the steps, images and seconds of a run, with those before an interruption."""
    training = checkpoint.load_model(run_dir)[1].training
    state = load_run_state(run_dir / RESUME_FILE)
    return {
        "steps": training["steps"],
        "labeled_images_seen": training["labeled_images_seen"],
        "wall_s": round(state["wall_s"], 1),
    }


def start_file(out: Path, config: TrainConfig) -> Path:
    return out / STARTS / f"{start_name(config)}.safetensors"


def with_source(config: TrainConfig, source: str | None) -> TrainConfig:
    """Put another data.source into a config; None: leave it."""
    if source is None:
        return config
    data = config.data.model_copy(update={"source": source})
    return config.model_copy(update={"data": data})


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name()
    name = torch.cpu.get_capabilities().get("cpu_name", "cpu")
    speaks = torch.backends.cpu.get_cpu_capability()
    return f"{name}, {speaks}, {torch.get_num_threads()} threads"


@cache
def _commit() -> str:
    """Return the commit of the code that runs, or its version where it is not a git checkout."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return f"version {fer_live.__version__}"
    return described.stdout.strip()
