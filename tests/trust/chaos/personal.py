"""Killed while a model is installed or calibrated, by the commands and not by the window."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL, asset
from fer_live.personal.proof import Proof, save_proof
from tests.helpers.retraining import write_crops
from tests.trust.chaos.kills import environment

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
    timer = threading.Timer(float(sys.argv[3]), os.kill, (os.getpid(), signal.SIGKILL))
    timer.daemon = True  # or one that is never killed would wait for it
    timer.start()
    return make(**where)

models.tempfile.mkdtemp = begin
models.install_model(Path(sys.argv[1]), sys.argv[2], anyway=True)
time.sleep(1)  # the copies take a third of a second; some kills come after them
"""
"""Installs RUN_DIR as NAME and is killed so many seconds after it has begun."""

CALIBRATING = """
import os, signal, sys, threading, time
from fer_live.commands.cli import main
from fer_live.personal import model_folder
when, delay_s = sys.argv[1], float(sys.argv[2])

def kill_soon():
    threading.Timer(delay_s, os.kill, (os.getpid(), signal.SIGKILL)).start()

def write_slowly(path, content):
    with open(path, "wb") as file:
        for begin in range(0, len(content), 1 << 20):
            file.write(content[begin : begin + (1 << 20)])
            time.sleep(0.002)

if when == "written":
    make = model_folder.tempfile.mkdtemp
    model_folder.Path.write_bytes = write_slowly
    model_folder.tempfile.mkdtemp = lambda **where: (kill_soon(), make(**where))[1]
elif when == "midst":
    kill_soon()
sys.argv = ["fer-live", "personalize", "--install", *sys.argv[3:]]
main()
"""
WRITTEN_WITHIN_S = 0.06
"""Two files and two renames, as slowly as they are written here; some kills come after them."""
INSTALLED_WITHIN_S = 0.4

LISTING = """
import json, time
from pathlib import Path
began_s = time.monotonic()
from tests.trust.chaos.processors import alone_s
from fer_live.base.settings import load_settings
from fer_live.personal.models import list_models
from fer_live.vision.classifier import ExpressionClassifier
folders = {model.name: str(model.folder) for model in list_models()[1:]}
for folder in folders.values():
    ExpressionClassifier(Path(folder))
settings, trouble = load_settings()
told = {"models": folders, "model": settings.model, "trouble": trouble}
print(json.dumps(told | {"seconds": alone_s(time.monotonic() - began_s)}))
"""
"""The next start, as far as models go: each one is loaded."""


def install(run_dir: Path, name: str, delay_s: float, home: Path) -> int:
    """Install a model and be killed after so many seconds; the exit code."""
    command = [sys.executable, "-c", INSTALLING, str(run_dir), name, str(delay_s)]
    return subprocess.run(command, env=environment(home), stderr=subprocess.DEVNULL).returncode


def calibrate(person: Path, labeled: str, home: Path, when: str = "", delay_s: float = 0.0) -> int:
    """Calibrate and install, from the clips and one of two sets of labels; the exit code."""
    places = ["--clips", str(person / "clips"), "--labeled", str(person / labeled)]
    command = [sys.executable, "-c", CALIBRATING, when, str(delay_s), *places]
    return subprocess.run(
        command,
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ).returncode


def write_person(folder: Path) -> None:
    """Twelve crops, and two sets of one labeled picture of two expressions."""
    write_crops(folder / "clips", 12)
    for number, name in enumerate(("monday", "tuesday")):
        for level, label in enumerate(("happiness", "anger")):
            write_crops(folder / name / label, 1, level=80 * level, seed=number)


def write_run(folder: Path) -> None:
    """What a retraining leaves, of the shipped model."""
    folder.mkdir()
    for name in (CPU_MODEL, GPU_MODEL, CHECKPOINT):
        shutil.copyfile(asset(name), folder / name)
    save_proof(folder, Proof())


KILLED = -signal.SIGKILL
