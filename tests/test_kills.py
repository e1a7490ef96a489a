"""Killed at any moment, nothing is lost and nothing is ever half there.

FER_LIVE_KILLS is how often each of six stages is killed: once by default, nine times for more than
fifty in all.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fer_live.base.home import home
from fer_live.model.manifest import EXPRESSIONS, CropGeometry, Manifest
from fer_live.personal.clips import list_clips
from fer_live.personal.models import install_model, list_models
from fer_live.personal.proof import PROOF_FILE, Preference, load_proof, save_proof
from fer_live.recording.player import ClipPlayer
from fer_live.vision.classifier import ExpressionClassifier
from training.models.checkpoint import MODEL_FILE, architecture, build_network, save_model
from training.models.config import ModelConfig

KILLS = int(os.environ.get("FER_LIVE_KILLS", "1"))
SEED = 0

RETRAINING = """
import os, signal, sys, threading
from pathlib import Path
from export.build import build_models
from training.config import parse_config
from training.personalize.run import personalize
from training.personalize.task import PersonalizeOptions
folder, out, stage, delay_s = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], float(sys.argv[4])
def report(now, done):
    global stage
    if now == stage:
        stage = ""
        threading.Timer(delay_s, os.kill, (os.getpid(), signal.SIGKILL)).start()
config = parse_config({
    "run": {"method": "personal", "device": "cpu", "precision": "fp32", "checkpoint_every_s": 0.01},
    "schedule": {"steps": 40, "batch_size": 4, "unlabeled_batch_size": 8, "learning_rate": 0.01},
}, "test")
start = folder / "start.safetensors"
options = PersonalizeOptions((folder / "clips",), None, start, out, config=config)
personalize(options, build_models, report)
"""
LONGEST_S = {"faces": 0.2, "learn": 2.0, "prove": 0.3, "export": 4.0}
"""About how long each stage takes."""

INSTALLING = """
import os, signal, sys, threading, time
from pathlib import Path
from fer_live.personal import models

def copy_slowly(source, target):
    content = Path(source).read_bytes()
    for n_bytes in (len(content) // 2, len(content)):
        Path(target).write_bytes(content[:n_bytes])
        time.sleep(0.05)

models.shutil.copyfile = copy_slowly
make = models.tempfile.mkdtemp

def begin(**where):
    threading.Timer(float(sys.argv[3]), os.kill, (os.getpid(), signal.SIGKILL)).start()
    return make(**where)

models.tempfile.mkdtemp = begin
models.install_model(Path(sys.argv[1]), sys.argv[2])
time.sleep(1)  # the copies take a third of a second; some kills come after them
"""


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))


@pytest.fixture
def person(tmp_path: Path) -> Path:
    """A small random network to start from, and thirty crops to learn."""
    torch.manual_seed(SEED)
    config = ModelConfig(width=8, blocks=1)
    manifest = Manifest(
        labels=EXPRESSIONS, input_side=48, crop=CropGeometry(), architecture=architecture(config)
    )
    save_model(tmp_path / "start.safetensors", build_network(config, 8), manifest)
    (tmp_path / "clips").mkdir()
    generator = np.random.default_rng(SEED)
    for index in range(30):
        image = generator.integers(0, 255, (48, 48)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / "clips" / f"{index}.png"), image)
    return tmp_path


def retrain(person: Path, out: Path, stage: str = "", delay_s: float = 0) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", RETRAINING, person, out, stage, str(delay_s)],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr


def is_same_run(run_dir: Path, other: Path) -> bool:
    """The same proof and, to the bit, the same model."""
    models = [(folder / MODEL_FILE).read_bytes() for folder in (run_dir, other)]
    return load_proof(run_dir) == load_proof(other) and models[0] == models[1]


def test_a_retraining_killed_in_any_stage_ends_as_if_it_had_not_been(person: Path):
    choose = random.Random(SEED)
    clips = {path: path.read_bytes() for path in (person / "clips").iterdir()}
    whole, parts = person / "whole", person / "parts"
    assert retrain(person, whole) == (0, "")
    killed = 0
    for stage in sorted(LONGEST_S, key=list(LONGEST_S).index):
        for _ in range(KILLS):
            code, said = retrain(person, parts, stage, choose.uniform(0, LONGEST_S[stage]))
            assert code in (0, -signal.SIGKILL), said
            killed += code != 0
            assert {path: path.read_bytes() for path in clips} == clips
            if code == 0 or (parts / PROOF_FILE).exists():  # it was quicker than the kill
                assert is_same_run(parts, whole)
                parts = person / f"parts{killed}"
    code, said = retrain(person, parts)
    assert code == 0, said
    assert killed >= 2 * KILLS
    assert is_same_run(parts, whole)
    files = [{f.name for f in run.iterdir() if ".partial" not in f.name} for run in (parts, whole)]
    assert files[0] == files[1]


def test_a_model_killed_while_it_is_installed_is_whole_or_not_there(person: Path):
    run_dir = person / "run"
    assert retrain(person, run_dir)[0] == 0
    preferred = Preference(n_shown=20, n_new=15, n_old=3)
    save_proof(run_dir, load_proof(run_dir).model_copy(update={"preference": preferred}))
    choose = random.Random(SEED)
    for number in range(KILLS):
        name = f"me {number}"
        delay_s = str(choose.uniform(0, 0.4))
        done = subprocess.run([sys.executable, "-c", INSTALLING, run_dir, name, delay_s])
        assert done.returncode == -signal.SIGKILL
        assert any((home() / "models").iterdir()), "killed before it began"
        for model in list_models()[1:]:
            assert model.folder is not None
            ExpressionClassifier(model.folder)
            assert model.checkpoint.read_bytes() == (run_dir / model.checkpoint.name).read_bytes()
    install_model(run_dir, "after all")
    assert "after all" in [model.name for model in list_models()]


def test_a_capture_killed_at_any_moment_keeps_all_but_its_last_second(demo_clip: Path):
    choose = random.Random(SEED)
    endless = ["--source", str(demo_clip), "--minutes", "5"]
    command = [sys.executable, "-m", "fer_live", "capture", *endless]
    for number in range(KILLS):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        wanted = choose.randrange(20, 40)
        while sum(len(clip.rows()) for clip in list_clips()[:1]) < wanted or (
            len(list_clips()) <= number
        ):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        clips = list_clips()
        assert len(clips) == number + 1
        for clip in clips:
            rows = clip.rows()
            if not rows or float(rows[-1]["time_s"]) < 1:
                continue  # killed in its first second
            player = ClipPlayer(clip.video)
            try:
                assert player.length_s >= float(rows[-1]["time_s"]) - 1
                assert player.at(player.length_s) is not None
            finally:
                player.close()
    assert json.loads((list_clips()[0].folder / "recording.json").read_text())
