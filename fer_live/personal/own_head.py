"""A classifier of one's own: logistic regression on embeddings that stays near where it started.

Few labeled faces say little about hundreds of weights. Two things hold the rest: the distance from
the start's weights (L2-SP; Li et al., "Explicit inductive bias for transfer learning with
convolutional networks", ICML 2018), and other people's embeddings, drawn from the manifest's means
and spread, on which the answers should stay. Held loosely on purpose: from outside, one labeled
image per expression gave ten real persons 88 % at a loose hold and 75 % at one five times tighter.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fer_live.model.head import Head
from fer_live.model.manifest import EmbeddingStatistics

Float64Array = NDArray[np.float64]
Function = Callable[[Float64Array], tuple[float, Float64Array]]
"""Weights as one vector -> the loss, and its gradient."""

HOLDS = (0.1, 0.03, 0.3, 1.0)
"""How tightly the start is held; the first where nothing tells which is best."""
_OTHERS_A_CLASS = 48
_SHARE_OF_OTHERS = 6.0
"""How much other people's embeddings count, all labeled faces together counting 1. Without them
one label an expression cost 30 points on faces used nowhere."""
_SHARE_OF_CLIPS = 1.0
"""How much the person's faces without a label count, answered as they are before any label. They
hold what is shown every day: without them, labels cost a point of accuracy more."""
_ROWS_AT_ONCE = 80
"""So small a product does BLAS on one thread: to wait for others that a busy processor does not run
took 2 ms for each 10, and loops of numpy's own take ten times as long."""
_MEMORY = 10
_MAX_STEPS = 60
_SHRINK = 0.5
_ARMIJO = 1e-4
_MIN_DECREASE = 1e-4
"""Of the loss, relative, in one step; less moves no answer."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a head is fitted to.

    Embeddings (N, D); what to answer (N, C), as probabilities; how much each row counts (N,); and
    what is added to its logits while fitting (N, C), for a prior that is not the one to answer by.
    """

    embeddings: Float64Array
    targets: Float64Array
    counts: Float64Array
    priors: Float64Array

    def moved(self, move: Callable[[Float64Array], Float64Array]) -> "Rows":
        """The same answers for moved embeddings, each half as much as before; with the unmoved."""
        both = np.concatenate([self.embeddings, move(self.embeddings)])
        twice = (np.concatenate([part] * 2) for part in (self.targets, self.counts, self.priors))
        targets, counts, priors = twice
        return Rows(both, targets, counts / 2, priors)

    def and_also(self, other: "Rows") -> "Rows":
        """Both, one after the other."""
        return Rows(
            np.concatenate([self.embeddings, other.embeddings]),
            np.concatenate([self.targets, other.targets]),
            np.concatenate([self.counts, other.counts]),
            np.concatenate([self.priors, other.priors]),
        )


def probabilities(head: Head, embeddings: Float64Array, temperature: float) -> Float64Array:
    """(N, D) -> (N, C), as the model file computes them."""
    logits = embeddings @ head.weights.astype(np.float64).T + head.bias
    return _softmax(logits / temperature)


def labeled_rows(
    embeddings: Float64Array,
    labels: NDArray[np.int64],
    takes: NDArray[np.str_],
    target_shares: Float64Array,
) -> Rows:
    """One row per view of a labeled face: (N, D), (N,), and the take (N,) that it is of.

    Every expression counts alike, 1 in all, and so does every take of one. The answers are to be
    for faces of which each expression has its share in `target_shares` (C,), so while fitting,
    log(pi_labels / pi_target) is added to the logits: labels that are balanced must not teach that
    contempt is as frequent as a neutral face (Menon et al., "Long-Tail Learning via Logit
    Adjustment", ICLR 2021).
    """
    n_classes = len(target_shares)
    counts, shown = take_counts(labels, takes), np.unique(labels)
    prior = np.zeros(n_classes)
    prior[shown] = -np.log(target_shares[shown] / target_shares[shown].mean())
    return Rows(embeddings, np.eye(n_classes)[labels], counts, np.tile(prior, (len(labels), 1)))


def take_counts(labels: NDArray[np.int64], takes: NDArray[np.str_]) -> Float64Array:
    """How much each face (N,) counts, 1 in all: every label alike, and every take of one."""
    counts = np.zeros(len(labels))
    shown = np.unique(labels)
    for label in shown:
        of_label = takes[labels == label]
        _, which, sizes = np.unique(of_label, return_inverse=True, return_counts=True)
        counts[labels == label] = 1 / (sizes[which.ravel()] * len(sizes) * len(shown))
    return counts


def target_shares(class_shares: Float64Array) -> Float64Array:
    """The shares to answer by: halfway, on a log scale, between everyday ones and equal ones.

    Equal ones cost accuracy in daily use, everyday ones leave nothing of the gain that labels bring
    to rare expressions; both were measured (docs/released/persons_closed_form.md).
    """
    shares = np.sqrt(np.maximum(class_shares, 1e-6))
    return np.asarray(shares / shares.sum())


def typical_deviation(statistics: EmbeddingStatistics) -> float:
    """How far other people's embeddings typically lie from their expression's mean."""
    n_values = len(statistics.spread)
    directions = np.array(statistics.directions).reshape(-1, n_values)
    variance = np.array(statistics.spread) ** 2 + (directions**2).sum(axis=0)
    return float(np.sqrt(variance.mean()))


def other_people(statistics: EmbeddingStatistics, head: Head, temperature: float) -> Rows:
    """Rows drawn from other people's means and spread, to be answered as `head` answers them. The
    same in every call."""
    generator = np.random.default_rng(0)
    means = np.repeat(np.array(statistics.class_means), _OTHERS_A_CLASS, axis=0)
    directions = np.array(statistics.directions).reshape(-1, means.shape[1])
    drawn = means + generator.normal(size=means.shape) * np.array(statistics.spread)
    along = generator.normal(size=(len(means), len(directions)))
    if statistics.class_scales:
        along *= np.repeat(np.array(statistics.class_scales), _OTHERS_A_CLASS, axis=0)
    drawn += along @ directions
    return answered_rows(drawn, head, temperature, _SHARE_OF_OTHERS)


def clip_rows(embeddings: Float64Array, head: Head, temperature: float) -> Rows:
    """A person's faces without a label, aligned (N, D), to be answered as `head` answers them."""
    return answered_rows(embeddings, head, temperature, _SHARE_OF_CLIPS)


def answered_rows(embeddings: Float64Array, head: Head, temperature: float, share: float) -> Rows:
    """Rows that together count `share`, to be answered as `head` answers them."""
    answers = probabilities(head, embeddings, temperature)
    counts = np.full(len(embeddings), share / max(len(embeddings), 1))
    return Rows(embeddings, answers, counts, np.zeros_like(answers))


def fit_head(
    start: Head, rows: Rows, temperature: float, hold: float, unit: float, n_fixed: int = 0
) -> Head:
    """The head of least loss: weighted cross-entropy of `rows`, and hold / 2 times the squared
    distance from `start`, with embeddings measured in `unit`s (their typical deviation), so that
    one `hold` means the same for every network. The first `n_fixed` labels stay as they are."""
    scale = unit / temperature
    weights_of_all = start.weights.astype(np.float64) * scale
    bias_of_all = start.bias.astype(np.float64) / temperature
    n_free, n_values = weights_of_all[n_fixed:].shape
    origin = np.concatenate([weights_of_all[n_fixed:].ravel(), bias_of_all[n_fixed:]])
    n_left = -len(rows.embeddings) % _ROWS_AT_ONCE
    inputs = np.pad(rows.embeddings / unit, ((0, n_left), (0, 0)))
    inputs = inputs.reshape(-1, _ROWS_AT_ONCE, n_values)
    targets, priors = (np.pad(part, ((0, n_left), (0, 0))) for part in (rows.targets, rows.priors))
    counts = np.pad(rows.counts, (0, n_left))
    fixed = (inputs @ weights_of_all[:n_fixed].T).reshape(len(targets), n_fixed)
    fixed = fixed + bias_of_all[:n_fixed]

    def loss(flat: Float64Array) -> tuple[float, Float64Array]:
        weights = flat[: n_free * n_values].reshape(n_free, n_values)
        logits = (inputs @ weights.T).reshape(-1, n_free) + flat[n_free * n_values :]
        probs = _softmax(np.concatenate([fixed, logits], axis=1) + priors)
        entropy = -(targets * np.log(np.maximum(probs, 1e-300))).sum(axis=1)
        error = ((probs - targets) * counts[:, None])[:, n_fixed:]
        away = flat - origin
        errors = error.reshape(-1, _ROWS_AT_ONCE, n_free).transpose(0, 2, 1)
        slopes = (errors @ inputs).sum(axis=0)
        gradient = np.concatenate([slopes.ravel(), error.sum(axis=0)]) + hold * away
        return float(counts @ entropy + hold / 2 * away @ away), gradient

    flat = minimize(loss, origin)
    weights = flat[: n_free * n_values].reshape(n_free, n_values) / scale
    bias = flat[n_free * n_values :] * temperature
    free = Head(weights.astype(np.float32), bias.astype(np.float32))
    return start.rows(slice(n_fixed)).and_also(free)


def minimize(function: Function, start: Float64Array) -> Float64Array:
    """L-BFGS with a backtracking line search (Nocedal and Wright, "Numerical Optimization", 7.2),
    for convex functions; the app has no other need for an optimizer."""
    point = start
    value, gradient = function(point)
    steps: list[tuple[Float64Array, Float64Array]] = []
    for _ in range(_MAX_STEPS):
        if np.abs(gradient).max() < 1e-5:
            break
        direction = _direction(gradient, steps)
        slope = float(gradient @ direction)
        size = 1.0 if steps else 1 / max(float(np.abs(gradient).sum()), 1.0)
        while True:
            there = point + size * direction
            new_value, new_gradient = function(there)
            if new_value <= value + _ARMIJO * size * slope:
                break
            size *= _SHRINK
            if size < 1e-10:
                return point
        decrease = value - new_value
        moved, bent = there - point, new_gradient - gradient
        if moved @ bent > 1e-12:
            steps = [*steps, (moved, bent)][-_MEMORY:]
        point, value, gradient = there, new_value, new_gradient
        if decrease < _MIN_DECREASE * abs(value):
            break
    return point


def _direction(
    gradient: Float64Array, steps: list[tuple[Float64Array, Float64Array]]
) -> Float64Array:
    """Downhill, by the two-loop recursion over the last steps."""
    direction = -gradient
    shares = []
    for moved, bent in reversed(steps):
        share = (moved @ direction) / (moved @ bent)
        direction = direction - share * bent
        shares.append(share)
    if steps:
        moved, bent = steps[-1]
        direction = direction * ((moved @ bent) / (bent @ bent))
    for (moved, bent), share in zip(steps, reversed(shares), strict=True):
        direction = direction + (share - (bent @ direction) / (moved @ bent)) * moved
    return direction


def _softmax(logits: Float64Array) -> Float64Array:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
