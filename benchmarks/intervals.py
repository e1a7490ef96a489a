"""How often the intervals of `fer-live summarize` hold the truth: `python -m benchmarks.intervals`.

Recordings and studies are made up with known shares, seed 1; a few minutes.
"""

import numpy as np
import pandas as pd

from fer_live.studies.bootstrap import FloatTable, bootstrap
from fer_live.studies.summary import SHOWN, SummaryOptions, prepare, summarize

LABELS = ("neutral", "happiness", "surprise")
SHARES = np.array([0.6, 0.3, 0.1])
_OPTIONS = SummaryOptions(n_resamples=400)
_FPS = 25


def made_up(rng: np.random.Generator, n_episodes: int) -> pd.DataFrame:
    """The rows of a recording of one face: episodes of random lengths and labels, one not knowing
    of the other, whose labels have shares of `SHARES` in the long run."""
    labels = rng.choice(len(LABELS), n_episodes, p=SHARES)
    names = np.array(LABELS)[np.repeat(labels, rng.integers(3, 40, n_episodes))]
    table = pd.DataFrame({"source": "a.mp4", "frame": np.arange(len(names)), "track_id": 1})
    table = table.assign(time_s=table["frame"] / _FPS, label=names, shown_label=names, file="a")
    return table.assign(**{f"p_{name}": (names == name) * 1.0 for name in LABELS})


def held_of_recordings(
    rng: np.random.Generator, n_episodes: int, n_recordings: int
) -> dict[str, float]:
    """Label -> of how many recordings the interval of its share held the true one, 0 to 1."""
    held = dict.fromkeys(LABELS, 0)
    for _ in range(n_recordings):
        rows = prepare(made_up(rng, n_episodes), _OPTIONS)
        figures = summarize(rows, _OPTIONS).groups[0].figures
        for label, share in zip(LABELS, SHARES, strict=True):
            estimate = figures[SHOWN, label]
            held[label] += bool(estimate.low <= share <= estimate.high)
    return {label: n / n_recordings for label, n in held.items()}


def held_of_participants(rng: np.random.Generator, n_participants: int, n_studies: int) -> float:
    """Of how many studies the interval held the mean share, when participants' own shares are
    drawn from Beta(3, 7), whose mean is 0.3."""

    def share(sums: FloatTable) -> FloatTable:
        return sums[:, :1] / sums[:, 1:]

    held = 0
    for _ in range(n_studies):
        own = rng.beta(3, 7, size=(n_participants, 1))
        sums = np.concatenate([own, np.ones_like(own)], axis=1)
        _, low, high = bootstrap(sums, share, rng, _OPTIONS.n_resamples)
        held += bool(low[0] <= 0.3 <= high[0])
    return held / n_studies


def main() -> None:
    """Print the table of docs/summarize.md."""
    rng = np.random.default_rng(1)
    for n_episodes in (30, 60, 150):
        held = held_of_recordings(rng, n_episodes, 200)
        print(f"{n_episodes} episodes:", ", ".join(f"{100 * h:.0f} %" for h in held.values()))
    for n in (3, 5, 8, 12, 20, 40):
        print(f"{n} participants: {100 * held_of_participants(rng, n, 1000):.0f} %")


if __name__ == "__main__":
    main()
