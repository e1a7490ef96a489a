"""`fer-train grid`: methods x budgets x seeds, one result file per cell, resumable.

OUT/grid.toml                    what was asked for
OUT/cells/ROW_BUDGET_SEED.json   a finished cell; the report is made from these alone
OUT/splits/BUDGET_SEED.json      the images that kept their labels
RUNS/ROW_BUDGET_SEED/            its run folder, from which an interrupted cell is resumed
OUT/starts/start_HASH...         weights that all rows of a budget and seed start from; kept until
                                 the last of these cells is finished
RUNS/start_HASH/                 the run folder of such a start
"""

import json
import multiprocessing
import os
import subprocess
import sys
import threading
import traceback
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

import fer_live
from fer_live.base.atomic_file import write_atomically
from fer_live.errors import FerLiveError, InputError
from training.config import RunConfig, TrainConfig, parse_config
from training.loop.resume import RESUME_FILE, load_run_state
from training.loop.run import LOG_FILE, SPLIT_FILE, resolve_device, resolve_precision
from training.loop.train import fit
from training.models import checkpoint
from training.study.cells import CELLS, GRID_FILE, Cell, cells_of, load_grid, start_name

SPLITS = "splits"
STARTS = "starts"

Task = Cell | TrainConfig
"""What a worker runs: a cell, or the config of a start."""


@dataclass(slots=True)
class _Left:
    """What is left of a grid's `cells` while it runs.

    `waiting` are the tasks that nobody has begun, `started` the names of the starts whose cells may
    run. A task is a cell, or the config of a start.
    """

    cells: list[Cell]
    waiting: list[Task]
    started: set[str] = field(default_factory=set)
    n_failed: int = 0

    def take(self, n: int) -> list[Task]:
        """Remove and return up to `n` tasks that can run now."""
        taken = _ready(self.waiting, self.started)[:n]
        self.waiting = [task for task in self.waiting if task not in taken]
        return taken

    def lose(self, task: Task) -> list[Cell]:
        """Remove and return the cells that a failed task takes with it."""
        lost = [task] if isinstance(task, Cell) else _cells_from(task, self.waiting)
        self.waiting = [other for other in self.waiting if other not in lost]
        self.n_failed += len(lost)
        return lost


def run_grid(path: Path, out: Path, runs: Path, *, jobs: int, data: str | None) -> int:
    """Run what is missing of a grid, `jobs` cells side by side; returns how many cells failed.

    `data` stands in for the data.source of every cell; the results keep the grid's own.
    """
    grid = load_grid(path)
    cells = cells_of(grid, str(path))
    missing = [cell for cell in cells if not _is_finished(out, cell)]
    _make_folders(out, runs)
    write_atomically(out / GRID_FILE, path.read_bytes())
    print(f"{len(cells)} cells, {len(cells) - len(missing)} of them finished")
    left = _Left(cells, _in_order(cells, missing))
    threads = max((os.cpu_count() or 1) // jobs, 1)
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(jobs, context, _begin_worker, (threads,)) as pool,
        tqdm(total=len(missing), unit="cell", desc="grid") as progress,
    ):
        running: dict[Future[float | None], Task] = {}
        try:
            while left.waiting or running:
                for task in left.take(jobs - len(running)):
                    run = _run_cell if isinstance(task, Cell) else _run_start
                    running[pool.submit(run, task, out, runs, data)] = task  # type: ignore[arg-type]
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    progress.update(_end(future, running.pop(future), left, out))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return left.n_failed


def _make_folders(out: Path, runs: Path) -> None:
    try:
        for folder in (out / CELLS, out / SPLITS, out / STARTS, runs):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot make this folder: {error.strerror}") from None


def _end(future: Future[float | None], task: Task, left: _Left, out: Path) -> int:
    """Note how a task ended, and tell; returns how many cells need not be waited for any more."""
    fault = _fault(future)
    if not isinstance(task, Cell):
        left.started.add(start_name(task))
    if fault:
        lost = left.lose(task)
        for cell in lost:
            print(f"{cell.name}: {fault}", file=sys.stderr)
        return len(lost)
    if not isinstance(task, Cell):
        return 0
    tqdm.write(f"{task.name}: accuracy {future.result():.4f}")
    _forget_start(out, task, left.cells)
    return 1


def _fault(future: Future[float | None]) -> str | None:
    """Tell why a task failed, in one line, or None; the other tasks run on."""
    error = future.exception()
    if isinstance(error, BrokenProcessPool):
        raise FerLiveError(
            "a worker died, perhaps because memory ran out; the same command with fewer --jobs "
            "resumes the grid"
        )
    if error is None or isinstance(error, FerLiveError):
        return str(error) if error else None
    traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"


def _in_order(cells: list[Cell], missing: list[Cell]) -> list[Task]:
    """Put what is missing in order: seed after seed, each start before its cells.

    So an interrupted grid has few starts whose cells are still missing. The order of starts is that
    of all cells, or a resumed grid would turn to another start first.
    """
    groups: dict[tuple[int, str], list[Task]] = {}
    for cell in sorted(cells, key=lambda cell: cell.seed):
        name = start_name(cell.start) if cell.start else ""
        group = groups.setdefault((cell.seed, name), [])
        if cell in missing:
            group += [cell.start, cell] if cell.start and not group else [cell]
    return [task for group in groups.values() for task in group]


def _ready(waiting: list[Task], started: set[str]) -> list[Task]:
    """List what can run now: every start, and the cells whose start is there."""
    return [
        task
        for task in waiting
        if not (isinstance(task, Cell) and task.start) or start_name(task.start) in started
    ]


def _start_file(out: Path, config: TrainConfig) -> Path:
    return out / STARTS / f"{start_name(config)}.safetensors"


def _forget_start(out: Path, cell: Cell, cells: list[Cell]) -> None:
    """Delete the weights that `cell` began from, once no cell needs them any more."""
    same = [other for other in cells if other.start == cell.start]
    if cell.start and all((out / CELLS / f"{other.name}.json").is_file() for other in same):
        _start_file(out, cell.start).unlink(missing_ok=True)


def _cells_from(start: TrainConfig, tasks: list[Task]) -> list[Cell]:
    """List the cells among `tasks` that begin from a start."""
    return [task for task in tasks if isinstance(task, Cell) and task.start == start]


def _begin_worker(threads: int) -> None:
    torch.set_num_threads(threads)
    _commit()  # now, because the files may change while cells run
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when the grid is killed, or it would write into the runs of the next one."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_start(config: TrainConfig, out: Path, runs: Path, data: str | None) -> None:
    """Train a start, unless its weights are there.

    A grid that is resumed elsewhere, where RUNS is empty and numbers round differently, must
    continue from the very same weights.
    """
    weights, run_dir = _start_file(out, config), runs / start_name(config)
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
    if not metrics:
        raise InputError(f"{config.data.source}: nothing to measure on; name data.evaluation")
    result = _result(cell, config, run_dir, metrics, start)
    split_list = out / SPLITS / f"{cell.budget:g}_{cell.seed}.json"
    if not split_list.is_file():  # every row of a budget and seed has the same
        write_atomically(split_list, (run_dir / SPLIT_FILE).read_bytes())
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


def _cost(run_dir: Path) -> dict[str, Any]:
    """Return the steps, images and seconds of a run, with those before an interruption."""
    training = checkpoint.load_model(run_dir)[1].training
    state = load_run_state(run_dir / RESUME_FILE)
    return {
        "steps": training["steps"],
        "labeled_images_seen": training["labeled_images_seen"],
        "wall_s": round(state["wall_s"], 1),
    }


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
    """Describe a config without where and how it is computed, which a result names by itself."""
    if config is None:
        return {}
    plain = RunConfig(seed=config.run.seed, method=config.run.method)
    return config.model_copy(update={"run": plain}).model_dump(mode="json")


def _with_source(config: TrainConfig, source: str | None) -> TrainConfig:
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
