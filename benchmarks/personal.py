"""How long `fer-live personalize` takes, and its memory: `python -m benchmarks.personal`.

Five minutes of clips, ten frames a second as the app captures them, and sixteen takes of three
seconds, made from assets/demo.mp4; from the command's start to the installed model. Processor time
stands beside the wall's, because it is what a busy machine does not change.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from fer_live.model.assets import asset
from fer_live.model.manifest import EXPRESSIONS
from fer_live.sources.clip import ClipSource

FPS = 10
CLIP_SECONDS, N_CLIPS = 60, 5
TAKE_SECONDS, N_TAKES = 3, 2
_MB = 1024


def demo_frames() -> list[np.ndarray]:
    """The demo's pictures, ten a second."""
    clip, frames = ClipSource(asset("demo.mp4")), []
    while (frame := clip.read()) is not None:
        if len(frames) <= frame.captured_at_s * FPS:
            frames.append(frame.image_bgr)
    clip.close()
    return frames


def write(path: Path, frames: list[np.ndarray], seconds: int, begin: int) -> None:
    """A video of these frames, over and over from one of them on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = frames[0].shape[:2]
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (width, height))
    for number in range(seconds * FPS):
        video.write(frames[(begin + number) % len(frames)])
    video.release()


def main() -> None:
    frames = demo_frames()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for number in range(N_CLIPS):
            write(place / "clips" / f"{number}.mp4", frames, CLIP_SECONDS, 7 * number)
        for index, label in enumerate(EXPRESSIONS):
            for take in range(N_TAKES):
                begin = 9 * index + 5 * take
                write(place / "takes" / label / f"take {take + 1}.mp4", frames, TAKE_SECONDS, begin)
        words = ["--clips", place / "clips", "--labeled", place / "takes", "--install"]
        environment = {**os.environ, "FER_LIVE_HOME": str(place / "home")}
        began_s = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "fer_live", "personalize", *words], env=environment
        )
        wall_s = time.perf_counter() - began_s
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"exit {done.returncode}: {wall_s:.1f} s, {used.ru_utime + used.ru_stime:.1f} s of "
        f"processor time, {used.ru_maxrss / _MB:.0f} MB at most"
    )


if __name__ == "__main__":
    main()
