"""The signals against what is known, and what they cost: python -m benchmarks.signals [CLIPS]

Heads are rendered from the portraits of assets/demo.mp4 (tests/helpers/heads.py). CLIPS is a folder
with the clips whose blinks were counted by hand (tests/helpers/blinks.py); without it, blinks are
left out. Prints the tables of docs/signals.md.
"""

import sys
import time
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import psutil

from fer_live import Frame, Pipeline
from fer_live.model.assets import asset
from fer_live.vision.signals.head_pose import direction
from tests.helpers.blinks import BLINKS, Eyes, found_blinks, matched, watch_eyes
from tests.helpers.heads import Measuring, turned

SINGLE = [
    tuple(angle if axis == turning else 0 for axis in range(3))
    for turning, angle in product(range(3), (-30, -20, -10, 0, 10, 20, 30))
]
RANDOM = np.random.default_rng(0).uniform(-30, 30, (60, 3))


def main() -> None:
    """Print every error."""
    capture = cv2.VideoCapture(str(asset("demo.mp4")))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    with Measuring() as measuring:
        portraits = [measuring.portrait(frames[number]) for number in (20, 110)]
        for name, poses in (("one axis, to 30 degrees", SINGLE), ("all three, to 30", RANDOM)):
            errors = [
                signals.head_deg - pose
                for portrait, pose in product(portraits, poses)
                if (signals := measuring.head(portrait, turned(*pose))) is not None
            ]
            _tell(f"head pose, {name}", errors, ("yaw", "pitch", "roll"))
        for name, heads in (
            ("head to the camera", [(0, 0)]),
            ("head turned by 15 to 20", [(20, 0), (-20, 0), (0, -15), (0, 15)]),
        ):
            looks = [(yaw, 0) for yaw in range(-30, 31, 10)]
            looks += [(0, pitch) for pitch in (-20, -10, 10, 20)] + [(15, 10), (-15, -10)]
            errors = [
                signals.mean_gaze_deg - look
                for portrait, head, look in product(portraits, heads, looks)
                if (signals := measuring.head(portrait, turned(*head, 0), direction(*look)))
                is not None
            ]
            _tell(f"gaze, {name}", errors, ("yaw", "pitch"))
    _tell_costs(frames)
    if len(sys.argv) > 1:
        _tell_blinks(Path(sys.argv[1]))


def _tell(name: str, errors: list[np.ndarray], axes: tuple[str, ...]) -> None:
    away = np.abs(errors)
    print(f"{name}: {len(errors)} pictures")
    for number, axis in enumerate(axes):
        errors_deg = away[:, number]
        print(
            f"  {axis}: mean {errors_deg.mean():.1f}, 95th {np.percentile(errors_deg, 95):.1f}, "
            f"most {errors_deg.max():.1f}, within 3 degrees {np.mean(errors_deg <= 3):.0%}"
        )


def _tell_blinks(folder: Path) -> None:
    watched = {name: watch_eyes(folder / name) for name in BLINKS}
    for every in (1, 2, 3, 4):
        right = wrong = missed = 0
        for name, first in product(BLINKS, range(every)):
            eyes: Eyes = watched[name]
            found = found_blinks(eyes[first::every])
            n = matched(found, BLINKS[name], every)
            right, wrong = right + n, wrong + len(found) - n
            missed += len(BLINKS[name]) - n
        print(
            f"blinks, every {every}. frame: recall {right / (right + missed):.1%}, "
            f"precision {right / max(right + wrong, 1):.1%} ({right} of {right + missed})"
        )


def _tell_costs(frames: list[np.ndarray]) -> None:
    """One face at 640x480: processor time, which a busy machine changes little."""
    one_face = frames[:75]
    with Pipeline.load(provider="cpu") as without, Pipeline.load(provider="cpu") as off:
        # The line as it was before there were signals.
        without._measure = lambda frame, faces, *_: [None] * len(faces)  # type: ignore[method-assign]
        spent_s = {"without": 0.0, "off": 0.0}
        for number in range(3000):
            # Both in turns, and each as often first as second.
            pair = [("without", without), ("off", off)]
            for name, pipeline in pair if number % 2 else pair[::-1]:
                spent_s[name] += _process(pipeline, one_face, number)
    print(f"off: {spent_s['off'] / spent_s['without']:.3f} of a line that knows no signals")
    memory = psutil.Process().memory_info
    with Pipeline.load(provider="cpu") as pipeline:
        off_s = sum(_process(pipeline, one_face, number) for number in range(300)) / 300
        before = memory().rss
        pipeline.with_signals = True
        on_s = sum(_process(pipeline, one_face, 300 + number) for number in range(300)) / 300
        n_mb = (memory().rss - before) / 1e6
    signals_s = on_s - off_s
    print(
        f"on: {signals_s * 1e3:.1f} ms more a face on {off_s * 1e3:.1f}, "
        f"{30 * signals_s:.0%} of one core at 30 a second; {n_mb:.0f} MB more"
    )


def _process(pipeline: Pipeline, images: list[np.ndarray], number: int) -> float:
    frame = Frame(images[number % len(images)], number, number / 30)
    began_s = time.process_time()
    pipeline.process(frame)
    return time.process_time() - began_s


if __name__ == "__main__":
    main()
