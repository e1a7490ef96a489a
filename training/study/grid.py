"""`fer-train grid`: methods x budgets x seeds, one result file per cell, resumable.

OUT/grid.toml                    what was asked for
OUT/cells/ROW_BUDGET_SEED.json   a finished cell; the report is made from these alone
OUT/splits/BUDGET_SEED.json      the images that kept their labels
RUNS/ROW_BUDGET_SEED/            its run folder, from which an interrupted cell is resumed
OUT/starts/start_HASH...         weights that all rows of a budget and seed start from; kept until
                                 the last of these cells is finished
RUNS/start_HASH/                 the run folder of such a start
"""

import multiprocessing
import sys
import traceback
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from tqdm import tqdm

from fer_live.base.atomic_file import write_atomically
from fer_live.base.cores import usable_cores
from fer_live.base.parse import parse_json
from fer_live.base.regular_file import read_whole
from fer_live.errors import FerLiveError, InputError
from fer_live.plain_text import say
from training.config import TrainConfig, differing_fields, parse_former_config
from training.data.identity import DataIdentity
from training.data.sources import LABELED_KINDS, load_source_identity, split_source
from training.models.checkpoint import load_model
from training.section import first_fault
from training.study.cells import (
    CELLS,
    GRID_FILE,
    Cell,
    cells_of,
    chosen_cells,
    compute_same,
    load_grid,
    start_name,
)
from training.study.worker import (
    SPLITS,
    STARTS,
    begin_worker,
    run_cell,
    run_start,
    start_file,
    with_source,
)

Task = Cell | TrainConfig
"""What a worker runs: a cell, or the config of a start."""


_WHERE = {"run.device", "run.precision", "run.tracker", "run.checkpoint_every_s"}
"""Fields that `compute_same` does not look at."""


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


def list_cells(path: Path, out: Path, only: Sequence[str] = ()) -> list[tuple[Cell, bool]]:
    """List the cells of a grid, in the order of the file, and whether each is finished in `out`.

    `only` are those of `chosen_cells`.
    """
    cells = chosen_cells(cells_of(load_grid(path), str(path)), only)
    return [(cell, _result_of(out, cell) is not None) for cell in cells]


def run_grid(
    path: Path,
    out: Path,
    runs: Path,
    *,
    jobs: int,
    data: str | None,
    only: Sequence[str] = (),
) -> int:
    """Run what is missing of a grid, `jobs` cells side by side; returns how many cells failed.

    `data` stands in for the data.source of every cell; the results keep the grid's own. `only`
    names the cells to run, each as ROW[/BUDGET[/SEED]]; several grids may run one part each at the
    same time, also on several machines that share the folders.
    """
    grid = load_grid(path)
    cells = cells_of(grid, str(path))
    chosen = chosen_cells(cells, only)
    results = {cell.name: _result_of(out, cell) for cell in chosen}
    missing = [cell for cell in chosen if results[cell.name] is None]
    if missing or data is not None:
        for cell in cells:
            if cell.name not in results:
                results[cell.name] = _result_if_whole(out, cell)
        _check_same_images(cells, results, out, data)
    _make_folders(out, runs)
    write_atomically(out / GRID_FILE, read_whole(path))
    say(f"{len(chosen)} cells, {len(chosen) - len(missing)} of them finished")
    left = _Left(cells, _in_order(cells, missing))
    threads = max(usable_cores() // jobs, 1)
    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(jobs, context, begin_worker, (threads,)) as pool,
        tqdm(total=len(missing), unit="cell", desc="grid") as progress,
    ):
        running: dict[Future[float | None], Task] = {}
        try:
            while left.waiting or running:
                for task in left.take(jobs - len(running)):
                    run = run_cell if isinstance(task, Cell) else run_start
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
            say(f"{cell.name}: {fault}", to=sys.stderr)
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


def _forget_start(out: Path, cell: Cell, cells: list[Cell]) -> None:
    """Delete the weights that `cell` began from, once no cell needs them any more."""
    same = [other for other in cells if other.start == cell.start]
    if cell.start and all((out / CELLS / f"{other.name}.json").is_file() for other in same):
        start_file(out, cell.start).unlink(missing_ok=True)


def _cells_from(start: TrainConfig, tasks: list[Task]) -> list[Cell]:
    """List the cells among `tasks` that begin from a start."""
    return [task for task in tasks if isinstance(task, Cell) and task.start == start]


def _check_same_images(
    cells: list[Cell], results: dict[str, dict[str, Any] | None], out: Path, data: str | None
) -> None:
    """Refuse to put cells into a folder whose finished ones were made from other images.

    Raises `DataError` for data that are not there, and `InputError` for other ones.
    """
    identities: dict[tuple[str, str, int], DataIdentity] = {}
    n_unknown = 0
    for cell in cells:
        config = with_source(cell.config, data)
        split_source(config.data.source, tuple(LABELED_KINDS))
        result = results[cell.name]
        start = start_file(out, cell.start) if cell.start else None
        if result is not None:
            made_from, file = result.get("data_identity"), out / CELLS / f"{cell.name}.json"
            n_unknown += made_from is None
        elif start is not None and start.is_file():
            made_from, file = load_model(start)[1].training.get("data_identity"), start
        else:
            continue
        key = (config.data.source, config.data.labels, config.model.input_side)
        if made_from is None:
            continue
        if key not in identities:
            identities[key] = load_source_identity(config.data, config.model.input_side)
        if not _read_identity(made_from, file).is_that_of(identities[key]):
            raise InputError(
                f"{file}: was made from other images or labels than {config.data.source} has; "
                "choose another --out"
            )
    if data is not None and n_unknown:
        say(
            f"{n_unknown} finished cells do not say which images they were made from, because an "
            f"older version made them; they are left as they are, whatever {data} has",
            to=sys.stderr,
        )


def _result_if_whole(out: Path, cell: Cell) -> dict[str, Any] | None:
    """Read the file of a cell that is not asked for; None also where it is damaged."""
    try:
        return _result_of(out, cell)
    except InputError:
        return None


def _read_identity(content: Any, file: Path) -> DataIdentity:
    try:
        return DataIdentity.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{file}: data_identity: {first_fault(error)}; delete it") from None


def _result_of(out: Path, cell: Cell) -> dict[str, Any] | None:
    """Read the file of a cell; None where there is none, `InputError` where it is of another."""
    file = out / CELLS / f"{cell.name}.json"
    if not file.is_file():
        return None
    try:
        result: dict[str, Any] = parse_json(read_whole(file))
        # Fields that are newer than the file get their defaults.
        made_by = parse_former_config(result["config"], str(file))
        began_as = result["start"]["config"] and parse_former_config(
            result["start"]["config"], str(file)
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}: not a result of this toolkit: {error}; delete it") from None
    if not compute_same(made_by, cell.config):
        differ = [name for name in differing_fields(made_by, cell.config) if name not in _WHERE]
        raise InputError(
            f"{file}: was made by another config, it differs in {', '.join(differ)}; delete it, or "
            "choose another --out"
        )
    if not compute_same(began_as, cell.start):
        raise InputError(
            f"{file}: its start was made by another config; delete it, or choose another --out"
        )
    return result
