"""A grid file, and the cells that it asks for: methods x budgets x seeds."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from fer_live.base.parse import parse_toml
from fer_live.base.regular_file import read_text
from fer_live.errors import InputError
from training.config import RunConfig, TrainConfig, load_config, parse_config
from training.section import Section, first_fault

GRID_FILE = "grid.toml"
CELLS = "cells"
"""The folder of the finished cells, in that of the grid."""

Tables = dict[str, dict[str, Any]]


class GridRow(Section):
    """A row of the table: a method with settings of its own."""

    name: str = Field(pattern=r"^[a-z0-9_]+$", description="also of its result files")
    title: str = Field("", description="in the report; empty: the name")
    method: str = Field(description="run.method")
    budgets: tuple[float, ...] = Field((), description="empty: those of the grid")
    seeds: tuple[int, ...] = Field((), description="empty: those of the grid")
    settings: Tables = Field({}, description="tables of a training config, over those of the base")
    from_start: bool = Field(
        True, description="false: from random weights, also where others start"
    )


class GridConfig(Section):
    """The content of a grid file.

    `base` and `start` are tables of a training config. `start`, where it is given, is laid over the
    base and makes the supervised start of each budget and seed.
    """

    title: str = Field(description="of the report")
    budgets: tuple[float, ...] = Field(
        min_length=1, description="shares of the labels, 1 is all of them"
    )
    seeds: tuple[int, ...] = Field(min_length=1, description="each cell is run with each")
    rows: tuple[GridRow, ...] = Field(min_length=1)
    base: Tables = Field({}, description="of every cell")
    start: Tables = Field({}, description="of the starts; empty: none")
    rules: str = Field(
        "", description="how rows are judged, written before the runs; stands in the report"
    )
    comparisons: tuple[tuple[str, str], ...] = Field(
        (), description="pairs of ROW/BUDGET whose difference the report judges, image by image"
    )
    compare: str = Field(
        "", description="name of the row whose lead over every other the report shows; empty: none"
    )

    def budgets_of(self, row: GridRow) -> tuple[float, ...]:
        """Give the budgets that a row is run at."""
        return row.budgets or self.budgets

    def seeds_of(self, row: GridRow) -> tuple[int, ...]:
        """Give the seeds that each cell of a row is run with."""
        return row.seeds or self.seeds


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

    @property
    def address(self) -> str:
        """ROW/BUDGET/SEED, as `fer-train grid --only` takes it."""
        return f"{self.row}/{self.budget:g}/{self.seed}"


def load_grid(path: Path) -> GridConfig:
    """Read and check a grid file, every cell's config included; `InputError` names the fault."""
    try:
        grid = GridConfig.model_validate(parse_toml(read_text(path)))
    except OSError as error:
        raise InputError(f"{path}: cannot read the grid: {error.strerror}") from None
    except ValidationError as error:
        raise InputError(f"{path}: {first_fault(error)}") from None
    except ValueError as error:  # UnicodeDecodeError is one too
        raise InputError(f"{path}: not a TOML file: {error}") from None
    _check_settings(grid, path)
    names = [row.name for row in grid.rows]
    if len(set(names)) < len(names):
        raise InputError(f"{path}: two rows have one name; their results would be one file")
    if grid.compare and grid.compare not in names:
        raise InputError(f"{path}: compare: no row is called {grid.compare}")
    places = {f"{row.name}/{b:g}" for row in grid.rows for b in grid.budgets_of(row)}
    for place in (place for pair in grid.comparisons for place in pair):
        if place not in places:
            raise InputError(f"{path}: comparisons: the grid has no {place}")
    titles = [row.title or row.name for row in grid.rows]
    if len(set(titles)) < len(titles):
        raise InputError(f"{path}: two rows have one title; the report could not tell them apart")
    cells = cells_of(grid, str(path))
    all_named = [cell.name for cell in cells], grid.seeds, *(row.seeds for row in grid.rows)
    if any(len(set(named)) < len(named) for named in all_named):
        raise InputError(f"{path}: a seed or a budget is named twice")
    for cell in cells:
        if cell.config.data.labeled_list or cell.config.data.labeled_per_class:
            raise InputError(
                f"{path}: row {cell.row}: data.labeled_list and data.labeled_per_class would hide "
                "the budgets; leave them out"
            )
    return grid


def _check_settings(grid: GridConfig, path: Path) -> None:
    """Refuse a field that the grid itself sets in every cell, and would be ignored where it is."""
    tables = {"base": grid.base, "start": grid.start} | {
        f"row {row.name}: settings": row.settings for row in grid.rows
    }
    own = (
        ("run", "seed", "seeds"),
        ("run", "method", "method"),
        ("data", "labeled_share", "budgets"),
    )
    for where, settings in tables.items():
        for table, field, instead in own:
            if field in settings.get(table, {}):
                raise InputError(
                    f"{path}: {where}.{table}.{field} has no effect in a grid; write {instead}"
                )


def cells_of(grid: GridConfig, where: str = "grid") -> list[Cell]:
    """List every cell, seed after seed, so that an unfinished grid has whole columns."""
    return [
        _cell(grid, row, budget, seed, where)
        for seed in all_seeds(grid)
        for row in grid.rows
        if seed in grid.seeds_of(row)
        for budget in grid.budgets_of(row)
    ]


def all_budgets(grid: GridConfig) -> list[float]:
    """List every budget of a grid, the smallest first."""
    return sorted({budget for row in grid.rows for budget in grid.budgets_of(row)})


def all_seeds(grid: GridConfig) -> list[int]:
    """List every seed of a grid: its own in their order, then those that single rows add."""
    return list(dict.fromkeys([*grid.seeds, *(s for row in grid.rows for s in row.seeds)]))


def any_config(path: Path) -> TrainConfig:
    """Read a training config, or the config of the first cell where the file is a grid."""
    try:
        is_grid = "rows" in parse_toml(read_text(path))
    except (OSError, ValueError):
        is_grid = False  # and the fault is named below
    return cells_of(load_grid(path))[0].config if is_grid else load_config(path)


def chosen_cells(cells: list[Cell], only: Sequence[str]) -> list[Cell]:
    """Select the cells that some ROW[/BUDGET[/SEED]] names; all where there is none.

    `InputError` for one that names no cell.
    """
    if not only:
        return cells
    names = [_names(pattern) for pattern in only]
    for pattern, wanted in zip(only, names, strict=True):
        if not any(_key(cell)[: len(wanted)] == wanted for cell in cells):
            raise InputError(f"--only {pattern}: no cell is called so; --list shows them all")
    return [cell for cell in cells if any(_key(cell)[: len(name)] == name for name in names)]


def _key(cell: Cell) -> tuple[str, ...]:
    return tuple(cell.address.split("/"))


def _names(pattern: str) -> tuple[str, ...]:
    """Split ROW[/BUDGET[/SEED]], with the budget as cells write it."""
    row, *rest = pattern.split("/")
    try:
        return row, *(f"{float(part):g}" for part in rest)
    except ValueError:
        raise InputError(
            f"--only {pattern}: write it as ROW, ROW/BUDGET or ROW/BUDGET/SEED"
        ) from None


def start_name(config: TrainConfig) -> str:
    """Name a start by what it computes, so that other settings make another start.

    Fields at their defaults do not count, because later versions may add some.
    """
    run = {"seed": config.run.seed, "method": config.run.method}
    settings = config.model_dump(mode="json", exclude_defaults=True) | {"run": run}
    what = json.dumps(settings, sort_keys=True)
    return f"start_{hashlib.sha256(what.encode()).hexdigest()[:12]}"


def _cell(grid: GridConfig, row: GridRow, budget: float, seed: int, where: str) -> Cell:
    own: Tables = {"run": {"seed": seed}, "data": {"labeled_share": budget}}
    of_row: Tables = {"run": {"method": row.method}}
    config = parse_config(_merged(grid.base, row.settings, of_row, own), f"{where}: row {row.name}")
    start = None
    if grid.start and row.from_start:
        # Labels and network must be those of the row; the rest, targets too, is the same for all.
        own_data = row.settings.get("data", {}).items()
        data = {k: v for k, v in own_data if k not in ("targets", "unlabeled")}
        shared: Tables = {"data": data, "model": row.settings.get("model", {})}
        supervised: Tables = {"run": {"method": "supervised"}}
        start = parse_config(
            _merged(grid.base, grid.start, shared, supervised, own), f"{where}: start"
        )
    return Cell(row.name, row.method, budget, seed, config, start)


def _merged(*layers: Tables) -> Tables:
    """Merge tables field by field, later layers over earlier ones."""
    tables: Tables = {}
    for layer in layers:
        for name, fields in layer.items():
            tables[name] = {**tables.get(name, {}), **fields}
    return tables


def compute_same(one: TrainConfig | None, other: TrainConfig | None) -> bool:
    """Whether two configs make the same result, wherever and however it is computed."""
    return _what(one) == _what(other)


def _what(config: TrainConfig | None) -> dict[str, Any]:
    """Describe a config without where and how it is computed, which a result names by itself.

    How attention is made is nothing to a network without any.
    """
    if config is None:
        return {}
    plain = RunConfig(seed=config.run.seed, method=config.run.method)
    what = config.model_copy(update={"run": plain}).model_dump(mode="json")
    if not config.model.attention_branches:
        what["model"] = {k: v for k, v in what["model"].items() if not k.startswith("attention_")}
    return what
