"""`fer-train grid`: methods x budgets x seeds, one result file a cell, resumable.

OUT/grid.toml                    what was asked for
OUT/cells/ROW_BUDGET_SEED.json   a finished cell; the report is made from these alone
OUT/splits/BUDGET_SEED.json      the images that kept their labels
RUNS/ROW_BUDGET_SEED/            its run folder, from which an interrupted cell goes on
OUT/starts/start_HASH...         weights that all rows of a budget and seed start from; kept until
                                 the last of these cells is finished
RUNS/start_HASH/                 the run folder of such a start
"""

import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import tomllib
import traceback
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from pydantic import Field, ValidationError
from tqdm import tqdm

import fer_live
from fer_live.base.atomic_file import write_atomically
from fer_live.errors import FerLiveError, InputError
from training.config import RunConfig, TrainConfig, parse_config
from training.loop.resume import RESUME_FILE, load_run_state
from training.loop.train import LOG_FILE, SPLIT_FILE, fit, resolve_device, resolve_precision
from training.models import checkpoint
from training.section import Section, first_fault

GRID_FILE = "grid.toml"
CELLS = "cells"
SPLITS = "splits"
STARTS = "starts"

Tables = dict[str, dict[str, Any]]


class GridRow(Section):
    """A row of the table: a method with settings of its own."""

    name: str = Field(pattern=r"^[a-z0-9_]+$", description="also of its result files")
    title: str = Field("", description="in the report; empty: the name")
    method: str = Field(description="run.method")
    budgets: tuple[float, ...] = Field((), description="empty: those of the grid")
    settings: Tables = Field({}, description="tables of a training config, over those of the base")


class GridConfig(Section):
    """A grid file. `base` and `start` are tables of a training config; `start`, where it is given,
    is over the base and makes the supervised start of each budget and seed."""

    title: str = Field(description="of the report")
    budgets: tuple[float, ...] = Field(description="shares of the labels, 1 is all of them")
    seeds: tuple[int, ...] = Field(description="each cell is run with each")
    rows: tuple[GridRow, ...]
    base: Tables = Field({}, description="of every cell")
    start: Tables = Field({}, description="of the starts; empty: none")
    compare: str = Field(
        "", description="name of the row whose lead over every other the report shows; empty: none"
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """One result: a row at a budget with a seed; `start` is the run that it begins from."""

    row: str
    method: str
    budget: float
    seed: int
    config: TrainConfig
    start: TrainConfig | None

    @property
    def name(self) -> str:
        return f"{self.row}_{self.budget:g}_{self.seed}"


def load_grid(path: Path) -> GridConfig:
    """Read and check a grid file, every cell's config included; `InputError` names the fault."""
    try:
        grid = GridConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{path}: cannot read the grid: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file: {error}") from None
    except ValidationError as error:
        raise InputError(f"{path}: {first_fault(error)}") from None
    names = [row.name for row in grid.rows]
    if len(set(names)) < len(names):
        raise InputError(f"{path}: two rows have one name; their results would be one file")
    if grid.compare and grid.compare not in names:
        raise InputError(f"{path}: compare: no row is called {grid.compare}")
    titles = [row.title or row.name for row in grid.rows]
    if len(set(titles)) < len(titles):
        raise InputError(f"{path}: two rows have one title; the report could not tell them apart")
    cells = cells_of(grid, str(path))
    if len({cell.name for cell in cells}) < len(cells):
        raise InputError(f"{path}: a seed or a budget is named twice")
    for cell in cells:
        if cell.config.data.labeled_list or cell.config.data.labeled_per_class:
            raise InputError(
                f"{path}: row {cell.row}: data.labeled_list and data.labeled_per_class would hide "
                "the budgets; leave them out"
            )
    return grid


def cells_of(grid: GridConfig, where: str = "grid") -> list[Cell]:
    """Every cell, seed after seed, so that an unfinished grid has whole columns."""
    return [
        _cell(grid, row, budget, seed, where)
        for seed in grid.seeds
        for row in grid.rows
        for budget in row.budgets or grid.budgets
    ]


def run_grid(path: Path, out: Path, runs: Path, *, jobs: int, data: str | None) -> int:
    """Run what is missing of a grid, `jobs` cells side by side; returns how many cells failed.

    `data` stands in for the data.source of every cell; the results keep the grid's own.
    """
    grid = load_grid(path)
    cells = cells_of(grid, str(path))
    missing = [cell for cell in cells if not _is_finished(out, cell)]
    try:
        for folder in (out / CELLS, out / SPLITS, out / STARTS, runs):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot make this folder: {error.strerror}") from None
    write_atomically(out / GRID_FILE, path.read_bytes())
    print(f"{len(cells)} cells, {len(cells) - len(missing)} of them finished")
    failed = 0
    threads = max((os.cpu_count() or 1) // jobs, 1)
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(jobs, context, _begin_worker, (threads,)) as pool,
        tqdm(total=len(missing), unit="cell", desc="grid") as progress,
    ):
        waiting, started = _in_order(cells, missing), set[str]()
        running: dict[Future[float | None], Cell | TrainConfig] = {}
        try:
            while waiting or running:
                for task in _ready(waiting, started)[: jobs - len(running)]:
                    waiting.remove(task)
                    if isinstance(task, Cell):
                        running[pool.submit(_run_cell, task, out, runs, data)] = task
                    else:
                        running[pool.submit(_run_start, task, out, runs, data)] = task
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    task = running.pop(future)
                    fault = _fault(future)
                    if isinstance(task, Cell):
                        lost = [task] if fault else []
                        if not fault:
                            tqdm.write(f"{task.name}: accuracy {future.result():.4f}")
                            _forget_start(out, task, cells)
                    else:
                        started.add(_start_name(task))
                        lost = [cell for cell in _cells_from(task, waiting) if fault]
                        waiting = [other for other in waiting if other not in lost]
                    for cell in lost:
                        print(f"{cell.name}: {fault}", file=sys.stderr)
                    failed += len(lost)
                    progress.update(len(lost) if fault else isinstance(task, Cell))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return failed


def _fault(future: Future[float | None]) -> str | None:
    """Why a cell failed, in one line; the others go on."""
    error = future.exception()
    if isinstance(error, BrokenProcessPool):
        raise FerLiveError(
            "a worker died, perhaps for want of memory; the same command with fewer --jobs goes on"
        )
    if error is None or isinstance(error, FerLiveError):
        return str(error) if error else None
    traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"


def _in_order(cells: list[Cell], missing: list[Cell]) -> list[Cell | TrainConfig]:
    """What is missing, seed after seed, the cells of one start together and behind it, so that an
    interrupted grid has few starts whose cells are still missing. The order of starts is that of
    all cells, or a grid that goes on would turn to another start first."""
    groups: dict[tuple[int, str], list[Cell | TrainConfig]] = {}
    for cell in sorted(cells, key=lambda cell: cell.seed):
        name = _start_name(cell.start) if cell.start else ""
        group = groups.setdefault((cell.seed, name), [])
        if cell in missing:
            group += [cell.start, cell] if cell.start and not group else [cell]
    return [task for group in groups.values() for task in group]


def _ready(waiting: list[Cell | TrainConfig], started: set[str]) -> list[Cell | TrainConfig]:
    """What can run now: every start, and the cells whose start is there."""
    return [
        task
        for task in waiting
        if not (isinstance(task, Cell) and task.start) or _start_name(task.start) in started
    ]


def _start_file(out: Path, config: TrainConfig) -> Path:
    return out / STARTS / f"{_start_name(config)}.safetensors"


def _forget_start(out: Path, cell: Cell, cells: list[Cell]) -> None:
    """Delete the weights that `cell` began from, once no cell needs them any more."""
    same = [other for other in cells if other.start == cell.start]
    if cell.start and all((out / CELLS / f"{other.name}.json").is_file() for other in same):
        _start_file(out, cell.start).unlink(missing_ok=True)


def _cells_from(start: TrainConfig, tasks: list[Cell | TrainConfig]) -> list[Cell]:
    return [task for task in tasks if isinstance(task, Cell) and task.start == start]


def _begin_worker(threads: int) -> None:
    torch.set_num_threads(threads)
    _commit()  # now, for the files may change while cells run
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker that outlived a killed grid would write into the runs of the next one."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_start(config: TrainConfig, out: Path, runs: Path, data: str | None) -> None:
    """Train a start, unless its weights are there: a grid that goes on elsewhere, where RUNS is
    empty and numbers round differently, must go on from the very same."""
    weights, run_dir = _start_file(out, config), runs / _start_name(config)
    if weights.is_file():
        made_by = checkpoint.load_model(weights)[1].training.get("config")
        if not made_by or _what(parse_config(made_by, str(weights))) != _what(config):
            raise InputError(f"{weights}: was made by another config; delete it")
        return
    fit(_with_source(config, data), run_dir, resume=True, show_progress=False)
    network, manifest = checkpoint.load_model(run_dir)
    training = manifest.training | _cost(run_dir) | {"config": config.model_dump(mode="json")}
    checkpoint.save_model(weights, network, manifest.model_copy(update={"training": training}))


def _run_cell(cell: Cell, out: Path, runs: Path, data: str | None) -> float:
    """Train, measure and write one cell; returns its accuracy."""
    config, run_dir = _with_source(cell.config, data), runs / cell.name
    start: dict[str, Any] = {"config": None, "steps": 0, "labeled_images_seen": 0, "wall_s": 0.0}
    if cell.start is not None:
        weights = _start_file(out, cell.start)
        schedule = config.schedule.model_copy(update={"start_from": str(weights)})
        config = config.model_copy(update={"schedule": schedule})
        took = checkpoint.load_model(weights)[1].training
        start = {name: took[name] for name in ("steps", "labeled_images_seen", "wall_s")}
        start["config"] = cell.start.model_dump(mode="json")
    metrics = fit(config, run_dir, resume=True, show_progress=False)
    network, manifest = checkpoint.load_model(run_dir)
    device = resolve_device(config.run.device)
    if not metrics:
        raise InputError(f"{config.data.source}: nothing to measure on; name data.evaluation")
    evaluation, *others = metrics
    split, _, rule = evaluation.partition(" ")
    result = {
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
        "labeled_images": manifest.training["n_images"],
        "unlabeled_images": manifest.training["n_unlabeled"],
        **_cost(run_dir),
        "device": _device_name(device),
        "precision": resolve_precision(config.run.precision, device),
        "commit": _commit(),
        "config": cell.config.model_dump(mode="json"),
        "start": start,
        "log": [json.loads(line) for line in (run_dir / LOG_FILE).read_text().splitlines()],
    }
    split_list = out / SPLITS / f"{cell.budget:g}_{cell.seed}.json"
    if not split_list.is_file():  # every row of a budget and seed has the same
        write_atomically(split_list, (run_dir / SPLIT_FILE).read_bytes())
    write_atomically(out / CELLS / f"{cell.name}.json", json.dumps(result).encode() + b"\n")
    (run_dir / RESUME_FILE).unlink(missing_ok=True)
    return float(metrics[evaluation]["accuracy"])


def _cost(run_dir: Path) -> dict[str, Any]:
    """What a run took; its seconds count what was before an interruption."""
    training = checkpoint.load_model(run_dir)[1].training
    state = load_run_state(run_dir / RESUME_FILE)
    return {
        "steps": training["steps"],
        "labeled_images_seen": training["labeled_images_seen"],
        "wall_s": round(state["wall_s"], 1),
    }


def _cell(grid: GridConfig, row: GridRow, budget: float, seed: int, where: str) -> Cell:
    own: Tables = {"run": {"seed": seed}, "data": {"labeled_share": budget}}
    of_row: Tables = {"run": {"method": row.method}}
    config = parse_config(_merged(grid.base, row.settings, of_row, own), f"{where}: row {row.name}")
    start = None
    if grid.start:
        # Data and network must be those of the row; the rest, targets too, is the same for all.
        data = {k: v for k, v in row.settings.get("data", {}).items() if k != "targets"}
        shared: Tables = {"data": data, "model": row.settings.get("model", {})}
        supervised: Tables = {"run": {"method": "supervised"}}
        start = parse_config(
            _merged(grid.base, grid.start, shared, supervised, own), f"{where}: start"
        )
    return Cell(row.name, row.method, budget, seed, config, start)


def _merged(*layers: Tables) -> Tables:
    """Tables field by field, later layers over earlier ones."""
    tables: Tables = {}
    for layer in layers:
        for name, fields in layer.items():
            tables[name] = {**tables.get(name, {}), **fields}
    return tables


def _is_finished(out: Path, cell: Cell) -> bool:
    file = out / CELLS / f"{cell.name}.json"
    if not file.is_file():
        return False
    try:
        result = json.loads(file.read_bytes())
        # Fields that are newer than the file get their defaults.
        made_by = parse_config(result["config"], str(file))
        began_as = result["start"]["config"] and parse_config(result["start"]["config"], str(file))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}: not a result of this toolkit: {error}; delete it") from None
    if _what(made_by) != _what(cell.config) or _what(began_as) != _what(cell.start):
        raise InputError(f"{file}: was made by another config; delete it, or choose another --out")
    return True


def _what(config: TrainConfig | None) -> dict[str, Any]:
    """A config without where and how it is computed, which a result of its own names."""
    if config is None:
        return {}
    plain = RunConfig(seed=config.run.seed, method=config.run.method)
    return config.model_copy(update={"run": plain}).model_dump(mode="json")


def _with_source(config: TrainConfig, source: str | None) -> TrainConfig:
    if source is None:
        return config
    data = config.data.model_copy(update={"source": source})
    return config.model_copy(update={"data": data})


def _start_name(config: TrainConfig) -> str:
    """Named for what it computes, so that other settings make another start, but not for fields
    at their defaults, which later versions may add to."""
    run = {"seed": config.run.seed, "method": config.run.method}
    settings = config.model_dump(mode="json", exclude_defaults=True) | {"run": run}
    what = json.dumps(settings, sort_keys=True)
    return f"start_{hashlib.sha256(what.encode()).hexdigest()[:12]}"


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name()
    name = torch.cpu.get_capabilities().get("cpu_name", "cpu")
    speaks = torch.backends.cpu.get_cpu_capability()
    return f"{name}, {speaks}, {torch.get_num_threads()} threads"


@cache
def _commit() -> str:
    """The commit of the code that runs, or its version where it is not a git checkout."""
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
