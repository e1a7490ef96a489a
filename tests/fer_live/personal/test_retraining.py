"""A retraining that runs beside the app, here one of three lines."""

import json
import sys
import time
from pathlib import Path

import pytest

from fer_live.errors import InputError
from fer_live.personal.retraining import (
    Outcome,
    Retraining,
    require_training_packages,
    settle,
    unfinished_run,
)

FAKE = """
import json, sys, time
print("a line for people", flush=True)
print("[1]", flush=True)
told = {"stage": "calibrate", "done": 0.5, "left_s": None, "elapsed_s": 3.5}
print(json.dumps(told), flush=True)
if sys.argv[1] == "hang":
    time.sleep(60)
print("fer-train: the disk is full", file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))


def begun(how: str) -> Retraining:
    return Retraining.start([], (sys.executable, "-c", FAKE, how))


def ended(run: Retraining) -> Outcome:
    deadline = time.monotonic() + 60
    while run.is_running:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert run.outcome is not None
    return run.outcome


@pytest.mark.parametrize("code", [1, 2])
def test_a_retraining_that_failed_by_itself_is_not_called_interrupted(code: int):
    run = begun(str(code))
    assert unfinished_run() == run.run_dir, "killed now, it could be resumed"
    assert ended(run) == Outcome(code, "the disk is full")
    assert unfinished_run() is None
    (kept,) = run.run_dir.parent.glob("*.outcome.json")
    assert json.loads(kept.read_text()) == {"code": code, "message": "the disk is full"}
    again = Retraining.resume(run.run_dir, (sys.executable, "-c", FAKE, "hang"))
    assert unfinished_run() == run.run_dir, "begun again by hand"
    again.cancel()
    settle(run.run_dir)
    assert list(run.run_dir.parent.glob("*.json")) == []


def test_one_that_was_ended_from_outside_is():
    run = begun("hang")
    deadline = time.monotonic() + 60
    while run.progress.stage != "calibrate":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert (run.progress.elapsed_s, run.progress.left_s) == (3.5, None)
    run._process.terminate()
    assert ended(run).was_interrupted
    assert unfinished_run() == run.run_dir


def test_the_self_contained_app_does_not_send_a_person_to_a_folder_they_lack(
    monkeypatch: pytest.MonkeyPatch,
):
    require_training_packages()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(InputError, match="not in this app; install FER Live with pip"):
        require_training_packages()
