"""`fer-train report`: one Markdown page of tables and plots, made only from a grid's cells."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from fer_live.base.atomic_file import write_atomically
from fer_live.errors import InputError
from training.data.sources import WITHHELD
from training.loop.figures import UNLABELED
from training.measure.markdown import table_row
from training.study.cells import (
    CELLS,
    GRID_FILE,
    GridConfig,
    GridRow,
    all_budgets,
    cells_of,
    load_grid,
)
from training.study.comparison import Difference, paired_difference, right_images
from training.study.plots import write_plots
from training.study.results import Results, groups, percent, read_results

REPORT_FILE = "report.md"

_ALL = 1.0
_OTHER_RULE = "PublicTest ferplus-majority"
"""The same images as by argmax, but for some; no other test."""
_GRADIENT = "_gradient"
_ROUNDING = 1e-9
"""Percentage points that floats may lose on a tie."""

_TWO_WAY = """The interval that judges is the one of the rules. Where seeds vary little it is
wider than need be, because drawing seeds and images at once counts three times what varies from
seed to seed and image to image alike: it holds 97 to 100 % of simulated ties instead of 95. Where
seeds lie a point apart it is too narrow: it holds 90 to 96 % with five seeds, about 90 with three
and 82 to 91 with two, so that *better* and *worse* are said too often. The two-way interval, added
after the runs, counts everything once and allows for the number of seeds by Student's t: it holds
94 to 98 % with five seeds, 92 to 98 with three, 88 to 98 with two. Where the two disagree, take the
difference as open."""

_HEAD = """# {title}

{n_finished} of {n_cells} cells are finished. Seeds {seeds}; mean and standard deviation (n - 1)
over them, in percent. {protocol}
Every figure is of the last EMA teacher (of the last step, where a row has no average), without
test-time augmentation. "Unlabeled images" are
those of the training part whose labels no run saw, though semi-supervised ones trained on the
images; being many, they tell rows apart better. Held-out images are none of them, because their
labels are learned in the end. The method is reconstructed from the abstract of
arXiv 2601.05556. Made by `fer-train report` from the files in `{cells}/`.
"""


def write_report(folder: Path) -> Path:
    """Write DIR/report.md and its plots beside it; returns the page's path."""
    grid = load_grid(folder / GRID_FILE)
    results = read_results(folder, grid)
    if not results:
        raise InputError(f"{folder / CELLS}: no finished cell of this grid in it yet")
    plots = write_plots(folder, grid, results)
    page = "\n".join(_page(grid, results, plots))
    write_atomically(folder / REPORT_FILE, page.encode())
    return folder / REPORT_FILE


def _page(grid: GridConfig, results: Results, plots: dict[str, str]) -> Iterable[str]:
    cells = [cell for group in results.values() for cell in group]
    yield _HEAD.format(
        title=grid.title,
        n_finished=len(cells),
        n_cells=len(cells_of(grid)),
        seeds=_seeds(grid),
        protocol=_protocol(cells),
        cells=CELLS,
    )
    for name in _metric_sets(cells):
        yield f"## Accuracy, {name}\n"
        yield from _table(grid, results, name, "accuracy")
        yield f"## Macro-F1, {name}\n"
        yield from _table(grid, results, name, "macro_f1")
    main = _metric_sets(cells)[0]
    yield from _comparisons(grid, results, main)
    for name in (main, UNLABELED):
        if grid.compare and name in _metric_sets(cells):
            yield from _leads(grid, results, name)
    yield f"## Expected calibration error, {main}\n"
    yield from _table(grid, results, main, "ece")
    yield f"## Recall of each class, {main}\n"
    yield from _recalls(grid, results)
    yield from _gradients(grid, results)
    yield "## What each row saw\n"
    yield from _costs(grid, results)
    yield "## Plots\n"
    for title, file in plots.items():
        yield f"![{title}]({file})\n"


def _comparisons(grid: GridConfig, results: Results, main: str) -> Iterable[str]:
    """Judge the pairs of rows that the grid names, on each kind of images that no run saw."""
    if not grid.comparisons:
        return
    yield "## Differences, image by image\n"
    yield f"{grid.rules.strip()}\n"
    yield f"{_TWO_WAY}\n"
    titles = {row.name: row.title or row.name for row in grid.rows}
    sets = _metric_sets([cell for group in results.values() for cell in group])
    alone = [name for name in sets if name not in (main, WITHHELD, UNLABELED, _OTHER_RULE)]
    both = tuple(dict.fromkeys((main, WITHHELD))) if WITHHELD in sets else (main,)
    for names in (both, *((name,) for name in alone)):
        yield f"### {' and '.join(names)}\n"
        yield from _header(
            "row",
            "against",
            "seeds",
            "images",
            "difference",
            "95 % interval",
            "judged",
            "two-way interval",
            "by that",
        )
        for pair in grid.comparisons:
            sides = [(place.split("/")[0], float(place.split("/")[1])) for place in pair]
            ours, theirs = (right_images(results.get(side, []), names) for side in sides)
            found = paired_difference(ours, theirs)
            shown = [f"{titles[row]}, {percent(budget)}" for row, budget in sides]
            yield table_row(*shown, *_difference_entries(found))
        yield ""


def _difference_entries(found: Difference | None) -> tuple[str, ...]:
    if found is None:
        return ("0", "", "", "", "missing", "", "")
    low, high = found.interval
    narrow_low, narrow_high = found.two_way
    return (
        str(len(found.by_seed)),
        f"{found.n_images:,}",
        f"{found.mean:+.2f}",
        f"{low:+.2f} to {high:+.2f}",
        found.verdict,
        f"{narrow_low:+.2f} to {narrow_high:+.2f}",
        found.two_way_verdict,
    )


def _protocol(cells: list[dict[str, Any]]) -> str:
    cell, start = cells[0], cells[0]["start"]
    began = (
        f", from a supervised start of {start['steps']:,} steps on the row's labeled images"
        if start["config"]
        else ""
    )
    return (
        f"{cell['split']}, {cell['metrics']['n']} images by the rule {cell['rule']}; "
        f"{_range([c['steps'] for c in cells])} steps, "
        f"{_range([c['passes'] for c in cells])} passes over the row's images{began}."
    )


def _range(values: list[float]) -> str:
    """Write what all rows share, or the least and the most."""
    least, most = f"{min(values):,}", f"{max(values):,}"
    return least if least == most else f"{least} to {most}"


def _metric_sets(cells: list[dict[str, Any]]) -> list[str]:
    first = cells[0]
    main = " ".join(part for part in (first["split"], first["rule"]) if part)
    others = dict.fromkeys(name for cell in cells for name in cell["other_metrics"])
    return [main, *others]


def _figures(cell: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Return a cell's figures by the rule `name`; None where it was not measured by that one."""
    own = " ".join(part for part in (cell["split"], cell["rule"]) if part)
    figures: dict[str, Any] | None = {own: cell["metrics"], **cell["other_metrics"]}.get(name)
    return figures


def _seeds(grid: GridConfig) -> str:
    """Tell the seeds, and which rows have others."""
    others: dict[tuple[int, ...], list[str]] = {}
    for row in grid.rows:
        if grid.seeds_of(row) != grid.seeds:
            others.setdefault(row.seeds, []).append(row.title or row.name)
    text = ", ".join(map(str, grid.seeds))
    for seeds, titles in others.items():
        text += f"; {', '.join(map(str, seeds))} for {', '.join(titles)}"
    return text


def _table(grid: GridConfig, results: Results, name: str, figure: str) -> Iterable[str]:
    """Write a table of rows x budgets.

    A missing cell is called missing; one that is not asked for is left empty.
    """
    budgets = all_budgets(grid)
    yield from _header("method", *(percent(budget) for budget in budgets))
    for row in grid.rows:
        entries = []
        for budget in budgets:
            if budget not in grid.budgets_of(row):
                entries.append("")
                continue
            values = _by_seed(results, row, budget, name, figure)
            if name == UNLABELED and budget == _ALL:
                entries.append("")
                continue
            entries.append(_mean_and_deviation(list(values.values()), len(grid.seeds_of(row))))
        yield table_row(row.title or row.name, *entries)
    yield ""


def _leads(grid: GridConfig, results: Results, name: str) -> Iterable[str]:
    """Tell how much more accurate one row is than each other one, and than a row with all labels.

    Rows of a budget, seed and network share their labels and start, so differences are taken seed
    by seed. A row with all labels only shares the seed.
    """
    ours = next(row for row in grid.rows if row.name == grid.compare)
    title, budgets = ours.title or ours.name, grid.budgets_of(ours)
    yield f"## Lead of {title}, {name}\n"
    yield (
        "Percentage points of accuracy above each row, taken seed by seed; ± is the standard "
        "deviation of these differences, not of a row.\n"
    )
    yield from _header("above", *(percent(budget) for budget in budgets))
    claims = []
    for row in grid.rows:
        has, label = grid.budgets_of(row), row.title or row.name
        n_seeds = len(set(grid.seeds_of(ours)) & set(grid.seeds_of(row)))
        if row is not ours and set(has) & set(budgets):
            leads = {b: _lead(results, name, (ours, b), (row, b)) for b in budgets if b in has}
            yield table_row(label, *(_lead_entry(leads.get(b), n_seeds) for b in budgets))
        if _ALL in has and _ALL not in budgets and name != UNLABELED:
            leads = {b: _lead(results, name, (ours, b), (row, _ALL)) for b in budgets}
            yield table_row(
                f"{label}, {percent(_ALL)}", *(_lead_entry(leads[b], n_seeds) for b in budgets)
            )
            if n_seeds and all(len(values) == n_seeds for values in leads.values()):
                reached = [b for b, values in leads.items() if np.mean(values) > -_ROUNDING]
                answer = percent(min(reached)) if reached else "none of these"
            else:
                answer = "open, because cells are missing"
            reaches = f"{title} reaches {label} at {percent(_ALL)}"
            claims.append(f"The smallest budget at which {reaches}: {answer}.\n")
    yield ""
    yield from claims


def _lead(
    results: Results, name: str, ours: tuple[GridRow, float], theirs: tuple[GridRow, float]
) -> list[float]:
    """Return the accuracy of one row minus that of another, for each seed that has both."""
    own, other = (_by_seed(results, *side, name, "accuracy") for side in (ours, theirs))
    return [own[seed] - other[seed] for seed in own if seed in other]


def _lead_entry(values: list[float] | None, n_seeds: int) -> str:
    return "" if values is None else _mean_and_deviation(values, n_seeds, sign="+")


def _by_seed(
    results: Results, row: GridRow, budget: float, name: str, figure: str
) -> dict[int, float]:
    """Return a figure in percent by seed, of the cells that have it."""
    found = {c["seed"]: _figures(c, name) for c in results.get((row.name, budget), [])}
    return {seed: 100 * figures[figure] for seed, figures in found.items() if figures}


def _mean_and_deviation(values: list[float], n_seeds: int, *, sign: str = "") -> str:
    n_missing = n_seeds - len(values)
    if not values:
        return "missing"
    deviation = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    missing = f" ({n_missing} of {n_seeds} missing)" if n_missing else ""
    return f"{np.mean(values):{sign}.1f}{deviation}{missing}"


def _recalls(grid: GridConfig, results: Results) -> Iterable[str]:
    labels = next(iter(results.values()))[0]["metrics"]["labels"]
    yield from _header("method", "labels", *labels)
    for row, budget, group in groups(grid, results):
        recalls = [[cell["metrics"]["recall"][label] for cell in group] for label in labels]
        means = ["" if None in values else f"{100 * np.mean(values):.1f}" for values in recalls]
        yield table_row(row.title or row.name, percent(budget), *means)
    yield ""


def _gradients(grid: GridConfig, results: Results) -> Iterable[str]:
    """Write how strongly each unlabeled term pulls, where the logs have it."""
    lines = {
        (row.title or row.name, percent(budget)): [line for cell in group for line in cell["log"]]
        for row, budget, group in groups(grid, results)
    }
    names = sorted({name for of_row in lines.values() for name in of_row[0] if _is_gradient(name)})
    if not names:
        return
    yield "## Gradients of the unlabeled terms\n"
    yield (
        "Norm of the gradient at the logits of the strong views, weighted as in the loss, a mean "
        "over all steps and seeds.\n"
    )
    yield from _header("method", "labels", *(name.removesuffix(_GRADIENT) for name in names))
    for (title, budget), of_row in lines.items():
        if any(name in of_row[0] for name in names):
            sizes = [[line[name] for line in of_row if name in line] for name in names]
            yield table_row(title, budget, *(f"{np.mean(s):.3f}" if s else "" for s in sizes))
    yield ""


def _is_gradient(name: str) -> bool:
    return name.endswith(_GRADIENT)


def _costs(grid: GridConfig, results: Results) -> Iterable[str]:
    """Write what each row saw and took, with its start, which several rows share.

    Seconds can only be compared on one device.
    """
    yield from _header(
        "method",
        "labels",
        "parameters",
        "labeled images",
        "seen",
        "of them in the start",
        "unlabeled images",
        "seconds",
        "of them in the start",
        "device",
    )
    for row, budget, group in groups(grid, results):
        cell = group[0]
        seen, start_s = cell["start"]["labeled_images_seen"], [c["start"]["wall_s"] for c in group]
        yield table_row(
            row.title or row.name,
            percent(budget),
            f"{cell['network']['parameters']:,}",
            f"{cell['labeled_images']:,}",
            f"{cell['labeled_images_seen'] + seen:,}",
            f"{seen:,}",
            f"{cell['unlabeled_images']:,}",
            f"{np.mean([c['wall_s'] for c in group]) + np.mean(start_s):.0f}",
            f"{np.mean(start_s):.0f}",
            "; ".join(sorted({f"{c['device']}, {c['precision']}" for c in group})),
        )
    yield ""


def _header(*names: str) -> Iterable[str]:
    yield table_row(*names)
    yield "|" + "---|" * len(names)
