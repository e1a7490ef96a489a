import importlib.util
from pathlib import Path

import pytest

from fer_live.errors import InputError
from training.config import load_config
from training.loop.tracker import TRACKER_DIR, NoTracker, open_tracker
from training.loop.train import fit

CONFIG = """
[run]
tracker = "tensorboard"
method = "fixmatch"
[data]
source = "fer2013:{folder}"
labeled_share = 0.5
[model]
width = 8
[schedule]
steps = 4
batch_size = 8
unlabeled_batch_size = 8
logs_per_pass = 6
"""

INSTALLED = importlib.util.find_spec("tensorboard") is not None


def test_by_default_nothing_is_tracked(tmp_path: Path):
    tracker = open_tracker("none", tmp_path, ("a", "b"), 0)
    tracker.add({"step": 1, "loss": 2.0})
    tracker.close()
    assert isinstance(tracker, NoTracker)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(INSTALLED, reason="tensorboard is here")
def test_a_tracker_that_is_not_installed_is_named_before_a_run_is_made(
    learnable_tree: Path, tmp_path: Path
):
    (tmp_path / "config.toml").write_text(CONFIG.format(folder=learnable_tree.as_posix()))
    config, run = load_config(tmp_path / "config.toml"), tmp_path / "run"
    with pytest.raises(InputError, match=r"pip install 'fer-live\[tensorboard\]'"):
        fit(config, run, resume=False, show_progress=False)
    assert not run.exists()


@pytest.mark.skipif(not INSTALLED, reason="tensorboard is an extra")
def test_every_line_of_the_log_is_in_tensorboard(learnable_tree: Path, tmp_path: Path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (tmp_path / "config.toml").write_text(CONFIG.format(folder=learnable_tree.as_posix()))
    fit(load_config(tmp_path / "config.toml"), tmp_path / "run", resume=False, show_progress=False)
    events = EventAccumulator(str(tmp_path / "run" / TRACKER_DIR))
    events.Reload()
    names = set(events.Tags()["scalars"])
    assert {"loss", "rate", "images_per_s", "kept_share", "thresholds/neutral"} <= names
    assert [event.step for event in events.Scalars("loss")] == [2, 4]
