import json
from pathlib import Path

import pytest
import torch

from fer_live.errors import DataError, InputError, ModelError
from training import checkpoint
from training.checkpoint import load_model, load_run_state
from training.config import TrainConfig, config_to_toml, load_config
from training.train import fit, learning_rate

CONFIG = """
[run]
seed = {seed}
checkpoint_every_s = 1e-9
[data]
source = "fer2013:{folder}"
[model]
width = 8
dropout = 0.1
[schedule]
epochs = {epochs}
batch_size = 16
learning_rate = 0.05
warmup_epochs = 0.5
"""


@pytest.fixture
def config(learnable_tree: Path, tmp_path: Path):
    def make(*, epochs: int = 2, seed: int = 0) -> TrainConfig:
        path = tmp_path / "config.toml"
        path.write_text(CONFIG.format(folder=learnable_tree.as_posix(), epochs=epochs, seed=seed))
        return load_config(path)

    return make


def weights(run_dir: Path) -> dict[str, torch.Tensor]:
    return load_model(run_dir)[0].state_dict()


class Stop(Exception):
    pass


def test_it_learns_what_can_be_learned(config, tmp_path: Path):
    metrics = fit(config(epochs=8), tmp_path / "run", resume=False)
    accuracy = metrics["PublicTest ferplus-argmax"]["accuracy"]
    assert accuracy > 0.6, "four classes told apart by brightness; chance is 0.25"
    _, manifest = load_model(tmp_path / "run")
    assert manifest.metrics["PublicTest ferplus-argmax"]["accuracy"] == accuracy
    assert manifest.training["n_images"] == 96
    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == list(range(1, 9))


@pytest.mark.parametrize("stop_after", [2, 6, 9])
def test_a_resumed_run_ends_in_the_same_weights_and_log(
    config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: int
):
    """Interrupted within an epoch, at its end, and within the next."""
    fit(config(), tmp_path / "whole", resume=False)
    saves = 0
    original = checkpoint.save_run

    def save_then_stop(*arguments) -> None:
        nonlocal saves
        original(*arguments)
        saves += 1
        if saves == stop_after:
            raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save_run", save_then_stop)
        with pytest.raises(Stop):
            fit(config(), tmp_path / "cut", resume=False)
    assert load_run_state(tmp_path / "cut/resume.safetensors")["step"] == stop_after
    fit(config(), tmp_path / "cut", resume=True)
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    logs = [(tmp_path / run / "log.jsonl").read_text() for run in ("whole", "cut")]
    assert logs[0] == logs[1]


def test_the_seed_decides(config, tmp_path: Path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        fit(config(epochs=1, seed=seed), tmp_path / name, resume=False)
    a, b, c = (weights(tmp_path / name)["classifier.weight"] for name in "abc")
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_a_run_is_never_overwritten_or_mixed(config, tmp_path: Path):
    fit(config(epochs=1), tmp_path / "run", resume=False)
    with pytest.raises(InputError, match="add --resume"):
        fit(config(epochs=1), tmp_path / "run", resume=False)
    with pytest.raises(InputError, match="started with another config"):
        fit(config(epochs=2), tmp_path / "run", resume=True)


def test_a_mistake_in_the_data_does_not_lock_the_run(config, tmp_path: Path):
    right = config(epochs=1)
    wrong = right.model_copy(
        update={"data": right.data.model_copy(update={"source": "fer2013:nowhere"})}
    )
    with pytest.raises(DataError, match="no such folder"):
        fit(wrong, tmp_path / "run", resume=False)
    fit(right, tmp_path / "run", resume=False)
    assert (tmp_path / "run/model.safetensors").is_file()


def test_a_run_is_not_resumed_on_other_data(config, learnable_tree: Path, tmp_path: Path):
    fit(config(epochs=1), tmp_path / "run", resume=False)
    for name in ("fer2013.csv", "fer2013new.csv"):
        lines = (learnable_tree / name).read_text().splitlines()
        (learnable_tree / name).write_text("\n".join(lines[:-40]))
    with pytest.raises(InputError, match="had n_images 96, this one has 88"):
        fit(config(epochs=1), tmp_path / "run", resume=True)


def test_the_learning_rate_warms_up_and_ends_at_zero():
    schedule = TrainConfig().schedule
    n = schedule.epochs * 100
    rates = [learning_rate(step, 100, schedule) for step in range(n)]
    assert rates[0] == pytest.approx(schedule.learning_rate / 100)
    assert max(rates) == pytest.approx(schedule.learning_rate)
    assert rates.index(max(rates)) in (99, 100)
    assert rates[-1] < 1e-5
    assert rates[100:] == sorted(rates[100:], reverse=True)


def test_every_field_of_the_config_says_what_it_means():
    lines = config_to_toml(TrainConfig()).splitlines()
    for section in TrainConfig.model_fields:
        for name, field in type(getattr(TrainConfig(), section)).model_fields.items():
            assert field.description, f"{section}.{name}"
            place = next(k for k, line in enumerate(lines) if line.startswith(f"{name} = "))
            assert lines[place - 1].startswith("# ")
            assert "(default: " in lines[place - 1]


@pytest.mark.parametrize("path", sorted(Path("training/configs").glob("*.toml")), ids=str)
def test_ready_configs_are_what_the_code_would_print(path: Path):
    assert path.read_text() == config_to_toml(load_config(path))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[run]\nsed = 1", "run.sed"),
        ("[schedule]\nepochs = 0", "schedule.epochs"),
        ("[schedule]\nepochs = 'many'", "schedule.epochs"),
        ("[run", "not a TOML file"),
        ("[data]\nlabels = 'mine'", "data.labels"),
    ],
)
def test_a_faulty_config_is_named(tmp_path: Path, text: str, says: str):
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        load_config(path)


def test_files_that_are_no_checkpoint_are_refused(tmp_path: Path):
    (tmp_path / "a.safetensors").write_text("no")
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        load_model(tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="no such checkpoint"):
        load_model(tmp_path)
