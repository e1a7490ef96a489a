"""The figures of docs/quality.md: `python -m benchmarks.quality DATA`, five minutes of one core.

DATA holds `press_faces/`, `fairface/`, `fer2013.csv.gz` with `fer2013new.csv`, `clips/` and
`models/face_landmarker.task`. Faces of the first two are spoilt in known ways; of the 137 that
chose the limits, one is among them. Good pictures are looked at for false alarms.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from mediapipe import Image, ImageFormat
from mediapipe.tasks.python import BaseOptions, vision

from benchmarks.figures import N_FRAMES_OF_ONE, demo_frames
from fer_live import Frame, Pipeline
from fer_live.datatypes import FaceResult, TrackedFace, UInt8Array
from fer_live.model.assets import asset
from fer_live.sources.clip import ClipSource
from fer_live.vision.detector import FaceDetector
from fer_live.vision.quality import FaceQuality
from tests.helpers.made_up_faces import CAUSES, Portrait
from training.data.fer2013 import load_fer2013

STRENGTHS: dict[str, tuple[float, ...]] = {
    "small": (13, 15, 17),
    "dark": (0.02, 0.01, 0.005),
    "backlit": (0.02, 0.01, 0.005),
    "bright": (10, 16, 24),
    "defocused": (2, 3, 4),
    "moved": (9, 12, 15),
    "turned": (40, 50),
    "mouth covered": (0.10, 0.14, 0.18),
    "eyes covered": (0.09, 0.12, 0.15),
    "cut": (0.30, 0.35, 0.40),
}
"""Beyond the limits, as far as the detector still finds some."""
YAW_EDGES_DEG = (0, 10, 20, 25, 30, 35, 40)
N_PRESS, N_AUDIT = 80, 40
N_BLOCKS = 9
SURE = 0.7
"""A portrait that the detector itself is less sure of is no good picture to begin with."""


def main(data: Path) -> None:
    """Print all tables."""
    print("\n".join(made_up(data)), flush=True)
    print("\n".join(really_turned(data)), flush=True)
    print("\n".join(good_pictures(data)), flush=True)
    print("\n".join(clips(data)), flush=True)
    print(cost(), flush=True)


def made_up(data: Path) -> Iterator[str]:
    """How often the cause is named, for each way and strength."""
    portraits = list(test_portraits(data))
    yield f"{len(portraits)} faces\n"
    yield "| cause | made by | strength | faces found | right | another | none | not read |"
    yield "|---|---|---|---|---|---|---|---|"
    all_right, all_found = 0, 0
    with Pipeline.load(provider="cpu", detector="short") as pipeline:
        for cause, ways in CAUSES.items():
            for way, spoil in ways.items():
                for strength in STRENGTHS[way]:
                    spoilt = [
                        spoil(portrait, strength, np.random.default_rng([1, k]))
                        for k, portrait in enumerate(portraits)
                    ]
                    faces = list(largest(pipeline, spoilt))
                    reasons = Counter(face.quality_reason for face in faces)
                    unread = sum(not FaceQuality(face.quality).can_be_read for face in faces)
                    right, none = reasons[cause], reasons[""]
                    all_right, all_found = all_right + right, all_found + len(faces)
                    others = len(faces) - right - none
                    n = max(len(faces), 1)
                    shares = (f"{100 * x / n:.0f} %" for x in (right, others, none, unread))
                    cells = (cause, way, f"{strength:g}", f"{len(faces)}", *shares)
                    yield "| " + " | ".join(cells) + " |"
    yield f"\nright in all: {100 * all_right / all_found:.1f} % of {all_found}"


def really_turned(data: Path) -> Iterator[str]:
    """How often real heads are called turned, by what the Face Landmarker says of them."""
    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(data / "models/face_landmarker.task")),
        output_facial_transformation_matrixes=True,
    )
    # Every sixth of the others, the fourth on, served to choose.
    files = sorted((data / "fairface/faces").glob("*.jpg"))[::6]
    turned: dict[int, list[bool]] = {edge: [] for edge in YAW_EDGES_DEG}
    with (
        vision.FaceLandmarker.create_from_options(options) as landmarker,
        Pipeline.load(provider="cpu", detector="short") as pipeline,
    ):
        for file in files:
            frame = framed(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE), 250)
            found = landmarker.detect(Image(ImageFormat.SRGB, frame))
            for face in largest(pipeline, [frame]):
                if found.facial_transformation_matrixes:
                    matrix = found.facial_transformation_matrixes[0]
                    across = np.hypot(matrix[2, 1], matrix[2, 2])
                    yaw_deg = abs(np.degrees(np.arctan2(-matrix[2, 0], across)))
                    edge = max(edge for edge in YAW_EDGES_DEG if edge <= yaw_deg)
                    turned[edge].append(face.quality_reason == "turned")
    yield "\n| yaw from, degrees | real faces | called turned |"
    yield "|---|---|---|"
    for edge, called in turned.items():
        yield f"| {edge} | {len(called)} | {100 * np.mean(called):.1f} % |"


def test_portraits(data: Path) -> Iterator[Portrait]:
    """Faces 250 pixels large in frames of 640x480."""
    generator = np.random.default_rng(14)
    with FaceDetector("short") as detector:
        for folder, n in (("press_faces", N_PRESS), ("fairface/audit", N_AUDIT)):
            files = sorted((data / folder).rglob("*.jpg"))[1::2]
            for k in generator.choice(len(files), n, replace=False):
                frame = framed(cv2.imread(str(files[k]), cv2.IMREAD_GRAYSCALE), 250)
                found = detector.detect(frame, 0.0)
                if found and found[0].confidence >= SURE:
                    yield Portrait(frame, found[0].keypoints_xy)


def framed(gray: UInt8Array, side: int) -> UInt8Array:
    """A gray picture, enlarged, in the middle of a frame, its edges repeated."""
    large = cv2.resize(gray, (side, side), interpolation=cv2.INTER_CUBIC)
    top, left = (480 - side) // 2, (640 - side) // 2
    bottom, right = 480 - side - top, 640 - side - left
    frame = cv2.copyMakeBorder(large, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR), np.uint8)


def largest(pipeline: Pipeline, images: Iterable[UInt8Array]) -> Iterator[FaceResult]:
    """The largest face of each picture, as of a still; none where none is found."""
    for image in images:
        pipeline.reset()
        faces = pipeline.process(Frame(image, 0, 0.0)).faces
        if faces:
            yield max(faces, key=lambda face: face.area)


def good_pictures(data: Path) -> Iterator[str]:
    """False alarms on faces as they are, and labels held because of them."""
    fer2013 = load_fer2013(data).select("PublicTest", "ferplus-majority")
    press = sorted((data / "press_faces").rglob("*.jpg"))[1::2]
    audit = sorted((data / "fairface/audit").rglob("*.jpg"))[1::2]
    # Nobody looked at these when the limits were chosen; a tenth of them taught the cover network.
    training = load_fer2013(data).select("Training", "ferplus-majority").images[::10]
    others = sorted((data / "fairface/faces").glob("*.jpg"))[1::15]
    sets: dict[str, tuple[int, Iterator[UInt8Array]]] = {
        "FER2013 PublicTest": (144, iter(fer2013.images)),
        "press_faces": (250, (cv2.imread(str(file), 0) for file in press)),  # type: ignore[misc]
        "fairface/audit": (250, (cv2.imread(str(file), 0) for file in audit)),  # type: ignore[misc]
        "FER2013 Training": (144, iter(training)),
        "fairface/faces": (250, (cv2.imread(str(file), 0) for file in others)),  # type: ignore[misc]
    }
    yield "\n| pictures | faces found | " + " | ".join(CAUSES) + " | any | held |"
    yield "|---" * (len(CAUSES) + 4) + "|"
    with Pipeline.load(provider="cpu", detector="short") as pipeline:
        for name, (side, images) in sets.items():
            faces = list(largest(pipeline, (framed(image, side) for image in images)))
            yield alarms(name, faces)


def alarms(name: str, faces: list[FaceResult]) -> str:
    """A row of the table of false alarms."""
    reasons = Counter(face.quality_reason for face in faces)
    n_held = sum(not FaceQuality(face.quality).can_be_read for face in faces)
    shares = [f"{100 * reasons[cause] / len(faces):.2f} %" for cause in CAUSES]
    total = f"{100 * (1 - reasons[''] / len(faces)):.2f} %"
    return f"| {name} | {len(faces)} | " + " | ".join([*shares, total, str(n_held)]) + " |"


def clips(data: Path) -> Iterator[str]:
    """Frame by frame: alarms, and shown labels with the quality and without it."""
    yield "\n| clip | faces | with a reason | labels changed | which |"
    yield "|---|---|---|---|---|"
    files = sorted(file for file in (data / "clips").rglob("*.*") if file.is_file())
    for file in (asset("demo.mp4"), *files):
        with_quality = faces_by_frame(file, judges=True)
        without = faces_by_frame(file, judges=False)
        pairs = [
            (one, other)
            for here, there in zip(with_quality, without, strict=True)
            for one, other in zip(here, there, strict=True)
        ]
        reasons = Counter(one.quality_reason for one, _ in pairs if one.quality_reason)
        changed = Counter(
            one.quality_reason for one, other in pairs if one.shown_label != other.shown_label
        )
        cells = (file.name, str(len(pairs)), str(dict(reasons)), str(changed.total()))
        yield "| " + " | ".join(cells) + f" | {dict(changed)} |"


def faces_by_frame(file: Path, *, judges: bool) -> list[tuple[FaceResult, ...]]:
    """The faces of every frame of a clip; without `judges` every picture counts as good."""
    source, results = ClipSource(file), []
    with Pipeline.load(provider="cpu") as pipeline:
        if not judges:
            pipeline._labeler.judge = _EverythingIsGood()  # type: ignore[assignment]
        while (frame := source.read()) is not None:
            results.append(pipeline.process(frame).faces)
    source.close()
    return results


class _EverythingIsGood:
    def judge(self, faces: Sequence[TrackedFace], *_: object) -> list[FaceQuality]:
        return [FaceQuality(1.0) for _ in faces]

    def reset(self) -> None:
        pass


def cost() -> str:
    """The time of judging beside that of everything else, of one face, from one run."""
    reading, whole = [], []
    with Pipeline.load(provider="cpu") as pipeline:
        for start in range(N_BLOCKS):
            total: Counter[str] = Counter()
            for k, image in enumerate(demo_frames()[:N_FRAMES_OF_ONE]):
                time_s = (start * N_FRAMES_OF_ONE + k) / 30
                total.update(pipeline.process(Frame(image, k, time_s)).timings_ms)
            quality_ms = total.pop("quality")
            reading.append(
                quality_ms / sum(total[name] for name in ("align", "classify", "smooth"))
            )
            whole.append(quality_ms / total.total())
    return (
        f"\nquality takes {median(reading):.3f} of aligning, reading and smoothing a face, "
        f"{median(whole):.3f} of the whole frame (medians of {N_BLOCKS} rounds of one face)"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
