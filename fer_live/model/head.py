"""The classifier of an exported model: read it, and write another in its place.

It is the last matrix product, from `embedding` to the logits, which exports keep in float whatever
their precision; the heat map has a copy of its weights. No other step reads them, so a classifier
of one's own changes neither the speed nor the format of a file, and may have more labels or fewer.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray
from fer_live.errors import ModelError
from fer_live.model.inspect import load_model_file, reading_graph
from fer_live.model.manifest import MANIFEST_KEY, Manifest

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """logits = weights @ embedding + bias, before the temperature: (C, D) and (C,) float32."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def after_affine(self, scale: NDArray[np.float64], shift: NDArray[np.float64]) -> "Head":
        """The head that reads `e` as this one reads `scale * e + shift`, both (D,)."""
        weights = self.weights.astype(np.float64)
        return Head(
            (weights * scale).astype(np.float32),
            (self.bias + weights @ shift).astype(np.float32),
        )

    def rows(self, chosen: "slice | NDArray[np.int64] | list[int]") -> "Head":
        """The rows of some labels alone."""
        return Head(self.weights[chosen], self.bias[chosen])

    def and_also(self, other: "Head") -> "Head":
        """The rows of `other` after these."""
        return Head(
            np.concatenate([self.weights, other.weights]), np.concatenate([self.bias, other.bias])
        )


def among_common(probs: FloatArray, n_common: int) -> FloatArray:
    """(N, C) -> (N, `n_common`): the first labels alone, renormalized; the same where these are
    all."""
    if probs.shape[1] == n_common:
        return probs
    common = probs[:, :n_common]
    tiny = np.finfo(common.dtype).tiny
    return np.asarray(common / np.maximum(common.sum(axis=1, keepdims=True), tiny))


@dataclass(frozen=True, slots=True)
class HeadNodes:
    """The nodes that read the last features: their mean `pool`, the classifier, and the products
    with its weights that make heat maps."""

    pool: "onnx.NodeProto"
    classifier: "onnx.NodeProto"
    heat_maps: "tuple[onnx.NodeProto, ...]"


def read_head(file: Path) -> Head:
    """The classifier of a model file; `ModelError` where the file has none that can be replaced."""
    model = load_model_file(file)
    with reading_graph(str(file)):
        return _head(model, str(file))


def with_head(file: Path, head: Head, manifest: Manifest) -> bytes:
    """The content of a model file with another classifier and manifest; the file stays as it is.

    The head has one row for each label of the `manifest`, whatever the file had. Raises
    `ModelError` where the file has no classifier that can be replaced, and `ValueError` for a head
    of another size.
    """
    from onnx import helper, numpy_helper

    model = load_model_file(file)
    with reading_graph(str(file)):
        old = _head(model, str(file))
    expected = len(manifest.labels), old.weights.shape[1]
    if head.weights.shape != expected or head.bias.shape != expected[:1]:
        raise ValueError(f"head: expected {expected}, got {head.weights.shape}")
    nodes = head_nodes(model)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    places = {
        nodes.classifier.input[1]: head.weights,
        nodes.classifier.input[2]: head.bias,
        **{node.input[1]: head.weights[:, :, None, None] for node in nodes.heat_maps},
    }
    for name, values in places.items():
        content = np.ascontiguousarray(values, dtype=np.float32)
        tensors[name].CopyFrom(numpy_helper.from_array(content, name))
    if len(old.bias) != len(head.bias):
        _declare_shapes(model, set(places), len(head.bias), str(file))
    helper.set_model_props(model, {MANIFEST_KEY: manifest.to_json()})
    return bytes(model.SerializeToString())


def head_nodes(model: "onnx.ModelProto") -> HeadNodes:
    """The nodes of a model that read its last features; `ModelError` where they are others."""
    graph = model.graph
    by_output = {name: node for node in graph.node for name in node.output}
    pool = by_output.get("embedding")
    classifiers = [n for n in graph.node if n.op_type == "Gemm" and "embedding" in n.input[:1]]
    if pool is None or not pool.input or len(classifiers) != 1:
        raise ModelError("its classifier cannot be told from the rest; export the model again")
    heat_maps = tuple(n for n in graph.node if n.op_type == "Conv" and pool.input[0] in n.input[:1])
    return HeadNodes(pool, classifiers[0], heat_maps)


def _declare_shapes(model: "onnx.ModelProto", changed: set[str], n_labels: int, where: str) -> None:
    """Say anew what shapes come of another number of labels, and check that the graph agrees.

    `changed` are the constants that have one row for each label: what is declared of them, and of
    all that is computed from them, is forgotten and inferred again.
    """
    from onnx import shape_inference

    graph = model.graph
    for node in graph.node:  # in the order in which they run
        if changed.intersection(node.input):
            changed.update(node.output)
    kept = [value for value in graph.value_info if value.name not in changed]
    del graph.value_info[:]
    graph.value_info.extend(kept)
    probs = next(value for value in graph.output if value.name == "probs")
    probs.type.tensor_type.shape.dim[1].dim_value = n_labels
    try:
        inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except shape_inference.InferenceError:
        raise ModelError(
            f"{where}: its graph is made for its own number of labels; export the model again"
        ) from None
    del graph.value_info[:]
    graph.value_info.extend(inferred.graph.value_info)


def _head(model: "onnx.ModelProto", where: str) -> Head:
    """Read the classifier, and check that the heat maps read the same weights."""
    from onnx import TensorProto, numpy_helper

    try:
        nodes = head_nodes(model)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    names = [*nodes.classifier.input[1:3], *(node.input[1] for node in nodes.heat_maps)]
    is_float = [tensors[n].data_type == TensorProto.FLOAT if n in tensors else False for n in names]
    attributes = {item.name: item for item in nodes.classifier.attribute}
    is_plain = "transB" in attributes and attributes["transB"].i == 1
    if len(names) < 2 or not all(is_float) or not is_plain:
        raise ModelError(f"{where}: its classifier is not kept in float; export the model again")
    weights, bias, *copies = (numpy_helper.to_array(tensors[name]) for name in names)
    if any(not np.array_equal(copy[..., 0, 0], weights) for copy in copies):
        raise ModelError(f"{where}: its heat map reads other weights; export the model again")
    if weights.ndim != 2 or bias.shape != weights.shape[:1]:
        raise ModelError(
            f"{where}: its classifier is no matrix with a bias; export the model again"
        )
    return Head(np.array(weights), np.array(bias))
