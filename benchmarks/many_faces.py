"""How many small faces are found, and at what cost: `python -m benchmarks.many_faces`, a minute.

Everything is made from assets/demo.mp4. Every time is a ratio of two medians measured in turns.
"""

from statistics import median

import numpy as np

from benchmarks.figures import demo_frames, seconds
from fer_live import Frame, Pipeline
from fer_live.vision.detector import FaceDetector
from tests.helpers.scenes import crowd, full_body, n_found

N_TURNS = 15
N_FRAMES = 180
CROWDS = (
    ((1920, 1080), (210, 210), 40, 1.0),
    ((1920, 1080), (170, 170), 60, 1.0),
    ((1920, 1080), (180, 240), 40, 1.0),
    ((1920, 1080), (240, 180), 40, 1.0),
    ((1920, 1080), (210, 210), 40, 0.6),
    ((1280, 720), (140, 140), 40, 1.0),
    ((1280, 720), (200, 200), 20, 0.5),
    ((3840, 2160), (420, 420), 40, 1.0),
)
"""Frame, cell, faces, and the factor down to which cells are shrunk."""


def one_crowd(picture: np.ndarray, places: np.ndarray) -> str:
    """As a still, and as a frame of a clip between two probes, beside one full-range look."""
    still, between, single = [], [], []
    with FaceDetector("auto") as auto, FaceDetector("full") as full:
        for _ in range(N_TURNS):
            auto.reset()
            still.append(seconds(lambda: auto.detect(picture, 0.0)))
            between.append(seconds(lambda: auto.detect(picture, 0.1)))
            single.append(seconds(lambda: full.detect(picture, 0.0)))
        auto.reset()
        found = [
            n_found([face.box_xyxy for face in auto.detect(picture, s)], places) for s in (0, 0.1)
        ]
    ratios = [median(times) / median(single) for times in (still, between)]
    return (
        f"{found[0]} of {len(places)} faces in {ratios[0]:.1f} times one full-range look; "
        f"between probes {found[1]} in {ratios[1]:.1f} times"
    )


def one_walk(pipeline: Pipeline, images: list[np.ndarray]) -> str:
    """The share of frames in which the face is found, and its numbers."""
    pipeline.reset()
    results = [pipeline.process(Frame(image, k, k / 30)) for k, image in enumerate(images)]
    share = np.mean([len(result.faces) == 1 for result in results])
    numbers = {face.track_id for result in results for face in result.faces}
    return f"found in {share:.1%} of {len(images)} frames, numbers {sorted(numbers)}"


def main() -> None:
    frames = demo_frames()
    for frame_wh, cell_wh, n_faces, smallest in CROWDS:
        picture, places = crowd(frames, frame_wh, cell_wh, n_faces, smallest)
        size = f"{frame_wh[0]}x{frame_wh[1]}, cells {cell_wh[0]}x{cell_wh[1]}"
        print(f"{size}, down to {smallest:.0%}: {one_crowd(picture, places)}", flush=True)
    with Pipeline.load(provider="cpu") as pipeline:
        for is_textured in (False, True):
            for face_px in (45, 60, 90):
                images = list(full_body(frames, face_px, N_FRAMES, is_textured=is_textured))
                ground = "textured" if is_textured else "plain"
                print(f"{face_px} px, {ground}: {one_walk(pipeline, images)}", flush=True)


if __name__ == "__main__":
    main()
