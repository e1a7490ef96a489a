"""How long each row stands for, so that time counts and not rows."""

import numpy as np
import pandas as pd

from fer_live.studies.tables import FILE

UNIT = ["source", FILE]
"""What has one clock: a source of one file, for two live sessions may both be called "camera 0".
The source comes first, so that shards are drawn from in the order of the whole."""


def with_durations(rows: pd.DataFrame, *, close_s: float, max_gap_s: float) -> pd.DataFrame:
    """The rows with `seconds`, what each stands for, and `end_s`, its time after that.

    A row stands for the time to the next frame of its source. Frames without a face have no rows:
    where frame numbers tell that some lie between and that the face was away for longer than
    `close_s`, the row stands for the source's usual time between two frames instead. So does the
    last one, and one before a clock that goes back.

    Args:
        rows: As `read_rows` gives them.
        close_s: An absence of at most so many seconds is none.
        max_gap_s: A row stands for at most so many seconds, or one and a half times the usual time
            between two frames that were read, where that is more.

    Returns:
        A copy. A source of one frame, as an image is, stands for 0 seconds.
    """
    moments = rows[[*UNIT, "frame", "time_s"]].drop_duplicates([*UNIT, "frame"])
    parts = [
        _of_one_source(part, close_s, max_gap_s)
        for _, part in moments.groupby(UNIT, sort=False, observed=True)
    ]
    seconds = pd.concat(parts) if parts else moments.assign(seconds=0.0)
    timed = rows.merge(seconds[[*UNIT, "frame", "seconds"]], on=[*UNIT, "frame"], how="left")
    timed["end_s"] = timed["time_s"] + timed["seconds"]
    return timed


def begins_of_sources(rows: pd.DataFrame) -> pd.Series:
    """The time of frame 0 of each source, in seconds on its clock, by file and source.

    Where no face was in frame 0, it is reckoned back from the first row by the mean time between
    two frames, for live rows count from the start of the computer.
    """

    def begin(part: pd.DataFrame) -> float:
        first, last = part.iloc[0], part.iloc[-1]
        n_frames = last["frame"] - first["frame"]
        per_frame = (last["time_s"] - first["time_s"]) / n_frames if n_frames > 0 else 0.0
        earliest = min(0.0, first["time_s"])
        return float(max(first["time_s"] - first["frame"] * max(per_frame, 0.0), earliest))

    begins = {name: begin(part) for name, part in rows.groupby(UNIT, sort=False, observed=True)}
    index = pd.MultiIndex.from_tuples(begins, names=UNIT) if begins else None
    return pd.Series(list(begins.values()), index=index, dtype=float)


def _of_one_source(moments: pd.DataFrame, close_s: float, max_gap_s: float) -> pd.DataFrame:
    gaps = np.diff(moments["time_s"].to_numpy(float))
    jumps = np.diff(moments["frame"].to_numpy(float))
    if len(gaps) == 0:
        return moments.assign(seconds=0.0)
    numbers, counts = np.unique(jumps, return_counts=True)
    step = numbers[counts.argmax()]  # K with --every K
    forward = gaps > 0
    per_frame = float(np.median(gaps[forward] / jumps[forward])) if forward.any() else 0.0
    usual_s = step * per_frame
    was_away = (jumps > step) & (gaps - usual_s > close_s)
    stands_for = np.where(was_away | ~forward, usual_s, gaps)
    limit_s = max(max_gap_s, 1.5 * usual_s)
    seconds = np.append(np.minimum(stands_for, limit_s), min(usual_s, limit_s))
    return moments.assign(seconds=seconds)
