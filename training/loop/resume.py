"""`resume.safetensors`: everything that an interrupted run needs to end in the same weights."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from fer_live.base.atomic_file import write_atomically
from fer_live.base.parse import parse_json
from fer_live.errors import ModelError
from training.models.checkpoint import read_safetensors

RESUME_FILE = "resume.safetensors"
BEFORE_COOLDOWN_FILE = "before_cooldown.safetensors"
"""The same of a trapezoid, kept from where the learning rate begins to fall, to make it longer."""
_STATE_KEY = "state"


def save_run(
    path: Path,
    state: dict[str, Any],
    modules: Mapping[str, nn.Module],
    optimizers: Sequence[torch.optim.Optimizer],
) -> None:
    """Write everything that a run needs to be resumed.

    `modules` are by name: student, teacher and method, whose thresholds are buffers. `state` is
    what the loop itself keeps, as JSON.
    """
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
    """Read what the loop itself kept in a file that `save_run` wrote."""
    return _parse_run(path)[1]


def restore_run(
    path: Path, modules: Mapping[str, nn.Module], optimizers: Sequence[torch.optim.Optimizer]
) -> dict[str, Any]:
    """Restore what `save_run` wrote, the random state too; returns what the loop itself kept.

    Raises:
        ModelError: It cannot be read, or is of another run.
    """
    tensors, state = _parse_run(path)
    try:
        for name, module in modules.items():
            module.load_state_dict(_from(name, tensors))
        for number, optimizer in enumerate(optimizers):
            _restore_optimizer(optimizer, _from(f"optimizer/{number}", tensors))
        torch.set_rng_state(tensors["random/cpu"])
        if torch.cuda.is_available() and "random/cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random/cuda"])
    except (RuntimeError, ValueError, KeyError, TypeError):
        raise ModelError(
            f"{path}: is of another network or another optimizer than the run that it should go on "
            "with; begin it anew"
        ) from None
    return state


def _parse_run(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors, metadata = read_safetensors(path)
    if _STATE_KEY not in metadata:
        raise ModelError(f"{path}: not a checkpoint to resume from")
    try:
        state = parse_json(metadata[_STATE_KEY])
    except ValueError:
        state = None
    if not isinstance(state, dict):
        raise ModelError(f"{path}: the state of its run cannot be read; begin the run anew")
    return tensors, state


def _from(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Select the tensors whose names begin with `prefix/`, by the rest of their names."""
    start = f"{prefix}/"
    return {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the per-parameter state of an optimizer as tensors by name, `index/key`."""
    state = optimizer.state_dict()["state"]
    return {
        f"{index}/{key}": value
        for index, entries in state.items()
        for key, value in entries.items()
        if isinstance(value, Tensor)
    }


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Restore an optimizer's state from the tensors that `_optimizer_tensors` named."""
    whole = optimizer.state_dict()
    whole["state"] = {}
    for name, tensor in tensors.items():
        index, key = name.split("/")
        whole["state"].setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict(whole)
