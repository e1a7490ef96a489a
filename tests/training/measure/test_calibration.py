import json
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_live.errors import InputError
from fer_live.model.manifest import EXPRESSIONS, CropGeometry, Manifest
from fer_live.vision.answers import AnswerConfig
from training.cli import main
from training.data.labeled_images import LabeledImages
from training.data.splits import draw_share
from training.measure.calibration import calibrate, cross_fit, fit_temperature
from training.measure.evaluate import evaluate
from training.measure.metrics import expected_calibration_error
from training.models.checkpoint import architecture, build_network, load_model, save_model
from training.models.config import ModelConfig

CLASSES = ("a", "b", "c", "d")


def honest_model(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits (n, 4), and labels drawn from their softmax: perfectly calibrated at temperature 1."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 2, (n, 4)).astype(np.float32)
    probs = torch.from_numpy(logits).softmax(1).numpy()
    labels = [generator.choice(4, p=p / p.sum()) for p in probs.astype(np.float64)]
    return logits, np.array(labels, dtype=np.int64)


def images_of(labels: np.ndarray) -> LabeledImages:
    images = np.random.default_rng(1).integers(0, 256, (len(labels), 4, 4), dtype=np.uint8)
    return LabeledImages("some", CLASSES, images, labels, np.arange(len(labels)).astype(str))


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(true: float):
    logits, labels = honest_model(20_000)
    assert fit_temperature(logits * true, labels) == pytest.approx(true, rel=0.04)


def test_a_model_too_sure_of_itself_is_put_right():
    logits, labels = honest_model(4000)
    figures = cross_fit(3 * logits, images_of(labels), seed=0)
    assert figures.temperature == pytest.approx(3, rel=0.1)
    assert figures.ece_at_1 > 0.1
    assert figures.ece < 0.03
    low, high = figures.ece_if_perfect_interval
    assert low < figures.ece_if_perfect < high
    assert low <= figures.ece <= high, "temperature is all that was wrong with it"
    low, high = figures.ece_interval
    assert low < high


def test_a_model_wrong_in_another_way_stays_above_the_perfect_one():
    """Surer of the images that it gets wrong more often: no temperature turns that round."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, 2000)
    sure = generator.random(2000) < 0.5
    said = np.where(sure & (generator.random(2000) < 0.4), (labels + 1) % 4, labels)
    logits = (np.where(sure, 5, 1)[:, None] * np.eye(4)[said]).astype(np.float32)
    figures = cross_fit(logits, images_of(labels), seed=0)
    assert figures.ece > figures.ece_if_perfect_interval[1]


def test_each_half_is_read_at_the_temperature_of_the_other():
    logits, labels = honest_model(600)
    data = images_of(labels)
    first = draw_share(data, 0.5, 3)
    t_first, t_second = (fit_temperature(logits[h], labels[h]) for h in (first, ~first))
    assert abs(t_first - t_second) > 1e-3
    figures = cross_fit(logits, data, seed=3)
    assert figures.fold_temperatures == (t_first, t_second)
    own = np.where(first, t_second, t_first)[:, None]
    probs = torch.from_numpy(logits / own).softmax(1).numpy().astype(np.float32)
    assert figures.ece == pytest.approx(expected_calibration_error(probs, labels), abs=1e-6)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    config = ModelConfig(width=8, blocks=1)
    manifest = Manifest(
        labels=EXPRESSIONS,
        input_side=48,
        crop=CropGeometry(),
        architecture=architecture(config),
        metrics={"before": {"accuracy": 0.5}},
    )
    torch.manual_seed(0)
    save_model(tmp_path / "model.safetensors", build_network(config, 8), manifest)
    return tmp_path / "model.safetensors"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["fer-train", "calibrate", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert isinstance(exit_.value.code, int)
    return exit_.value.code


def test_the_temperature_goes_into_the_checkpoint(
    checkpoint: Path, learnable_tree: Path, tmp_path: Path, monkeypatch
):
    out, file = tmp_path / "calibrated.safetensors", tmp_path / "figures.json"
    once = AnswerConfig(readings=1)  # as the temperature is fitted
    public = {"split": "PublicTest", "rule": "ferplus-argmax", "answers": once}
    data = ("--data", f"fer2013:{learnable_tree}", "--split", "PublicTest")
    rule = ("--labels", "ferplus-argmax")
    assert run(monkeypatch, checkpoint, *data, *rule, "--out", out, "--json", file) == 0
    figures = json.loads(file.read_text())
    network, manifest = load_model(out)
    assert manifest.temperature == figures["temperature"] != 1
    assert manifest.metrics["calibration"] == figures
    assert manifest.metrics["before"] == {"accuracy": 0.5}
    before = load_model(checkpoint)[0].state_dict()
    assert all(torch.equal(before[k], v) for k, v in network.state_dict().items())
    plain, scaled = (evaluate(m, f"fer2013:{learnable_tree}", **public) for m in (checkpoint, out))
    assert plain["confusion"] == scaled["confusion"]
    assert plain["ece"] == pytest.approx(figures["ece_at_1"], abs=1e-6)


def test_rare_classes_are_answered_more_often_where_that_is_asked_for(
    checkpoint: Path, learnable_tree: Path, tmp_path: Path
):
    """By the shares of the training labels, as the manifest tells them."""
    data, public = f"fer2013:{learnable_tree}", {"split": "PublicTest", "rule": "ferplus-argmax"}
    out = tmp_path / "adjusted.safetensors"
    with pytest.raises(InputError, match="no class shares"):
        calibrate(checkpoint, data, out, logit_adjustment=0.5, **public)
    network, manifest = load_model(checkpoint)
    shares = [0.4, 0.3, 0.1, 0.1, 0.05, 0.02, 0.02, 0.01]
    told = manifest.model_copy(update={"training": {"class_shares": shares}})
    save_model(checkpoint, network, told)
    calibrate(checkpoint, data, out, logit_adjustment=0.5, **public)
    adjusted, manifest = load_model(out)
    moved = adjusted.classifier.bias - network.classifier.bias
    torch.testing.assert_close(moved, -0.5 * torch.tensor(shares).log())
    assert manifest.training["logit_adjustment_after"] == 0.5
    assert list(manifest.metrics) == ["calibration"], "what was measured before no longer holds"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--data", "fer2013:{tree}", "--out", "{tmp}/c.safetensors"), "needs --split"),
        (("--data", "photos:{tree}", "--out", "{tmp}/c.safetensors"), "not a data set"),
        (("--data", "fer2013:{tree}", "--out", "{tmp}/c.onnx"), "unknown kind"),
    ],
)
def test_mistakes_are_one_line(
    checkpoint: Path,
    learnable_tree: Path,
    tmp_path: Path,
    monkeypatch,
    capsys,
    arguments: tuple[str, ...],
    says: str,
):
    filled = [a.format(tree=learnable_tree, tmp=tmp_path) for a in arguments]
    assert run(monkeypatch, checkpoint, *filled) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
