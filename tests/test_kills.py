"""Killed at any moment, nothing is lost and nothing is ever half there.

FER_LIVE_KILLS is how often each stage is killed: once by default, nine times for more than fifty in
all; and a calibration that is installed, as often in its midst and as often while it is written.
"""

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fer_live.base.home import home
from fer_live.base.settings import load_settings
from fer_live.personal.clips import list_clips
from fer_live.personal.crop_search import MIN_FACES_TO_SEARCH
from fer_live.personal.models import install_model, list_models
from fer_live.personal.proof import PROOF_FILE, Preference, load_proof, save_proof
from fer_live.recording.player import ClipPlayer
from fer_live.vision.classifier import ExpressionClassifier
from tests.helpers.forked import end_forked, start_forked
from tests.helpers.retraining import write_crops, write_start
from tests.trust.chaos import personal
from training.models.checkpoint import MODEL_FILE

KILLS = int(os.environ.get("FER_LIVE_KILLS", "1"))
SEED = 0

RETRAINING = """
import os, signal, sys, threading
from pathlib import Path
import torch
from export.build import build_models
from fer_live.personal.evidence import Evidence
from training.config import parse_config
from training.personalize import gradient
from training.personalize.run import personalize
from training.personalize.task import PersonalizeOptions
folder, out, stage, delay_s = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], float(sys.argv[4])
def report(now, done, *_):
    global stage
    if now == stage:
        stage = ""
        threading.Timer(delay_s, os.kill, (os.getpid(), signal.SIGKILL)).start()
config = parse_config({
    "run": {"method": "personal", "device": "cpu", "precision": "fp32", "checkpoint_every_s": 0.01},
    "schedule": {"steps": 8, "batch_size": 4, "unlabeled_batch_size": 8, "learning_rate": 0.01},
}, "test")
start = folder / "start.safetensors"
torch.set_num_threads(1)  # more wait for each other on a busy processor
gradient.weigh = lambda *_: Evidence(6, 0.4, 0.8, (0.1, 0.6), 2, 5)  # so that all is learned
options = PersonalizeOptions((folder / "clips",), folder / "takes", start, out, config=config)
personalize(options, build_models, report)
"""
LONGEST_S = {"faces": 0.2, "calibrate": 0.3, "learn": 2.0, "export": 3.0}
"""About how long each stage takes."""


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random network to start from, thirty crops to learn, and two takes of three
    expressions; to be read only."""
    folder = tmp_path_factory.mktemp("person")
    write_start(folder / "start.safetensors")
    write_crops(folder / "clips", 30)
    for level, label in enumerate(("happiness", "anger", "fear")):
        write_crops(folder / "takes" / label, 2, level=70 * level, seed=level)
    return folder


@pytest.fixture(scope="module")
def whole(person: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a retraining that nobody killed; to be read only."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert retrain(person, out) == (0, "")
    return out


def retrain(person: Path, out: Path, stage: str = "", delay_s: float = 0) -> tuple[int, str]:
    said = out.with_name("said")
    home = str(out.with_name("home"))
    process = start_forked(said, RETRAINING, person, out, stage, delay_s, FER_LIVE_HOME=home)
    done = end_forked(process, said)
    return done.returncode, done.stderr


def is_same_run(run_dir: Path, other: Path) -> bool:
    """The same proof and, to the bit, the same model."""
    models = [(folder / MODEL_FILE).read_bytes() for folder in (run_dir, other)]
    return load_proof(run_dir) == load_proof(other) and models[0] == models[1]


def test_a_retraining_killed_in_any_stage_ends_as_if_it_had_not_been(
    person: Path, whole: Path, tmp_path: Path
):
    choose = random.Random(SEED)
    clips = {path: path.read_bytes() for path in (person / "clips").iterdir()}
    parts = tmp_path / "parts"
    killed = 0
    for stage in sorted(LONGEST_S, key=list(LONGEST_S).index):
        for _ in range(KILLS):
            code, said = retrain(person, parts, stage, choose.uniform(0, LONGEST_S[stage]))
            assert code in (0, -signal.SIGKILL), said
            killed += code != 0
            assert {path: path.read_bytes() for path in clips} == clips
            if code == 0 or (parts / PROOF_FILE).exists():  # it was quicker than the kill
                assert is_same_run(parts, whole)
                parts = tmp_path / f"parts{killed}"
    code, said = retrain(person, parts)
    assert code == 0, said
    assert killed >= 2 * KILLS
    assert is_same_run(parts, whole)
    files = [{f.name for f in run.iterdir() if ".partial" not in f.name} for run in (parts, whole)]
    assert files[0] == files[1]


def test_a_model_killed_while_it_is_installed_is_whole_or_not_there(whole: Path, tmp_path: Path):
    run_dir = tmp_path / "run"
    shutil.copytree(whole, run_dir)
    preferred = Preference(n_shown=20, n_new=15, n_old=3)
    save_proof(run_dir, load_proof(run_dir).model_copy(update={"preference": preferred}))
    choose = random.Random(SEED)
    for number in range(KILLS):
        name = f"me {number}"
        code = personal.install(run_dir, name, choose.uniform(0, 0.4), home())
        assert code == -signal.SIGKILL
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
        deadline = time.monotonic() + 120
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


def profile() -> dict[str, bytes]:
    """The files of the installed profile, by name; `list_models` puts right what a kill left."""
    models = {model.name: model.folder for model in list_models()}
    folder = models.get("me")
    return {} if folder is None else {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_calibration_killed_at_any_moment_leaves_the_old_profile_or_the_new_one(tmp_path: Path):
    choose = random.Random(SEED)
    personal.write_person(tmp_path)
    for clip in sorted((tmp_path / "clips").iterdir())[MIN_FACES_TO_SEARCH // 2 :]:
        clip.unlink()  # with all of them, most of the time would go into the search for a crop
    kept = {path: path.read_bytes() for path in tmp_path.rglob("*.png")}
    began_s = time.monotonic()
    assert personal.calibrate(tmp_path, "monday", home()) == 0
    takes_s = time.monotonic() - began_s
    before = profile()
    n_killed = 0
    for number in itertools.count():
        if number >= 2 * KILLS and n_killed >= KILLS:
            break
        assert number < 10 * KILLS, "it was quicker than nearly every kill"
        when = ("midst", "written")[number % 2]
        within_s = takes_s if when == "midst" else personal.WRITTEN_WITHIN_S
        labeled = ("tuesday", "monday")[number % 2]
        delay_s = choose.uniform(0, within_s)
        code = personal.calibrate(tmp_path, labeled, home(), when, delay_s)
        assert code in (0, -signal.SIGKILL)
        n_killed += code != 0
        after = profile()
        assert after.keys() == before.keys(), "no file is missing"
        if code == 0:
            assert after != before
        is_old = [after[name] == before[name] for name in before]
        assert all(is_old) or not any(is_old), "never one file of each"
        folder = home() / "models" / "me"
        assert load_settings()[0].model == str(folder)
        ExpressionClassifier(folder)
        seen = [path.name for path in folder.parent.iterdir() if path.name[0] != "."]
        assert seen == ["me"]
        assert {path: path.read_bytes() for path in kept} == kept
        before = after
    assert personal.calibrate(tmp_path, "tuesday", home()) == 0, (
        "and nothing stands in the way of the next one"
    )
