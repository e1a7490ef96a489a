"""Runs and episodes: for how long a face showed one label without a break.

A run is made of successive rows of one face that show one label, "unsure" too; every row lies in
one. An episode is what a person would call one: of one label, with what interrupted it for a moment
left in. A cycle is what the bootstrap draws: from one begin of the label that was shown most to the
next. Single runs must not be drawn, for they depend on each other: a label never follows itself,
and intervals over runs were so wide that 200 of 200 held the truth.
"""

import numpy as np
import pandas as pd

from fer_live.studies.bootstrap import FloatTable
from fer_live.studies.grouping import SPAN
from fer_live.studies.tables import BLINK
from fer_live.studies.timing import UNIT

GROUP = "group"
"""A column of ours: the number of a row's group."""
BEGIN = "begin_of_span_s"
"""A column of ours: when a row's interval began, or its range of the batch, or its source."""
UNSURE = ""
OVER_CYCLES = "cycles"
FACE = [GROUP, *UNIT, SPAN, "track_id"]
"""One face of one source in one group, and in one of its intervals."""


def with_runs(rows: pd.DataFrame, close_s: float) -> pd.DataFrame:
    """The rows of each face in order, with numbers of their `stay` and `run`, and with what is
    counted in them: `switches` and `blinks`, 0 or 1.

    Args:
        rows: With `group`, `span`, `seconds` and `end_s`.
        close_s: A face that is away for longer begins a new stay, and so a new run.

    Returns:
        A copy, sorted. A switch stands in the first row of a label that another label of the same
        stay came before; "unsure" between the two is passed over. A blink stands where `blink`
        becomes 1; where it is not measured, `blink_seconds` is 0.
    """
    rows = rows.sort_values([*FACE, "frame"], kind="stable", ignore_index=True)
    is_new_face = (rows[FACE] != rows[FACE].shift()).any(axis=1)
    is_new_stay = is_new_face | (rows["time_s"] - rows["end_s"].shift() > close_s + 1e-9)
    rows["stay"] = is_new_stay.cumsum()
    shown = rows["shown_label"]
    rows["run"] = (is_new_stay | (shown != shown.shift())).cumsum()
    sure = rows.loc[shown != UNSURE, ["stay", "shown_label"]]
    before = sure.groupby("stay")["shown_label"].shift()
    switches = before.notna() & (before != sure["shown_label"])
    rows["switches"] = switches.reindex(rows.index, fill_value=False).astype(float)
    blink = rows[BLINK] if BLINK in rows else pd.Series(np.nan, rows.index)
    earlier = blink.groupby(rows["stay"]).shift().fillna(0.0)
    rows["blinks"] = ((blink > 0) & ~(earlier > 0)).astype(float)
    rows["blink_seconds"] = rows["seconds"].where(blink.notna(), 0.0)
    return rows


def episodes_of(rows: pd.DataFrame, close_s: float) -> pd.DataFrame:
    """The episodes of each face: `begin_s`, `end_s` and `length_s`, with the columns of its first
    row.

    Args:
        rows: As `with_runs` gives them.
        close_s: Two runs of one label that are at most so far apart are one episode, whatever the
            face showed between them.
    """
    sure = rows[rows["shown_label"] != UNSURE]
    runs = sure.groupby("run", sort=False)
    spans = runs.first().assign(begin_s=runs["time_s"].first(), end_s=runs["end_s"].last())
    keys = [*FACE, "shown_label"]
    spans = spans.sort_values([*keys, "begin_s"], kind="stable", ignore_index=True)
    is_new = (spans[keys] != spans[keys].shift()).any(axis=1)
    is_new |= spans["begin_s"] - spans["end_s"].shift() > close_s + 1e-9
    episodes = spans.groupby(is_new.cumsum(), sort=False)
    whole = episodes.first().assign(end_s=episodes["end_s"].max())
    return whole.assign(length_s=whole["end_s"] - whole["begin_s"]).reset_index(drop=True)


def cycles_of(rows: pd.DataFrame, states: pd.Series, weight: FloatTable) -> pd.Series:
    """The number of each row's cycle, which begins where the heaviest state does, and with each
    face (the regenerative bootstrap of Bertail and Clémençon 2006, Bernoulli 12).

    Args:
        rows: What tells faces apart: a face's rows stand together, in order.
        states: What each row shows.
        weight: (N,) what each row counts for.
    """
    is_new_face = (rows != rows.shift()).any(axis=1)
    heaviest = pd.Series(weight, states.index).groupby(states).sum().idxmax()
    begins = (states == heaviest) & (states != states.shift())
    return (is_new_face | begins).cumsum()


def onsets_of(episodes: pd.DataFrame) -> pd.DataFrame:
    """The first episode of each label in each source or interval, whosever face it is of:
    `onset_s` after `begin_of_span_s`."""
    keys = [GROUP, *UNIT, SPAN, BEGIN, "shown_label"]
    first = episodes.sort_values("begin_s", kind="stable").drop_duplicates(keys)
    return first.assign(onset_s=first["begin_s"] - first[BEGIN])
