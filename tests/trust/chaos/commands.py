"""`kill -9` at random moments of commands: installation, calibration, batches of `analyze`."""

import json
import random
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL, asset
from tests.helpers.clips import ffmpeg
from tests.trust.chaos import personal
from tests.trust.chaos.kills import RECOVERS_WITHIN_S, a_folder, environment
from tests.trust.trials import Outcome, Trial

_N_CLIPS = 5
_CALIBRATES_WITHIN_S = 8.0
_once = threading.Lock()
_kept: dict[str, Any] = {}


def _listed(home: Path) -> dict[str, Any]:
    command = [sys.executable, "-c", personal.LISTING]
    done = subprocess.run(command, env=environment(home), capture_output=True, text=True)
    if done.returncode:
        return {"models": {}, "model": None, "trouble": done.stderr[-200:], "seconds": 99.0}
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def kill_install(number: int) -> Outcome:
    """Killed while it is installed, a model is whole or not there; the next one is installed."""
    choose = random.Random(f"install {number}")
    with a_folder() as folder:
        home, run_dir = folder / "home", folder / "run"
        personal.write_run(run_dir)
        code = personal.install(run_dir, "me", choose.uniform(0, 0.5), home)
        troubles = [] if code == personal.KILLED else [f"it ended by itself with {code}"]
        told = _listed(home)
        for name, where in told["models"].items():
            sizes = {file.name: file.stat().st_size for file in Path(where).iterdir()}
            if sizes != {n: asset(n).stat().st_size for n in (CPU_MODEL, GPU_MODEL, CHECKPOINT)}:
                troubles.append(f"{name}: half a model")
        if told["trouble"]:
            troubles.append(told["trouble"])
        personal.install(run_dir, "after all", 99, home)
        if "after all" not in _listed(home)["models"]:
            troubles.append("no other model can be installed")
    return _outcome(troubles, told["seconds"])


def kill_calibration(number: int) -> Outcome:
    """Killed while it is calibrated, the old profile is there or the new one, never a mixture."""
    choose = random.Random(f"calibration {number}")
    with a_folder() as folder:
        home = folder / "home"
        personal.write_person(folder)
        troubles = []
        if personal.calibrate(folder, "monday", home):
            return Outcome(failures=("the first calibration fails",))
        profile = home / "models" / "me"
        before = {file.name: file.read_bytes() for file in profile.iterdir()}
        when = ("midst", "written")[number % 2]
        within_s = _CALIBRATES_WITHIN_S if when == "midst" else personal.WRITTEN_WITHIN_S
        code = personal.calibrate(folder, "tuesday", home, when, choose.uniform(0, within_s))
        if code not in (0, personal.KILLED):
            troubles.append(f"it ended by itself with {code}")
        told = _listed(home)  # puts right what the kill left
        after = {file.name: file.read_bytes() for file in profile.iterdir()}
        is_old = [after.get(name) == content for name, content in before.items()]
        if after.keys() != before.keys() or (any(is_old) and not all(is_old)):
            troubles.append("the profile is a mixture of two")
        if list(told["models"]) != ["me"] or told["model"] != str(profile) or told["trouble"]:
            troubles.append(f"the next start finds {told}")
        if personal.calibrate(folder, "tuesday", home):
            troubles.append("no other calibration works")
    return _outcome(troubles, told["seconds"])


def _study() -> tuple[Path, bytes]:
    """Short clips and the rows of an undisturbed run, made once."""
    with _once:
        if "study" not in _kept:
            kept = a_folder()
            folder = kept.__enter__()
            for index in range(_N_CLIPS):
                cut = ("-ss", 1.1 * index, "-i", asset("demo.mp4"), "-t", 0.5, "-an")
                ffmpeg(*cut, folder / f"{index}.mp4")
            out = folder / "whole.csv"
            done = subprocess.run(_analyze(folder, out), env=environment(folder / "home"))
            assert done.returncode == 0
            _kept["study"] = (folder, out.read_bytes())
            _kept["folder"] = kept  # deleted with the process
        study: tuple[Path, bytes] = _kept["study"]
        return study


def _analyze(clips: Path, out: Path) -> list[str]:
    names = [str(clips / f"{index}.mp4") for index in range(_N_CLIPS)]
    return [sys.executable, "-m", "fer_live", "analyze", *names, "--out", str(out)]


def kill_analyze(number: int) -> Outcome:
    """Killed and run again, a batch has the rows of one that nobody disturbed."""
    choose = random.Random(f"analyze {number}")
    clips, whole = _study()
    with a_folder() as folder:
        out, home = folder / "rows.csv", environment(folder / "home")
        process = subprocess.Popen(_analyze(clips, out), env=home, stderr=subprocess.DEVNULL)
        parts = out.with_name(f"{out.name}.parts")
        wanted = choose.randrange(_N_CLIPS)
        while process.poll() is None and len(list(parts.glob("*.json"))) < wanted:
            time.sleep(0.01)
        with suppress(subprocess.TimeoutExpired):
            process.wait(choose.uniform(0, 1.5))
        process.kill()
        process.wait()
        done = subprocess.run(_analyze(clips, out), env=home, capture_output=True, text=True)
        troubles = [] if done.returncode == 0 else [f"run again: {done.stderr.strip()[-200:]}"]
        if not out.is_file() or out.read_bytes() != whole:
            troubles.append("other rows than those of an undisturbed run")
        known = ("rows.csv", "rows.csv.sources.json", "home")
        left = [path.name for path in folder.iterdir() if path.name not in known]
        if left:
            troubles.append(f"left behind: {', '.join(left)}")
    return Outcome(failures=tuple(troubles))


def _outcome(troubles: list[str], recovered_s: float) -> Outcome:
    if recovered_s > RECOVERS_WITHIN_S:
        troubles.append(f"the next start takes {recovered_s:.1f} s")
    return Outcome(failures=tuple(troubles), figures={"recovered_s": round(recovered_s, 2)})


KINDS: dict[str, Trial] = {
    "kill_install": kill_install,
    "kill_calibration": kill_calibration,
    "kill_analyze": kill_analyze,
}
