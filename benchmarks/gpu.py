"""Checks CUDA and TensorRT on this machine and prints one table: `python -m benchmarks.gpu`.

For each provider: whether ONNX Runtime really used it, whether it gives the same labels as the CPU
in fp32, how long loading takes without and with a cache of engines, and the time for 1, 8 and 32
faces. Last, a step of training, on the CPU and on the GPU. Faces are those of assets/demo.mp4,
shifted and lit anew. Exits with 2 where no GPU is there, and with 1 where a check fails.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import cast

import numpy as np
import torch

from benchmarks.figures import demo_frames
from fer_live.datatypes import Frame, Provider, UInt8Array
from fer_live.model.assets import CHECKPOINT, GPU_MODEL, asset
from fer_live.vision.alignment import align_face
from fer_live.vision.classifier import ExpressionClassifier
from fer_live.vision.detector import FaceDetector
from training.models.checkpoint import load_model
from training.models.resnet import scale_faces

BATCHES = (1, 8, 32)
N_FACES = 512
N_RUNS = 200
N_STEPS = 50
STEP_BATCH = 128
MIN_AGREEMENT = 0.999
"""Of the labels with those of the CPU: both compute in fp32, so that only ties may differ."""


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one provider; times in milliseconds but for the loading."""

    wanted: str
    used: str
    warning: str
    agreement: float
    load_s: float
    load_again_s: float
    ms: dict[int, float]

    @property
    def is_right(self) -> bool:
        """Whether the provider was used and reads faces as the CPU does."""
        return self.used == self.wanted and self.agreement >= MIN_AGREEMENT


def main() -> int:
    """Measure, print, and say by the exit code whether all is as it should be."""
    arguments = _parser().parse_args()
    providers = cast(list[Provider], arguments.providers)
    if not torch.cuda.is_available() and providers != ["cpu"]:
        print("no CUDA GPU here: nothing to check (torch.cuda.is_available is False)")
        return 2
    faces = demo_faces(N_FACES)
    reference = ExpressionClassifier(asset(GPU_MODEL), "cpu").classify(faces).argmax(axis=1)
    with tempfile.TemporaryDirectory() as home:
        os.environ["FER_LIVE_HOME"] = home  # a cache of engines that is empty at first
        rows = [measure(provider, faces, reference) for provider in providers]
    card = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    print(as_markdown(card, rows, training_steps(faces)))
    return 0 if all(row.is_right for row in rows) else 1


def measure(provider: Provider, faces: UInt8Array, reference: np.ndarray) -> Row:
    """Load the fp32 model twice on `provider` and run it; `reference` (N,) are the right labels."""
    first, load_s = _loaded(provider)
    answers = first.classify(faces)
    again, load_again_s = _loaded(provider)
    return Row(
        wanted=provider,
        used=first.provider,
        warning=first.warning,
        agreement=float((answers.argmax(axis=1) == reference).mean()),
        load_s=load_s,
        load_again_s=load_again_s,
        ms={n: median_ms(partial(again.classify, faces[:n])) for n in BATCHES},
    )


def _loaded(provider: Provider) -> tuple[ExpressionClassifier, float]:
    """A classifier, and the seconds that it took to load and to run once."""
    began_s = time.perf_counter()
    classifier = ExpressionClassifier(asset(GPU_MODEL), provider)
    return classifier, time.perf_counter() - began_s


def median_ms(work: Callable[[], object]) -> float:
    """The median time of `N_RUNS` calls, after a tenth as many that do not count."""
    times_ms = []
    for _ in range(N_RUNS + N_RUNS // 10):
        began_s = time.perf_counter()
        work()
        times_ms.append((time.perf_counter() - began_s) * 1000)
    return median(times_ms[N_RUNS // 10 :])


def training_steps(faces: UInt8Array) -> dict[str, float]:
    """Device -> milliseconds of a forward and backward pass and an update, `STEP_BATCH` faces."""
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    return {device: _step_ms(torch.device(device), faces[:STEP_BATCH]) for device in devices}


def _step_ms(device: torch.device, faces: UInt8Array) -> float:
    network, _ = load_model(asset(CHECKPOINT))
    network.to(device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    images = scale_faces(torch.from_numpy(faces[:, None]).to(device))
    labels = torch.zeros(len(faces), dtype=torch.long, device=device)
    times_ms = []
    for _ in range(N_STEPS if device.type == "cuda" else 8):
        began_s = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = torch.nn.functional.cross_entropy(network(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times_ms.append((time.perf_counter() - began_s) * 1000)
    return median(times_ms[len(times_ms) // 4 :])


def demo_faces(n: int) -> UInt8Array:
    """(n, S, S) uint8 faces as the app cuts them, shifted by up to two pixels and lit anew."""
    classifier = ExpressionClassifier(None, "cpu")
    frames = demo_frames()[::5]
    crops = []
    with FaceDetector("short") as detector:
        for index, image_bgr in enumerate(frames):
            frame = Frame(image_bgr, index, index / 30)
            for face in detector.detect(frame.image_bgr, frame.captured_at_s):
                crops.append(align_face(image_bgr, face, classifier.side, classifier.manifest.crop))
    generator = np.random.default_rng(0)
    faces = np.array(crops)[generator.integers(0, len(crops), n)].astype(np.float32)
    light = generator.uniform(0.6, 1.4, (n, 1, 1))
    shifted = [np.roll(face, generator.integers(-2, 3, 2), (0, 1)) for face in faces]
    return np.clip(np.array(shifted) * light, 0, 255).astype(np.uint8)


def as_markdown(card: str, rows: list[Row], steps: dict[str, float]) -> str:
    """Two tables for the documentation, with the card's name above them."""
    lines = [
        f"Card: {card}. fp32, {N_FACES} faces of assets/demo.mp4; medians of {N_RUNS} runs, ms.",
        "",
        "| provider | used | same labels | loads in | again | "
        + " | ".join(map(str, BATCHES))
        + " |",
        "|---" * (5 + len(BATCHES)) + "|",
    ]
    lines += [
        f"| {row.wanted} | {row.used} | {row.agreement:.1%} | {row.load_s:.1f} s | "
        f"{row.load_again_s:.1f} s | " + " | ".join(f"{row.ms[n]:.2f}" for n in BATCHES) + " |"
        for row in rows
    ]
    lines += [f"{row.wanted}: {row.warning}" for row in rows if row.warning]
    lines += ["", f"A training step of {STEP_BATCH} faces, 2.9 million parameters:", ""]
    lines += [f"- {device}: {ms:.1f} ms" for device, ms in steps.items()]
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--providers",
        nargs="+",
        default=["cuda", "tensorrt"],
        choices=["cpu", "cuda", "tensorrt"],
        help="default: cuda and tensorrt",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
