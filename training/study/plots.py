"""The plots of a grid's report, made only from its finished cells."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.study.cells import GridConfig, all_budgets
from training.study.results import Results, percent

_PANELS_BESIDE = 3
_CURVES = {
    "kept_share": "Share of unlabeled images kept",
    "kept_right": "Kept pseudo-labels that are right",
    "complementary_share": "Share of unlabeled images with complementary labels",
    "complementary_right": "Complementary labels that are right",
}
"""What a line of the log may have -> the title of its curve over the passes."""


def write_plots(folder: Path, grid: GridConfig, results: Results) -> dict[str, str]:
    """Write every plot that the cells have something for: title -> file name."""
    mpl.use("Agg")
    plots: dict[str, tuple[str, Figure]] = {}
    if len(all_budgets(grid)) > 1:
        plots["Accuracy against labels"] = ("accuracy.svg", _plot_accuracy(grid, results))
    plots |= _plots_at(_typical_budget(grid, results), grid, results)
    for file, figure in plots.values():
        # Without date and with fixed ids, so that the same cells make the same file.
        with mpl.rc_context({"svg.hashsalt": file, "svg.fonttype": "none"}):
            figure.savefig(folder / file, metadata={"Date": None})
    return {title: file for title, (file, _) in plots.items()}


def _plots_at(budget: float, grid: GridConfig, results: Results) -> dict[str, tuple[str, Figure]]:
    """Draw the plots that look into the runs of one budget: title -> file name and plot."""
    at = f"at {percent(budget)} of the labels"
    titles = {row.name: row.title or row.name for row in grid.rows}
    groups = {titles[row]: group for (row, b), group in results.items() if b == budget}
    plots: dict[str, tuple[str, Figure]] = {}
    for key, title in _CURVES.items():
        if any(key in line for group in groups.values() for line in group[0]["log"]):
            plots[f"{title}, {at}"] = (f"{key}.svg", _plot_curves(groups, key, title))
    with_thresholds = {
        title: group for title, group in groups.items() if "thresholds" in group[0]["log"][-1]
    }
    if with_thresholds:
        figure = _panels(with_thresholds, _plot_thresholds, height=3.2)
        plots[f"Thresholds of each class, first seed, {at}"] = ("thresholds.svg", figure)
    figure = _panels(groups, _plot_confusion, height=4.4)
    confusion = f"Confusion matrices, all seeds, percent of the true class, {at}"
    plots[confusion] = ("confusion.svg", figure)
    plots[f"Reliability, first seed, {at}"] = ("reliability.svg", _plot_reliability(groups))
    return plots


def _plot_accuracy(grid: GridConfig, results: Results) -> Figure:
    figure, axes = _axes("share of the labels, %", "accuracy, %")
    for row in grid.rows:
        points = []
        for budget in grid.budgets_of(row):
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
    ticks = [100 * budget for budget in all_budgets(grid)]
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
    """Draw one small plot per row of the table, three beside each other."""
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
    """Put the legend beside the plot: with a dozen rows it would cover the curves."""
    figure.legend(loc="outside right center", fontsize="small")
    return figure


def _typical_budget(grid: GridConfig, results: Results) -> float:
    """Find the budget with the most finished rows, whose runs are looked into."""
    counts = {b: sum(b == budget for _, budget in results) for b in all_budgets(grid)}
    return max(counts, key=lambda budget: counts[budget])
