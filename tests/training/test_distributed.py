"""One process and two, on the same global batches."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.helpers.forked import end_all, start_forked
from training.config import load_config
from training.distributed import GlobalBatchNorm2d, rand_rows, share_of_mean
from training.loop.resume import load_run_state
from training.loop.train import fit
from training.models.checkpoint import load_model

CONFIG = """
[run]
method = "dta_snl"
precision = "fp32"
[data]
source = "fer2013:{folder}"
labeled_share = 0.34
[model]
width = 8
blocks = 1
attention_branches = 2
feature_map_dropout = 0.5
[schedule]
steps = 6
batch_size = 8
unlabeled_batch_size = 16
learning_rate = 0.01
logs_per_pass = 6
[options]
tau_min = 0.2
ceiling = 0.3
"""

# In float64, for in float32 a rounding at one ReLU grows to 0.1 % of the loss within three steps,
# with one process too when its batch is cut differently.
STEPS = """
import json
import sys
import torch
import torch.nn.functional as F
from training import distributed
from training.methods import METHODS
from training.methods.method import Batch
from training.models.resnet import ExpressionNet

def steps(name, options):
    torch.manual_seed(0)
    student = ExpressionNet(4, 8, 0.2, attention_branches=2, feature_map_dropout=0.5)
    teacher = ExpressionNet(4, 8, attention_branches=2).eval()
    distributed.with_global_norms(student)
    method = METHODS[name](METHODS[name].Options(**options), 4).float()
    for step in range(4):
        labeled, weak, strong = (torch.rand(n, 1, 48, 48) * 2 - 1 for n in (8, 16, 16))
        targets = F.one_hot(teacher(labeled).argmax(1), 4).double()
        views = [distributed.own_rows(view) for view in (labeled, targets, weak, strong)]
        shares = torch.full((4,), 0.25)
        batch = Batch(views[0], views[1], (views[2],), views[3], class_shares=shares)
        result = method.step(student, teacher, batch, 2.0)
        student.zero_grad()
        result.loss.backward()
        distributed.average_gradients(student)
        with torch.no_grad():
            for parameter in student.parameters():
                parameter -= 0.05 * parameter.grad
        loss = distributed.sum_over_processes(result.loss) / distributed.n_processes()
        kept = distributed.sum_over_processes(result.kept.sum())
        pairs = torch.zeros(())
        if result.complementary is not None:
            pairs = distributed.sum_over_processes(result.complementary.sum())
        if distributed.is_first():
            print(loss.item(), *method.thresholds(2.0).tolist(), kept.item(), pairs.item())

with distributed.process_group(torch.device("cpu")):
    torch.set_default_dtype(torch.float64)
    for name, options in json.loads(sys.argv[1]):
        steps(name, options)
"""


HELDOUT = """
import torch
from training import distributed
from training.methods.heldout import HeldoutPrecision
from training.methods.method import Heldout

with distributed.process_group(torch.device("cpu")):
    torch.manual_seed(0)
    rule = HeldoutPrecision(4, decay=0.9)
    for _ in range(5):
        labels = torch.randint(0, 4, (40,))
        probs = (torch.randn(40, 4) + 2 * torch.eye(4)[labels]).softmax(dim=1)
        own = Heldout(torch.zeros(0), distributed.own_rows(labels), 90)
        rule.update(distributed.own_rows(probs), own, torch.full((4,), 0.8))
    if distributed.is_first():
        print(*rule.thresholds(0.9, 5.0).tolist(), rule.ceiling(0.9).item())
"""


FIT = """
import sys
from training.cli import main
sys.argv[1:1] = ["fit"]
main()
"""


def run(code: str, *arguments: object, n_processes: int, folder: Path) -> str:
    """Run code in processes of a group, as torchrun does; returns what they print."""
    store = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port)}
    group |= {"WORLD_SIZE": str(n_processes), "TORCHELASTIC_USE_AGENT_STORE": "True"}
    said = [folder / f"said_{n_processes}_{rank}" for rank in range(n_processes)]
    processes = [
        start_forked(path, code, *arguments, RANK=str(rank), LOCAL_RANK=str(rank), **group)
        for rank, path in enumerate(said)
    ]
    ended = end_all(processes, said)
    assert all(done.returncode == 0 for done in ended), "".join(done.stderr for done in ended)
    return "".join(done.stdout for done in ended)


METHODS = [
    ("dta_snl", {"tau_min": 0.1, "gamma": 9.0, "beta": 0.9, "ceiling": 0.2, "rank": 1}),
    (
        "dta_snl",
        {
            "tau_min": 0.1,
            "gamma": 9.0,
            "beta": 0.9,
            "debias": 0.02,
            "ruled_out": "batch",
            "negative_form": "joint",
        },
    ),
    ("freematch", {"decay": 0.5, "lambda_f": 1.0}),
]
N_STEPS = 4


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> list[list[list[float]]]:
    """Of one process and of two, what every step of every method printed, in their order."""
    folder = tmp_path_factory.mktemp("steps")
    printed = [run(STEPS, json.dumps(METHODS), n_processes=n, folder=folder) for n in (1, 2)]
    return [[[float(v) for v in line.split()] for line in text.splitlines()] for text in printed]


@pytest.mark.parametrize("number", range(len(METHODS)), ids=[name for name, _ in METHODS])
def test_two_processes_give_the_loss_and_thresholds_of_one(
    figures: list[list[list[float]]], number: int
):
    assert len(figures[0]) == len(figures[1]) == N_STEPS * len(METHODS)
    one, two = (of_n[N_STEPS * number : N_STEPS * (number + 1)] for of_n in figures)
    for alone, shared in zip(one, two, strict=True):
        assert shared == pytest.approx(alone, rel=1e-5)
    kept, pairs = zip(*(line[-2:] for line in one), strict=True)
    assert sum(kept) > 0, "all terms are in the loss"
    assert (sum(pairs) > 0) == (METHODS[number][0] != "freematch")
    assert one[0][1:5] != one[3][1:5], "thresholds move"


def test_two_processes_learn_the_same_from_held_out_images(tmp_path: Path):
    one, two = (run(HELDOUT, n_processes=n, folder=tmp_path).split() for n in (1, 2))
    assert one == two
    assert len(set(one)) > 2, "thresholds of classes differ"


def test_torchrun_trains_one_model(learnable_tree: Path, tmp_path: Path):
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(folder=learnable_tree.as_posix()))
    runs = [tmp_path / f"run{n}" for n in (1, 2)]
    fit(load_config(config), runs[0], resume=False)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    arguments = ["-m", "training.cli", "fit", "--config", str(config), "--out", str(runs[1])]
    done = subprocess.run([*torchrun, *arguments], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    logs = [
        [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()] for run in runs
    ]
    assert len(logs[0]) == len(logs[1]) == 6
    assert logs[1][0]["loss"] == pytest.approx(logs[0][0]["loss"], rel=1e-4)
    assert logs[1][0]["thresholds"] == pytest.approx(logs[0][0]["thresholds"], abs=1e-4)
    whole, shared = (load_model(run)[1].training for run in runs)
    for training in (whole, shared):
        # After several steps sums in another order decide which images the teacher gets right.
        assert len(training.pop("thresholds")) == 8
    assert whole == shared


def test_ada_cm_says_that_it_needs_one_process(learnable_tree: Path, tmp_path: Path):
    config = tmp_path / "config.toml"
    text = CONFIG.format(folder=learnable_tree.as_posix()).partition("[options]")[0]
    config.write_text(text.replace('"dta_snl"', '"adacm"'))
    arguments = ("--config", config, "--out", tmp_path / "run")
    with pytest.raises(AssertionError, match="adacm: one process alone"):
        run(FIT, *arguments, n_processes=2, folder=tmp_path)


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


HELDOUT_RUN = """
[run]
method = "dta_snl"
precision = "fp32"
checkpoint_every_s = 1e-9
[data]
source = "fer2013:{folder}"
labeled_share = 0.5
heldout_share = 0.25
[model]
width = 8
blocks = 1
stem = "unshuffle"
standardize = true
[schedule]
steps = 10
batch_size = 8
unlabeled_batch_size = 16
heldout_batch_size = 4
heldout_until = 0.5
strong_labeled = 0.5
norms_at_end = 0.5
logs_per_pass = 1
[options]
threshold_source = "labeled"
ruled_out = "heldout"
negative_form = "joint"
"""


def test_a_process_without_a_weak_labeled_image_goes_on(learnable_tree: Path, tmp_path: Path):
    """Of 8 labeled images the first 4 are weakly augmented, all of them in the first process."""
    config, out = tmp_path / "config.toml", tmp_path / "run"
    config.write_text(HELDOUT_RUN.format(folder=learnable_tree.as_posix()))
    run(FIT, "--config", config, "--out", out, n_processes=2, folder=tmp_path)
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert all(math.isfinite(row["loss"]) for row in rows)
    assert load_model(out)[1].training["steps"] == 10
    # Between two lines of the log, too, all processes' sums are saved.
    assert load_run_state(out / "resume.safetensors")["step"] == 10


def test_held_out_images_that_processes_cannot_share_are_refused(
    learnable_tree: Path, tmp_path: Path
):
    config = tmp_path / "config.toml"
    text = HELDOUT_RUN.replace("heldout_batch_size = 4", "heldout_batch_size = 5")
    config.write_text(text.format(folder=learnable_tree.as_posix()))
    arguments = ("--config", config, "--out", tmp_path / "run")
    with pytest.raises(AssertionError, match="heldout_batch_size: 5 cannot be shared"):
        run(FIT, *arguments, n_processes=2, folder=tmp_path)
