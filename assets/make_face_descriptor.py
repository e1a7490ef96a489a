"""Converts dlib's face descriptor: python assets/make_face_descriptor.py FOLDER

FOLDER holds `face_recognition_model.bin` and `face_recognition_model-weights_manifest.json`, the
folder `model` of the npm package @vladmandic/face-api 1.7.15 (`npm pack`, `tar xzf`). Those are
the weights of dlib_face_recognition_resnet_model_v1.dat, each tensor in 8 bits. They stay so in
face_descriptor.onnx, whose graph turns them into floats when it is loaded.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MEAN_RGB = (122.782, 117.001, 104.298)
SIDE, N_NUMBERS = 150, 128
STAGES = ((64, 3), (128, 2), (256, 2))
"""Channels of each stage after the first, and its blocks that do not halve the picture."""


class Graph:
    """Nodes and weights, as they are added."""

    def __init__(self, folder: Path) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        manifest = folder / "face_recognition_model-weights_manifest.json"
        content = (folder / "face_recognition_model.bin").read_bytes()
        self._tensors: dict[str, tuple[np.ndarray, float, float]] = {}
        offset = 0
        for entry in (e for group in json.loads(manifest.read_text()) for e in group["weights"]):
            quantization = entry.get(
                "quantization", {"dtype": entry["dtype"], "scale": 1, "min": 0}
            )
            n = int(np.prod(entry["shape"]))
            stored = np.frombuffer(content, quantization["dtype"], n, offset).reshape(
                entry["shape"]
            )
            offset += stored.nbytes
            self._tensors[entry["name"]] = stored, quantization["scale"], quantization["min"]
        assert offset == len(content), "the manifest tells of every byte"

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; the name of its output."""
        name = f"x{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, values: np.ndarray) -> str:
        """Add a weight; its name."""
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def tensor(self, name: str, axes: tuple[int, ...]) -> str:
        """A tensor of the file, its axes in another order, from 8 bits to floats in the graph."""
        stored, scale, least = self._tensors[name]
        floats = self.node("Cast", self.constant(stored.transpose(axes)), to=TensorProto.FLOAT)
        scaled = self.node("Mul", floats, self.constant(np.float32(scale)))
        return self.node("Add", scaled, self.constant(np.float32(least)))

    def channels(self, name: str) -> np.ndarray:
        """One float for each channel, (C,)."""
        stored, scale, least = self._tensors[name]
        return (stored * np.float32(scale) + np.float32(least)).astype(np.float32)

    def convolution(self, x: str, name: str, *, stride: int = 1, pad: int = 1) -> str:
        """A convolution, then a factor and a bias for each channel."""
        filters, bias = self.tensor(f"{name}/conv/filters", (3, 2, 0, 1)), f"{name}/conv/bias"
        bias = self.constant(self.channels(bias))
        x = self.node("Conv", x, filters, bias, strides=[stride] * 2, pads=[pad] * 4)
        for kind, part in (("Mul", "weights"), ("Add", "biases")):
            values = self.channels(f"{name}/scale/{part}")
            x = self.node(kind, x, self.constant(values[:, None, None]))
        return x

    def block(self, x: str, name: str) -> str:
        """Two convolutions beside the identity."""
        inner = self.node("Relu", self.convolution(x, f"{name}/conv1"))
        return self.node("Relu", self.node("Add", x, self.convolution(inner, f"{name}/conv2")))

    def halving_block(self, x: str, name: str, side: int, more_channels: int) -> tuple[str, int]:
        """The same with half the side, and channels of zeros beside the identity's."""
        inner = self.node("Relu", self.convolution(x, f"{name}/conv1", stride=2, pad=0))
        inner = self.convolution(inner, f"{name}/conv2")
        pooled = self.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
        missing = side // 2 - ((side - 3) // 2 + 1)
        if missing:
            inner = self._pad(inner, [0, 0, missing, missing])
        if more_channels:
            pooled = self._pad(pooled, [0, more_channels, 0, 0])
        return self.node("Relu", self.node("Add", pooled, inner)), side // 2

    def _pad(self, x: str, after: list[int]) -> str:
        return self.node("Pad", x, self.constant(np.array([0, 0, 0, 0, *after], np.int64)))


def build(folder: Path) -> Any:
    """The model: `faces` (N, 1, 150, 150) uint8 gray -> `descriptors` (N, 128) float32."""
    graph = Graph(folder)
    mean = np.array(MEAN_RGB, np.float32)[:, None, None]
    x = graph.node("Cast", "faces", to=TensorProto.FLOAT)
    x = graph.node("Sub", x, graph.constant(mean))  # gray becomes three channels here
    x = graph.node("Div", x, graph.constant(np.float32(255)))
    x = graph.node("Relu", graph.convolution(x, "conv32_down", stride=2, pad=0))
    x = graph.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    side = ((SIDE - 7) // 2 + 1 - 3) // 2 + 1
    for number in (1, 2, 3):
        x = graph.block(x, f"conv32_{number}")
    for channels, n_blocks in STAGES:
        x, side = graph.halving_block(x, f"conv{channels}_down", side, channels // 2)
        for number in range(1, n_blocks + 1):
            x = graph.block(x, f"conv{channels}_{number}")
    x, side = graph.halving_block(x, "conv256_down_out", side, 0)
    x = graph.node("Flatten", graph.node("GlobalAveragePool", x))
    graph.nodes.append(helper.make_node("MatMul", [x, graph.tensor("fc", (0, 1))], ["descriptors"]))
    shape_in, shape_out = ["n", 1, SIDE, SIDE], ["n", N_NUMBERS]
    inside = helper.make_tensor_value_info("faces", TensorProto.UINT8, shape_in)
    outside = helper.make_tensor_value_info("descriptors", TensorProto.FLOAT, shape_out)
    whole = helper.make_graph(graph.nodes, "face_descriptor", [inside], [outside], graph.weights)
    model = helper.make_model(whole, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    onnx.save(build(Path(sys.argv[1])), Path(__file__).with_name("face_descriptor.onnx"))
