"""Model files: ONNX as the app loads them, their classifier and manifest, and exported profiles."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL
from fer_live.model.head import read_head, with_head
from fer_live.model.manifest import (
    EXPRESSIONS,
    MANIFEST_KEY,
    CropGeometry,
    Manifest,
    parse_manifest,
)
from fer_live.model.quantization import mend_file
from fer_live.personal.models import list_models
from fer_live.personal.profile_file import import_profile
from fer_live.vision.classifier import ExpressionClassifier
from tests.trust.fuzz.kind import InputKind, kind_of
from tests.trust.fuzz.spoil import EVIL, archive_spoilt, bytes_spoilt, json_spoilt

_SIDE, _D = 16, 4
_MANIFEST = Manifest(
    labels=EXPRESSIONS,
    input_side=_SIDE,
    crop=CropGeometry(),
    priors={"even": (0.1,) * 8},
    prior_temperatures={"even": 1.2},
    training={"data": "made up", "personalized": {"base_sha256": "0"}},
    card="# A card",
)
_FILE = "model.onnx"
_ODD_OPERATORS = ("Evil", "Cast", "Identity", "Softmax", "NonZero", "Shape", "Loop", "If", "Conv")
_LARGE = 2**40


def small_model(*, is_quantized: bool = False) -> onnx.ModelProto:
    """A model with all outputs that ours have, whose classifier can be replaced."""
    pixels = np.random.default_rng(0)
    weights = pixels.normal(size=(8, _D)).astype(np.float32)
    constants = {
        "k": pixels.normal(size=(_D, 1, 3, 3)).astype(np.float32),
        "w": weights,
        "b": np.zeros(8, np.float32),
        "map_w": weights[:, :, None, None],
    }
    kernel = "k"
    nodes = [helper.make_node("Cast", ["faces"], ["f"], to=TensorProto.FLOAT)]
    if is_quantized:
        constants["k"] = pixels.integers(-127, 128, (_D, 1, 3, 3)).astype(np.int8)
        constants |= {"scale": np.array(0.01, np.float32), "zero": np.array(0, np.int8)}
        nodes.append(helper.make_node("DequantizeLinear", ["k", "scale", "zero"], ["kf"]))
        kernel = "kf"
    nodes += [
        helper.make_node("Conv", ["f", kernel], ["map"], strides=[4, 4]),
        helper.make_node("ReduceMean", ["map"], ["embedding"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["embedding", "w", "b"], ["logits"], transB=1),
        helper.make_node("Softmax", ["logits"], ["probs"]),
        helper.make_node("Conv", ["map", "map_w"], ["heat"]),
        helper.make_node("ReduceMax", ["heat"], ["attention"], axes=[1], keepdims=0),
    ]
    outputs = {"probs": ["N", 8], "attention": ["N", "h", "w"], "embedding": ["N", _D]}
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("faces", TensorProto.UINT8, ["N", 1, _SIDE, _SIDE])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9)
    helper.set_model_props(model, {MANIFEST_KEY: _MANIFEST.to_json()})
    return model


def model_spoilt(content: bytes, choose: Random) -> bytes:
    """A model file of which the graph, or what it says of itself, is another."""
    if choose.random() < 0.2:
        return bytes_spoilt(content, choose)
    model = onnx.ModelProto.FromString(content)
    for _ in range(choose.randint(1, 3)):
        choose.choice(_EDITS)(model, choose)
    return model.SerializeToString()


def _edit_node(model: Any, choose: Random) -> None:
    """Another operator, or others that it reads from or writes to."""
    graph = model.graph
    if not graph.node:
        return
    node = choose.choice(graph.node)
    names = [*(n for other in graph.node for n in other.output), "faces", "", "nowhere", "k", "w"]
    match choose.choice(("operator", "domain", "input", "output", "fewer", "gone", "twice")):
        case "operator":
            node.op_type = choose.choice(_ODD_OPERATORS)
        case "domain":
            node.domain = choose.choice(("evil", "com.microsoft", "ai.onnx.ml"))
        case "input" if node.input:
            node.input[choose.randrange(len(node.input))] = choose.choice(names)
        case "output" if node.output:
            node.output[choose.randrange(len(node.output))] = choose.choice(names)
        case "fewer":
            del (node.input if choose.random() < 0.5 else node.output)[:]
        case "gone":
            graph.node.remove(node)
        case "twice":
            graph.node.append(node)


def _edit_attribute(model: Any, choose: Random) -> None:
    nodes = [node for node in model.graph.node if node.attribute]
    if not nodes:
        return
    attribute = choose.choice(choose.choice(nodes).attribute)
    match choose.choice(("ints", "int", "type", "gone", "name")):
        case "ints":
            odd = choose.choice(((), (0, 0), (-1, 4), (_LARGE, _LARGE), (4, 4, 4)))
            attribute.ints[:] = odd
        case "int":
            attribute.i = choose.choice((-1, 0, 1, 99, _LARGE))
        case "type":
            attribute.type = choose.choice((0, 1, 2, 4, 5))
        case "gone":
            attribute.Clear()
        case "name":
            attribute.name = choose.choice(("evil", "", "axis"))


def _edit_tensor(model: Any, choose: Random) -> None:
    """Constants of other sizes than they hold, or that lie in another file."""
    if not model.graph.initializer:
        return
    tensor = choose.choice(model.graph.initializer)
    match choose.choice(("dims", "type", "data", "outside", "name", "gone", "nan")):
        case "dims":
            tensor.dims[:] = choose.choice(((), (0,), (-1,), (_LARGE, _LARGE), (2**31,), (3, 3)))
        case "type":
            tensor.data_type = choose.choice((0, 1, 2, 3, 7, 8, 10, 16, 17, 22, 99))
        case "data":
            tensor.raw_data = choose.choice((b"", tensor.raw_data[:-1], tensor.raw_data * 2))
        case "outside":
            tensor.data_location = TensorProto.EXTERNAL
            where = choose.choice(("../outside/kept.txt", EVIL, "/etc/passwd", "", "weights.bin"))
            del tensor.external_data[:]
            entry = tensor.external_data.add()
            entry.key, entry.value = choose.choice(("location", "offset", "evil")), where
        case "name":
            tensor.name = choose.choice(("", "faces", "probs", "w", "k"))
        case "gone":
            model.graph.initializer.remove(tensor)
        case "nan" if tensor.data_type == TensorProto.FLOAT:
            odd = np.float32(choose.choice((np.nan, np.inf, 1e38)))
            tensor.raw_data = odd.tobytes() * (len(tensor.raw_data) // odd.itemsize)


def _edit_signature(model: Any, choose: Random) -> None:
    """What the graph says that goes in and comes out."""
    value = choose.choice([*model.graph.input, *model.graph.output] or [model.graph.input.add()])
    match choose.choice(("name", "dims", "type", "gone", "sequence")):
        case "name":
            value.name = choose.choice(("faces", "probs", "embedding", "attention", "x", ""))
        case "dims":
            shape = value.type.tensor_type.shape
            if not shape.dim or choose.random() < 0.3:
                shape.dim.add().dim_value = choose.choice((0, 1, 8, _LARGE))
            else:
                choose.choice(shape.dim).dim_value = choose.choice((-1, 0, 1, 7, 4096, _LARGE))
        case "type":
            value.type.tensor_type.elem_type = choose.choice((0, 1, 2, 3, 7, 8, 10, 99))
        case "gone":
            (model.graph.input if value in model.graph.input else model.graph.output).remove(value)
        case "sequence":
            value.type.sequence_type.elem_type.tensor_type.elem_type = 1


def _grow(model: Any, choose: Random) -> None:
    """Nodes that take for ever, or more memory than there is, in front of the answer."""
    graph = model.graph
    last = next((node for node in graph.node if "probs" in node.output), None)
    if last is None:
        return
    last.output[list(last.output).index("probs")] = "probs_before"
    match choose.choice(("expand", "tile", "loop", "nested", "chain")):
        case "expand" | "tile" as what:
            n = choose.choice((2**20, 2**28, 2**34, 2**62, -1))
            sizes = [n, 1] if what == "tile" else [1, n, 8]
            graph.initializer.append(numpy_helper.from_array(np.array(sizes, np.int64), "sizes"))
            operator = "Tile" if what == "tile" else "Expand"
            graph.node.append(helper.make_node(operator, ["probs_before", "sizes"], ["large"]))
            reduced = [1] if what == "expand" else [0]
            graph.node.append(helper.make_node("ReduceMean", ["large"], ["probs"], axes=reduced))
        case "loop":
            _loop(graph, choose.choice((10, 2**62)))
        case "nested":
            inner = helper.make_graph([], "inner", [], [])
            for _ in range(choose.choice((2, 50, 150))):
                node = helper.make_node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
                inner = helper.make_graph([node], "inner", [], [])
                if inner.ByteSize() > 100_000:
                    break
            graph.node.extend(inner.node)
        case "chain":
            before = "probs_before"
            for number in range(choose.choice((10, 3000))):
                graph.node.append(helper.make_node("Abs", [before], [f"a{number}"]))
                before = f"a{number}"
            graph.node.append(helper.make_node("Identity", [before], ["probs"]))


def _loop(graph: Any, times: int) -> None:
    """The answer once more, so often."""
    flag = helper.make_tensor_value_info("go_in", TensorProto.BOOL, [])
    number = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    value = helper.make_tensor_value_info("p_in", TensorProto.FLOAT, None)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_in"], ["go_out"]),
            helper.make_node("Softmax", ["p_in"], ["p_out"]),
        ],
        "body",
        [number, flag, value],
        [
            helper.make_tensor_value_info("go_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("p_out", TensorProto.FLOAT, None),
        ],
    )
    graph.initializer.append(numpy_helper.from_array(np.array(times, np.int64), "times"))
    graph.initializer.append(numpy_helper.from_array(np.array(True), "go"))
    graph.node.append(
        helper.make_node("Loop", ["times", "go", "probs_before"], ["probs"], body=body)
    )


def _edit_manifest(model: Any, choose: Random) -> None:
    texts = {item.key: item for item in model.metadata_props}
    if MANIFEST_KEY in texts:
        spoilt = json_spoilt(texts[MANIFEST_KEY].value.encode(), choose)
        texts[MANIFEST_KEY].value = spoilt.decode(errors="replace")


def _edit_versions(model: Any, choose: Random) -> None:
    match choose.choice(("ir", "opset", "domain", "none", "function", "training")):
        case "ir":
            model.ir_version = choose.choice((-1, 0, 3, 99))
        case "opset" if model.opset_import:
            model.opset_import[0].version = choose.choice((-1, 0, 1, 12, 18, 999))
        case "domain":
            model.opset_import.append(helper.make_opsetid("evil", 1))
        case "none":
            del model.opset_import[:]
        case "function":
            node = helper.make_node("Softmax", ["x"], ["y"])
            opsets = [helper.make_opsetid("", 17)]
            model.functions.append(
                helper.make_function("evil", "Evil", ["x"], ["y"], [node], opsets)
            )
        case "training":
            model.training_info.add().algorithm.node.add().op_type = "Evil"


_EDITS: tuple[Callable[[Any, Random], None], ...] = (
    *(_edit_node, _edit_node, _edit_attribute, _edit_tensor, _edit_tensor, _edit_signature),
    *(_grow, _edit_manifest, _edit_versions),
)


def _write_model(folder: Path, *, is_quantized: bool = False) -> None:
    (folder / _FILE).write_bytes(small_model(is_quantized=is_quantized).SerializeToString())


def _spoil_model(folder: Path, choose: Random) -> None:
    (folder / _FILE).write_bytes(model_spoilt((folder / _FILE).read_bytes(), choose))


def _load(folder: Path) -> None:
    """As the app does with `--model FILE.onnx`; it runs once while it is loaded."""
    classifier = ExpressionClassifier(folder / _FILE, "cpu")
    faces = np.zeros((3, classifier.side, classifier.side), np.uint8)
    probs, _ = classifier.classify_with_heat_maps(faces)
    assert probs.shape == (3, len(classifier.labels))


def _read_head(folder: Path) -> None:
    """As a calibration in closed form does: reads the classifier, and puts another in its place."""
    head = read_head(folder / _FILE)
    with_head(folder / _FILE, head, _MANIFEST)


def _mend(folder: Path) -> None:
    """As the app does with models that were installed by an earlier version."""
    mend_file(folder / _FILE)
    _load(folder)


def _read_manifest(folder: Path) -> None:
    text = (folder / "manifest.json").read_bytes().decode(errors="replace")
    manifest = parse_manifest(text, "model.onnx")
    probs = np.full((2, len(manifest.labels)), 1 / len(manifest.labels), np.float32)
    for name in manifest.prior_names:
        assert manifest.with_prior(probs, name).shape == probs.shape
    manifest.to_json()


def _spoil_manifest(folder: Path, choose: Random) -> None:
    path = folder / "manifest.json"
    path.write_bytes(json_spoilt(path.read_bytes(), choose))


def _write_profile(folder: Path) -> None:
    content, model = io.BytesIO(), small_model().SerializeToString()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        members = {"profile.json": b'{"format": 1, "name": "Ada"}', CPU_MODEL: model}
        for name, inner in {**members, GPU_MODEL: model, CHECKPOINT: b"weights"}.items():
            archive.writestr(zipfile.ZipInfo(name), inner)
    (folder / "Ada.ferprofile").write_bytes(content.getvalue())


def _spoil_profile(folder: Path, choose: Random) -> None:
    def inside(name: str, content: bytes) -> bytes:
        if name.endswith(".json"):
            return json_spoilt(content, choose)
        return (
            model_spoilt(content, choose)
            if name.endswith(".onnx")
            else bytes_spoilt(content, choose)
        )

    path = folder / "Ada.ferprofile"
    path.write_bytes(archive_spoilt(path.read_bytes(), choose, inside))


def _import(folder: Path) -> None:
    import_profile(folder / "Ada.ferprofile")
    list_models()


KINDS: dict[str, InputKind] = {
    "model": kind_of(_write_model, _spoil_model, _load),
    "model head": kind_of(_write_model, _spoil_model, _read_head),
    "quantized model": kind_of(lambda f: _write_model(f, is_quantized=True), _spoil_model, _mend),
    "manifest": kind_of(
        lambda folder: _ignore((folder / "manifest.json").write_text(_MANIFEST.to_json())),
        _spoil_manifest,
        _read_manifest,
    ),
    "profile": kind_of(_write_profile, _spoil_profile, _import),
}


def _ignore(_: object) -> None:
    """What comes back is of no interest."""
