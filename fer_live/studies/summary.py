"""What each group of rows showed: shares, probabilities, episodes, onsets, switches, blinks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from fer_live.model.manifest import EXPRESSIONS
from fer_live.studies.bootstrap import N_RESAMPLES, Draw, Estimate, FloatTable, bootstrap
from fer_live.studies.episodes import (
    BEGIN,
    FACE,
    GROUP,
    OVER_CYCLES,
    UNSURE,
    cycles_of,
    episodes_of,
    onsets_of,
    with_runs,
)
from fer_live.studies.grouping import (
    SPAN,
    SPAN_BEGIN,
    by_marker,
    check_columns,
    with_batch,
    with_markers,
    without_excluded,
)
from fer_live.studies.tables import BLINK, MARKER, PARTICIPANT, PROBABILITY, labels_of
from fer_live.studies.timing import UNIT, begins_of_sources, with_durations

SHOWN, LIKELIEST, PROBABILITIES = "shown_share", "likeliest_share", "mean_probability"
EPISODES, EPISODE_S, ONSET_S = "episodes", "episode_s", "onset_s"
SWITCHES, BLINKS = "switches_a_minute", "blinks_a_minute"
MEASURES = (SHOWN, LIKELIEST, PROBABILITIES, EPISODES, EPISODE_S, ONSET_S, SWITCHES, BLINKS)
OVER_PARTICIPANTS, OVER_EPISODES, OVER_SOURCES = "participants", "episodes", "sources"


@dataclass(frozen=True, slots=True)
class SummaryOptions:
    """How rows are summed up.

    Args:
        by: The columns that tell the groups apart; none is one group of everything.
        close_s: A gap in an episode, or an absence, of at most so many seconds is none.
        max_gap_s: A row stands for at most so many seconds.
        n_resamples: How often the bootstrap draws.
        seed: Of its draws.
    """

    by: tuple[str, ...] = ()
    close_s: float = 0.25
    max_gap_s: float = 1.0
    n_resamples: int = N_RESAMPLES
    seed: int = 0


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """One group.

    Args:
        key: Column of `by` -> the group's value there.
        seconds: With a face in view.
        face_seconds: The same with each face counted by itself.
        n_sources: How many sources have rows in it.
        n_participants: How many participants the rows name.
        is_of_stills: Whether all are images, which last for no time: shares count frames then.
        over: What the bootstrap draws for shares: "participants" where there are several, else
            "cycles", from one begin of the label shown most to the next.
        figures: (measure, label) -> the figure; measures without a label have "".
    """

    key: dict[str, str]
    seconds: float
    face_seconds: float
    n_sources: int
    n_participants: int
    is_of_stills: bool
    over: str
    figures: dict[tuple[str, str], Estimate] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Study:
    """All groups, the columns that tell them apart, and the labels of the rows."""

    by: tuple[str, ...]
    labels: tuple[str, ...]
    groups: tuple[GroupSummary, ...]


def prepare(
    rows: pd.DataFrame,
    options: SummaryOptions,
    batch: pd.DataFrame | None = None,
    markers: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """The rows with all that summaries need: durations, participants, intervals, groups, runs.

    Args:
        rows: As `tables.read_rows` gives them.
        options: How.
        batch: As `grouping.read_batch` gives it.
        markers: As `grouping.read_markers` gives it.

    Raises:
        InputError: A column of `by` is not there, or the batch names none of the sources.
    """
    begins = begins_of_sources(rows)
    rows = with_durations(rows, close_s=options.close_s, max_gap_s=options.max_gap_s)
    if batch is not None:
        rows = with_batch(rows, batch)
    if markers is not None:
        rows = with_markers(rows, markers)
    check_columns(rows, options.by)
    rows = without_excluded(rows)
    rows = by_marker(rows) if MARKER in options.by else rows.assign(**{SPAN: 0})
    if SPAN_BEGIN not in rows:
        rows = rows.assign(**{SPAN_BEGIN: np.nan})
    of_source = pd.MultiIndex.from_frame(rows[UNIT]).map(begins.to_dict())
    rows[BEGIN] = rows[SPAN_BEGIN].fillna(pd.Series(of_source, rows.index, dtype=float))
    by = list(options.by)
    rows[GROUP] = rows.groupby(by, sort=True, observed=True).ngroup() if by else 0
    return with_runs(rows, options.close_s)


def summarize(rows: pd.DataFrame, options: SummaryOptions) -> Study:
    """Sum up what `prepare` made, one `GroupSummary` for each group, in the order of their keys."""
    rng = np.random.default_rng(options.seed)
    labels = labels_of(rows)
    episodes = episodes_of(rows, options.close_s)
    onsets = onsets_of(episodes)
    groups = []
    for number, part in rows.groupby(GROUP, sort=True):
        mine = _Group(
            part,
            episodes[episodes[GROUP] == number],
            onsets[onsets[GROUP] == number],
            labels,
            partial(bootstrap, rng=rng, n_resamples=options.n_resamples),
        )
        groups.append(mine.summary({name: str(part[name].iloc[0]) for name in options.by}))
    return Study(options.by, labels, tuple(groups))


@dataclass(frozen=True, slots=True)
class _Ratio:
    """A figure that is a sum by another, times `scale`."""

    measure: str
    label: str
    numerator: str
    denominator: str
    scale: float = 1.0


class _Group:
    """The figures of one group, each with its interval."""

    def __init__(
        self,
        rows: pd.DataFrame,
        episodes: pd.DataFrame,
        onsets: pd.DataFrame,
        labels: tuple[str, ...],
        draw: Draw,
    ) -> None:
        self._rows, self._episodes, self._onsets = rows, episodes, onsets
        self._labels, self._draw = labels, draw
        self._common = common_labels(labels)
        named = rows[PARTICIPANT][rows[PARTICIPANT] != ""] if PARTICIPANT in rows else []
        self._n_participants = len(set(named))
        self._over_participants = self._n_participants > 1
        self._is_of_stills = float(rows["seconds"].sum()) == 0

    def summary(self, key: dict[str, str]) -> GroupSummary:
        frames = self._rows.drop_duplicates([*UNIT, SPAN, "frame"])
        return GroupSummary(
            key=key,
            seconds=float(frames["seconds"].sum()),
            face_seconds=float(self._rows["seconds"].sum()),
            n_sources=len(self._rows[UNIT].drop_duplicates()),
            n_participants=self._n_participants,
            is_of_stills=self._is_of_stills,
            over=OVER_PARTICIPANTS if self._over_participants else OVER_CYCLES,
            figures={**self._of_rows(), **self._of_episodes(), **self._of_onsets()},
        )

    def _of_rows(self) -> dict[tuple[str, str], Estimate]:
        sums, ratios = row_sums(self._rows, self._labels, self._common, self._is_of_stills)
        weight = sums["all"].to_numpy(float)
        cycles = cycles_of(self._rows[FACE], self._rows["shown_label"], weight)
        return self._estimate(sums, cycles, ratios, OVER_CYCLES)

    def _of_episodes(self) -> dict[tuple[str, str], Estimate]:
        found: dict[tuple[str, str], Estimate] = {}
        for label in self._labels:
            mine = self._episodes[self._episodes["shown_label"] == label]
            found[EPISODES, label] = Estimate(float(len(mine)))
            sums = pd.DataFrame({"length": mine["length_s"], "n": 1.0}, index=mine.index)
            ratio = _Ratio(EPISODE_S, label, "length", "n")
            found |= self._estimate(sums, mine, [ratio], OVER_EPISODES)
        return found

    def _of_onsets(self) -> dict[tuple[str, str], Estimate]:
        found: dict[tuple[str, str], Estimate] = {}
        for label in self._labels:
            mine = self._onsets[self._onsets["shown_label"] == label]
            sums = pd.DataFrame({"onset": mine["onset_s"], "n": 1.0}, index=mine.index)
            ratio = _Ratio(ONSET_S, label, "onset", "n")
            found |= self._estimate(sums, mine, [ratio], OVER_SOURCES)
        return found

    def _estimate(
        self,
        sums: pd.DataFrame,
        units: "pd.DataFrame | pd.Series",
        ratios: Sequence[_Ratio],
        over: str,
    ) -> dict[tuple[str, str], Estimate]:
        """`units` is a number a row, or a table of units that are one row each."""
        if self._over_participants:
            owners = self._rows[PARTICIPANT] if isinstance(units, pd.Series) else units[PARTICIPANT]
            sums, over = sums.groupby(owners.to_numpy()).sum(), OVER_PARTICIPANTS
        elif isinstance(units, pd.Series):
            sums = sums.groupby(units.to_numpy()).sum()
        columns = list(sums.columns)
        numerators = [columns.index(ratio.numerator) for ratio in ratios]
        denominators = [columns.index(ratio.denominator) for ratio in ratios]
        scales = np.array([ratio.scale for ratio in ratios])

        def statistic(totals: FloatTable) -> FloatTable:
            below = totals[:, denominators]
            figures = np.full(below.shape, np.nan)
            np.divide(totals[:, numerators] * scales, below, out=figures, where=below > 0)
            return figures

        values, low, high = self._draw(sums.to_numpy(float), statistic)
        return {
            (ratio.measure, ratio.label): Estimate(
                float(values[i]), float(low[i]), float(high[i]), len(sums), over
            )
            for i, ratio in enumerate(ratios)
        }


def common_labels(labels: tuple[str, ...]) -> tuple[str, ...]:
    """The labels that share probabilities among themselves: the eight where all of them are there,
    for the others are then expressions of a person's own; else all."""
    is_ours = set(EXPRESSIONS) <= set(labels)
    return tuple(label for label in labels if not is_ours or label in EXPRESSIONS)


def row_sums(
    rows: pd.DataFrame, labels: tuple[str, ...], common: tuple[str, ...], is_of_stills: bool
) -> tuple[pd.DataFrame, list[_Ratio]]:
    """What each row adds to the sums, and the figures that are made of them.

    Expressions of a person's own have shares of all the time; the others, and "unsure", share the
    time in which none of those was shown, and their probabilities are taken among themselves.
    """
    weight = np.ones(len(rows)) if is_of_stills else rows["seconds"].to_numpy(float)
    probs = rows[[PROBABILITY + label for label in common]].to_numpy(float)
    total = np.nansum(probs, axis=1)
    among = np.divide(
        np.nan_to_num(probs), total[:, None], out=np.zeros_like(probs), where=total[:, None] > 0
    )
    shown, likeliest = rows["shown_label"].to_numpy(str), rows["label"].to_numpy(str)
    own = [label for label in labels if label not in common]
    best = np.array(common)[among.argmax(axis=1)] if common else likeliest
    best = np.where(np.isin(likeliest, own), best, likeliest)
    columns = {
        "all": weight,
        "of common": weight * ~np.isin(shown, own),
        "with probabilities": weight * (total > 0),
        f"shown {UNSURE}": weight * (shown == UNSURE),
    }
    ratios = [_Ratio(SHOWN, UNSURE, f"shown {UNSURE}", "of common")]
    for label in labels:
        is_own = label in own
        p = rows[PROBABILITY + label].to_numpy(float)
        columns |= {
            f"shown {label}": weight * (shown == label),
            f"likeliest {label}": weight * ((likeliest if is_own else best) == label),
            f"p {label}": weight * (np.nan_to_num(p) if is_own else among[:, common.index(label)]),
            f"has {label}": weight * ~np.isnan(p),
        }
        known = f"has {label}" if is_own else "with probabilities"
        ratios += [
            _Ratio(SHOWN, label, f"shown {label}", "all" if is_own else "of common"),
            _Ratio(LIKELIEST, label, f"likeliest {label}", "all"),
            _Ratio(PROBABILITIES, label, f"p {label}", known),
        ]
    columns["seconds"] = rows["seconds"].to_numpy(float)
    columns["switches"] = rows["switches"].to_numpy(float)
    ratios.append(_Ratio(SWITCHES, "", "switches", "seconds", 60.0))
    if BLINK in rows:
        columns["blinks"] = rows["blinks"].to_numpy(float)
        columns["blink seconds"] = rows["blink_seconds"].to_numpy(float)
        ratios.append(_Ratio(BLINKS, "", "blinks", "blink seconds", 60.0))
    return pd.DataFrame(columns, index=rows.index), ratios
