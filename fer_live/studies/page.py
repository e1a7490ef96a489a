"""A study as one HTML page that opens offline."""

import io
import math
from collections.abc import Sequence
from datetime import datetime

import matplotlib as mpl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fer_live import __version__
from fer_live.base.colors import expression_hex
from fer_live.base.translation import tr, tr_label
from fer_live.studies.agreement import Agreement
from fer_live.studies.bootstrap import Estimate
from fer_live.studies.episodes import UNSURE
from fer_live.studies.summary import (
    BLINKS,
    EPISODE_S,
    EPISODES,
    LIKELIEST,
    ONSET_S,
    OVER_PARTICIPANTS,
    PROBABILITIES,
    SHOWN,
    SWITCHES,
    GroupSummary,
    Study,
)

_MAX_DRAWN = 30
"""More groups than this stand in the tables alone."""
_COLUMNS = 4
_WITHOUT = Estimate(math.nan)


def as_page(study: Study, agreement: Agreement | None = None) -> str:
    """The page: what each group showed, drawn and in tables, with intervals; how far two agree."""
    environment = Environment(
        loader=PackageLoader("fer_live.studies", ""), autoescape=True, undefined=StrictUndefined
    )
    drawn = study.groups[:_MAX_DRAWN]
    return environment.get_template("page.html").render(
        tr=tr,
        tr_label=tr_label,
        version=__version__,
        made_at=datetime.now().strftime("%Y-%m-%d %H:%M"),
        by=study.by,
        groups=[_overview(group) for group in study.groups],
        has_blinks=any((BLINKS, "") in group.figures for group in study.groups),
        has_stills=any(group.is_of_stills for group in study.groups),
        intervals=_how_intervals(study),
        stacks=_stacks(drawn, study.labels) if drawn else "",
        dots=_dots(drawn, study.labels) if drawn else "",
        n_left_out=len(study.groups) - len(drawn),
        agreement=agreement and _agreement(agreement),
    )


def heading(group: GroupSummary) -> str:
    """The group's values; for a cell that is empty, what is missing."""
    if not group.key:
        return tr("all rows")
    return ", ".join(value or tr("no {name}", name=name) for name, value in group.key.items())


def _how_intervals(study: Study) -> str:
    kinds = {group.over for group in study.groups}
    if kinds == {OVER_PARTICIPANTS}:
        return tr("Intervals (95 %) are by bootstrap over participants.")
    if OVER_PARTICIPANTS in kinds:
        return tr(
            "Intervals (95 %) are by bootstrap over participants where a group has several, else "
            "over what happened from one begin of the label shown most to the next."
        )
    return tr(
        "Intervals (95 %) are by bootstrap over what happened from one begin of the label shown "
        "most to the next: they say how steady these recordings are, not how other people would be."
    )


def _overview(group: GroupSummary) -> dict[str, object]:
    labels = [label for measure, label in group.figures if measure == EPISODES]
    return {
        "name": heading(group),
        "seconds": f"{group.seconds:.1f}",
        "face_seconds": f"{group.face_seconds:.1f}",
        "sources": group.n_sources,
        "participants": group.n_participants or "",
        "switches": _text(group.figures.get((SWITCHES, ""), _WITHOUT), 1),
        "blinks": _text(group.figures.get((BLINKS, ""), _WITHOUT), 1),
        "labels": [_label_row(group, label, labels) for label in [*labels, UNSURE]],
    }


def _label_row(group: GroupSummary, label: str, labels: Sequence[str]) -> dict[str, str]:
    def figure(measure: str) -> Estimate:
        return group.figures.get((measure, label), _WITHOUT)

    return {
        "name": tr_label(label),
        "color": expression_hex(label, labels),
        "shown": _text(figure(SHOWN), 1, 100),
        "likeliest": _text(figure(LIKELIEST), 1, 100),
        "probability": _text(figure(PROBABILITIES), 1, 100),
        "episodes": "" if label == UNSURE else f"{figure(EPISODES).value:.0f}",
        "episode_s": _text(figure(EPISODE_S), 2),
        "onset_s": _text(figure(ONSET_S), 2),
    }


def _agreement(agreement: Agreement) -> dict[str, object]:
    names = {"label": tr("likeliest label"), "shown_label": tr("label shown")}
    return {
        "a": agreement.a,
        "b": agreement.b,
        "frames": f"{agreement.frames:,}",
        "pairs": f"{agreement.pairs:,}",
        "labels": [
            {
                "name": names[column],
                "share": _text(agreement.share[column], 1, 100),
                "kappa": _text(agreement.kappa[column], 2),
            }
            for column in agreement.share
        ],
        "correlation": [
            {"name": tr_label(label), "r": _text(estimate, 2)}
            for label, estimate in agreement.correlation.items()
        ],
    }


def _text(estimate: Estimate, digits: int, scale: float = 1) -> str:
    """For example "41.2 [30.0, 52.3]"; empty where it is not defined."""
    if math.isnan(estimate.value):
        return ""
    value = f"{scale * estimate.value:.{digits}f}"
    if math.isnan(estimate.low):
        return value
    return f"{value} [{scale * estimate.low:.{digits}f}, {scale * estimate.high:.{digits}f}]"


def _stacks(groups: Sequence[GroupSummary], labels: tuple[str, ...]) -> Markup:
    """A bar for each group: the share of time that each label was shown."""
    figure = Figure(figsize=(9, 1.1 + 0.36 * len(groups)), layout="constrained")
    axes: Axes = figure.add_subplot()
    lefts = [0.0] * len(groups)
    for label in (*labels, UNSURE):
        shares = [_value(group, SHOWN, label) for group in groups]
        if sum(shares) == 0:
            continue
        axes.barh(
            range(len(groups)),
            shares,
            left=lefts,
            height=0.7,
            color=expression_hex(label, labels),
            label=tr_label(label),
        )
        lefts = [left + share for left, share in zip(lefts, shares, strict=True)]
    axes.set(xlim=(0, max(100.0, *lefts)), xlabel=tr("share of time shown, %"))
    axes.set_yticks(range(len(groups)), [_short(heading(group)) for group in groups])
    axes.invert_yaxis()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    figure.legend(loc="outside lower center", ncols=5, frameon=False)
    return _svg(figure)


def _dots(groups: Sequence[GroupSummary], labels: tuple[str, ...]) -> Markup:
    """A field for each label: its share in each group, with the interval."""
    shown = [label for label in labels if any(_value(g, SHOWN, label) > 0 for g in groups)]
    if not shown:
        return Markup("")
    n_rows = -(-len(shown) // _COLUMNS)
    figure = Figure(figsize=(9, n_rows * (0.9 + 0.26 * len(groups))), layout="constrained")
    fields = figure.subplots(n_rows, _COLUMNS, sharey=True, squeeze=False)
    for axes, label in zip(fields.flat, shown, strict=False):
        _draw_dots(axes, groups, label, labels)
    for axes in fields.flat[len(shown) :]:
        axes.axis("off")
    fields[0, 0].set_yticks(range(len(groups)), [_short(heading(group)) for group in groups])
    fields[0, 0].invert_yaxis()
    figure.supxlabel(tr("share of time shown, %"), fontsize="medium")
    return _svg(figure)


def _draw_dots(
    axes: Axes, groups: Sequence[GroupSummary], label: str, labels: tuple[str, ...]
) -> None:
    color = expression_hex(label, labels)
    for row, group in enumerate(groups):
        estimate = group.figures.get((SHOWN, label), _WITHOUT)
        if math.isnan(estimate.value):
            continue
        if not math.isnan(estimate.low):
            ends = [100 * estimate.low, 100 * estimate.high]
            axes.plot(ends, [row, row], color="#8a9099", linewidth=1.6, zorder=1)
        (dot,) = axes.plot(100 * estimate.value, row, "o", color=color, markersize=7, zorder=3)
        dot.set(markeredgecolor="#3b4048", clip_on=False)
    axes.set_title(tr_label(label), fontsize="medium")
    axes.set_xlim(left=0)
    axes.margins(y=0.2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#e3e6ea")
    axes.set_axisbelow(True)


def _value(group: GroupSummary, measure: str, label: str) -> float:
    """In percent; 0 where it is not defined."""
    value = group.figures.get((measure, label), _WITHOUT).value
    return 0.0 if math.isnan(value) else 100 * value


def _short(name: str) -> str:
    return name if len(name) <= 32 else f"…{name[-31:]}"


def _svg(figure: Figure) -> Markup:
    content = io.StringIO()
    # Labels are drawn as outlines: a name of a group is text from a file, and no markup.
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "fer-live"}):
        figure.savefig(content, format="svg", metadata={"Date": None})
    svg = content.getvalue()
    return Markup(svg[svg.index("<svg") :])
