"""`fer-train report`: one Markdown page of tables and plots, made only from a grid's cells."""

import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_live.base.atomic_file import write_atomically
from fer_live.errors import InputError
from training.loop.train import UNLABELED
from training.measure.markdown import table_row
from training.study.grid import CELLS, GRID_FILE, GridConfig, GridRow, load_grid

REPORT_FILE = "report.md"

_ALL = 1.0
_PANELS_BESIDE = 3
_ROUNDING = 1e-9
"""Percentage points that floats may lose on a tie."""

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
"""Of a cell; what `fer-train grid` wrote has them all."""

Results = dict[tuple[str, float], list[dict[str, Any]]]
"""The finished cells of a row at a budget, one a seed."""

_HEAD = """# {title}

{n_finished} of {n_cells} cells are finished. Seeds {seeds}; mean and standard deviation (n - 1)
over them, in percent. {protocol}
Every figure is of the last EMA teacher, without test-time augmentation. "Unlabeled images" are
those of the training part whose labels no run saw, though semi-supervised ones trained on the
images; being many, they tell rows apart better. The method is reconstructed from the abstract of
arXiv 2601.05556. Made by `fer-train report` from the files in `{cells}/`.
"""


def write_report(folder: Path) -> Path:
    """Write DIR/report.md and its plots beside it; returns the page's path."""
    grid = load_grid(folder / GRID_FILE)
    results = _read_results(folder, grid)
    if not results:
        raise InputError(f"{folder / CELLS}: no finished cell of this grid in it yet")
    plots = _write_plots(folder, grid, results)
    page = "\n".join(_page(grid, results, plots))
    write_atomically(folder / REPORT_FILE, page.encode())
    return folder / REPORT_FILE


def _read_results(folder: Path, grid: GridConfig) -> Results:
    results: Results = {}
    for row in grid.rows:
        for budget in row.budgets or grid.budgets:
            for seed in grid.seeds:
                file = folder / CELLS / f"{row.name}_{budget:g}_{seed}.json"
                if not file.is_file():
                    continue
                try:
                    cell = json.loads(file.read_bytes())
                    lacks = _NEEDED - set(cell)
                except (OSError, ValueError, TypeError) as error:
                    raise InputError(f"{file}: not a result: {error}; delete it") from None
                if lacks:
                    raise InputError(f"{file}: not a result, it lacks {min(lacks)}; delete it")
                results.setdefault((row.name, budget), []).append(cell)
    return results


def _page(grid: GridConfig, results: Results, plots: dict[str, str]) -> Iterable[str]:
    cells = [cell for group in results.values() for cell in group]
    n_cells = sum(len(row.budgets or grid.budgets) for row in grid.rows) * len(grid.seeds)
    yield _HEAD.format(
        title=grid.title,
        n_finished=len(cells),
        n_cells=n_cells,
        seeds=", ".join(map(str, grid.seeds)),
        protocol=_protocol(cells),
        cells=CELLS,
    )
    for name in _metric_sets(cells):
        yield f"## Accuracy, {name}\n"
        yield from _table(grid, results, name, "accuracy")
        yield f"## Macro-F1, {name}\n"
        yield from _table(grid, results, name, "macro_f1")
    main = _metric_sets(cells)[0]
    for name in (main, UNLABELED):
        if grid.compare and name in _metric_sets(cells):
            yield from _leads(grid, results, name)
    yield f"## Expected calibration error, {main}\n"
    yield from _table(grid, results, main, "ece")
    yield f"## Recall of each class, {main}\n"
    yield from _recalls(grid, results)
    yield "## What each row saw\n"
    yield from _costs(grid, results)
    yield "## Plots\n"
    for title, file in plots.items():
        yield f"![{title}]({file})\n"


def _protocol(cells: list[dict[str, Any]]) -> str:
    cell, start = cells[0], cells[0]["start"]
    began = (
        f", from a supervised start of {start['steps']:,} steps on the row's labeled images"
        if start["config"]
        else ""
    )
    return (
        f"{cell['split']}, {cell['metrics']['n']} images by the rule {cell['rule']}; "
        f"{cell['steps']:,} steps, {cell['passes']} passes over the images{began}."
    )


def _metric_sets(cells: list[dict[str, Any]]) -> list[str]:
    first = cells[0]
    main = " ".join(part for part in (first["split"], first["rule"]) if part)
    others = dict.fromkeys(name for cell in cells for name in cell["other_metrics"])
    return [main, *others]


def _figures(cell: dict[str, Any], name: str) -> dict[str, Any] | None:
    """A cell's figures by the rule `name`; None where it was not measured by that one."""
    own = " ".join(part for part in (cell["split"], cell["rule"]) if part)
    figures: dict[str, Any] | None = {own: cell["metrics"], **cell["other_metrics"]}.get(name)
    return figures


def _table(grid: GridConfig, results: Results, name: str, figure: str) -> Iterable[str]:
    """Rows x budgets; a missing cell is called missing, one that is not asked for is left empty."""
    budgets = _all_budgets(grid)
    yield from _header("method", *(_percent(budget) for budget in budgets))
    for row in grid.rows:
        entries = []
        for budget in budgets:
            if budget not in (row.budgets or grid.budgets):
                entries.append("")
                continue
            values = _by_seed(results, row, budget, name, figure)
            if name == UNLABELED and budget == _ALL:
                entries.append("")
                continue
            entries.append(_mean_and_deviation(list(values.values()), grid))
        yield table_row(row.title or row.name, *entries)
    yield ""


def _leads(grid: GridConfig, results: Results, name: str) -> Iterable[str]:
    """How much more accurate one row is than each other one, and than a row with all labels.

    Rows of a budget, seed and network share their labels and start, so differences are taken seed
    by seed; a row with all labels shares the seed alone.
    """
    ours = next(row for row in grid.rows if row.name == grid.compare)
    title, budgets = ours.title or ours.name, ours.budgets or grid.budgets
    yield f"## Lead of {title}, {name}\n"
    yield (
        "Percentage points of accuracy above each row, taken seed by seed; ± is the standard "
        "deviation of these differences, not of a row.\n"
    )
    yield from _header("above", *(_percent(budget) for budget in budgets))
    claims = []
    for row in grid.rows:
        has, label = row.budgets or grid.budgets, row.title or row.name
        if row is not ours and set(has) & set(budgets):
            leads = {b: _lead(results, name, (ours, b), (row, b)) for b in budgets if b in has}
            yield table_row(label, *(_lead_entry(leads.get(b), grid) for b in budgets))
        if _ALL in has and _ALL not in budgets and name != UNLABELED:
            leads = {b: _lead(results, name, (ours, b), (row, _ALL)) for b in budgets}
            yield table_row(
                f"{label}, {_percent(_ALL)}", *(_lead_entry(leads[b], grid) for b in budgets)
            )
            if all(len(values) == len(grid.seeds) for values in leads.values()):
                reached = [b for b, values in leads.items() if np.mean(values) > -_ROUNDING]
                answer = _percent(min(reached)) if reached else "none of these"
            else:
                answer = "open, for cells are missing"
            reaches = f"{title} reaches {label} at {_percent(_ALL)}"
            claims.append(f"The smallest budget at which {reaches}: {answer}.\n")
    yield ""
    yield from claims


def _lead(
    results: Results, name: str, ours: tuple[GridRow, float], theirs: tuple[GridRow, float]
) -> list[float]:
    """Accuracy of one row at a budget minus that of another, of each seed that has both."""
    own, other = (_by_seed(results, *side, name, "accuracy") for side in (ours, theirs))
    return [own[seed] - other[seed] for seed in own if seed in other]


def _lead_entry(values: list[float] | None, grid: GridConfig) -> str:
    return "" if values is None else _mean_and_deviation(values, grid, sign="+")


def _by_seed(
    results: Results, row: GridRow, budget: float, name: str, figure: str
) -> dict[int, float]:
    """Seed -> a figure in percent, for the cells that have it."""
    found = {c["seed"]: _figures(c, name) for c in results.get((row.name, budget), [])}
    return {seed: 100 * figures[figure] for seed, figures in found.items() if figures}


def _mean_and_deviation(values: list[float], grid: GridConfig, *, sign: str = "") -> str:
    n_missing = len(grid.seeds) - len(values)
    if not values:
        return "missing"
    deviation = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    missing = f" ({n_missing} of {len(grid.seeds)} missing)" if n_missing else ""
    return f"{np.mean(values):{sign}.1f}{deviation}{missing}"


def _recalls(grid: GridConfig, results: Results) -> Iterable[str]:
    labels = next(iter(results.values()))[0]["metrics"]["labels"]
    yield from _header("method", "labels", *labels)
    for row, budget, group in _groups(grid, results):
        recalls = [[cell["metrics"]["recall"][label] for cell in group] for label in labels]
        means = ["" if None in values else f"{100 * np.mean(values):.1f}" for values in recalls]
        yield table_row(row.title or row.name, _percent(budget), *means)
    yield ""


def _costs(grid: GridConfig, results: Results) -> Iterable[str]:
    """With the start, which several rows share; seconds can be compared on one device alone."""
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
    for row, budget, group in _groups(grid, results):
        cell = group[0]
        seen, start_s = cell["start"]["labeled_images_seen"], [c["start"]["wall_s"] for c in group]
        yield table_row(
            row.title or row.name,
            _percent(budget),
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


def _write_plots(folder: Path, grid: GridConfig, results: Results) -> dict[str, str]:
    """Write every plot that the cells have something for: title -> file name."""
    mpl.use("Agg")
    titles = {row.name: row.title or row.name for row in grid.rows}
    plots: dict[str, tuple[str, Figure]] = {}
    if len(_all_budgets(grid)) > 1:
        plots["Accuracy against labels"] = ("accuracy.svg", _plot_accuracy(grid, results))
    budget = _typical_budget(grid, results)
    at = f"at {_percent(budget)} of the labels"
    groups = {titles[row]: group for (row, b), group in results.items() if b == budget}
    curves = {
        "Share of unlabeled images kept": ("kept_share", "kept_share.svg"),
        "Kept pseudo-labels that are right": ("kept_right", "kept_right.svg"),
        "Share of unlabeled images with complementary labels": (
            "complementary_share",
            "complementary_share.svg",
        ),
        "Complementary labels that are right": ("complementary_right", "complementary_right.svg"),
    }
    for title, (key, file) in curves.items():
        if any(key in line for group in groups.values() for line in group[0]["log"]):
            plots[f"{title}, {at}"] = (file, _plot_curves(groups, key, title))
    with_thresholds = {
        title: group for title, group in groups.items() if "thresholds" in group[0]["log"][-1]
    }
    if with_thresholds:
        figure = _panels(with_thresholds, _plot_thresholds, height=3.2)
        plots[f"Thresholds of each class, first seed, {at}"] = ("thresholds.svg", figure)
    figure = _panels(groups, _plot_confusion, height=4.4)
    plots[f"Confusion matrices, all seeds, percent of the true class, {at}"] = (
        "confusion.svg",
        figure,
    )
    plots[f"Reliability, first seed, {at}"] = ("reliability.svg", _plot_reliability(groups))
    for file, figure in plots.values():
        # Without date and with fixed ids, so that the same cells make the same file.
        with mpl.rc_context({"svg.hashsalt": file, "svg.fonttype": "none"}):
            figure.savefig(folder / file, metadata={"Date": None})
    return {title: file for title, (file, _) in plots.items()}


def _plot_accuracy(grid: GridConfig, results: Results) -> Figure:
    figure, axes = _axes("share of the labels, %", "accuracy, %")
    for row in grid.rows:
        points = []
        for budget in row.budgets or grid.budgets:
            values = [
                100 * cell["metrics"]["accuracy"] for cell in results.get((row.name, budget), [])
            ]
            if values:
                deviation = np.std(values, ddof=1) if len(values) > 1 else 0.0
                points.append((100 * budget, np.mean(values), deviation))
        if points:
            x, y, deviation = zip(*points, strict=True)
            axes.errorbar(x, y, deviation, marker="o", capsize=3, label=row.title or row.name)
    axes.set_xscale("log")
    ticks = [100 * budget for budget in _all_budgets(grid)]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    return _with_legend(figure)


def _plot_curves(groups: dict[str, list[dict[str, Any]]], key: str, title: str) -> Figure:
    figure, axes = _axes("passes", f"{title}, %")
    for name, group in groups.items():
        if key not in group[0]["log"][0]:
            continue
        # Where nothing was kept, or the truth is not known, the curve has a gap.
        lines = np.array([[line[key] for line in cell["log"]] for cell in group], dtype=np.float64)
        passes = [line["passes"] for line in group[0]["log"]]
        axes.plot(passes, 100 * lines.mean(axis=0), marker=".", label=name)
    return _with_legend(figure)


def _panels(
    groups: dict[str, list[dict[str, Any]]],
    plot: Callable[[Axes, list[dict[str, Any]]], None],
    *,
    height: float,
) -> Figure:
    """One small plot a row of the table, three beside each other."""
    n_rows = math.ceil(len(groups) / _PANELS_BESIDE)
    figure = Figure(figsize=(4.6 * _PANELS_BESIDE, height * n_rows), layout="constrained")
    for place, (title, group) in enumerate(groups.items(), 1):
        axes = figure.add_subplot(n_rows, _PANELS_BESIDE, place)
        axes.set_title(title, fontsize="medium")
        plot(axes, group)
    return figure


def _plot_thresholds(axes: Axes, group: list[dict[str, Any]]) -> None:
    log, labels = group[0]["log"], group[0]["metrics"]["labels"]
    passes = [line["passes"] for line in log]
    for index, label in enumerate(labels):
        axes.plot(passes, [line["thresholds"][index] for line in log], label=label)
    axes.set_ylim(0, 1)
    axes.set_xlabel("passes")
    axes.legend(fontsize="x-small", ncols=2, loc="lower right")


def _plot_confusion(axes: Axes, group: list[dict[str, Any]]) -> None:
    labels = group[0]["metrics"]["labels"]
    counts = np.sum([cell["metrics"]["confusion"] for cell in group], axis=0)
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=100)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", fontsize="x-small")
    axes.set_yticks(range(len(labels)), labels, fontsize="x-small")
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    for (row, column), value in np.ndenumerate(share):
        color = "white" if value > 60 else "black"
        axes.text(
            column, row, f"{value:.0f}", ha="center", va="center", color=color, fontsize="x-small"
        )


def _plot_reliability(groups: dict[str, list[dict[str, Any]]]) -> Figure:
    figure, axes = _axes("confidence", "accuracy")
    axes.plot([0, 1], [0, 1], color="gray", linestyle=":")
    for name, group in groups.items():
        bins = group[0]["metrics"]["reliability"]
        confidence = [b["confidence"] for b in bins]
        axes.plot(confidence, [b["accuracy"] for b in bins], marker=".", label=name)
    return _with_legend(figure)


def _axes(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(9.6, 4.8), layout="constrained")
    axes = figure.add_subplot()
    axes.set_prop_cycle(color=mpl.color_sequences["tab20"])  # a table has more than ten rows
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure, axes


def _with_legend(figure: Figure) -> Figure:
    """Beside the plot: with a dozen rows it would cover the curves."""
    figure.legend(loc="outside right center", fontsize="small")
    return figure


def _groups(
    grid: GridConfig, results: Results
) -> Iterable[tuple[GridRow, float, list[dict[str, Any]]]]:
    for row in grid.rows:
        for budget in row.budgets or grid.budgets:
            if (row.name, budget) in results:
                yield row, budget, results[row.name, budget]


def _all_budgets(grid: GridConfig) -> list[float]:
    return sorted({b for row in grid.rows for b in row.budgets or grid.budgets})


def _typical_budget(grid: GridConfig, results: Results) -> float:
    """The budget with most finished rows, which is the one to look into."""
    counts = {b: sum(b == budget for _, budget in results) for b in _all_budgets(grid)}
    return max(counts, key=lambda budget: counts[budget])


def _percent(budget: float) -> str:
    return f"{100 * budget:g} %"


def _header(*names: str) -> Iterable[str]:
    yield table_row(*names)
    yield "|" + "---|" * len(names)
