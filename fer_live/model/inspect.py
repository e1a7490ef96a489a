"""Looks into an ONNX file before anything runs it. No other file of the app imports onnx."""

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fer_live.base.regular_file import open_regular
from fer_live.base.translation import tr
from fer_live.errors import ModelError
from fer_live.model.graph_size import MAX_NODES, TooMuch, refuse_large_graph
from fer_live.model.manifest import MANIFEST_KEY, parse_manifest

if TYPE_CHECKING:
    import onnx

_FLOAT, _UINT8 = 1, 2
"""The element types of `onnx.TensorProto`."""
_MAX_BYTES = 2**28
"""Twenty times the shipped model. It is in memory several times until it runs."""
_MAX_WEIGHTS = 2**27
"""Numbers, in a byte each or in four."""
_BATCH = 16
"""Faces that are read at once."""
_ANY = None
"""A size that may be anything: the number of faces, the side of an attention map."""


def load_model_file(file: Path) -> "onnx.ModelProto":
    """A model file, checked before anything runs it.

    Raises `ModelError`, with one line, for what is no whole ONNX model, keeps weights in other
    files, has no manifest of a known schema, or contradicts its manifest.
    """
    import onnx  # late: the shipped models, which need no look, should not wait for it
    from google.protobuf.message import DecodeError
    from onnx.external_data_helper import uses_external_data

    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ModelError(tr("{file}: larger than a model can be", file=file))
        with open_regular(file) as opened:
            model = onnx.load(opened, format="protobuf", load_external_data=False)
    except OSError as error:
        raise ModelError(
            tr("{file}: cannot be read: {reason}", file=file, reason=error.strerror)
        ) from None
    except DecodeError:
        model = onnx.ModelProto()
    if not model.graph.output:
        raise ModelError(
            tr("{file}: not a model, or cut short; export or copy it again", file=file)
        )
    if len(model.graph.node) > MAX_NODES or len(model.graph.initializer) > MAX_NODES:
        raise ModelError(tr("{file}: larger than a model can be", file=file))
    # A name in a model file must not make the app open whatever lies under that name.
    for tensor in _tensors(model):
        if uses_external_data(tensor):
            raise ModelError(
                tr(
                    "{file}: keeps weights in other files; save it again with all of them inside",
                    file=file,
                )
            )
    _refuse_programs(model, file)
    texts = {item.key: item.value for item in model.metadata_props}
    manifest = parse_manifest(texts.get(MANIFEST_KEY), str(file))
    side, n_classes = manifest.input_side, len(manifest.labels)
    again = "as its manifest says; export the model again"
    inputs, outputs = _signatures(model.graph.input), _signatures(model.graph.output)
    if set(inputs) != {"faces"} or not _fits(inputs["faces"], _UINT8, (_ANY, 1, side, side)):
        raise ModelError(f"{file}: its input is not `faces` uint8 (N, 1, {side}, {side}) {again}")
    if not _fits(outputs.get("probs"), _FLOAT, (_ANY, n_classes)):
        raise ModelError(f"{file}: its output is not `probs` float32 (N, {n_classes}) {again}")
    if "attention" in outputs and not _fits(outputs["attention"], _FLOAT, (_ANY, _ANY, _ANY)):
        raise ModelError(
            f"{file}: its output `attention` is not float32 (N, h, w); export the model again"
        )
    if "embedding" in outputs and not _fits(outputs["embedding"], _FLOAT, (_ANY, _ANY)):
        raise ModelError(
            f"{file}: its output `embedding` is not float32 (N, D); export the model again"
        )
    _refuse_huge(model, file)
    return model


@contextmanager
def reading_graph(where: str) -> Iterator[None]:
    """What a graph is read in whose parts may contradict each other: constants that are shorter
    than they say, nodes without inputs. Turns all of that into `ModelError`."""
    try:
        yield
    except (ValueError, IndexError, KeyError, TypeError, MemoryError) as error:
        why = str(error).split("\n")[0][:200]
        raise ModelError(
            tr("{file}: its graph contradicts itself: {why}; export it again", file=where, why=why)
        ) from None


def _refuse_programs(model: "onnx.ModelProto", file: Path) -> None:
    """Raise `ModelError` for what no export of ours has, and a stranger's file could use: loops
    that never end, operators of other libraries, some of which open files, and functions, which
    can call each other so that a small file grows without bound."""
    foreign = {f"{node.domain}.{node.op_type}" for node in model.graph.node if node.domain}
    foreign -= {f"ai.onnx.{node.op_type}" for node in model.graph.node}
    steering = {node.op_type for node in model.graph.node if any(map(_has_graph, node.attribute))}
    refused = sorted(foreign | steering | {function.name for function in model.functions})
    if refused:
        raise ModelError(
            tr(
                "{file}: has {name} in it, which no model of this app has; use a file written by "
                "fer-export or fer-train",
                file=file,
                name=refused[0],
            )
        )


def _has_graph(attribute: "onnx.AttributeProto") -> bool:
    return attribute.HasField("g") or len(attribute.graphs) > 0


def _refuse_huge(model: "onnx.ModelProto", file: Path) -> None:
    """Raise `ModelError` where a model would take too much memory or time, as far as its shapes
    tell before it runs: claimed by a weight, or computed."""
    import onnx

    weights = [math.prod(tensor.dims) for tensor in _tensors(model)]
    weights += [math.prod(sparse.dims) for sparse in model.graph.sparse_initializer]
    if sum(size for size in weights if size > 0) > _MAX_WEIGHTS:
        raise ModelError(tr("{file}: makes an array that is too large for this app", file=file))
    batch = onnx.ModelProto()
    batch.CopyFrom(model)
    n_faces = batch.graph.input[0].type.tensor_type.shape.dim[0]
    n_faces.dim_value = n_faces.dim_value or _BATCH
    # What a file says of its arrays in between is not taken on trust.
    del batch.graph.value_info[:]
    for output in batch.graph.output:
        output.type.tensor_type.ClearField("shape")
    try:
        inferred = onnx.shape_inference.infer_shapes(batch, data_prop=True).graph
    except Exception as error:  # C++ errors of several types
        raise ModelError(
            tr("{file}: not a model, or cut short; export or copy it again", file=file)
        ) from error
    values = [*inferred.input, *inferred.value_info, *inferred.output]
    known = [value for value in values if value.type.tensor_type.HasField("shape")]
    told = {name: sizes for name, (_, sizes) in _signatures(known).items()}
    told |= {tensor.name: tuple(tensor.dims) for tensor in inferred.initializer}
    with reading_graph(str(file)):
        try:
            refuse_large_graph(inferred, told, n_faces.dim_value)
        except TooMuch as error:
            raise ModelError(
                tr("{file}: {why}; use a smaller model", file=file, why=error)
            ) from None


_Signature = tuple[int, tuple[int | None, ...]]


def _signatures(values: "Iterable[onnx.ValueInfoProto]") -> dict[str, _Signature]:
    """Name -> type of the elements, and sizes, None for what may be anything."""
    return {
        value.name: (
            value.type.tensor_type.elem_type,
            tuple(
                dim.dim_value if dim.HasField("dim_value") else _ANY
                for dim in value.type.tensor_type.shape.dim
            ),
        )
        for value in values
    }


def _fits(found: _Signature | None, kind: int, sizes: tuple[int | None, ...]) -> bool:
    if found is None or found[0] != kind or len(found[1]) != len(sizes):
        return False
    return all(want is _ANY or size == want for size, want in zip(found[1], sizes, strict=True))


def _tensors(model: "onnx.ModelProto") -> "Iterator[onnx.TensorProto]":
    """All constants of a model, those of its functions and inner graphs too."""
    yield from _tensors_of_graph(model.graph)
    for function in model.functions:
        yield from _tensors_of_nodes(function.node)


def _tensors_of_graph(graph: "onnx.GraphProto") -> "Iterator[onnx.TensorProto]":
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _tensors_of_nodes(graph.node)


def _tensors_of_nodes(nodes: "Iterable[onnx.NodeProto]") -> "Iterator[onnx.TensorProto]":
    for node in nodes:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors_of_graph(inner)
