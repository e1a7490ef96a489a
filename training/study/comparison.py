"""Differences between rows of a grid, image by image, with intervals over seeds and images."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from training.loop.figures import unpacked

MARGIN = 0.5
"""Percentage points within which two rows count as equally good."""

_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more accurate one row is than another, in percentage points.

    `by_seed` are the differences of the seeds that both have; `interval` is the 95 % interval,
    `inner` the 90 % one, over seeds and images. `n_images` were the same in all. `two_way` and
    `two_way_inner` are the second ones of `paired_difference`.
    """

    mean: float
    by_seed: tuple[float, ...]
    interval: tuple[float, float]
    inner: tuple[float, float]
    n_images: int
    two_way: tuple[float, float]
    two_way_inner: tuple[float, float]

    @property
    def verdict(self) -> str:
        """Judge the difference: better, worse, as good, or open.

        Better or worse: the 95 % interval excludes 0. As good: the 90 % interval lies within
        `MARGIN` on both sides, which is two one-sided tests at 5 %. With one seed it is open.
        """
        return self._judged_by(self.interval, self.inner)

    @property
    def two_way_verdict(self) -> str:
        """The same by the two-way intervals."""
        return self._judged_by(self.two_way, self.two_way_inner)

    def _judged_by(self, interval: tuple[float, float], inner: tuple[float, float]) -> str:
        if len(self.by_seed) < 2:
            return "open: one seed"
        if interval[0] > 0:
            return "better"
        if interval[1] < 0:
            return "worse"
        if inner[0] > -MARGIN and inner[1] < MARGIN:
            return "as good"
        return "open"


def paired_difference(
    ours: dict[int, NDArray[np.bool_]], theirs: dict[int, NDArray[np.bool_]]
) -> Difference | None:
    """Compare two rows by which images each seed of theirs gets right.

    Seeds and images are drawn with replacement, 2,000 times, both rows alike, because they share
    seeds and test images. The few seeds vary by a factor of sqrt(S / (S - 1)) too little among
    themselves; their part of each draw is stretched by it.

    Drawing both at once counts three times what varies from image to image and from seed to seed
    alike (Owen, "The pigeonhole bootstrap", 2007), and a normal stretch is too little for two or
    three seeds. So these intervals are too wide where seeds vary little, and too narrow where few
    vary much: of simulated ties they hold 97 to 100 % in the one case, 82 to 96 % in the other.
    The two-way ones have the variance of a mean over seeds and images, s_seed^2 / S + s_image^2 / N
    - s_both^2 / (S N), and Student's t: they hold 94 to 98 % with five seeds, 92 to 98 % with
    three, 88 to 98 % with two.

    Args:
        ours: Which of N images are right, (N,) bool, by seed.
        theirs: The same of the other row.

    Returns:
        The difference, or None where no seed has both.
    """
    seeds = [seed for seed in ours if seed in theirs]
    if not seeds:
        return None
    lead = np.array([ours[s].astype(np.float64) - theirs[s] for s in seeds])  # (S, N)
    n_seeds, n_images = lead.shape
    of_seed = lead.mean(axis=1)
    mean = float(of_seed.mean())
    random = np.random.default_rng(0)
    seed_weights = random.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), _DRAWS) / n_seeds
    by_image = lead @ _image_weights(n_images)  # (S, draws)
    drawn = (seed_weights * by_image.T).sum(axis=1)
    stretch = np.sqrt(n_seeds / (n_seeds - 1)) if n_seeds > 1 else 1.0
    drawn += (stretch - 1) * (seed_weights @ of_seed - mean)
    return Difference(
        100 * mean,
        tuple((100 * of_seed).tolist()),
        *_quantiles(drawn),
        n_images,
        _two_way(lead, 0.95),
        _two_way(lead, 0.9),
    )


def _quantiles(drawn: NDArray[np.float64]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The 95 % and the 90 % interval of draws, in percentage points."""
    low, inner_low, inner_high, high = (
        float(100 * q) for q in np.quantile(drawn, [0.025, 0.05, 0.95, 0.975])
    )
    return (low, high), (inner_low, inner_high)


def _two_way(lead: NDArray[np.float64], share: float) -> tuple[float, float]:
    """The interval, in percentage points, that counts every source of chance once.

    `lead` (S, N) is which side was right. The degrees of freedom are Satterthwaite's ("An
    approximate distribution of estimates of variance components", 1946). With one seed the images
    alone count.
    """
    n_seeds, n_images = lead.shape
    of_seed, of_image, mean = lead.mean(axis=1), lead.mean(axis=0), float(lead.mean())
    images = float(of_image.var(ddof=1)) / n_images if n_images > 1 else 0.0
    seeds = both = 0.0
    freedom = float(max(n_images - 1, 1))
    if n_seeds > 1 and n_images > 1:
        rest = lead - of_seed[:, None] - of_image + mean
        freedom_both = (n_seeds - 1) * (n_images - 1)
        both = float((rest**2).sum()) / freedom_both / lead.size
        seeds = float(of_seed.var(ddof=1)) / n_seeds
    variance = max(seeds - both, 0.0) + images
    if not variance:
        return 100 * mean, 100 * mean
    if seeds:
        satterthwaite = variance**2 / (
            seeds**2 / (n_seeds - 1) + images**2 / (n_images - 1) + both**2 / freedom_both
        )
        freedom = max(satterthwaite, n_seeds - 1)  # less than the seeds alone have makes no sense
    half = float(stats.t.ppf(0.5 + share / 2, freedom)) * np.sqrt(variance)
    return 100 * (mean - half), 100 * (mean + half)


def right_images(
    cells: list[dict[str, Any]], names: tuple[str, ...]
) -> dict[int, NDArray[np.bool_]]:
    """Read which images each seed's cell gets right, (N,) bool; those without all are left out.

    `names` are the sets of images, one after another, as the cells call them.
    """
    found = {}
    for cell in cells:
        own = " ".join(part for part in (cell["split"], cell["rule"]) if part)
        figures = {own: cell["metrics"], **cell["other_metrics"]}
        if all("predicted" in figures.get(name, {}) for name in names):
            found[cell["seed"]] = np.concatenate(
                [
                    unpacked(figures[name]["predicted"]) == unpacked(figures[name]["truth"])
                    for name in names
                ]
            )
    return found


@cache
def _image_weights(n_images: int) -> NDArray[np.float32]:
    """Draw how often each image counts, (N, draws), each column with sum 1."""
    random = np.random.default_rng(1)
    weights = np.empty((n_images, _DRAWS), dtype=np.float32)
    for draw in range(_DRAWS):
        rows = random.integers(0, n_images, n_images)
        weights[:, draw] = np.bincount(rows, minlength=n_images) / n_images
    return weights
