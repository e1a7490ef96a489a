import copy
import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from export.quantize import to_fp16, to_int8
from export.to_onnx import DeployedNet, add_manifest, serialize, to_onnx
from export.verify import (
    MAX_DIFFERENCE_FP32,
    Parity,
    compare,
    require_agreement,
    require_fp32_parity,
)
from fer_live.errors import FerLiveError
from fer_live.model.assets import asset
from fer_live.model.head import read_head
from fer_live.model.manifest import EXPRESSIONS, MANIFEST_KEY, CropGeometry, Manifest
from fer_live.model.quantization import int8_weights, may_saturate
from fer_live.vision.answers import AnswerConfig
from fer_live.vision.classifier import ExpressionClassifier
from tests.helpers.commands import fails
from tests.helpers.here import run_here
from training.models.checkpoint import load_model, save_model
from training.models.resnet import ExpressionNet, scale_faces


@pytest.fixture(scope="module")
def trained():
    """A small network with statistics of its own, and its manifest, temperature not 1."""
    torch.manual_seed(0)
    network = ExpressionNet(8, width=8, blocks=1)
    for _ in range(20):
        network(torch.randn(32, 1, 48, 48))
    manifest = Manifest(
        labels=EXPRESSIONS,
        input_side=48,
        crop=CropGeometry(),
        temperature=1.7,
        architecture={"name": "resnet10", "width": 8, "blocks": 1},
    )
    return network.eval(), manifest


@pytest.fixture(scope="module")
def attentive():
    """A network with local attention, and its manifest."""
    torch.manual_seed(0)
    network = ExpressionNet(8, width=8, blocks=1, standardize=True, attention_branches=2)
    return network.eval(), Manifest(labels=EXPRESSIONS, input_side=48, crop=CropGeometry())


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (64, 48, 48), dtype=np.uint8)


@pytest.fixture(scope="module")
def export_once():
    """`to_onnx`, which takes seconds, once for each network and batch size; a copy each time."""
    made: dict[tuple[int, int | None], onnx.ModelProto] = {}

    def export(network: ExpressionNet, manifest: Manifest, batch_size: int | None = None):
        key = id(network), batch_size
        if key not in made:
            made[key] = to_onnx(network, manifest, batch_size)
        return copy.deepcopy(made[key])

    return export


@pytest.fixture
def exported(trained, export_once) -> onnx.ModelProto:
    return export_once(*trained)


def test_fp32_computes_what_torch_does_for_any_batch(trained, exported, faces):
    deployed = DeployedNet(trained[0], 1.7).eval()
    for n in (1, 2, 7, 64):
        assert compare(deployed, exported, faces[:n]).max_difference <= MAX_DIFFERENCE_FP32


def test_the_temperature_is_in_the_graph(trained, exported, faces):
    at_one = DeployedNet(trained[0], 1.0).eval()
    assert compare(at_one, exported, faces).max_difference > 1e-3


def test_the_file_is_what_the_interfaces_say(exported, trained):
    (faces,), (probs, attention, embedding) = exported.graph.input, exported.graph.output
    shape = [d.dim_param or d.dim_value for d in faces.type.tensor_type.shape.dim]
    assert (faces.name, shape[1:]) == ("faces", [1, 48, 48])
    assert isinstance(shape[0], str)
    assert faces.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert (probs.name, attention.name, embedding.name) == ("probs", "attention", "embedding")
    manifest = {p.key: p.value for p in exported.metadata_props}[MANIFEST_KEY]
    assert json.loads(manifest) == json.loads(trained[1].to_json())
    assert not any(
        t.HasField("data_location") and t.data_location for t in exported.graph.initializer
    )


def test_without_local_attention_it_shows_what_spoke_for_the_label(trained, exported, faces):
    """The map's mean is the logit without its bias, but for what spoke against it."""
    network, _ = trained
    with torch.inference_mode():
        output = network.read(scale_faces(torch.from_numpy(faces[:8, None])))
        classes = output.logits.argmax(dim=1)
        attention = network.heat_map(output.features, classes)
        weights = network.classifier.weight[classes]
        maps = torch.einsum("bd,bdhw->bhw", weights, output.features)
        logits = maps.mean(dim=(1, 2)) + network.classifier.bias[classes]
    torch.testing.assert_close(logits, output.logits.amax(dim=1))
    torch.testing.assert_close(attention.amax(dim=(1, 2)), torch.ones(8))
    assert torch.equal(attention > 0, maps > 0)
    assert compare(DeployedNet(network, 1.7).eval(), exported, faces).heat_map_difference < 1e-4


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_attention_is_a_second_output(
    attentive, export_once, faces, tmp_path: Path, precision: str
):
    network, manifest = attentive
    model = export_once(network, manifest)
    shapes = {
        output.name: [d.dim_value for d in output.type.tensor_type.shape.dim][1:]
        for output in model.graph.output
    }
    assert shapes == {"probs": [8], "attention": [6, 6], "embedding": [64]}
    close = MAX_DIFFERENCE_FP32
    if precision != "fp32":
        model = to_fp16(model) if precision == "fp16" else to_int8(model, faces)
        add_manifest(model, manifest)
        close = 5e-3 if precision == "fp16" else 0.15
    parity = compare(DeployedNet(network, 1.0).eval(), model, faces)
    assert max(parity.max_difference, parity.heat_map_difference) <= close
    (tmp_path / "m.onnx").write_bytes(serialize(model))
    assert ExpressionClassifier(tmp_path / "m.onnx").classify(faces).shape == (64, 8)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_a_batch_of_one_size_is_filled_up(
    trained, export_once, faces, tmp_path: Path, precision: str
):
    network, manifest = trained
    model = export_once(network, manifest, batch_size=4)
    if precision != "fp32":
        model = to_fp16(model) if precision == "fp16" else to_int8(model, faces)
        add_manifest(model, manifest)
    (batch,) = (d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim[:1])
    assert batch == 4
    deployed = DeployedNet(network, manifest.temperature).eval()
    close = {"fp32": MAX_DIFFERENCE_FP32, "fp16": 5e-3, "int8": 0.1}[precision]
    assert compare(deployed, model, faces).max_difference <= close
    (tmp_path / "m.onnx").write_bytes(serialize(model))
    classifier = ExpressionClassifier(tmp_path / "m.onnx", "cpu", AnswerConfig(readings=1))
    expected, *_ = deployed(torch.from_numpy(faces[:7, None]))
    assert compare(deployed, model, faces[:3]).n_faces == 4, "filled up"
    for n in (0, 1, 3, 4, 7):
        np.testing.assert_allclose(
            classifier.classify(faces[:n]), expected[:n].detach().numpy(), atol=close
        )


# fmt: off
TENSORRT_HAS = {
    "Add", "ArgMax", "Cast", "Clip", "Concat", "Constant", "Conv",
    "DequantizeLinear", "Div", "Expand", "Gather", "GatherElements", "Gemm", "GlobalAveragePool",
    "MatMul", "Mul", "QuantizeLinear", "Reciprocal", "ReduceMax", "ReduceMean", "ReduceSum",
    "Relu", "Reshape", "Shape", "Sigmoid", "Softmax", "Sqrt", "Squeeze",
    "Sub", "Transpose", "Unsqueeze",
}
# fmt: on
"""Of what the ONNX parser of TensorRT 10 lists as supported (onnx-tensorrt, docs/operators.md); all
are operators of ONNX Runtime's CUDA provider too."""


@pytest.mark.parametrize("batch_size", [None, 1])
@pytest.mark.parametrize("half", [False, True])
def test_every_operator_is_one_that_gpus_have(
    trained, attentive, export_once, half: bool, batch_size
):
    for network, manifest in (trained, attentive):
        model = export_once(network, manifest, batch_size)
        if half:
            model = to_fp16(model)
        assert {node.op_type for node in model.graph.node} - TENSORRT_HAS == set()
        assert {opset.domain for opset in model.opset_import} <= {""}


def test_no_path_of_the_exporting_machine_is_inside(exported):
    content = serialize(exported)
    for words in (b"stack_trace", b"site-packages", Path(__file__).parents[2].as_posix().encode()):
        assert words not in content
    for name in ("fer_live_fp32.onnx", "fer_live_int8.onnx"):
        assert b"stack_trace" not in asset(name).read_bytes()


def test_int8_is_quantized_per_channel_and_close(trained, exported, faces):
    quantized = to_int8(exported, faces)
    kinds = [node.op_type for node in quantized.graph.node]
    assert kinds.count("QuantizeLinear") > 10
    scales = [t for t in quantized.graph.initializer if "weight" in t.name and "scale" in t.name]
    assert any(np.prod(list(t.dims)) > 1 for t in scales)
    assert int8_weights(quantized)
    assert not may_saturate(quantized), "a processor without VNNI would read other numbers"
    parity = compare(DeployedNet(trained[0], 1.7).eval(), quantized, faces)
    assert parity.max_difference < 0.1


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_the_embedding_is_what_torch_computes(trained, exported, faces, precision: str):
    model, close = exported, 1e-5
    if precision != "fp32":
        model = to_fp16(exported) if precision == "fp16" else to_int8(model, faces)
        close = 5e-3 if precision == "fp16" else 0.15
    assert compare(DeployedNet(trained[0], 1.7).eval(), model, faces).embedding_difference <= close


def test_the_classifier_stays_in_float_where_all_else_is_int8(
    attentive, export_once, faces, tmp_path: Path
):
    network, manifest = attentive
    model = to_int8(export_once(network, manifest), faces)
    add_manifest(model, manifest)
    (tmp_path / "m.onnx").write_bytes(serialize(model))
    head = read_head(tmp_path / "m.onnx")
    np.testing.assert_array_equal(head.weights, network.classifier.weight.detach().numpy())
    np.testing.assert_array_equal(head.bias, network.classifier.bias.detach().numpy())


def test_fp16_is_close(trained, exported, faces):
    parity = compare(DeployedNet(trained[0], 1.7).eval(), to_fp16(exported), faces)
    assert parity.max_difference < 5e-3


@pytest.mark.parametrize("difference", [1e-3, float("nan")])
def test_an_export_that_differs_is_refused(difference: float):
    with pytest.raises(FerLiveError, match="differs from the network"):
        require_fp32_parity(Parity(1, difference, 0.0, 1.0))


def test_a_lower_precision_that_reads_faces_otherwise_is_refused():
    require_agreement(Parity(10, 0.3, 0.0, 0.95))
    require_agreement(Parity(6, 0.3, 0.0, 5 / 6))  # one face of six
    with pytest.raises(FerLiveError, match="another label on 33%"):
        require_agreement(Parity(6, 0.3, 0.0, 4 / 6))
    with pytest.raises(FerLiveError, match="another label on 20%"):
        require_agreement(Parity(10, 0.3, 0.0, 0.8))


def test_the_command_from_checkpoint_to_app(run_cli, trained, learnable_tree: Path, tmp_path: Path):
    checkpoint, out = tmp_path / "model.safetensors", tmp_path / "m.onnx"
    save_model(checkpoint, *trained)
    done = run_cli(
        *("fer-export", checkpoint, "--out", out, "--precision", "int8"),
        *("--calibration", f"fer2013:{learnable_tree}"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert ExpressionClassifier(out, "cpu").manifest == trained[1]


def test_a_model_card_travels_into_every_file(
    trained, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    checkpoint, card, carded, out = (
        tmp_path / name for name in ("model.safetensors", "card.md", "carded.safetensors", "m.onnx")
    )
    save_model(checkpoint, *trained)
    put = ("fer-train", "card", checkpoint, "--text", card, "--out", carded)
    fails(run_here(capfd, *put), 2, "cannot read the model card")
    card.write_text("# Model card\n\nNot for judging anyone.\n")
    assert run_here(capfd, *put).returncode == 0
    assert run_here(capfd, "fer-export", carded, "--out", out).returncode == 0
    expected = trained[1].model_copy(update={"card": card.read_text()})
    assert ExpressionClassifier(out, "cpu").manifest == load_model(carded)[1] == expected


def test_mistakes_are_one_line(run_cli, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    text = tmp_path / "text.safetensors"
    text.write_text("no")
    fails(run_here(capfd, "fer-export", text, "--out", tmp_path / "m.onnx"), 2, "not a readable")
    fails(run_cli("fer-export", text, "--out", tmp_path / "m.pt"), 2, "unknown kind")
    fails(
        run_here(capfd, "fer-export", text, "--out", tmp_path / "m.onnx", "--precision", "int8"),
        2,
        "needs --calibration",
    )


def test_shipped_models_come_from_the_shipped_checkpoint(faces):
    network, manifest = load_model(asset("fer_live.safetensors"))
    model = onnx.load(str(asset("fer_live_fp32.onnx")))
    assert (
        compare(DeployedNet(network, manifest.temperature).eval(), model, faces).max_difference
        <= 1e-4
    )
    for name in ("fer_live_fp32.onnx", "fer_live_int8.onnx"):
        assert ExpressionClassifier(asset(name), "cpu").manifest == manifest
