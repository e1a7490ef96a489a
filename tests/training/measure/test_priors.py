import json
from pathlib import Path

import numpy as np
import pytest

from fer_live.errors import InputError
from fer_live.vision.answers import AnswerConfig
from training.cli import main
from training.data.labeled_images import LabeledImages
from training.measure.evaluate import evaluate
from training.measure.metrics import expected_calibration_error
from training.measure.priors import fit_priors
from training.models.checkpoint import load_model

CLASSES = ("a", "b", "c")
SHARES = np.array([0.8, 0.15, 0.05])


def drawn(n: int, seed: int = 0) -> tuple[np.ndarray, LabeledImages]:
    """Probabilities of a model that knows the shares, and labels drawn from them."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(3, size=n, p=SHARES)
    seen = generator.normal(0, 1, (n, 3)) + 1.5 * np.eye(3)[labels]
    logits = 1.5 * seen + np.log(SHARES)  # the posterior of unit Gaussians around 1.5
    probs = np.exp(logits - logits.max(axis=1, keepdims=True))
    probs = (probs / probs.sum(axis=1, keepdims=True)).astype(np.float32)
    images = generator.integers(0, 256, (n, 4, 4), dtype=np.uint8)
    return probs, LabeledImages("some", CLASSES, images, labels, np.arange(n).astype(str))


def test_each_prior_is_calibrated_for_its_own_shares():
    probs, labeled = drawn(20_000)
    fitted = fit_priors(probs, labeled, seed=0)
    everyday, expressive = fitted["everyday"], fitted["expressive"]
    assert everyday.bias == (0.0, 0.0, 0.0)
    assert (everyday.strength, everyday.temperature) == (0, 1), "what is answered stays a mean"
    assert expressive.strength == pytest.approx(1, abs=0.1), "the shares are taken out altogether"
    np.testing.assert_allclose(expressive.bias, -expressive.strength * np.log(SHARES), atol=0.1)
    assert expressive.balanced_accuracy > everyday.balanced_accuracy + 0.03
    assert expressive.accuracy < everyday.accuracy
    for prior in fitted.values():
        assert prior.ece < prior.ece_if_perfect + 0.02


def test_an_ece_counts_each_image_by_its_weight():
    probs = np.array([[0.9, 0.1], [0.9, 0.1]], np.float32)
    labels = np.array([0, 1])
    assert expected_calibration_error(probs, labels) == pytest.approx(0.4)
    weighted = expected_calibration_error(probs, labels, np.array([9.0, 1.0]))
    assert weighted == pytest.approx(0, abs=1e-6)


def test_a_class_of_one_face_is_refused():
    probs, labeled = drawn(50)
    labels = np.zeros(50, np.int64)
    labels[:3] = (1, 1, 2)
    data = LabeledImages("some", CLASSES, labeled.images, labels, labeled.ids)
    with pytest.raises(InputError, match="fewer than two faces of c"):
        fit_priors(probs, data, seed=0)


def test_the_command_puts_them_into_the_checkpoint(
    tmp_path: Path, fer_tree, monkeypatch, capsys, small_models: list[Path]
):
    from fer_live.model.manifest import EXPRESSIONS

    for number, expression in enumerate(EXPRESSIONS * 6):
        fer_tree.add("PublicTest", expression, seed=number)
        fer_tree.add("Training", expression, seed=1000 + number)
    data = f"fer2013:{fer_tree.write()}"
    out, figures = tmp_path / "p.safetensors", tmp_path / "p.json"
    words = ["--data", data, "--split", "PublicTest", "--labels", "ferplus-argmax"]
    monkeypatch.setattr(
        "sys.argv",
        [
            *map(
                str,
                ("fer-train", "priors", small_models[0], *words, "--out", out, "--json", figures),
            )
        ],
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert "everyday: strength 0.000" in capsys.readouterr().out
    manifest = load_model(out)[1]
    assert manifest.prior_names == ("everyday", "expressive")
    told = json.loads(figures.read_text())
    assert tuple(told["expressive"]["bias"]) == manifest.priors["expressive"]
    read = {
        prior: evaluate(
            out, data, split="PublicTest", rule="ferplus-argmax", answers=AnswerConfig(2, prior)
        )
        for prior in manifest.prior_names
    }
    assert [figures["prior"] for figures in read.values()] == ["everyday", "expressive"]
