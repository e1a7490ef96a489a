"""Converts a model to smaller numbers: static int8 for CPUs, fp16 for GPUs."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from fer_live.datatypes import UInt8Array
from fer_live.model.head import head_nodes

_CALIBRATION_BATCH = 32


class _CalibrationReader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    def __init__(self, faces: UInt8Array, batch_size: int) -> None:
        n_batches = max(len(faces) // batch_size, 1)
        whole = np.resize(faces, (n_batches * batch_size, *faces.shape[1:]))
        self._batches: Iterator[UInt8Array] = iter(np.split(whole[:, None], n_batches))

    def get_next(self) -> dict[str, UInt8Array] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"faces": batch}


def to_int8(model: onnx.ModelProto, calibration_faces: UInt8Array) -> onnx.ModelProto:
    """Quantize a model statically in QDQ form, weights int8 per channel, activations uint8.

    `calibration_faces` (N, S, S) uint8 are training images; the range of each activation is taken
    from them. Scaling before the network stays in fp32, and so does all that reads the last
    features: their mean, the classifier and the heat map. A person's own classifier can then be put
    in their place, and the embedding is as fine as the features allow; it costs nothing that could
    be measured.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared, quantized = (Path(folder) / f"{name}.onnx" for name in "abc")
        onnx.save(model, str(plain))
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(quantized),
            _CalibrationReader(calibration_faces, _batch_size(model)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Gemm", "MatMul", "Add", "Relu", "ReduceMean"],
            nodes_to_exclude=_nodes_of_head(onnx.load(str(prepared))),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # 7 bits: on processors without VNNI, two products of 8 bits overflow the 16-bit sum.
            reduce_range=True,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return onnx.load(str(quantized))


def _nodes_of_head(model: onnx.ModelProto) -> list[str]:
    """Name the nodes that read the last features, and those after them."""
    of_head = head_nodes(model)
    return [of_head.pool.name, of_head.classifier.name, *(node.name for node in of_head.heat_maps)]


def _batch_size(model: onnx.ModelProto) -> int:
    fixed: int = model.graph.input[0].type.tensor_type.shape.dim[0].dim_value
    return fixed or _CALIBRATION_BATCH


def to_fp16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Convert a model to half precision; its input stays uint8 and its outputs float32."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    half: onnx.ModelProto = convert_float_to_float16(model, keep_io_types=True)
    return half
