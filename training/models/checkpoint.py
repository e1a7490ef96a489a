"""Checkpoints of a network in safetensors, never pickle, written whole or not at all.

`model.safetensors` of a run folder holds the teacher's weights with the manifest in its header. It
is what one evaluates, exports and retrains from.
"""

from pathlib import Path
from typing import Any

from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from fer_live.base.atomic_file import write_atomically
from fer_live.base.regular_file import read_text
from fer_live.errors import InputError, ModelError
from fer_live.model.manifest import MANIFEST_KEY, Manifest, parse_manifest
from training.models.config import ModelConfig
from training.models.resnet import ExpressionNet
from training.section import first_fault

MODEL_FILE = "model.safetensors"


_MOST_CARD_LETTERS = 100_000

AUXILIARY = "auxiliary."
"""Begin of the names of weights that only training needs; checkpoints to evaluate lack them."""


def build_network(
    config: ModelConfig, n_classes: int, *, auxiliary_outputs: int = 0
) -> ExpressionNet:
    """Build the network of a config, with random weights."""
    described = config.model_dump(exclude={"input_side"})
    return ExpressionNet(n_classes, auxiliary_outputs=auxiliary_outputs, **described)


def architecture(config: ModelConfig) -> dict[str, Any]:
    """Describe the network of a config for a manifest, so that it can be built again."""
    return {"name": f"resnet{2 + 8 * config.blocks}", **config.model_dump(exclude={"input_side"})}


def described_config(manifest: Manifest) -> ModelConfig:
    """Return the config of the network that a manifest describes, or raise `ValidationError`.

    A checkpoint that does not tell its form of attention is from before there were two.
    """
    described = {k: v for k, v in manifest.architecture.items() if k != "name"}
    of_before = {"input_side": manifest.input_side, "attention_form": "gate"}
    return ModelConfig.model_validate({**of_before, **described})


def save_model(path: Path, network: ExpressionNet, manifest: Manifest) -> None:
    """Write a network's weights with its manifest in the header."""
    tensors = {
        name: tensor.contiguous()
        for name, tensor in network.state_dict().items()
        if not name.startswith(AUXILIARY)
    }
    text = manifest.to_json()
    parse_manifest(text, str(path))  # what could not be read again is not written
    write_atomically(path, save(tensors, metadata={MANIFEST_KEY: text}))


def put_card(path: Path, card: Path, out: Path) -> None:
    """Write the checkpoint `path` to `out` with the text of `card` as its model card."""
    network, manifest = load_model(path)
    try:
        text = read_text(card)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{card}: cannot read the model card: {error}") from None
    if len(text) > _MOST_CARD_LETTERS:
        raise InputError(
            f"{card}: {len(text):,} letters; a model card has at most {_MOST_CARD_LETTERS:,}"
        )
    save_model(out, network, manifest.model_copy(update={"card": text}))


def load_model(path: Path) -> tuple[ExpressionNet, Manifest]:
    """Rebuild the network of a checkpoint file or run folder, in eval mode on the CPU."""
    file = path / MODEL_FILE if path.is_dir() else path
    if file.suffix.lower() == ".onnx":
        raise ModelError(
            f"{file}: an exported model; name the checkpoint that it was made from, a "
            ".safetensors file or a run folder"
        )
    tensors, metadata = read_safetensors(file)
    manifest = parse_manifest(metadata.get(MANIFEST_KEY), str(file))
    try:
        config = described_config(manifest)
    except ValidationError as error:
        raise ModelError(
            f"{file}: its manifest does not describe the network: {first_fault(error)}"
        ) from None
    network = build_network(config, len(manifest.labels))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).split("\n")[1].strip() if "\n" in str(error) else str(error)
        raise ModelError(f"{file}: weights do not fit the network it names: {reason}") from None
    return network.eval(), manifest


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a file's tensors by name, and its metadata; `ModelError` where it cannot be read."""
    if not path.is_file():
        raise ModelError(f"{path}: no such checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a readable safetensors file: {error}") from None
