"""Another classifier in a model file: what it computes, and what stays as it was."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from fer_live.errors import ModelError
from fer_live.model.assets import CPU_MODEL, GPU_MODEL, asset
from fer_live.model.head import Head, among_common, read_head, with_head
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


@pytest.mark.parametrize("shape", [(8, 3), (9, 384), (7, 384)])
def test_a_head_of_another_size_than_the_manifest_says_is_refused(shape: tuple[int, int]):
    head = Head(np.zeros(shape, np.float32), np.zeros(shape[0], np.float32))
    file = asset(GPU_MODEL)
    with pytest.raises(ValueError, match=r"expected \(8, 384\)"):
        with_head(file, head, changed_manifest(file))


@pytest.mark.parametrize("name", [GPU_MODEL, CPU_MODEL])
def test_more_labels_leave_the_answers_among_the_first(name: str, tmp_path: Path):
    file, longer, shorter = asset(name), tmp_path / "10.onnx", tmp_path / "8.onnx"
    head, manifest = read_head(file), changed_manifest(file)
    generator = np.random.default_rng(4)
    rows = Head(generator.normal(0, 0.1, (2, 384)).astype(np.float32), np.ones(2, np.float32))
    own = {"labels": (*manifest.labels, "wink left", "집중"), "own_labels": ("wink left", "집중")}
    longer.write_bytes(with_head(file, head.and_also(rows), manifest.model_copy(update=own)))
    shorter.write_bytes(with_head(longer, read_head(longer).rows(slice(8)), manifest))
    onnx.checker.check_model(onnx.load(str(longer)), full_check=True)
    old, new, back = (ExpressionClassifier(path, "cpu") for path in (file, longer, shorter))
    probs, heat_maps = new.classify_with_heat_maps(faces())
    assert new.labels[8:] == ("wink left", "집중") and heat_maps is not None
    assert set(probs.argmax(axis=1)) & {8, 9}, "a heat map of an own label was asked for"
    np.testing.assert_allclose(probs.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(among_common(probs, 8), old.classify(faces()), atol=1e-5)
    np.testing.assert_array_equal(back.classify(faces()), old.classify(faces()))
    declared = {value.name: value for value in onnx.load(str(longer)).graph.value_info}
    assert [d.dim_value for d in declared["linear"].type.tensor_type.shape.dim][1] == 10


def test_a_graph_made_for_its_number_of_labels_is_refused_in_one_line(tmp_path: Path):
    model = onnx.load(str(asset(GPU_MODEL)))
    shape = onnx.numpy_helper.from_array(np.array([-1, 8], np.int64), "eight")
    model.graph.initializer.append(shape)
    softmax = next(node for node in model.graph.node if node.op_type == "Softmax")
    scaled = softmax.input[0]
    softmax.input[0] = "reshaped"
    at = list(model.graph.node).index(softmax)
    model.graph.node.insert(at, onnx.helper.make_node("Reshape", [scaled, "eight"], ["reshaped"]))
    onnx.save(model, str(tmp_path / "m.onnx"))
    head, manifest = read_head(tmp_path / "m.onnx"), changed_manifest(tmp_path / "m.onnx")
    own = manifest.model_copy(update={"labels": (*manifest.labels, "x"), "own_labels": ("x",)})
    with pytest.raises(ModelError, match=r"m\.onnx: its graph is made for its own number"):
        with_head(tmp_path / "m.onnx", head.and_also(head.rows([0])), own)
