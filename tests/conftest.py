"""Shared fixtures: small data made here, the demo clip, and the development data where it is."""

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# For the networks here are so small that two threads of torch mostly wait for each other: on a busy
# processor a training takes twenty times as long with them.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from fer_live.model.assets import asset
from fer_live.model.manifest import EXPRESSIONS
from tests.helpers.clips import part_of_demo
from tests.helpers.fer_tree import FerTree
from tests.helpers.made_once import made_once

# How long an example takes depends on what else the machine does.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


_bytecode: list[Path] = []


def pytest_configure(config: pytest.Config) -> None:
    """Have the hundreds of processes that the tests start compile the project once, not each for
    itself, also where no bytecode is to be written beside the files."""
    if config.getoption("numprocesses", None) and os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        _bytecode.append(Path(tempfile.mkdtemp(prefix="fer-live-bytecode-")))
        os.environ["PYTHONPYCACHEPREFIX"] = str(_bytecode[0])


def pytest_unconfigure() -> None:
    for folder in _bytecode:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def demo_clip() -> Path:
    return asset("demo.mp4")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The development data; tests that need it say so by skipping."""
    if not (SHARED_DATA / "fer2013new.csv").is_file():
        pytest.skip("the development data (../shared/data) is not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def public_test_faces(
    shared_data: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Path:
    """The first 800 rows of PublicTest, where not all real faces are wanted; to be read only."""

    def make(folder: Path) -> None:
        votes = (shared_data / "fer2013new.csv").read_text().splitlines(keepends=True)
        with gzip.open(shared_data / "fer2013.csv.gz", "rt") as images:
            both = zip(images, votes, strict=True)
            header = next(both)
            chosen = [header, *islice((row for row in both if "PublicTest" in row[0]), 800)]
        assert len(chosen) == 801
        for name, rows in zip(
            ("fer2013.csv", "fer2013new.csv"), zip(*chosen, strict=True), strict=True
        ):
            (folder / name).write_text("".join(rows))

    return made_once(tmp_path_factory, worker_id, "public_test", make)


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """45 frames of the demo clip, 30 a second: one face, then two others. To be read only."""
    return part_of_demo(tmp_path_factory.mktemp("short") / "short.mp4", begin=132)


@pytest.fixture(scope="session")
def demo_frames(demo_clip: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(demo_clip))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    return frames


@pytest.fixture(autouse=True)
def no_thread_left_running() -> Iterator[None]:
    """A test that leaves one of our threads running fails."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 20
    names = {"source", "inference"}
    while time.monotonic() < deadline:
        left = [t for t in threading.enumerate() if t not in before and t.name in names]
        if not left:
            return
        time.sleep(0.02)
    pytest.fail(f"threads left running: {left}")


@pytest.fixture
def run_cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `fer-live`, `fer-train` or `fer-export` as a person does, in a process of its own."""
    modules = {
        "fer-live": "fer_live",
        "fer-train": "training.cli",
        "fer-export": "export.cli",
    }

    def run(
        command: str, *arguments: object, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", modules[command], *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=240,
            env={**os.environ, **environment},
            check=False,
        )

    return run


@pytest.fixture
def fer_tree(tmp_path: Path) -> FerTree:
    folder = tmp_path / "fer2013"
    folder.mkdir()
    return FerTree(folder)


@pytest.fixture
def learnable_tree(fer_tree: FerTree) -> Path:
    """96 Training and 32 PublicTest images of four expressions told apart by brightness."""
    for index in range(96):
        fer_tree.add("Training", EXPRESSIONS[2 * (index % 4)], seed=index)
    for index in range(32):
        fer_tree.add("PublicTest", EXPRESSIONS[2 * (index % 4)], seed=1000 + index)
    return fer_tree.write()


@pytest.fixture
def small_models(tmp_path: Path) -> list[Path]:
    """Checkpoints of random weights, two of one input side and one of another."""
    from fer_live.model.manifest import EXPRESSIONS, CropGeometry, Manifest
    from training.models.checkpoint import architecture, build_network, save_model
    from training.models.config import ModelConfig

    paths = []
    for name, side in (("one", 48), ("two", 48), ("larger", 64)):
        config = ModelConfig(width=8, blocks=1, input_side=side)
        manifest = Manifest(
            labels=EXPRESSIONS,
            input_side=side,
            crop=CropGeometry(),
            architecture=architecture(config),
        )
        paths.append(tmp_path / f"{name}.safetensors")
        save_model(paths[-1], build_network(config, 8), manifest)
    return paths
