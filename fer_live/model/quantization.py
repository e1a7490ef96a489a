"""int8 weights that no x86 processor misreads.

Processors without VNNI multiply bytes in pairs and add each pair into 16 bits with saturation
(`vpmaddubsw`): 2 * 255 * 127 does not fit, 2 * 255 * 64 does. So weights keep 7 bits. Models that
were quantized to 8 bits are mended here from their own numbers, without torch and without faces.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_live.base.atomic_file import write_atomically
from fer_live.model.inspect import load_model_file, reading_graph

if TYPE_CHECKING:
    import onnx

MAX_INT8_WEIGHT = 64
"""The largest absolute weight whose products never saturate: 2 * 255 * 64 < 2 ** 15."""
_MULTIPLIED = ("Conv", "Gemm", "MatMul")


def may_saturate(model: "onnx.ModelProto") -> bool:
    """Whether an int8 weight of `model` is so large that some processors read it wrongly."""
    return any(
        np.abs(weight.astype(np.int16)).max(initial=0) > MAX_INT8_WEIGHT
        for weight in int8_weights(model).values()
    )


def int8_weights(model: "onnx.ModelProto") -> dict[str, NDArray[np.int8]]:
    """Name -> the int8 weights of each convolution and matrix product; empty for fp32 and fp16."""
    from onnx import TensorProto, numpy_helper

    names = {source.input[0] for source in _dequantized(model, place=1)}
    return {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in model.graph.initializer
        if tensor.name in names and tensor.data_type == TensorProto.INT8
    }


def halve_weights(model: "onnx.ModelProto") -> None:
    """Halve every int8 weight and double its scale, in place: 8 bits become 7.

    Biases are stored in units of activation scale times weight scale, so they are halved with it.
    """
    from onnx import numpy_helper

    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for place in (1, 2):
        for node in _dequantized(model, place=place):
            integers, scale = (tensors[name] for name in node.input[:2])
            halves = np.rint(numpy_helper.to_array(integers) / 2)
            kind = numpy_helper.to_array(integers).dtype
            integers.CopyFrom(numpy_helper.from_array(halves.astype(kind), integers.name))
            doubled = numpy_helper.to_array(scale) * np.float32(2)
            scale.CopyFrom(numpy_helper.from_array(doubled, scale.name))


def mend_file(path: Path) -> bool:
    """Write a model file anew where its weights may saturate; whether that was so.

    Raises `ModelError` for a file that is no model, and `OutputError` where the disk refuses; the
    file is then as it was.
    """
    model = load_model_file(path)
    with reading_graph(str(path)):
        if not may_saturate(model):
            return False
        halve_weights(model)
    write_atomically(path, model.SerializeToString())
    return True


def _dequantized(model: "onnx.ModelProto", *, place: int) -> "list[onnx.NodeProto]":
    """The nodes that turn stored integers into input number `place` of a multiplication: 1, its
    weights, 2, its bias. Each once, also where several multiplications share it."""
    stored = {tensor.name for tensor in model.graph.initializer}
    makers = {
        node.output[0]: node
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in stored
    }
    found = {
        node.input[place]: makers[node.input[place]]
        for node in model.graph.node
        if node.op_type in _MULTIPLIED and len(node.input) > place and node.input[place] in makers
    }
    return list(found.values())
