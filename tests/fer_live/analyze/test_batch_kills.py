"""Killed at any moment, shard by shard, a study ends with the rows of one undisturbed run.

FER_LIVE_KILLS is how often each shard is killed: once by default.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.analyze.options import AnalyzeOptions
from fer_live.analyze.run import analyze
from tests.helpers.clips import part_of_demo
from tests.helpers.here import run_here

KILLS = int(os.environ.get("FER_LIVE_KILLS", "1"))
SEED = 0
N_CLIPS, N_SHARDS = 9, 2


@pytest.fixture(scope="module")
def study(demo_frames: list[np.ndarray], tmp_path_factory) -> Path:
    """A batch file of nine short clips, of which one has two parts, and a picture."""
    folder = tmp_path_factory.mktemp("study")
    lines = ["source;participant;session;from;to"]
    for index in range(N_CLIPS):
        name = f"{index}.mp4"
        part_of_demo(folder / name, begin=24 * index, n=20)
        lines.append(f"{name};P{index % 3};s{index % 2};;{0.3 if index == 4 else ''}")
    lines.insert(7, "4.mp4;P1;s9;0.3;")
    cv2.imwrite(str(folder / "photo.png"), demo_frames[20])
    lines.append("photo.png;P1;s0;;")
    (folder / "study.csv").write_text("\r\n".join(lines), encoding="utf-16")
    return folder


def command(study: Path, which: int, out: Path) -> list[str]:
    batch = ("--batch", str(study / "study.csv"), "--shard", f"{which}/{N_SHARDS}")
    return ["analyze", *batch, "--out", str(out), "--json"]


def n_finished(out: Path) -> int:
    return len(list(out.with_name(f"{out.name}.parts").glob("*.json")))


def workers_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def kill(process: "subprocess.Popen[str]") -> None:
    """Kill the command; its processes end by themselves."""
    workers = workers_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    until_s = time.monotonic() + 20
    while any(map(is_running, workers)) and time.monotonic() < until_s:
        time.sleep(0.02)
    assert not any(map(is_running, workers)), "nobody writes beside the next run"


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc")
@pytest.mark.usefixtures("in_this_process")
def test_shards_that_are_killed_and_run_again_are_the_whole(
    study: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """Those that are killed read over all cores, the others in this process."""
    choose = random.Random(SEED)
    whole = tmp_path / "whole.csv"
    summary, broken = analyze(AnalyzeOptions(batch=study / "study.csv", out=whole))
    assert broken == []
    rows, n_frames = [], 0
    for which in range(1, N_SHARDS + 1):
        out = tmp_path / f"rows_{which}.csv"
        for n_read in sorted(choose.randrange(3) for _ in range(KILLS)):
            process = subprocess.Popen(
                [sys.executable, "-m", "fer_live", *command(study, which, out)],
                stdout=subprocess.PIPE,
                text=True,
            )
            while process.poll() is None and n_finished(out) < n_read:
                time.sleep(0.005)
            with suppress(subprocess.TimeoutExpired):
                process.wait(choose.uniform(0, 0.2))
            kill(process)
            assert process.stdout is not None
            process.stdout.close()
        done = run_here(capfd, "fer-live", *command(study, which, out))
        assert done.returncode == 0, done.stderr
        n_frames += json.loads(done.stdout.splitlines()[-1])["frames"]
        finished = out.read_bytes()
        again = run_here(capfd, "fer-live", *command(study, which, out))
        assert "not read again: " in again.stderr
        assert out.read_bytes() == finished, "a second run changes nothing"
        assert not list(tmp_path.glob("*.parts"))
        header, *own = finished.splitlines()
        rows += own
        assert header == whole.read_bytes().splitlines()[0]
    assert rows == whole.read_bytes().splitlines()[1:]
    assert n_frames == summary.frames
    by = ("--by", "participant,session", "--json")
    shards = [tmp_path / f"rows_{which}.csv" for which in range(1, N_SHARDS + 1)]
    together, alone = (
        run_here(capfd, "fer-live", "summarize", *files, *by).stdout for files in (shards, [whole])
    )
    assert json.loads(together) == json.loads(alone)
    assert "s9" in together
