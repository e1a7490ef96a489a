"""The speed figures of docs/figures.md, measured anew here: `make figures`, three minutes.

Every line is a ratio of two things measured in turns in one run, or a time beside what it is
compared with, so that a busy or a slow machine changes both sides.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, median

import cv2
import numpy as np
import onnx
import torch
from torch import nn

from export.quantize import to_int8
from export.to_onnx import add_manifest
from fer_live import Frame, Pipeline
from fer_live.analyze.options import AnalyzeOptions
from fer_live.analyze.run import analyze
from fer_live.model.assets import asset
from fer_live.model.manifest import EXPRESSIONS, CropGeometry, Manifest
from fer_live.sources.clip import ClipSource
from fer_live.vision.answers import AnswerConfig
from fer_live.vision.classifier import ExpressionClassifier
from fer_live.vision.detector import FaceDetector
from training.models.resnet import BasicBlock, scale_faces

N_WARM, N_FRAMES = 30, 150
N_FRAMES_OF_ONE = 90
"""So long the demo shows one and the same face."""


def demo_frames() -> list[np.ndarray]:
    """assets/demo.mp4, (H, W, 3) uint8 each."""
    source = ClipSource(asset("demo.mp4"))
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame.image_bgr)
    source.close()
    return frames


def eight_faces(frames: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Eight small moving pictures of the demo's first face in 1280x720."""
    frames = frames[:N_FRAMES_OF_ONE]
    for index in range(len(frames)):
        wide = np.full((720, 1280, 3), 90, np.uint8)
        for place in range(8):
            frame = frames[(index + 11 * place) % len(frames)]
            small = cv2.resize(frame, (240, 180), interpolation=cv2.INTER_AREA)
            top, left = 120 + 280 * (place // 4), 60 + 300 * (place % 4)
            wide[top : top + 180, left : left + 240] = small
        yield wide


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s


def pipeline_beside_detection(frames: list[np.ndarray], mode: str) -> str:
    """Each frame is read by the whole pipeline and, right after it, detected alone."""
    whole, alone, faces = [], [], []
    with Pipeline.load(provider="cpu") as pipeline, FaceDetector(mode) as detector:  # type: ignore[arg-type]

        def read(frame: Frame) -> None:
            faces.append(len(pipeline.process(frame).faces))

        for index in range(N_WARM + N_FRAMES):
            image, now_s = frames[index % len(frames)], index / 30
            frame = Frame(image, index, now_s)
            whole.append(seconds(lambda frame=frame: read(frame)))  # type: ignore[misc]
            look = lambda image=image, s=now_s: detector.detect(image, s)  # noqa: E731
            alone.append(seconds(look))
        used = pipeline.detector.name
    whole, alone = whole[N_WARM:], alone[N_WARM:]
    return (
        f"{median(faces)} faces ({used}): pipeline {1e3 * median(whole):.2f} ms, detection alone "
        f"({mode}) {1e3 * median(alone):.2f} ms; median {median(whole) / median(alone):.2f} times, "
        f"mean {mean(whole) / mean(alone):.2f} times"
    )


def analyze_beside_its_parts(clip: Path) -> str:
    """`analyze`, and decoding and detecting the same clip, in turns."""
    ratios = []
    for _ in range(5):
        source = ClipSource(clip)
        with FaceDetector("short") as detector:

            def read_all(source: ClipSource = source, detector: FaceDetector = detector) -> None:
                while (frame := source.read()) is not None:
                    detector.detect(frame.image_bgr, frame.captured_at_s)

            parts_s = seconds(read_all)
        source.close()
        with tempfile.TemporaryDirectory() as folder:
            summary, _ = analyze(AnalyzeOptions([str(clip)], out=Path(folder) / "a.csv"))
        ratios.append(summary.wall_s / parts_s)
    return f"analyze: {median(ratios):.2f} times decoding and detection alone ({clip.name})"


def window_beside_its_imports() -> str:
    """The first picture of the window, and importing MediaPipe's vision tasks."""
    imports = "from mediapipe.tasks.python import vision"
    lines = []
    for _ in range(3):
        import_s = seconds(lambda: subprocess.run([sys.executable, "-c", imports], check=True))
        with tempfile.TemporaryDirectory() as folder:
            stats = Path(folder) / "stats.json"
            clip = str(asset("demo.mp4"))
            command = [sys.executable, "-m", "fer_live", "--source", clip, "--duration", "15"]
            subprocess.run(
                [*command, "--stats", str(stats)],
                check=True,
                env=os.environ | {"FER_LIVE_HOME": folder, "QT_QPA_PLATFORM": "offscreen"},
            )
            figures = json.loads(stats.read_text())
        lines.append((figures["first_overlay_s"] / import_s, figures))
    ratio, figures = sorted(lines, key=lambda line: line[0])[1]
    latency = figures["latency_ms"]
    return (
        f"window: first picture after {figures['first_overlay_s']:.2f} s, {ratio:.2f} times the "
        f"import of mediapipe's vision tasks; {figures['dropped']} of {figures['captured']} frames "
        f"dropped; capture to paint {latency['p50']:.0f} ms, {latency['p95']:.0f} ms at the 95th "
        f"percentile; {figures['rss_mb_end']:.0f} MB"
    )


class PlainResNet18(nn.Module):
    """As He et al. (2015) have it, with one gray channel: (N, 1, 64, 64) uint8 -> probabilities
    and the features that they are read from."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(1, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        ]
        for before, channels in ((64, 64), (64, 128), (128, 256), (256, 512)):
            layers.append(BasicBlock(before, channels, channels // before))
            layers.append(BasicBlock(channels, channels, 1))
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Linear(512, 8)

    def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.layers(scale_faces(faces)).mean(dim=(2, 3))
        return self.classifier(features).softmax(dim=1), features


def network_beside_a_plain_one() -> str:
    """The shipped int8 network, and a ResNet-18 of 64 pixels quantized the same way, in turns."""
    dynamic = {"faces": {0: torch.export.Dim("N", min=1, max=4096)}}
    example = torch.zeros(2, 1, 64, 64, dtype=torch.uint8)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            PlainResNet18().eval(),
            (example,),
            input_names=["faces"],
            output_names=["probs", "embedding"],
            dynamic_shapes=dynamic,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    generator = np.random.default_rng(0)

    def faces(n: int, side: int) -> np.ndarray:
        return generator.integers(0, 256, (n, side, side), dtype=np.uint8)

    manifest = Manifest(labels=EXPRESSIONS, input_side=64, crop=CropGeometry())
    plain_model = to_int8(program.model_proto, faces(64, 64))
    add_manifest(plain_model, manifest)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plain.onnx"
        onnx.save(plain_model, str(file))
        plain = ExpressionClassifier(file, "cpu", AnswerConfig(readings=1))
    ours = ExpressionClassifier(None, "cpu")
    times: dict[str, list[float]] = {"plain": [], "one": [], "eight": []}
    one_plain, one, eight = faces(1, 64), faces(1, ours.side), faces(8, ours.side)
    for _ in range(500):
        times["plain"].append(seconds(lambda: plain.classify(one_plain)))
        times["one"].append(seconds(lambda: ours.classify(one)))
        times["eight"].append(seconds(lambda: ours.classify(eight)))
    of_plain, of_one, of_eight = (median(values) for values in times.values())
    return (
        f"network (int8): one face, read twice, {1e3 * of_one:.2f} ms, {of_one / of_plain:.2f} "
        "times a plain ResNet-18 at 64 pixels that reads once; eight faces "
        f"{of_eight / of_one:.2f} times one"
    )


def main() -> None:
    print(network_beside_a_plain_one(), flush=True)
    frames = demo_frames()
    vga = [cv2.resize(frame, (640, 480)) for frame in frames]
    print(pipeline_beside_detection(vga, "short"), flush=True)
    print(pipeline_beside_detection(list(eight_faces(frames)), "full"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "demo_640x360.mp4"
        writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*"mp4v"), 30, (640, 360))
        for frame in frames * 3:
            writer.write(cv2.resize(frame, (640, 360)))
        writer.release()
        print(analyze_beside_its_parts(clip), flush=True)
    print(window_beside_its_imports(), flush=True)


if __name__ == "__main__":
    main()
