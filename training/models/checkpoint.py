"""Checkpoints in safetensors, never pickle, written whole or not at all.

A run folder holds two: `model.safetensors`, the teacher's weights with the manifest in its header,
which is what one evaluates, exports and retrains from; and `resume.safetensors`, everything that an
interrupted run needs to end in the same weights as an uninterrupted one.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from fer_live.base.atomic_file import write_atomically
from fer_live.errors import InputError, ModelError
from fer_live.model.manifest import MANIFEST_KEY, Manifest, parse_manifest
from training.config import ModelConfig, first_fault
from training.models.resnet import ExpressionNet

MODEL_FILE = "model.safetensors"
RESUME_FILE = "resume.safetensors"
_STATE_KEY = "state"


def build_network(config: ModelConfig, n_classes: int) -> ExpressionNet:
    """The network of a config, with random weights."""
    return ExpressionNet(n_classes, **config.model_dump(exclude={"input_side"}))


def architecture(config: ModelConfig) -> dict[str, Any]:
    """What a manifest says of the network, enough to build it again."""
    return {"name": f"resnet{2 + 8 * config.blocks}", **config.model_dump(exclude={"input_side"})}


def save_model(path: Path, network: ExpressionNet, manifest: Manifest) -> None:
    """Write a network's weights with its manifest in the header."""
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    write_atomically(path, save(tensors, metadata={MANIFEST_KEY: manifest.to_json()}))


def put_card(path: Path, card: Path, out: Path) -> None:
    """Write the checkpoint `path` to `out` with the text of `card` as its model card."""
    network, manifest = load_model(path)
    try:
        text = card.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{card}: cannot read the model card: {error}") from None
    save_model(out, network, manifest.model_copy(update={"card": text}))


def load_model(path: Path) -> tuple[ExpressionNet, Manifest]:
    """Rebuild the network of a checkpoint file or run folder, in eval mode on the CPU."""
    file = path / MODEL_FILE if path.is_dir() else path
    tensors, metadata = _read(file)
    manifest = parse_manifest(metadata.get(MANIFEST_KEY), str(file))
    try:
        config = ModelConfig.model_validate(
            {
                "input_side": manifest.input_side,
                **{k: v for k, v in manifest.architecture.items() if k != "name"},
            }
        )
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


def save_run(
    path: Path,
    state: dict[str, Any],
    modules: Mapping[str, nn.Module],
    optimizers: Sequence[torch.optim.Optimizer],
) -> None:
    """Write everything a run needs to go on: `modules` by name, student, teacher and method (whose
    thresholds are buffers), and `state`, what the loop itself keeps, as JSON."""
    tensors = {
        **{
            f"{name}/{key}": tensor
            for name, module in modules.items()
            for key, tensor in module.state_dict().items()
        },
        **{
            f"optimizer/{number}/{key}": tensor
            for number, optimizer in enumerate(optimizers)
            for key, tensor in _optimizer_tensors(optimizer).items()
        },
        "random/cpu": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        tensors["random/cuda"] = torch.cuda.get_rng_state()
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    write_atomically(path, save(contiguous, metadata={_STATE_KEY: json.dumps(state)}))


def load_run_state(path: Path) -> dict[str, Any]:
    """The loop's part of what `save_run` wrote."""
    return _parse_run(path)[1]


def restore_run(
    path: Path, modules: Mapping[str, nn.Module], optimizers: Sequence[torch.optim.Optimizer]
) -> dict[str, Any]:
    """Put back what `save_run` took, the random state included; returns the loop's part."""
    tensors, state = _parse_run(path)
    for name, module in modules.items():
        module.load_state_dict(_from(name, tensors))
    for number, optimizer in enumerate(optimizers):
        _restore_optimizer(optimizer, _from(f"optimizer/{number}", tensors))
    torch.set_rng_state(tensors["random/cpu"])
    if torch.cuda.is_available() and "random/cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random/cuda"])
    return state


def _parse_run(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors, metadata = _read(path)
    if _STATE_KEY not in metadata:
        raise ModelError(f"{path}: not a checkpoint to resume from")
    return tensors, json.loads(metadata[_STATE_KEY])


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    if not path.is_file():
        raise ModelError(f"{path}: no such checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a readable safetensors file: {error}") from None


def _from(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix/`, by the rest of their names."""
    start = f"{prefix}/"
    return {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimizer's per-parameter state as named tensors, `index/key`."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}/{key}": value
        for index, entries in state.items()
        for key, value in entries.items()
        if isinstance(value, Tensor)
    }


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put back what `_optimizer_tensors` took."""
    whole = optimizer.state_dict()
    whole["state"] = {}
    for name, tensor in tensors.items():
        index, key = name.split("/")
        whole["state"].setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict(whole)
