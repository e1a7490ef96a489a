"""One process and two, on the same global batches."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from training.checkpoint import load_model
from training.distributed import GlobalBatchNorm2d, rand_rows, share_of_mean

CONFIG = """
[run]
method = "dta_snl"
precision = "fp32"
[data]
source = "fer2013:{folder}"
labeled_share = 0.34
[model]
width = 8
attention_branches = 2
feature_map_dropout = 0.5
[schedule]
passes = 2
batch_size = 8
unlabeled_batch_size = 16
learning_rate = 0.05
warmup = 0.1
ema_decay = 0.9
logs_per_pass = 3
[options]
tau_min = 0.2
ceiling = 0.3
"""


def train(config: Path, out: Path, *, n_processes: int) -> None:
    launcher = (
        ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n_processes}"]
        if n_processes > 1
        else []
    )
    result = subprocess.run(
        [
            sys.executable,
            *launcher,
            "-m",
            "training.cli",
            "fit",
            "--config",
            str(config),
            "--out",
            str(out),
        ],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_two_processes_give_the_loss_and_thresholds_of_one(learnable_tree: Path, tmp_path: Path):
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(folder=learnable_tree.as_posix()))
    logs = []
    for n in (1, 2):
        train(config, tmp_path / f"run{n}", n_processes=n)
        lines = (tmp_path / f"run{n}/log.jsonl").read_text().splitlines()
        logs.append([json.loads(line) for line in lines])
    assert len(logs[0]) == len(logs[1]) == 6
    for one, two in zip(*logs, strict=True):
        assert one.keys() == two.keys()
        assert two["loss"] == pytest.approx(one["loss"], rel=1e-3)
        assert two["thresholds"] == pytest.approx(one["thresholds"], abs=2e-3)
    assert logs[0][0]["complementary_share"] > 0, "both terms are in the loss"
    weights = [load_model(tmp_path / f"run{n}")[0].state_dict() for n in (1, 2)]
    for name, value in weights[0].items():
        torch.testing.assert_close(value, weights[1][name], rtol=0.05, atol=5e-3)


def test_a_mean_over_nothing_is_zero():
    values = torch.tensor([1.0, 3.0])
    assert share_of_mean(values, torch.zeros(2)).item() == 0
    assert share_of_mean(values, torch.ones(2)).item() == 2


def test_alone_random_rows_are_plain_random_numbers():
    torch.manual_seed(0)
    first = rand_rows(3, 2, torch.device("cpu"))
    torch.manual_seed(0)
    assert torch.equal(first, torch.rand(3, 2))


def test_a_global_norm_in_eval_mode_is_torchs_own():
    torch.manual_seed(0)
    norm = torch.nn.BatchNorm2d(3).eval()
    x = torch.randn(4, 3, 5, 5)
    expected = norm(x)
    norm.__class__ = GlobalBatchNorm2d
    torch.testing.assert_close(norm(x), expected)
