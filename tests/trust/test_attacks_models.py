"""Model files from strangers: refused in one line, before anything runs them."""

import contextlib
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import fer_live.vision.classifier as classifier_module
from fer_live.errors import InputError, ModelError
from fer_live.model.assets import CPU_MODEL, GPU_MODEL, asset
from fer_live.model.graph_size import TooMuch, refuse_large_graph
from fer_live.model.inspect import load_model_file
from fer_live.model.manifest import EXPRESSIONS, parse_manifest
from fer_live.personal.models import check_name, find_model, list_models, resolve_model
from fer_live.personal.profile_file import import_profile
from fer_live.vision.classifier import ExpressionClassifier
from fer_live.window.personal.model_dialog import ModelDialog
from tests.helpers.models import MANIFEST, save_model

Spoil = Callable[[onnx.ModelProto], None]


def with_external_weights(model: onnx.ModelProto, location: str) -> None:
    weights = model.graph.initializer[0]
    onnx.external_data_helper.set_external_data(weights, location)
    weights.ClearField("raw_data")


def with_a_loop(model: onnx.ModelProto) -> None:
    """One that never ends: its condition stays true."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("Identity", ["x"], ["y"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("x", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, None),
        ],
    )
    model.graph.node[-1].output[0] = "before"
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "go"))
    model.graph.node.append(helper.make_node("Loop", ["", "go", "before"], ["probs"], body=body))


def with_an_operator_of(domain: str, kind: str) -> Spoil:
    def spoil(model: onnx.ModelProto) -> None:
        model.opset_import.append(helper.make_opsetid(domain, 1))
        model.graph.node.append(helper.make_node(kind, ["f"], ["z"], domain=domain))

    return spoil


def with_functions_that_double(model: onnx.ModelProto) -> None:
    """Thirty functions, each of which calls the next one twice."""
    for k in range(30):
        calls = [
            helper.make_node(f"F{k + 1}", ["a"], ["b"], domain="d"),
            helper.make_node(f"F{k + 1}", ["b"], ["c"], domain="d"),
        ]
        opset = [helper.make_opsetid("", 18), helper.make_opsetid("d", 1)]
        model.functions.append(helper.make_function("d", f"F{k}", ["a"], ["c"], calls, opset))


def with_an_array_of_terabytes(model: onnx.ModelProto) -> None:
    """Computed by a node of a few bytes."""
    shape = numpy_helper.from_array(np.array([10**6, 10**6], np.int64), "shape")
    model.graph.initializer.append(shape)
    model.graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["much"]))


def with_arrays_that_are_all_there_at_once(model: onnx.ModelProto) -> None:
    """Each of them within the limit of one."""
    model.graph.initializer.append(numpy_helper.from_array(np.array([2**25], np.int64), "shape"))
    for k in range(8):
        model.graph.node.append(helper.make_node("ConstantOfShape", ["shape"], [f"a{k}"]))
    model.graph.node.append(helper.make_node("Sum", [f"a{k}" for k in range(8)], ["sum"]))


def with_products_of_large_matrices(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(
        numpy_helper.from_array(np.array([4096, 4096], np.int64), "shape")
    )
    model.graph.node.append(helper.make_node("ConstantOfShape", ["shape"], ["a0"]))
    for k in range(3):
        model.graph.node.append(helper.make_node("MatMul", [f"a{k}"] * 2, [f"a{k + 1}"]))


def with_an_array_of_a_size_that_is_read(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("NonZero", ["f"], ["where"]))


def with_an_array_that_grows_with_the_faces(model: onnx.ModelProto) -> None:
    """Harmless for one face: N to the power of 8."""
    add = model.graph.node.append
    add(helper.make_node("Shape", ["f"], ["n"], start=0, end=1))
    add(helper.make_node("Concat", ["n"] * 8, ["shape"], axis=0))
    add(helper.make_node("ConstantOfShape", ["shape"], ["much"]))


def with_an_endless_chain(model: onnx.ModelProto) -> None:
    for k in range(20_000):
        source = f"i{k - 1}" if k else "logits"
        model.graph.node.append(helper.make_node("Identity", [source], [f"i{k}"]))


def with_sparse_weights(model: onnx.ModelProto) -> None:
    """One number, and a claim of 10 to the power of 12."""
    value = numpy_helper.from_array(np.ones(1, np.float32), "sparse")
    place = numpy_helper.from_array(np.zeros(1, np.int64), "place")
    sparse = helper.make_sparse_tensor(value, place, [10**6, 10**6])
    model.graph.sparse_initializer.append(sparse)


def with_a_recurrence(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Einsum", ["f"], ["z"], equation="nchw->n"))


def with_a_false_size(model: onnx.ModelProto) -> None:
    """The file says that the array is small."""
    with_an_array_of_terabytes(model)
    model.graph.value_info.append(helper.make_tensor_value_info("much", TensorProto.FLOAT, [1, 1]))


def with_a_huge_claim(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [2**40, 8]


def without_data(model: onnx.ModelProto) -> None:
    """Claimed, and within every limit, but not there."""
    model.graph.initializer[0].ClearField("raw_data")


def with_a_negative_shape(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [-1, -18432]


def that_feeds_itself(model: onnx.ModelProto) -> None:
    model.graph.node[1].input[0] = "logits"


NEEDS_INPUTS = (
    *("Conv", "ConvInteger", "QLinearConv", "ConvTranspose", "MatMul", "MatMulInteger"),
    *("QLinearMatMul", "Gemm", "Flatten", "Reshape", "Identity", "Softmax", "DequantizeLinear"),
)


def with_an_operator_without_inputs(kind: str) -> Spoil:
    """In place of the last one, whose size is told by the output."""

    def spoil(model: onnx.ModelProto) -> None:
        model.graph.node[-1].op_type = kind
        del model.graph.node[-1].input[:]

    return spoil


EMBEDDING: dict[str, object] = {
    "class_means": [[0.1]] * 8,
    "spread": [0.1],
    "directions": [[0.1]],
    "class_shares": [0.125] * 8,
    "n": 8,
}

REFUSED: dict[str, tuple[Spoil, str]] = {
    "beside": (lambda m: with_external_weights(m, "weights.bin"), "keeps weights in other files"),
    "above": (lambda m: with_external_weights(m, "../../secret"), "keeps weights in other files"),
    "elsewhere": (lambda m: with_external_weights(m, "/etc/passwd"), "weights in other files"),
    "loop": (with_a_loop, "has Loop in it"),
    "custom": (with_an_operator_of("evil.example", "Run"), "has evil.example.Run in it"),
    "engine": (with_an_operator_of("com.microsoft", "EPContext"), "com.microsoft.EPContext"),
    "plugin": (with_an_operator_of("trt.plugins", "X"), "has trt.plugins.X in it"),
    "doubling": (with_functions_that_double, "has F0 in it"),
    "terabytes": (with_an_array_of_terabytes, "too large"),
    "claim": (with_a_huge_claim, "too large"),
    "many": (with_arrays_that_are_all_there_at_once, "too large in all"),
    "products": (with_products_of_large_matrices, "takes too long"),
    "read": (with_an_array_of_a_size_that_is_read, "NonZero makes an array whose size cannot"),
    "faces": (with_an_array_that_grows_with_the_faces, "too large in all"),
    "chain": (with_an_endless_chain, "larger than a model can be"),
    "sparse": (with_sparse_weights, "too large"),
    "unknown": (with_a_recurrence, "has Einsum in it, whose cost"),
    "lie": (with_a_false_size, "too large"),
}
BROKEN: dict[str, Spoil] = {
    "without": without_data,
    "negative": with_a_negative_shape,
    "cycle": that_feeds_itself,
    **{f"{kind} alone": with_an_operator_without_inputs(kind) for kind in NEEDS_INPUTS},
}


def spoilt(file: Path, spoil: Spoil) -> Path:
    model = save_model(file)
    spoil(model)
    file.write_bytes(model.SerializeToString())
    return file


@pytest.mark.parametrize("attack", REFUSED)
def test_a_hostile_model_is_refused_before_a_session_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: str
):
    spoil, says = REFUSED[attack]
    (tmp_path / "weights.bin").write_bytes(bytes(4 * 48 * 48 * 8))
    runtime = classifier_module.onnx_runtime()
    monkeypatch.setattr(runtime, "InferenceSession", lambda *_, **__: pytest.fail("a session"))
    file = spoilt(tmp_path / "a.onnx", spoil)
    with pytest.raises(ModelError, match=says) as caught:
        ExpressionClassifier(file, "cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("attack", BROKEN)
def test_a_model_that_contradicts_itself_is_refused_in_one_line(tmp_path: Path, attack: str):
    with pytest.raises(ModelError) as caught:
        ExpressionClassifier(spoilt(tmp_path / "a.onnx", BROKEN[attack]), "cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("n_inputs", [0, 1])
@pytest.mark.parametrize("kind", NEEDS_INPUTS)
def test_what_a_graph_takes_can_be_asked_of_one_that_lacks_inputs(kind: str, n_inputs: int):
    """Whatever the inference of shapes lets through: nothing but a `ValueError`."""
    inputs = ["faces"][:n_inputs]
    node = helper.make_node(kind, inputs, ["probs"])
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("faces", 2, [1, 8])], [])
    with contextlib.suppress(ValueError):
        refuse_large_graph(graph, {"faces": (1, 8), "probs": (1, 8)}, 1)


def test_a_graph_whose_work_is_beyond_a_float_is_refused():
    kernel = [2**62] * 30
    node = helper.make_node("MaxPool", ["faces"], ["probs"], kernel_shape=kernel)
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("faces", 2, [1, 8])], [])
    with pytest.raises(TooMuch, match="takes too long"):
        refuse_large_graph(graph, {"faces": (1, 8), "probs": (1, 8)}, 1)


def test_a_file_larger_than_any_model_is_not_read(tmp_path: Path):
    file = tmp_path / "a.onnx"
    file.touch()
    os.truncate(file, 2**40)  # no byte of it lies on the disk
    with pytest.raises(ModelError, match="larger than a model can be"):
        load_model_file(file)


def test_what_we_export_passes():
    for name in (CPU_MODEL, GPU_MODEL):
        assert load_model_file(asset(name)).graph.node


@pytest.mark.parametrize(
    "label",
    ["../../.ssh", "/etc", "a/b", "a\\b", ".hidden", "a\0b", "a\nb", "<b>a", "x" * 61, " a", "C:a"],
)
def test_no_label_of_a_model_can_be_a_path_or_markup(label: str):
    """The takes of an expression are kept in a folder that is called like it."""
    told = json.loads(MANIFEST.to_json()) | {"labels": [*EXPRESSIONS[1:], label]}
    with pytest.raises(ModelError, match="unusable manifest") as caught:
        parse_manifest(json.dumps(told), "a.onnx")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"input_side": 10**9},
        {"temperature": float("nan")},
        {"labels": [f"a{k}" for k in range(10_000)]},
        {"extra": 1},
        {"crop": {"eye_distance": 1e9}},
        {"priors": {"x": [1e308] * 8}},
        {"priors": {"x": [float("-inf")] * 8}},
        {"temperature": 1e-300},
        {"prior_temperatures": {"x": 1e-300}},
        {"prior_temperatures": {"x": float("inf")}},
        *(
            {"embedding": EMBEDDING | {field: value}}
            for field, value in (
                ("class_means", [[1e308]] * 8),
                ("spread", [float("nan")]),
                ("spread", [-1.0]),
                ("directions", [[1e308]]),
                ("class_scales", [[1e308]] * 8),
                ("class_shares", [1e308] * 8),
                ("n", 10**400),
            )
        ),
    ],
)
def test_a_manifest_with_absurd_values_is_refused(change: dict[str, object]):
    told = json.loads(MANIFEST.to_json()) | {"labels": EXPRESSIONS, "embedding": EMBEDDING}
    assert parse_manifest(json.dumps(told), "a.onnx").embedding is not None
    with pytest.raises(ModelError, match="unusable manifest"):
        parse_manifest(json.dumps(told | change), "a.onnx")


def test_the_largest_numbers_of_a_manifest_stay_numbers():
    told = json.loads(MANIFEST.to_json()) | {
        "labels": EXPRESSIONS,
        "priors": {"x": [100.0, -100.0] * 4},
        "prior_temperatures": {"x": 1e-3},
    }
    probs = np.eye(8, dtype=np.float32)
    with np.errstate(all="raise", under="ignore"):
        answers = parse_manifest(json.dumps(told), "a.onnx").with_prior(probs, "x")
    assert np.isfinite(answers).all() and np.allclose(answers.sum(axis=1), 1)


def test_what_a_file_says_reaches_no_terminal_as_a_code(tmp_path: Path):
    code = "\x1b]52;c;ZXZpbA==\x07\u202e"
    told = json.loads(MANIFEST.to_json()) | {code: 1}
    with pytest.raises(ModelError) as of_manifest:
        parse_manifest(json.dumps(told), f"{code}.onnx")
    file = spoilt(tmp_path / "a.onnx", with_an_operator_of("evil", f"Foo{code}"))
    with pytest.raises(ModelError) as of_operator:
        load_model_file(file)
    for caught in (of_manifest, of_operator):
        assert str(caught.value).isprintable() and "\\u001b]52" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 100_000, "\ud800", "1e999999", " " * 20_000_000]
)
def test_a_manifest_that_is_no_object_is_refused(text: str):
    with pytest.raises(ModelError, match="unusable manifest"):
        parse_manifest(text, "a.onnx")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def profile(file: Path, name: str = "Ada", **more: bytes) -> Path:
    """An exported model, with other files in the archive beside those that belong there."""
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("profile.json", json.dumps({"format": 1, "name": name}))
        for variant in (CPU_MODEL, GPU_MODEL):
            archive.write(asset(variant), variant)
        for path, content in more.items():
            archive.writestr(path, content)
    return file


def test_nothing_in_an_archive_decides_where_it_goes(tmp_path: Path, home: Path):
    """Zip slip: paths that lead out, absolute ones, and a link in the place of a file."""
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    file = profile(
        tmp_path / "a.ferprofile",
        **{
            "../../outside": b"x",
            "/tmp/fer-live-outside": b"x",
            "..\\outside": b"x",
            "sub/../../outside": b"x",
        },
    )
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(link, "/etc")
    model = import_profile(file)
    assert model.folder is not None
    assert {path.name for path in model.folder.iterdir()} == {CPU_MODEL, GPU_MODEL}
    written = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {file, *model.folder.iterdir()}
    assert not Path("/tmp/fer-live-outside").exists()


@pytest.mark.parametrize(
    "name",
    [
        *("../x", "/etc/x", "a/b", "a\\b", "a\0b", "x" * 300, ".a", "", " ", "a\n", "a.", "a "),
        *("con", "NUL", "con.x", "COM1.foo", "Lpt9 .a", "com².a", "aux.", "a\u202eb"),
    ],
)
def test_no_name_of_a_profile_leads_out(tmp_path: Path, home: Path, name: str):
    file = profile(tmp_path / "a.ferprofile", name)
    with pytest.raises(InputError) as caught:
        import_profile(file)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError):
        check_name(name)
    with pytest.raises(ModelError):
        resolve_model(f"{name}/..")
    with pytest.raises(InputError, match="no model of this name"):
        find_model(name)
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_a_hostile_model_in_a_profile_is_not_installed(tmp_path: Path, home: Path):
    hostile = spoilt(tmp_path / "a.onnx", with_a_loop).read_bytes()
    file = tmp_path / "a.ferprofile"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("profile.json", '{"format": 1, "name": "Ada"}')
        archive.writestr(CPU_MODEL, hostile)
        archive.writestr(GPU_MODEL, hostile)
    with pytest.raises(InputError, match="has Loop in it"):
        import_profile(file)
    assert len(list_models()) == 1


def test_a_models_card_loads_nothing(qtbot, tmp_path: Path, home: Path, monkeypatch):
    """Its pictures would be read from wherever it says, on Windows from another machine."""
    asked: list[str] = []
    real = ModelDialog.__init__.__globals__["_CardText"].loadResource

    def watch(self, kind, name):  # type: ignore[no-untyped-def]
        asked.append(name.toString())
        return real(self, kind, name)

    monkeypatch.setattr("fer_live.window.personal.model_dialog._CardText.loadResource", watch)
    from PyQt6.QtWidgets import QWidget

    model = import_profile(profile(tmp_path / "a.ferprofile"))
    monkeypatch.setattr(
        "fer_live.window.personal.model_dialog.card_as_markdown",
        lambda _: "![a](/etc/passwd) ![b](//evil.example/x.png) [c](file:///etc/passwd)",
    )
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = ModelDialog(parent, model)
    dialog.developer.setChecked(True)
    dialog.show()
    dialog.card.grab()
    assert "/etc/passwd" in asked, "the watch works"
    assert real(dialog.card, 2, None) is None
    assert not dialog.card.openLinks()
    dialog.close()
