import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from fer_live.errors import DataError, FerLiveError, InputError, ModelError
from training.config import TrainConfig, config_to_toml, load_config, parse_config
from training.data.sources import load_training_data
from training.loop import resume, train
from training.loop.resume import load_run_state
from training.loop.run import resolve_precision
from training.loop.train import fit, learning_rate
from training.methods import METHODS
from training.models.checkpoint import load_model
from training.models.norms import move_norms

CONFIG = """
[run]
seed = {seed}
checkpoint_every_s = 1e-9
[data]
source = "fer2013:{folder}"
[model]
width = 8
blocks = 1
dropout = 0.1
[schedule]
passes = {epochs}
batch_size = 16
learning_rate = 0.05
warmup = 0.1
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


def log_without_times(run_dir: Path) -> list[dict[str, object]]:
    """The lines of a run's log, but for what depends on how fast it ran."""
    lines = [json.loads(line) for line in (run_dir / "log.jsonl").read_text().splitlines()]
    assert all(line["seconds"] > 0 and line["images_per_s"] > 0 for line in lines)
    return [
        {k: v for k, v in line.items() if k not in ("seconds", "images_per_s")} for line in lines
    ]


class Stop(Exception):
    pass


def fit_and_stop(
    config: TrainConfig, run_dir: Path, stop_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Train until so many checkpoints are written, then stop as an interruption would."""
    saves = 0
    original = resume.save_run

    def save_then_stop(*arguments) -> None:
        nonlocal saves
        original(*arguments)
        saves += 1
        if saves == stop_after:
            raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(train, "save_run", save_then_stop)
        with pytest.raises(Stop):
            fit(config, run_dir, resume=False)


def test_it_learns_what_can_be_learned(config, tmp_path: Path):
    metrics = fit(config(epochs=8), tmp_path / "run", resume=False)
    accuracy = metrics["PublicTest ferplus-argmax"]["accuracy"]
    assert accuracy > 0.6, "four classes told apart by brightness; chance is 0.25"
    _, manifest = load_model(tmp_path / "run")
    assert manifest.metrics["PublicTest ferplus-argmax"]["accuracy"] == accuracy
    assert manifest.training["n_images"] == 96
    rows = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert [row["passes"] for row in rows] == list(range(1, 9))


@pytest.mark.parametrize("stop_after", [2, 6, 9])
def test_a_resumed_run_ends_in_the_same_weights_and_log(
    config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: int
):
    """Interrupted within an epoch, at its end, and within the next."""
    fit(config(), tmp_path / "whole", resume=False)
    fit_and_stop(config(), tmp_path / "cut", stop_after, monkeypatch)
    assert load_run_state(tmp_path / "cut/resume.safetensors")["step"] == stop_after
    fit(config(), tmp_path / "cut", resume=True)
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
    assert log_without_times(tmp_path / "whole") == log_without_times(tmp_path / "cut")


SEMI_SUPERVISED = """
[run]
seed = 3
method = "dta_snl"
checkpoint_every_s = 1e-9
[data]
source = "fer2013:{folder}"
labeled_share = 0.34
[model]
width = 8
standardize = true
attention_branches = 2
feature_map_dropout = 0.5
[schedule]
optimizer = "muon"
passes = 2
batch_size = 8
unlabeled_batch_size = 16
balance = 0.5
learning_rate = 0.01
warmup = 0.1
ema_decay = 0.9
logs_per_pass = 2
[options]
tau_min = 0.4
ceiling = 0.3
"""


@pytest.fixture
def semi_supervised(learnable_tree: Path, tmp_path: Path) -> TrainConfig:
    path = tmp_path / "semi.toml"
    path.write_text(SEMI_SUPERVISED.format(folder=learnable_tree.as_posix()))
    return load_config(path)


def test_thresholds_and_random_state_are_resumed(
    semi_supervised: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The curve, thresholds included, is that of an uninterrupted run."""
    fit(semi_supervised, tmp_path / "whole", resume=False)
    fit_and_stop(semi_supervised, tmp_path / "cut", 5, monkeypatch)
    torch.manual_seed(99)  # another process would have another random state
    fit(semi_supervised, tmp_path / "cut", resume=True)
    lines = log_without_times(tmp_path / "whole")
    assert lines == log_without_times(tmp_path / "cut")
    assert len({tuple(line["thresholds"]) for line in lines}) > 1, "thresholds move"
    assert all(0 <= line["kept_share"] <= 1 for line in lines)
    assert all(line["pseudo_label_gradient"] >= 0 for line in lines)
    assert any(line["complementary_gradient"] > 0 for line in lines)
    assert [line["rate"] for line in lines] == [
        pytest.approx(learning_rate(line["step"] - 1, 12, semi_supervised.schedule), abs=1e-6)
        for line in lines
    ]
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_a_run_can_start_from_anothers_weights(
    config, semi_supervised: TrainConfig, tmp_path: Path
):
    fit(config(epochs=1), tmp_path / "other", resume=False)
    schedule = semi_supervised.schedule.model_copy(
        update={"start_from": str(tmp_path / "other"), "learning_rate": 1e-12}
    )
    with pytest.raises(InputError, match="another network than"):
        fit(semi_supervised.model_copy(update={"schedule": schedule}), tmp_path / "a", resume=False)
    model = config().model
    same = semi_supervised.model_copy(update={"schedule": schedule, "model": model})
    fit(same, tmp_path / "b", resume=False)
    torch.testing.assert_close(
        weights(tmp_path / "b")["classifier.weight"],
        weights(tmp_path / "other")["classifier.weight"],
    )


def test_without_unlabeled_images_it_says_so(semi_supervised: TrainConfig, tmp_path: Path):
    data = semi_supervised.data.model_copy(update={"labeled_share": 1.0})
    with pytest.raises(DataError, match="needs unlabeled images, and there are none"):
        fit(semi_supervised.model_copy(update={"data": data}), tmp_path / "run", resume=False)
    schedule = semi_supervised.schedule.model_copy(update={"unlabeled_batch_size": 0})
    with pytest.raises(InputError, match="unlabeled_batch_size above 0"):
        fit(
            semi_supervised.model_copy(update={"schedule": schedule}),
            tmp_path / "run",
            resume=False,
        )
    assert not (tmp_path / "run").exists()


def test_a_class_without_a_labeled_image_can_be_trained(
    semi_supervised: TrainConfig, tmp_path: Path
):
    data = semi_supervised.data.model_copy(update={"labeled_per_class": {"neutral": 5, "anger": 6}})
    fit(semi_supervised.model_copy(update={"data": data}), tmp_path / "run", resume=False)
    split = json.loads((tmp_path / "run/split.json").read_text())
    assert split["per_class"]["neutral"] == 5 and split["per_class"]["surprise"] == 0
    last = json.loads((tmp_path / "run/log.jsonl").read_text().splitlines()[-1])
    assert last["thresholds"][2] == 0.95, "tau_max for a class that was not seen"


def test_the_supervised_row_costs_what_its_rivals_cost(
    semi_supervised: TrainConfig, tmp_path: Path
):
    run = semi_supervised.run.model_copy(update={"method": "supervised"})
    own = TrainConfig.model_validate(
        {**semi_supervised.model_copy(update={"run": run}).model_dump(), "options": {}}
    )
    fit(semi_supervised, tmp_path / "ours", resume=False)
    fit(own, tmp_path / "theirs", resume=False)
    ours, theirs = (load_model(tmp_path / name)[1].training for name in ("ours", "theirs"))
    assert ours["steps"] == theirs["steps"] == 2 * (96 // 16)
    assert ours["labeled_images_seen"] == 12 * 8
    assert theirs["labeled_images_seen"] == 12 * (8 + 16), "labeled in place of unlabeled ones"


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
    with pytest.raises(InputError, match=r"another config, it differs in schedule\.passes"):
        fit(config(epochs=2), tmp_path / "run", resume=True)


def test_a_resume_without_a_checkpoint_says_that_it_begins(
    config, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    fit(config(epochs=1), tmp_path / "run", resume=False)
    (tmp_path / "run/resume.safetensors").unlink()
    capfd.readouterr()
    fit(config(epochs=1), tmp_path / "run", resume=True)
    assert "no checkpoint to resume from; begins at the first step" in capfd.readouterr().err


def test_files_of_someone_else_are_not_replaced(config, tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/metrics.json").write_text("mine")
    with pytest.raises(InputError, match=r"holds a metrics\.json that is no part of a run"):
        fit(config(epochs=1), tmp_path / "run", resume=False)
    assert (tmp_path / "run/metrics.json").read_text() == "mine"


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


def _swap_two_images(tree: Path) -> None:
    """As many images with the same labels, in another order."""
    lines = (tree / "fer2013.csv").read_text().splitlines()
    lines[1], lines[2] = lines[2], lines[1]
    (tree / "fer2013.csv").write_text("\n".join(lines) + "\n")


def test_a_run_is_not_resumed_on_other_images_that_are_as_many(
    config, learnable_tree: Path, tmp_path: Path
):
    fit(config(epochs=1), tmp_path / "run", resume=False)
    before = (tmp_path / "run/split.json").read_bytes()
    _swap_two_images(learnable_tree)
    with pytest.raises(InputError, match="other images or labels"):
        fit(config(epochs=1), tmp_path / "run", resume=True)
    assert (tmp_path / "run/split.json").read_bytes() == before


def test_the_checkpoint_of_another_run_is_not_taken(config, tmp_path: Path):
    fit(config(epochs=1), tmp_path / "run", resume=False)
    fit(config(epochs=1, seed=3), tmp_path / "other", resume=False)
    (tmp_path / "other/resume.safetensors").replace(tmp_path / "run/resume.safetensors")
    with pytest.raises(InputError, match=r"had another run\.seed$"):
        fit(config(epochs=1), tmp_path / "run", resume=True)


def test_what_does_not_move_the_weights_may_change(config, tmp_path: Path):
    first = config(epochs=1)
    fit(first, tmp_path / "run", resume=False)
    own = first.run.model_copy(update={"device": "cpu", "checkpoint_every_s": 5.0})
    fit(first.model_copy(update={"run": own}), tmp_path / "run", resume=True)
    assert load_config(tmp_path / "run/config.toml").run.checkpoint_every_s == 5.0


def test_the_learning_rate_warms_up_and_ends_at_zero():
    schedule = TrainConfig().schedule
    n = 2500
    rates = [learning_rate(step, n, schedule) for step in range(n)]
    warm = round(schedule.warmup * n)
    assert rates[0] == pytest.approx(schedule.learning_rate / warm)
    assert max(rates) == pytest.approx(schedule.learning_rate)
    assert rates.index(max(rates)) in (warm - 1, warm)
    assert rates[-1] < 1e-5
    assert rates[warm:] == sorted(rates[warm:], reverse=True)


@pytest.mark.parametrize(
    ("abilities", "precision"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, "fp32"),
        ({"avx512_bf16": True}, "bf16"),
        ({"neon": True, "bf16": True}, "bf16"),
        ({}, "fp32"),
    ],
)
def test_bf16_is_chosen_only_where_the_processor_computes_in_it(
    monkeypatch: pytest.MonkeyPatch, abilities: dict[str, bool], precision: str
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: abilities)
    cpu = torch.device("cpu")
    assert resolve_precision("auto", cpu) == precision
    assert resolve_precision("bf16", cpu) == "bf16"
    assert resolve_precision("fp32", cpu) == "fp32"


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


@pytest.mark.parametrize("method", METHODS)
def test_the_options_of_every_method_are_printed_and_read(method: str, tmp_path: Path):
    text = config_to_toml(parse_config({"run": {"method": method}}, "here"))
    (tmp_path / "c.toml").write_text(text)
    config = load_config(tmp_path / "c.toml")
    assert type(config.options) is METHODS[method].Options
    assert config_to_toml(config) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[run]\nsed = 1", "run.sed"),
        ("[schedule]\npasses = 0", "schedule.passes"),
        ("[schedule]\npasses = 'many'", "schedule.passes"),
        ("[run", "not a TOML file"),
        ("[data]\nlabels = 'mine'", "data.labels"),
        ("[run]\nmethod = 'mixmatch'", "'mixmatch' is not one of supervised, fixmatch"),
        (
            "[run]\nmethod = 'fixmatch'\n[options]\ntau = 1",
            "options.tau of fixmatch: there is no such field",
        ),
        ("run = 3", "run: "),
        ("[run]\nmethod = ['fixmatch']", "is not one of supervised"),
        ("[options]\nthreshold = 1", "options.threshold of supervised"),
        ("[model]\nfeature_map_dropout = 0.5", "set attention_branches too"),
        ("[schedule]\nsteps = true", "steps: expected a number, got true"),
        ("[schedule]\nbatch_size = 1000000000", "batch_size: expected at most 65536"),
        (
            "[run]\nmethod = 'dta_snl'\n[options]\ntau_min = 0.9\ntau_max = 0.5",
            "options of dta_snl: tau_min 0.9 is above tau_max 0.5",
        ),
    ],
)
def test_a_faulty_config_is_named(tmp_path: Path, text: str, says: str):
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=says):
        load_config(path)


@pytest.mark.parametrize(
    ("change", "table", "field", "value"),
    [
        ("schedule.passes=7", "schedule", "passes", 7),
        ("model.dropout = 0.4", "model", "dropout", 0.4),
        ("data.targets=votes", "data", "targets", "votes"),
        ('data.targets="votes"', "data", "targets", "votes"),
        ('data.unlabeled=["images:faces"]', "data", "unlabeled", ("images:faces",)),
        ("data.source=fer2013:C:/a=b", "data", "source", "fer2013:C:/a=b"),
    ],
)
def test_a_field_is_set_on_the_command_line(
    tmp_path: Path, change: str, table: str, field: str, value: object
):
    path = tmp_path / "c.toml"
    path.write_text("[schedule]\npasses = 2\nbatch_size = 4\n")
    config = load_config(path, [change])
    assert getattr(getattr(config, table), field) == value
    assert config.schedule.batch_size == 4


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("passes=7", "write it as TABLE.FIELD=VALUE"),
        ("schedule.passes", "write it as TABLE.FIELD=VALUE"),
        ("schedule.pases=7", "--set schedule.pases=7: schedule.pases: there is no such field"),
        ("schedule.passes=many", "schedule.passes: "),
    ],
)
def test_a_faulty_change_is_named(tmp_path: Path, change: str, says: str):
    (tmp_path / "c.toml").write_text("")
    with pytest.raises(InputError, match=says):
        load_config(tmp_path / "c.toml", [change])


def test_files_that_are_no_checkpoint_are_refused(tmp_path: Path):
    (tmp_path / "a.safetensors").write_text("no")
    with pytest.raises(ModelError, match="not a readable safetensors file"):
        load_model(tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="no such checkpoint"):
        load_model(tmp_path)


TRAPEZOID = {"shape": "trapezoid", "cooldown": 0.4, "warmup": 0.0}


def test_the_rate_of_a_trapezoid_is_constant_and_then_falls_to_zero(config):
    schedule = config().schedule.model_copy(update=TRAPEZOID | {"warmup": 0.2})
    rates = [learning_rate(step, 10, schedule) / schedule.learning_rate for step in range(10)]
    assert rates == pytest.approx([0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25])


def as_trapezoid(config: TrainConfig, passes: int) -> TrainConfig:
    schedule = config.schedule.model_copy(update=TRAPEZOID | {"passes": passes})
    return config.model_copy(update={"schedule": schedule})


def test_a_trapezoid_is_made_longer_from_where_its_rate_fell(config, tmp_path: Path):
    """The end is that of a run that was as long from the beginning, also when interrupted again."""
    fit(as_trapezoid(config(), 3), tmp_path / "long", resume=False)
    fit(as_trapezoid(config(), 1), tmp_path / "grown", resume=False)
    fit(as_trapezoid(config(), 3), tmp_path / "grown", resume=True)
    long, grown = weights(tmp_path / "long"), weights(tmp_path / "grown")
    assert all(torch.equal(long[name], grown[name]) for name in long)
    assert load_config(tmp_path / "grown/config.toml").schedule.passes == 3


def test_a_longer_run_that_is_interrupted_goes_on_as_such(
    config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fit(as_trapezoid(config(), 3), tmp_path / "long", resume=False)
    fit(as_trapezoid(config(), 1), tmp_path / "grown", resume=False)
    with monkeypatch.context() as patch:
        patch.setattr(train, "save_run", lambda *_: (_ for _ in ()).throw(Stop))
        with pytest.raises(Stop):
            fit(as_trapezoid(config(), 3), tmp_path / "grown", resume=True)
    fit(as_trapezoid(config(), 3), tmp_path / "grown", resume=True)
    long, grown = weights(tmp_path / "long"), weights(tmp_path / "grown")
    assert all(torch.equal(long[name], grown[name]) for name in long)


@pytest.mark.parametrize("change", [{"passes": 1}, {"passes": 5, "learning_rate": 0.1}])
def test_nothing_else_of_a_run_is_changed_on_the_way(config, tmp_path: Path, change):
    first = as_trapezoid(config(), 2)
    fit(first, tmp_path / "run", resume=False)
    other = first.model_copy(update={"schedule": first.schedule.model_copy(update=change)})
    with pytest.raises(InputError, match="another config"):
        fit(other, tmp_path / "run", resume=True)


def test_a_cosine_is_not_made_longer(config, tmp_path: Path):
    fit(config(epochs=1), tmp_path / "run", resume=False)
    with pytest.raises(InputError, match="another config"):
        fit(config(epochs=2), tmp_path / "run", resume=True)


def test_the_norms_at_the_end_are_those_of_the_labeled_images(config, tmp_path: Path):
    fit(config(), tmp_path / "as_trained", resume=False)
    moved = config()
    schedule = moved.schedule.model_copy(update={"norms_at_end": 1.0})
    fit(moved.model_copy(update={"schedule": schedule}), tmp_path / "moved", resume=False)
    before, after = weights(tmp_path / "as_trained"), weights(tmp_path / "moved")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all("running" in name or "num_batches" in name for name in changed)
    network, _ = load_model(tmp_path / "as_trained")
    faces = load_training_data(moved.data, 48, 0).labeled.faces.all()
    move_norms(network, faces, 1.0)
    torch.testing.assert_close(
        network.state_dict()["stem.1.running_mean"], after["stem.1.running_mean"]
    )


@pytest.mark.parametrize("rate", ["1e30", "1e37"])
def test_a_run_that_diverges_says_so_and_keeps_its_last_checkpoint(
    semi_supervised: TrainConfig, tmp_path: Path, rate: str
):
    content = semi_supervised.model_dump()
    content["schedule"]["learning_rate"] = float(rate)
    with pytest.raises(FerLiveError, match="diverged before step"):
        fit(parse_config(content, "here"), tmp_path / "run", resume=False)
    assert not (tmp_path / "run/model.safetensors").exists()
    log = tmp_path / "run/log.jsonl"
    assert not log.exists() or "NaN" not in log.read_text()
    kept = tmp_path / "run/resume.safetensors"
    if kept.exists():
        with safe_open(kept, "pt") as file:
            weights = file.get_tensor("student/classifier.weight")
        assert weights.isfinite().all()


@pytest.mark.parametrize("change", ["schedule.learning_rate=inf", "options.lambda_u=nan"])
def test_no_number_is_infinite_in_a_config(tmp_path: Path, learnable_tree: Path, change: str):
    path = tmp_path / "semi.toml"
    path.write_text(SEMI_SUPERVISED.format(folder=learnable_tree.as_posix()))
    with pytest.raises(InputError, match="finite"):
        load_config(path, [change])


def test_a_run_that_goes_on_in_another_precision_says_so(
    config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    abilities = {"avx512_bf16": True, "amx_bf16": True}
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: abilities)
    fit_and_stop(config(), tmp_path / "run", 2, monkeypatch)
    abilities.clear()
    fit(config(), tmp_path / "run", resume=True)
    assert "began in bf16 and goes on in fp32" in capsys.readouterr().err
    fit(config(seed=1), tmp_path / "other", resume=False)
    assert "goes on in" not in capsys.readouterr().err


def test_few_channels_on_large_images_do_not_end_torch(learnable_tree: Path, tmp_path: Path):
    """In fp32 and channels last that is a segmentation fault of torch 2.13."""
    content = {
        "run": {"precision": "fp32"},
        "data": {"source": f"fer2013:{learnable_tree.as_posix()}"},
        "model": {"width": 8, "blocks": 1, "input_side": 96},
        "schedule": {"steps": 2, "batch_size": 8},
    }
    assert fit(parse_config(content, "here"), tmp_path / "run", resume=False)


def test_a_table_of_some_strong_fields_leaves_the_others_as_they_are_printed():
    usual = TrainConfig().strong
    config = parse_config({"strong": {"blur": 0.9}}, "here")
    assert config.strong == usual.model_copy(update={"blur": 0.9})
    assert usual.tone > 0


def test_a_refused_resume_leaves_the_run_as_it_is(config, learnable_tree: Path, tmp_path: Path):
    """Of a trapezoid that should grow, on other images."""
    fit(as_trapezoid(config(), 1), tmp_path / "run", resume=False)
    before = (tmp_path / "run/resume.safetensors").read_bytes()
    _swap_two_images(learnable_tree)
    with pytest.raises(InputError, match="other images or labels"):
        fit(as_trapezoid(config(), 3), tmp_path / "run", resume=True)
    assert (tmp_path / "run/resume.safetensors").read_bytes() == before
