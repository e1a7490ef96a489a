"""The finished cells of a grid, read from their files; tables and plots are made from these."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fer_live.base.parse import parse_json
from fer_live.base.regular_file import read_whole
from fer_live.errors import InputError
from training.section import first_fault
from training.study.cells import CELLS, GridConfig, GridRow

_Share = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=0)]


class _Figures(BaseModel):
    """What a report reads of the figures on one set of images."""

    model_config = ConfigDict(allow_inf_nan=False)

    accuracy: _Share
    macro_f1: _Share


class _MainFigures(_Figures):
    n: _Count
    labels: tuple[str, ...]
    recall: dict[str, _Share | None]
    confusion: tuple[tuple[int, ...], ...]


class _Size(BaseModel):
    parameters: _Count


class _Start(BaseModel):
    config: dict[str, Any] | None
    steps: _Count
    labeled_images_seen: _Count
    wall_s: float = Field(ge=0, allow_inf_nan=False)


class _CellFile(BaseModel):
    """What a report reads of a cell's file; `fer-train grid` writes all of it, and more."""

    method: str
    budget: float
    seed: int
    split: str | None
    rule: str | None
    metrics: _MainFigures
    other_metrics: dict[str, _Figures]
    network: _Size
    start: _Start
    log: tuple[dict[str, Any], ...] = Field(min_length=1)
    precision: str
    device: str
    labeled_images: _Count
    unlabeled_images: _Count
    labeled_images_seen: _Count
    steps: _Count
    passes: float
    wall_s: float = Field(ge=0, allow_inf_nan=False)


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
                cell = _read_cell(file, (row.name, budget, seed))
                results.setdefault((row.name, budget), []).append(cell)
    return results


def _read_cell(file: Path, named: tuple[str, float, int]) -> dict[str, Any]:
    """Read a cell's file, which must hold the row, budget and seed that its name says."""
    try:
        cell: dict[str, Any] = parse_json(read_whole(file))
        checked = _CellFile.model_validate(cell)
    except ValidationError as error:
        raise InputError(f"{file}: not a result: {first_fault(error)}; delete it") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: not a result: {error}; delete it") from None
    if (checked.method, checked.budget, checked.seed) != named:
        raise InputError(
            f"{file}: holds {checked.method}/{checked.budget:g}/{checked.seed}, not what its name "
            "says; delete it"
        )
    return cell


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
