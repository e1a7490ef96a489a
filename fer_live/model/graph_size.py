"""What running a graph takes, told from its shapes: memory and multiplications.

The shipped model reads a face in 140 million multiply-adds and holds 125,000 numbers at once.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx

MAX_NODES = 10_000
"""The shipped model has 143."""
_MAX_ALIVE = 2**27
"""Numbers that are there at once, for a whole batch: half a gigabyte of float32."""
_MAX_CONSTANT = 2**26
"""Numbers that do not depend on the faces, and so stay once they were computed."""
_MAX_WORK = 14_000_000_000
"""Multiply-adds for a face, a hundred times those of the shipped model."""
_PER_NUMBER = 8
"""Of what is no product of matrices, for each number that it reads or makes."""
_UNKNOWN_COST = {
    *("Einsum", "LSTM", "GRU", "RNN", "Det", "DFT", "STFT", "NonMaxSuppression", "RoiAlign"),
    *("MaxRoiPool", "DeformConv", "LRN", "GridSample", "TfIdfVectorizer", "Attention", "Col2Im"),
    *("ImageDecoder", "RegexFullMatch", "StringSplit", "StringConcat", "StringNormalizer"),
}
"""Operators whose cost their shapes do not tell; no model of this app has them."""
_SAME_SIZE = {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity"}

Shapes = Mapping[str, Sequence[int | None]]


class TooMuch(ValueError):
    """A graph that takes more than this app allows; says what of."""


@dataclass(slots=True)
class _Sums:
    """Numbers that are alive now and were at most, that stay, and multiply-adds."""

    alive: int = 0
    most_alive: int = 0
    constant: int = 0
    work_a_batch: int = 0
    work_once: int = 0


def refuse_large_graph(graph: "onnx.GraphProto", shapes: Shapes, n_faces: int) -> None:
    """Raise `TooMuch` for a graph that would take too much memory or time, and another `ValueError`
    for one whose operators lack inputs.

    Args:
        graph: Without graphs inside of it.
        shapes: Of every value, weights too, for a batch of so many faces; None where a size is not
            told.
        n_faces: Faces of the batch.
    """
    sizes = {name: _count(shape) for name, shape in shapes.items() if _is_told(shape)}
    of_faces = {value.name for value in graph.input}
    last_use = {name: index for index, node in enumerate(graph.node) for name in node.input}
    last_use |= dict.fromkeys((value.name for value in graph.output), len(graph.node))
    ends: dict[int, int] = {}
    sums = _Sums()
    for index, node in enumerate(graph.node):
        if node.op_type in _UNKNOWN_COST:
            raise TooMuch(f"has {node.op_type} in it, whose cost cannot be told")
        for name in filter(None, node.output):
            if name not in sizes and node.op_type in _SAME_SIZE:
                sizes[name] = sizes.get(_input(node, 0), 0)
            if name not in sizes:
                raise TooMuch(f"{node.op_type} makes an array whose size cannot be told")
        made = sum(sizes[name] for name in node.output if name)
        work = _work(node, made, shapes, sizes)
        if of_faces.isdisjoint(node.input):
            sums.constant += made
            sums.work_once += work
        else:
            of_faces.update(node.output)
            sums.work_a_batch += work
            sums.alive += made
            sums.most_alive = max(sums.most_alive, sums.alive)
            for name in filter(None, node.output):
                end = max(last_use.get(name, index), index)
                ends[end] = ends.get(end, 0) + sizes[name]
        sums.alive -= ends.pop(index, 0)
    _refuse(sums, n_faces)


def _refuse(sums: _Sums, n_faces: int) -> None:
    if sums.constant > _MAX_CONSTANT or sums.most_alive > _MAX_ALIVE:
        raise TooMuch("makes arrays that are too large in all")
    # In whole numbers: a size that a file claims may be too large for a float.
    if sums.work_once * n_faces + sums.work_a_batch > _MAX_WORK * n_faces:
        raise TooMuch("takes too long to read a face")


def _is_told(shape: Sequence[int | None]) -> bool:
    return all(size is not None and size >= 0 for size in shape)


def _work(node: "onnx.NodeProto", made: int, shapes: Shapes, sizes: Mapping[str, int]) -> int:
    """Multiply-adds of a node that makes so many numbers."""
    read = sum(sizes.get(name, 0) for name in node.input)
    least = _PER_NUMBER * (made + read)

    def shape_of(place: int) -> Sequence[int | None]:
        return shapes.get(_input(node, place), ())

    match node.op_type:
        case "Conv" | "ConvInteger":
            return least + made * _product(shape_of(1)[1:])
        case "QLinearConv":
            return least + made * _product(shape_of(3)[1:])
        case "ConvTranspose":
            return least + read * _product(shape_of(1)[1:])
        case "MatMul" | "MatMulInteger" | "QLinearMatMul":
            return least + made * _product(shape_of(0)[-1:])
        case "Gemm":
            return least + made * max((size or 1 for size in shape_of(0)), default=1)
    kernel = [size for item in node.attribute if item.name == "kernel_shape" for size in item.ints]
    return least + made * _product(kernel)


def _input(node: "onnx.NodeProto", place: int) -> str:
    """The name of an input that an operator cannot be without."""
    if place >= len(node.input):
        raise ValueError(f"{node.op_type} with {len(node.input)} inputs")
    return str(node.input[place])


def _count(sizes: Sequence[int | None]) -> int:
    return math.prod(size or 0 for size in sizes)


def _product(sizes: Iterable[int | None]) -> int:
    return math.prod(max(size or 1, 1) for size in sizes)
