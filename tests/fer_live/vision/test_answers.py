"""Readings and priors: the same in the classifier, the pipeline and on the command line."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from fer_live.datatypes import Frame
from fer_live.errors import ModelError
from fer_live.model.assets import CPU_MODEL, GPU_MODEL, asset
from fer_live.model.head import among_common
from fer_live.model.manifest import EVERYDAY, MANIFEST_KEY, Manifest
from fer_live.session.reading_pace import ReadingPace
from fer_live.vision.answers import AnswerConfig
from fer_live.vision.classifier import ExpressionClassifier
from fer_live.vision.pipeline import Pipeline
from tests.helpers.models import MANIFEST, save_own_model

BIAS = (-1.0, 0.0, 0.5, 0.0, 0.0, 2.0, 0.0, 1.0)


@pytest.fixture(scope="module")
def with_priors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model with a made-up prior, "rare", and a colder everyday one."""
    file = tmp_path_factory.mktemp("model") / "m.onnx"
    model = onnx.load(str(asset(CPU_MODEL)))
    properties = {item.key: item.value for item in model.metadata_props}
    manifest = Manifest.model_validate_json(properties[MANIFEST_KEY]).model_copy(
        update={"priors": {"rare": BIAS}, "prior_temperatures": {"rare": 2.0}}
    )
    helper.set_model_props(model, {MANIFEST_KEY: manifest.to_json()})
    onnx.save(model, str(file))
    return file


def faces(n: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 48, 48), dtype=np.uint8)


@pytest.mark.parametrize("n", [1, 2, 20])
def test_two_readings_are_the_mean_of_a_face_and_its_mirror_image(n: int):
    two, one = (ExpressionClassifier(None, "cpu", AnswerConfig(readings)) for readings in (2, 1))  # type: ignore[arg-type]
    straight, mirrored = one.classify(faces(n)), one.classify(faces(n)[:, :, ::-1])
    probs, maps = two.classify_with_heat_maps(faces(n))
    np.testing.assert_allclose(probs, (straight + mirrored) / 2, atol=1e-6)
    np.testing.assert_allclose(two.classify(faces(n)[:, :, ::-1]), probs, atol=1e-6)
    assert maps is not None and maps.shape[0] == n
    np.testing.assert_allclose(maps, one.classify_with_heat_maps(faces(n))[1], atol=1e-6)


def test_a_prior_divides_and_adds_to_the_log_probabilities(with_priors: Path):
    plain = ExpressionClassifier(with_priors, "cpu").classify(faces(5))
    rare = ExpressionClassifier(with_priors, "cpu", AnswerConfig(2, "rare")).classify(faces(5))
    expected = np.exp(np.log(plain) / 2 + np.array(BIAS))
    np.testing.assert_allclose(rare, expected / expected.sum(axis=1, keepdims=True), atol=1e-5)


def test_a_prior_that_a_model_has_not_is_refused_by_name(with_priors: Path, run_cli):
    with pytest.raises(ModelError, match="has no prior expressive; it has: everyday, rare"):
        ExpressionClassifier(with_priors, "cpu", AnswerConfig(2, "expressive"))
    picture = asset("demo.mp4")
    done = run_cli("fer-live", "analyze", picture, "--prior", "other", "--out", "x.csv")
    assert done.returncode == 2 and "has no prior other" in done.stderr


def test_a_manifest_with_a_prior_of_another_length_is_refused():
    with pytest.raises(ValueError, match="prior rare has 2 values for 8 labels"):
        Manifest.model_validate({**MANIFEST.model_dump(), "priors": {"rare": (0.0, 1.0)}})


def test_the_pipeline_takes_another_answer_from_the_next_frame_on(
    with_priors: Path, demo_frames: list[np.ndarray]
):
    with Pipeline.load(with_priors, "cpu", readings=1) as pipeline:
        frames = [Frame(demo_frames[20], n, n / 30) for n in range(2)]
        before = pipeline.process(frames[0]).faces[0].probs
        pipeline.answers = AnswerConfig(1, "rare")
        after = pipeline.process(frames[1]).faces[0].probs
        logs = np.log(before) / 2 + np.array(BIAS)
        np.testing.assert_allclose(after, np.exp(logs) / np.exp(logs).sum(), atol=0.02)
        with pytest.raises(ModelError):
            pipeline.answers = AnswerConfig(1, "none")
        assert pipeline.answers.prior == "rare"


def test_the_shipped_models_have_both_priors():
    for name in ("fer_live_int8.onnx", "fer_live_fp32.onnx"):
        manifest = ExpressionClassifier(asset(name), "cpu").manifest
        assert manifest.prior_names == (EVERYDAY, "expressive")


class Timed:
    """What the pace looks at of a result."""

    def __init__(self, milliseconds: float, n_faces: int = 1) -> None:
        self.faces = (None,) * n_faces
        self.timings_ms = {"classify": milliseconds}


def test_a_slow_processor_is_told_from_a_slow_moment():
    pace = ReadingPace()
    assert not any(pace.is_too_slow(Timed(40.0, n_faces=0)) for _ in range(100)), "nothing read"
    assert not any(pace.is_too_slow(Timed(40.0 if n % 3 else 2.0)) for n in range(59))
    pace.start_over()
    assert not any(pace.is_too_slow(Timed(2.0 if n % 3 else 400.0)) for n in range(200))
    pace.start_over()
    assert [pace.is_too_slow(Timed(20.0)) for _ in range(60)] == [False] * 59 + [True]


def test_an_expression_of_ones_own_is_read_as_it_is(tmp_path: Path):
    """The mirror image of "wink left" is another expression."""
    file = tmp_path / "own.onnx"
    save_own_model(file, ("wink left",), logit=1.0, variant=GPU_MODEL)
    two, one = (ExpressionClassifier(file, "cpu", AnswerConfig(n)) for n in (2, 1))  # type: ignore[arg-type]
    straight, mirrored = one.classify(faces(6)), one.classify(faces(6)[:, :, ::-1])
    probs = two.classify(faces(6))
    np.testing.assert_allclose(probs[:, -1], straight[:, -1], atol=1e-6)
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-5)
    common = (among_common(straight, 8) + among_common(mirrored, 8)) / 2
    np.testing.assert_allclose(among_common(probs, 8), common, atol=1e-5)
