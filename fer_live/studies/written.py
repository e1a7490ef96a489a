"""A study as a table, as one JSON object, and as lines for a terminal."""

import io
import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pandas as pd

from fer_live.outputs.cells import plain_cell
from fer_live.studies.agreement import Agreement
from fer_live.studies.bootstrap import Estimate
from fer_live.studies.episodes import UNSURE
from fer_live.studies.summary import MEASURES, SHOWN, GroupSummary, Study

UNSURE_NAME = "unsure"
SHARE, KAPPA, CORRELATION = "agreement_share", "agreement_kappa", "agreement_correlation"
_FIGURE = ("measure", "label", "value", "low", "high", "n", "over")
_DIGITS = 6
_N_SHOWN = 3


def as_table(study: Study, agreement: Agreement | None = None) -> pd.DataFrame:
    """One row for each figure: the columns that tell the groups apart, then `measure`, `label`,
    `value`, `low` and `high` (its 95 % interval, empty without one), `n` and `over` (of how many
    units of which kind the interval was drawn). The rows of an agreement have no group. A column to
    group by that has one of these names is written with "by_" before it."""
    rows: list[dict[str, object]] = []
    for group in study.groups:
        key = {_heading(name): value for name, value in group.key.items()}
        rows += [{**key, **figure} for figure in _figures(group)]
    if agreement is not None:
        rows += [dict(figure) for figure in _agreed(agreement)]
    columns = [*map(_heading, study.by), *_FIGURE]
    return pd.DataFrame(rows, columns=columns, dtype=object)  # counts stay whole numbers


def as_csv(study: Study, agreement: Agreement | None = None) -> str:
    """`as_table` as CSV, in which no cell and no heading is a formula."""
    text = io.StringIO()
    table = as_table(study, agreement).map(plain_cell).rename(columns=plain_cell)
    table.to_csv(text, index=False, lineterminator="\n")
    return text.getvalue()


def as_object(study: Study, agreement: Agreement | None = None) -> dict[str, Any]:
    """The same as one object for JSON, in which what is not defined is null."""
    return {
        "by": list(study.by),
        "labels": list(study.labels),
        "groups": [_group_object(group) for group in study.groups],
        "agreement": None if agreement is None else _agreement_object(agreement),
    }


def as_lines(study: Study) -> Iterator[str]:
    """A line for each group, with the labels that were shown most."""
    for group in study.groups:
        shown = {
            label: estimate
            for (measure, label), estimate in group.figures.items()
            if measure == SHOWN and estimate.value > 0
        }
        most = sorted(shown.items(), key=lambda item: -item[1].value)[:_N_SHOWN]
        shares = ", ".join(f"{label or UNSURE_NAME} {in_percent(e)}" for label, e in most)
        amount = "images" if group.is_of_stills else f"{group.seconds:.1f} s with a face"
        yield f"{name_of(group)}: {amount}; {shares or 'nothing shown'}"


def name_of(group: GroupSummary) -> str:
    """The group's values, for a heading; "all" where there are no columns to tell groups apart."""
    if not group.key:
        return "all"
    return ", ".join(value or f"no {name}" for name, value in group.key.items())


def in_percent(estimate: Estimate) -> str:
    """For example "41 % [30, 52]"; empty where it is not defined."""
    if math.isnan(estimate.value):
        return ""
    interval = f" [{100 * estimate.low:.0f}, {100 * estimate.high:.0f}]"
    return f"{100 * estimate.value:.0f} %{'' if math.isnan(estimate.low) else interval}"


def _heading(name: str) -> str:
    return f"by_{name}" if name in _FIGURE else name


def _figures(group: GroupSummary) -> Iterator[dict[str, object]]:
    counts = {
        "seconds": group.seconds,
        "face_seconds": group.face_seconds,
        "sources": group.n_sources,
        "participants": group.n_participants,
    }
    for measure, value in counts.items():
        yield {**_figure(measure, "", Estimate(float(value))), "value": _counted(value)}
    for measure in MEASURES:
        for (name, label), estimate in group.figures.items():
            if name == measure:
                is_shown = measure == SHOWN and label == UNSURE
                figure = _figure(measure, UNSURE_NAME if is_shown else label, estimate)
                yield figure if estimate.over else {**figure, "value": _counted(estimate.value)}


def _counted(value: float) -> float | int:
    """What was counted is a whole number; seconds are rounded."""
    return int(value) if float(value).is_integer() else round(float(value), _DIGITS)


def _agreed(agreement: Agreement) -> Iterator[dict[str, object]]:
    for column, estimate in agreement.share.items():
        yield _figure(SHARE, column, estimate)
    for column, estimate in agreement.kappa.items():
        yield _figure(KAPPA, column, estimate)
    for label, estimate in agreement.correlation.items():
        yield _figure(CORRELATION, label, estimate)


def _figure(measure: str, label: str, estimate: Estimate) -> dict[str, object]:
    ends = {name: _rounded(getattr(estimate, name)) for name in ("value", "low", "high")}
    n = estimate.n if estimate.over else None
    return {"measure": measure, "label": label, **ends, "n": n, "over": estimate.over}


def _group_object(group: GroupSummary) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for figure in _figures(group):
        measure, label = str(figure.pop("measure")), str(figure.pop("label"))
        only_value = not figure["over"]
        content = figure["value"] if only_value else figure
        if label:
            figures.setdefault(measure, {})[label] = content
        else:
            figures[measure] = content
    kind = {"weighted_by": "frames" if group.is_of_stills else "time", "over": group.over}
    return {"key": group.key, **kind, **figures}


def _agreement_object(agreement: Agreement) -> dict[str, Any]:
    def objects(estimates: dict[str, Estimate]) -> dict[str, Any]:
        return {
            name: {
                key: _rounded(value) if isinstance(value, float) else value
                for key, value in asdict(estimate).items()
            }
            for name, estimate in estimates.items()
        }

    return {
        "a": agreement.a,
        "b": agreement.b,
        "frames": agreement.frames,
        "pairs": agreement.pairs,
        "share": objects(agreement.share),
        "kappa": objects(agreement.kappa),
        "correlation": objects(agreement.correlation),
    }


def _rounded(value: float) -> float | None:
    return None if math.isnan(value) else round(value, _DIGITS)
