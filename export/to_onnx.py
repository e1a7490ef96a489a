"""Checkpoint -> ONNX: uint8 faces in, probabilities out; everything between is in the graph."""

import logging
import warnings

import onnx
import torch
from torch import Tensor, nn

from fer_live.model.manifest import MANIFEST_KEY, Manifest
from training.models.resnet import ExpressionNet, scale_faces

OPSET = 18


class DeployedNet(nn.Module):
    """The network as it is exported: scaling, network, temperature, softmax and heat map in one.

    Takes faces uint8 (N, 1, S, S). Gives what `outputs` names: `probs` (N, C) float32;
    `attention` (N, h, w) float32 in 0..1, the heat map of the likeliest expression; and `embedding`
    (N, D) float32, what the classifier reads, so that a person's own classifier can be fitted
    without torch. The maps of local attention are not given, because training may close them.
    """

    outputs = ("probs", "attention", "embedding")

    def __init__(self, network: ExpressionNet, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        output = self.network.read(scale_faces(faces))
        probs = torch.softmax(output.logits / self.temperature, dim=1)
        assert output.features is not None
        heat_map = self.network.heat_map(output.features, probs.argmax(dim=1))
        return probs, heat_map, output.embedding


def to_onnx(
    network: ExpressionNet, manifest: Manifest, batch_size: int | None = None
) -> onnx.ModelProto:
    """Export a network in fp32, with its manifest inside, checked by onnx.checker.

    The number of faces per call is free, or always `batch_size`, because some runtimes compile a
    model for one shape.
    """
    deployed = DeployedNet(network, manifest.temperature).eval()
    side = manifest.input_side
    example = torch.zeros(batch_size or 2, 1, side, side, dtype=torch.uint8)
    dynamic = {"faces": {0: torch.export.Dim("N", min=1, max=4096)}}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    logging.getLogger("onnxscript").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations are not the user's
        program = torch.onnx.export(
            deployed,
            (example,),
            input_names=["faces"],
            output_names=list(deployed.outputs),
            dynamic_shapes=None if batch_size else dynamic,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    model = program.model_proto
    _remove_traces(model)
    add_manifest(model, manifest)
    onnx.checker.check_model(model, full_check=True)
    return model


def _remove_traces(model: onnx.ModelProto) -> None:
    """Remove the exporter's notes: source lines with the paths of the machine that it ran on."""
    graph = model.graph
    for item in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del item.metadata_props[:]
        item.doc_string = ""


def add_manifest(model: onnx.ModelProto, manifest: Manifest) -> None:
    """Put the manifest into the file's metadata, replacing what was there."""
    onnx.helper.set_model_props(model, {MANIFEST_KEY: manifest.to_json()})


def serialize(model: onnx.ModelProto) -> bytes:
    """Return the content of the ONNX file; the weights are inside, never in a second file."""
    return bytes(model.SerializeToString())
