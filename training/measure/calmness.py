"""`fer-train calmness`: how often the shown label switches, and how long a new one takes to show.

The clips have known change points: they are cut between images of different expressions. Within a
part the face moves as it does before a camera: place, scale, roll and light wander, and each frame
has its own noise. Only images that the model reads right while they keep still are used, so that
what is measured is the rule for the label, not the model.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.errors import InputError
from fer_live.vision.answers import DEFAULT_ANSWERS, AnswerConfig
from fer_live.vision.smoothing import ExpressionSmoother, SmoothingConfig
from training.measure.evaluate import Model, load_crops, open_model

_FPS = 30
_PART_S = (1.5, 4.0)
_PARTS_A_CLIP = 12
_SHIFT, _LOG_SCALE, _ROLL_DEGREES, _LIGHT, _NOISE = 0.025, 0.03, 4.0, 0.12, 5.0
_WANDER_S = 0.15
_RULES: dict[str, SmoothingConfig | None] = {
    "the likeliest of each frame": None,
    "quick": SmoothingConfig.from_calm(0),
    "as it comes": SmoothingConfig.from_calm(0.5),
    "calm": SmoothingConfig.from_calm(1),
}


@dataclass(frozen=True, slots=True)
class CutClip:
    """Frames of one face whose expression changes at known times.

    `times_s` (T,); `truth` (T,) classes; `probs` (T, C) as the model reads them.
    """

    times_s: FloatArray
    truth: NDArray[np.int64]
    probs: FloatArray


def measure_calmness(
    model_path: Path,
    data: str,
    *,
    split: str | None,
    rule: str | None,
    n_clips: int,
    seed: int,
    answers: AnswerConfig = DEFAULT_ANSWERS,
) -> dict[str, Any]:
    """Measure every smoothing rule, and a label that never changes. Raises as `evaluate` does."""
    model = open_model(model_path, answers)
    labeled = load_crops(data, split, rule, model.manifest.input_side, model.manifest.labels)
    probs = model.predict(labeled.images)
    right = (probs.argmax(axis=1) == labeled.labels) & (probs.max(axis=1) >= 0.5)
    classes = model.manifest.labels
    images = {
        c: labeled.images[right & (labeled.labels == c)]
        for c in range(len(classes))
        if (right & (labeled.labels == c)).any()
    }
    if len(images) < 2:
        raise InputError(f"{data}: the model reads fewer than two expressions right; none to cut")
    rng = np.random.default_rng(seed)
    clips = [_cut_clip(model, images, rng) for _ in range(n_clips)]
    rules = {
        name: [_shown(clip, classes, config) for clip in clips] for name, config in _RULES.items()
    }
    constant = max(images, key=lambda c: sum(int((clip.truth == c).sum()) for clip in clips))
    rules[f"always {classes[constant]}"] = [np.full_like(clip.truth, constant) for clip in clips]
    return {
        "data": data,
        "split": split,
        "rule": rule,
        "seed": seed,
        "n_clips": n_clips,
        "n_changes": n_clips * (_PARTS_A_CLIP - 1),
        "rules": {
            name: judge([clip.times_s for clip in clips], [clip.truth for clip in clips], shown)
            for name, shown in rules.items()
        },
    }


def judge(
    times_s: list[FloatArray], truths: list[NDArray[np.int64]], shown: list[NDArray[np.int64]]
) -> dict[str, float]:
    """Compare the labels that were shown with the truth; -1 stands for "unsure".

    `switches_a_minute` stands beside the `changes_a_minute` that there were. `delay_s` is the mean
    time until the new label shows, a part's whole length where it never does. `wrong_share` is the
    share of time in which another label, or none, was shown.
    """
    switches = changes = minutes = wrong = n_frames = 0.0
    delays: list[float] = []
    for time_s, truth, label in zip(times_s, truths, shown, strict=True):
        minutes += float(time_s[-1] - time_s[0]) / 60
        switches += float((np.diff(label) != 0).sum())
        starts = [*(np.flatnonzero(np.diff(truth)) + 1), len(truth)]
        changes += len(starts) - 1
        wrong += float((label != truth).sum())
        n_frames += len(truth)
        for start, end in pairwise(starts):
            shows = np.flatnonzero(label[start:end] == truth[start])
            until = start + shows[0] if len(shows) else end - 1
            delays.append(float(time_s[until] - time_s[start]))
    return {
        "switches_a_minute": round(switches / minutes, 1),
        "changes_a_minute": round(changes / minutes, 1),
        "delay_s": round(float(np.mean(delays)), 3),
        "wrong_share": round(wrong / n_frames, 4),
    }


def to_markdown(result: dict[str, Any]) -> str:
    """Write the figures as one table with one row per smoothing rule."""
    first = next(iter(result["rules"].values()))
    lines = [
        f"{result['n_changes']} changes, {first['changes_a_minute']} a minute, "
        f"seed {result['seed']}.",
        "",
        "| label shown | switches a minute | delay of a new label, s | time wrong, % |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {f['switches_a_minute']:.1f} | {f['delay_s']:.2f} | "
        f"{100 * f['wrong_share']:.1f} |"
        for name, f in result["rules"].items()
    ]
    return "\n".join(lines) + "\n"


def _cut_clip(model: Model, images: dict[int, UInt8Array], rng: np.random.Generator) -> CutClip:
    truth: list[int] = []
    faces: list[UInt8Array] = []
    previous = -1
    for _ in range(_PARTS_A_CLIP):
        current = int(rng.choice([c for c in images if c != previous]))
        image = images[current][rng.integers(len(images[current]))]
        n = round(rng.uniform(*_PART_S) * _FPS)
        faces.append(_moving(image, n, rng))
        truth += [current] * n
        previous = current
    probs = model.predict(np.concatenate(faces))
    times = (np.arange(len(truth)) / _FPS).astype(np.float32)
    return CutClip(times, np.array(truth, np.int64), probs)


def _moving(image: UInt8Array, n: int, rng: np.random.Generator) -> UInt8Array:
    """Move a face a little, as it does before a camera: (S, S) -> (n, S, S)."""
    side = image.shape[0]
    wander = _wander(n, 5, rng) * (_SHIFT * side, _SHIFT * side, _LOG_SCALE, _ROLL_DEGREES, _LIGHT)
    faces = np.empty((n, side, side), np.uint8)
    for k, (x, y, log_scale, roll, light) in enumerate(wander):
        matrix = cv2.getRotationMatrix2D(
            (side / 2, side / 2), float(roll), float(np.exp(log_scale))
        )
        matrix[:, 2] += (x, y)
        moved = cv2.warpAffine(image, matrix, (side, side), borderMode=cv2.BORDER_REPLICATE)
        noisy = moved * np.exp(light) + rng.normal(0, _NOISE, moved.shape)
        faces[k] = np.clip(noisy, 0, 255)
    return faces


def _wander(n: int, n_things: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw (n, n_things) of standard deviation 1 that wander back to 0 (Ornstein-Uhlenbeck)."""
    keep = np.exp(-1 / (_WANDER_S * _FPS))
    steps = rng.normal(0, np.sqrt(1 - keep**2), (n, n_things))
    steps[0] = rng.normal(0, 1, n_things)
    for k in range(1, n):
        steps[k] += keep * steps[k - 1]
    return np.asarray(steps)


def _shown(
    clip: CutClip, classes: tuple[str, ...], config: SmoothingConfig | None
) -> NDArray[np.int64]:
    if config is None:
        return np.asarray(clip.probs.argmax(axis=1), np.int64)
    smoother = ExpressionSmoother(classes, config)
    labels = [
        smoother.update(1, probs, float(time_s))[1]
        for time_s, probs in zip(clip.times_s, clip.probs, strict=True)
    ]
    return np.array([classes.index(label) if label else -1 for label in labels], np.int64)
