"""How far two sources, or two models of the same frames, agree.

Two rows are a pair where they are of one frame and of one face: of a frame with one face on each
side these two, else those whose boxes overlap most.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from fer_live.errors import InputError
from fer_live.studies.bootstrap import N_RESAMPLES, Draw, Estimate, FloatTable, bootstrap
from fer_live.studies.episodes import OVER_CYCLES, UNSURE, cycles_of
from fer_live.studies.tables import FILE, PROBABILITY, labels_of

_MIN_IOU = 0.5
_BOX = ["x1", "y1", "x2", "y2"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far `a` and `b` agree.

    Args:
        a: One of them, a file of rows or a source.
        b: The other one.
        frames: How many frames both have faces in.
        pairs: How many faces both have read.
        share: (`label` or `shown_label`) -> the share of pairs with the same one.
        kappa: The same -> Cohen's kappa; NaN where both only ever say one thing.
        correlation: Label -> Pearson's correlation of the two probabilities.
    """

    a: str
    b: str
    frames: int
    pairs: int
    share: dict[str, Estimate]
    kappa: dict[str, Estimate]
    correlation: dict[str, Estimate]


def agreement(
    rows: pd.DataFrame, a: str, b: str, *, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> Agreement:
    """Compare `a` with `b`, two values of `file` (two models) or of `source` (two sources).

    Intervals are by bootstrap over cycles, not over frames, which are nearly one picture: from one
    begin of the most common combination of answers to the next.

    Args:
        rows: As `timing.with_durations` gives them; the time that `a` stands for is the weight.
        a: One of them.
        b: The other one.
        n_resamples: How often the bootstrap draws.
        seed: Of its draws.

    Raises:
        InputError: There is no such file or source, or they have no face in common.
    """
    of_a, of_b, keys = _two_sides(rows, a, b)
    pairs = _pairs(of_a, of_b, keys)
    if len(pairs) == 0:
        raise InputError(f"--agree {a} {b}: they have no frame in common in which both have a face")
    draw = partial(bootstrap, rng=np.random.default_rng(seed), n_resamples=n_resamples)
    pairs, cycles = _in_cycles(pairs, keys)
    weight = pairs["seconds_a"].to_numpy(float)
    weight = weight if weight.sum() > 0 else np.ones(len(pairs))  # images last for no time
    share, kappa = {}, {}
    for column in ("label", "shown_label"):
        share[column], kappa[column] = _of_labels(pairs, column, weight, cycles, draw)
    correlation = {
        label: _of_probabilities(pairs, label, weight, cycles, draw)
        for label in labels_of(rows)
        if pairs[[f"{PROBABILITY}{label}_{side}" for side in "ab"]].notna().all(axis=None)
    }
    n_frames = len(pairs[keys].drop_duplicates())
    return Agreement(a, b, n_frames, len(pairs), share, kappa, correlation)


def _two_sides(rows: pd.DataFrame, a: str, b: str) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """The rows of both, and what tells that two rows are of one frame."""
    for column, keys in ((FILE, ["source", "frame"]), ("source", ["frame"])):
        of_a, of_b = (_named(rows, column, name) for name in (a, b))
        if a != b and len(of_a) and len(of_b):
            return of_a, of_b, keys
    names = sorted({*rows[FILE], *rows["source"]})
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    raise InputError(
        f"--agree {a} {b}: name two different files of rows, or two sources; "
        f"there are {', '.join(names[:8])}{more}"
    )


def _named(rows: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    """The rows of a file or source, by its name as it stands or without its folder."""
    is_exact = rows[column] == name
    return rows[is_exact if is_exact.any() else rows[column] == Path(name).name]


def _pairs(of_a: pd.DataFrame, of_b: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    both = of_a.merge(of_b, on=keys, suffixes=("_a", "_b"))
    n_a, n_b = of_a.groupby(keys).size().rename("n_a"), of_b.groupby(keys).size().rename("n_b")
    both = both.join(n_a, on=keys).join(n_b, on=keys)
    both["iou"] = _iou(*(both[[f"{c}_{side}" for c in _BOX]].to_numpy(float) for side in "ab"))
    alone = (both["n_a"] == 1) & (both["n_b"] == 1)
    both = both[alone | (both["iou"] >= _MIN_IOU)]
    # The best overlap first; a face that has its pair takes no second one.
    both = both.sort_values([*keys, "iou"], ascending=[True] * len(keys) + [False], kind="stable")
    both = both.drop_duplicates([*keys, "track_id_a"]).drop_duplicates([*keys, "track_id_b"])
    return both.sort_values([*keys, "track_id_a"], kind="stable", ignore_index=True)


def _iou(a: FloatTable, b: FloatTable) -> FloatTable:
    """(N, 4) and (N, 4) -> (N,) the boxes' intersection over union."""
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
    common = np.clip(high - low, 0, None).prod(axis=1)
    area = [(box[:, 2:] - box[:, :2]).prod(axis=1) for box in (a, b)]
    union = area[0] + area[1] - common
    overlap = np.zeros(len(a))
    np.divide(common, union, out=overlap, where=union > 0)
    return overlap


def _in_cycles(pairs: pd.DataFrame, keys: list[str]) -> tuple[pd.DataFrame, pd.Series]:
    """The pairs of each two faces in order, and the number of each one's cycle, which begins
    where the most common combination of answers does."""
    faces = [*(key for key in keys if key != "frame"), "track_id_a", "track_id_b"]
    pairs = pairs.sort_values([*faces, "frame"], kind="stable", ignore_index=True)
    answers = pairs[[f"{name}_{side}" for name in ("label", "shown_label") for side in "ab"]]
    states = answers.agg("\n".join, axis=1)
    return pairs, cycles_of(pairs[faces], states, np.ones(len(pairs)))


def _of_labels(
    pairs: pd.DataFrame,
    column: str,
    weight: FloatTable,
    cycles: pd.Series,
    draw: Draw,
) -> tuple[Estimate, Estimate]:
    """Share of pairs with the same label, and Cohen's kappa."""
    a, b = pairs[f"{column}_a"].to_numpy(str), pairs[f"{column}_b"].to_numpy(str)
    names = np.unique(np.concatenate([a, b, [UNSURE]]))
    k = len(names)
    cells = np.searchsorted(names, a) * k + np.searchsorted(names, b)
    one_hot = np.eye(k * k)[cells] * weight[:, None]
    confusion = pd.DataFrame(one_hot).groupby(cycles.to_numpy()).sum().to_numpy()

    def statistic(totals: FloatTable) -> FloatTable:
        shares = (totals / totals.sum(axis=1, keepdims=True)).reshape(-1, k, k)
        agreed = np.trace(shares, axis1=1, axis2=2)
        by_chance = (shares.sum(axis=2) * shares.sum(axis=1)).sum(axis=1)
        beyond = 1 - by_chance
        kappa = np.full(len(agreed), np.nan)
        np.divide(agreed - by_chance, beyond, out=kappa, where=beyond > 1e-12)
        return np.stack([agreed, kappa], axis=1)

    values, low, high = draw(confusion, statistic)
    share, kappa = (
        Estimate(float(v), float(lo), float(hi), len(confusion), OVER_CYCLES)
        for v, lo, hi in zip(values, low, high, strict=True)
    )
    return share, kappa


def _of_probabilities(
    pairs: pd.DataFrame, label: str, weight: FloatTable, cycles: pd.Series, draw: Draw
) -> Estimate:
    """Pearson's correlation of one label's probabilities."""
    x, y = (pairs[f"{PROBABILITY}{label}_{side}"].to_numpy(float) for side in "ab")
    moments = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=1)
    moments *= weight[:, None]
    sums = pd.DataFrame(moments).groupby(cycles.to_numpy()).sum().to_numpy()

    def statistic(totals: FloatTable) -> FloatTable:
        n, sx, sy, sxx, syy, sxy = totals.T
        spread = (n * sxx - sx**2).clip(0) * (n * syy - sy**2).clip(0)
        r = np.full(len(n), np.nan)
        np.divide(n * sxy - sx * sy, np.sqrt(spread), out=r, where=spread > 1e-12)
        return r[:, None]

    (value,), (low,), (high,) = draw(sums, statistic)
    return Estimate(float(value), float(low), float(high), len(sums), OVER_CYCLES)
