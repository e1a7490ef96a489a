"""Another classifier in a model file: what it computes, and what stays as it was."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from fer_live.errors import ModelError
from fer_live.model.assets import CPU_MODEL, GPU_MODEL, asset
from fer_live.model.head import Head, read_head, with_head
from fer_live.model.manifest import Manifest
from fer_live.vision.answers import AnswerConfig
from fer_live.vision.classifier import ExpressionClassifier
from tests.helpers.models import save_model


def faces(n: int = 24) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, 48, 48), dtype=np.uint8)


def another(head: Head) -> Head:
    generator = np.random.default_rng(1)
    weights = head.weights + generator.normal(0, 0.05, head.weights.shape).astype(np.float32)
    return Head(weights, head.bias[::-1].copy())


def changed_manifest(file: Path) -> Manifest:
    return ExpressionClassifier(file, "cpu").manifest.model_copy(update={"training": {"is": "new"}})


@pytest.mark.parametrize("name", [GPU_MODEL, CPU_MODEL])
def test_another_head_reads_the_same_embedding(name: str, tmp_path: Path):
    file = asset(name)
    head = another(read_head(file))
    (tmp_path / "m.onnx").write_bytes(with_head(file, head, changed_manifest(file)))
    once = AnswerConfig(readings=1)
    old, new = (ExpressionClassifier(path, "cpu", once) for path in (file, tmp_path / "m.onnx"))
    embedding = new.embed(faces())
    np.testing.assert_array_equal(embedding, old.embed(faces()))
    logits = (embedding @ head.weights.T + head.bias) / old.manifest.temperature
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    probs, heat_maps = new.classify_with_heat_maps(faces())
    np.testing.assert_allclose(probs, expected, atol=1e-5)
    assert new.manifest.training == {"is": "new"}
    assert heat_maps is not None
    assert not np.array_equal(heat_maps, old.classify_with_heat_maps(faces())[1])
    assert read_head(tmp_path / "m.onnx").weights.tobytes() == head.weights.tobytes()


@pytest.mark.parametrize("name", [GPU_MODEL, CPU_MODEL])
def test_its_own_head_leaves_a_file_as_it_reads(name: str, tmp_path: Path):
    file = asset(name)
    (tmp_path / "m.onnx").write_bytes(with_head(file, read_head(file), changed_manifest(file)))
    old, new = (ExpressionClassifier(path, "cpu") for path in (file, tmp_path / "m.onnx"))
    np.testing.assert_array_equal(new.classify(faces()), old.classify(faces()))
    before, after = (onnx.load(str(path)).graph.node for path in (file, tmp_path / "m.onnx"))
    assert [node.op_type for node in before] == [node.op_type for node in after]


def test_a_folded_head_is_the_head_after_the_affine():
    generator = np.random.default_rng(2)
    head = Head(*(generator.normal(size=s).astype(np.float32) for s in ((8, 384), (8,))))
    scale, shift = generator.uniform(0.5, 2, 384), generator.normal(size=384)
    embedding = generator.normal(size=(50, 384))
    expected = (scale * embedding + shift) @ head.weights.T.astype(float) + head.bias
    folded = head.after_affine(scale, shift)
    found = embedding @ folded.weights.T.astype(float) + folded.bias
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_a_model_without_an_embedding_is_refused_in_one_line(tmp_path: Path):
    save_model(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match=r"m\.onnx: its classifier cannot be told"):
        read_head(tmp_path / "m.onnx")
    with pytest.raises(ModelError, match="gives no embedding"):
        ExpressionClassifier(tmp_path / "m.onnx", "cpu").embed(faces(1))


def test_a_head_of_another_size_is_refused():
    head = Head(np.zeros((8, 3), np.float32), np.zeros(8, np.float32))
    file = asset(GPU_MODEL)
    with pytest.raises(ValueError, match=r"expected \(8, 384\)"):
        with_head(file, head, changed_manifest(file))
