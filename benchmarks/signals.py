"""The signals against what is known: python -m benchmarks.signals [CLIPS]

Heads are rendered from the portraits of the demo clip (tests/helpers/heads.py). CLIPS is a folder
with the clips whose blinks were counted by hand (tests/helpers/blinks.py); without it, blinks are
left out. Prints the tables of docs/signals.md.
"""

import sys
from itertools import product
from pathlib import Path

import cv2
import numpy as np

from fer_live.model.assets import asset
from fer_live.vision.signals.head_pose import direction
from tests.helpers.blinks import BLINKS, Eyes, found_blinks, matched, watch_eyes
from tests.helpers.heads import Measuring, turned

SINGLE = [
    tuple(angle if axis == turning else 0 for axis in range(3))
    for turning, angle in product(range(3), (-30, -20, -10, 0, 10, 20, 30))
]
RANDOM = np.random.default_rng(0).uniform(-30, 30, (60, 3)) * (1, 1, 1)


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


if __name__ == "__main__":
    main()
