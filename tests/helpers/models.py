"""Models that are made in a moment."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fer_live.model.assets import asset
from fer_live.model.head import Head, read_head, with_head
from fer_live.model.inspect import load_model_file
from fer_live.model.manifest import (
    EXPRESSIONS,
    MANIFEST_KEY,
    CropGeometry,
    Manifest,
    parse_manifest,
)

MANIFEST = Manifest(labels=EXPRESSIONS, input_side=48, crop=CropGeometry())


def save_model(
    path: Path, *, side: int = 48, classes: int = 8, name: str = "faces"
) -> onnx.ModelProto:
    """A model that answers the same probabilities for every face."""
    zeros = numpy_helper.from_array(np.zeros((side * side, classes), np.float32), "w")
    graph = helper.make_graph(
        [
            helper.make_node("Cast", [name], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Flatten", ["f"], ["flat"]),
            helper.make_node("MatMul", ["flat", "w"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probs"]),
        ],
        "constant",
        [helper.make_tensor_value_info(name, TensorProto.UINT8, ["N", 1, side, side])],
        [helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["N", classes])],
        [zeros],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {MANIFEST_KEY: MANIFEST.to_json()})
    onnx.save(model, str(path))
    return model


def save_own_model(path: Path, own: tuple[str, ...], *, logit: float, variant: str) -> Path:
    """A shipped model with expressions of somebody's own, each of the same logit for every face."""
    file = asset(variant)
    texts = {item.key: item.value for item in load_model_file(file).metadata_props}
    manifest = parse_manifest(texts[MANIFEST_KEY], variant)
    labels = {"labels": (*manifest.labels, *own), "own_labels": own}
    head = read_head(file)
    weights = np.zeros((len(own), head.weights.shape[1]), np.float32)
    rows = Head(weights, np.full(len(own), logit, np.float32))
    content = with_head(file, head.and_also(rows), manifest.model_copy(update=labels))
    path.write_bytes(content)
    return path
