"""int8 weights keep to 7 bits, so that no x86 processor misreads them."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from fer_live.errors import ModelError
from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL, asset
from fer_live.model.head import head_nodes
from fer_live.model.quantization import (
    MAX_INT8_WEIGHT,
    halve_weights,
    int8_weights,
    may_saturate,
    mend_file,
)
from fer_live.personal.models import models_folder, resolve_model
from fer_live.vision.classifier import ExpressionClassifier


def with_8_bits(path: Path) -> Path:
    """The shipped int8 model as it would be with weights of 8 bits: what halving undoes."""
    model = onnx.load(str(asset(CPU_MODEL)))
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    weights = int8_weights(model)
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in tensors:
            integers, scale = (tensors[name] for name in node.input[:2])
            values = numpy_helper.to_array(integers)
            is_bias = values.dtype == np.int32
            if integers.name in weights or is_bias:
                top = np.iinfo(values.dtype).max
                doubled = np.clip(2 * values.astype(np.int64), -top, top).astype(values.dtype)
                integers.CopyFrom(numpy_helper.from_array(doubled, integers.name))
                halved = numpy_helper.to_array(scale) / np.float32(2)
                scale.CopyFrom(numpy_helper.from_array(halved, scale.name))
    onnx.save(model, str(path))
    return path


def faces() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 48, 48), dtype=np.uint8)


def test_two_products_of_the_largest_weight_fit_into_16_bits():
    assert 2 * 255 * MAX_INT8_WEIGHT < 2**15 <= 2 * 255 * (MAX_INT8_WEIGHT + 1)


def test_the_shipped_int8_model_saturates_on_no_processor():
    model = onnx.load(str(asset(CPU_MODEL)))
    weights = int8_weights(model)
    multiplied = sum(node.op_type in ("Conv", "Gemm", "MatMul") for node in model.graph.node)
    head = head_nodes(model)
    assert len(weights) == multiplied - 1 - len(head.heat_maps), "the classifier is in float"
    assert 32 < max(np.abs(w.astype(int)).max() for w in weights.values()) <= MAX_INT8_WEIGHT
    assert not may_saturate(model)


def test_a_model_in_fp32_has_nothing_to_saturate():
    model = onnx.load(str(asset(GPU_MODEL)))
    assert int8_weights(model) == {}
    assert not may_saturate(model)


def test_halving_keeps_what_the_model_answers(tmp_path: Path):
    path = with_8_bits(tmp_path / "old.onnx")
    model = onnx.load(str(path))
    assert may_saturate(model)
    halve_weights(model)
    assert not may_saturate(model)
    onnx.save(model, str(tmp_path / "mended.onnx"))
    mended = ExpressionClassifier(tmp_path / "mended.onnx", "cpu").classify(faces())
    shipped = ExpressionClassifier(None, "cpu").classify(faces())
    np.testing.assert_allclose(mended, shipped, atol=0.02)


def test_a_file_is_mended_once(tmp_path: Path):
    path = with_8_bits(tmp_path / "old.onnx")
    assert mend_file(path)
    content = path.read_bytes()
    assert not mend_file(path)
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["old.onnx"]


def test_what_is_no_model_is_left_as_it_is(tmp_path: Path):
    path = tmp_path / "text.onnx"
    path.write_text("hello")
    with pytest.raises(ModelError, match=r"text\.onnx: not a model"):
        mend_file(path)
    assert path.read_text() == "hello"


@pytest.mark.parametrize("by", ["name", "folder"])
def test_an_installed_model_of_the_old_kind_is_exported_anew(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path))
    folder = models_folder() / "mine"
    folder.mkdir(parents=True)
    with_8_bits(folder / CPU_MODEL)
    for name in (GPU_MODEL, CHECKPOINT):
        (folder / name).symlink_to(asset(name))
    assert resolve_model("mine" if by == "name" else str(folder)) == folder
    assert not may_saturate(onnx.load(str(folder / CPU_MODEL)))
    assert ExpressionClassifier(folder, "cpu").warning == ""


def test_a_file_of_ones_own_is_not_changed_but_told(tmp_path: Path):
    path = with_8_bits(tmp_path / "own.onnx")
    content = path.read_bytes()
    assert resolve_model(path) == path
    assert "reads worse on some processors" in ExpressionClassifier(path, "cpu").warning
    assert path.read_bytes() == content
