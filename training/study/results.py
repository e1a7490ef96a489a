"""The finished cells of a grid, read from their files; tables and plots are made from these."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fer_live.base.parse import parse_json
from fer_live.base.regular_file import read_whole
from fer_live.errors import InputError
from training.study.cells import CELLS, GridConfig, GridRow

_NEEDED = {
    "seed",
    "split",
    "rule",
    "metrics",
    "other_metrics",
    "network",
    "start",
    "log",
    "precision",
}
"""Keys that the file of a cell must have; `fer-train grid` writes them all."""

Results = dict[tuple[str, float], list[dict[str, Any]]]
"""(row, budget) -> the finished cells, one per seed."""


def read_results(folder: Path, grid: GridConfig) -> Results:
    """Read the files of all finished cells of a grid; `InputError` names one that is no result."""
    results: Results = {}
    for row in grid.rows:
        for budget in grid.budgets_of(row):
            for seed in grid.seeds_of(row):
                file = folder / CELLS / f"{row.name}_{budget:g}_{seed}.json"
                if not file.is_file():
                    continue
                try:
                    cell = parse_json(read_whole(file))
                    lacks = _NEEDED - set(cell)
                except (OSError, ValueError, TypeError) as error:
                    raise InputError(f"{file}: not a result: {error}; delete it") from None
                if lacks:
                    raise InputError(f"{file}: not a result, it lacks {min(lacks)}; delete it")
                results.setdefault((row.name, budget), []).append(cell)
    return results


def groups(
    grid: GridConfig, results: Results
) -> Iterable[tuple[GridRow, float, list[dict[str, Any]]]]:
    """Yield row, budget and cells in the order of the table, without what is missing."""
    for row in grid.rows:
        for budget in grid.budgets_of(row):
            if (row.name, budget) in results:
                yield row, budget, results[row.name, budget]


def percent(budget: float) -> str:
    """Write a share as percent."""
    return f"{100 * budget:g} %"
