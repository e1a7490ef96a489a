"""Weights that stay beside a grid's results: half precision, each with its sum."""

from collections.abc import Sequence
from pathlib import Path

from torch import nn

from fer_live.base.atomic_file import write_atomically
from fer_live.base.regular_file import sha256_of
from fer_live.errors import InputError
from training.models import checkpoint

SUMS_FILE = "SHA256SUMS"


def keep_weights(runs: Sequence[Path], out: Path) -> list[Path]:
    """Write the checkpoint of each run folder to `out`, under the folder's name.

    Floats are rounded to half precision, which `load_model` takes back; a file is half as large.
    SHA256SUMS lists all checkpoints in `out`, as `sha256sum --check` reads it.

    Args:
        runs: Run folders with a finished run.
        out: The folder to write to.

    Returns:
        The files that were written.

    Raises:
        InputError: Two runs would become one file, or one would replace another's.
    """
    written = []
    names = [run.resolve().name for run in runs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            f"two run folders are called {twice[0]}, which would be one file; rename one"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out}: cannot make this folder: {error.strerror}") from None
    models = [checkpoint.load_model(run) for run in runs]
    for name, (network, _) in zip(names, models, strict=True):
        file = out / f"{name}.safetensors"
        if file.exists() and not _same(checkpoint.load_model(file)[0], network.half()):
            raise InputError(
                f"{file}: holds other weights; rename the run folder, choose another --out, or "
                "delete that file first"
            )
    for name, (network, manifest) in zip(names, models, strict=True):
        written.append(out / f"{name}.safetensors")
        checkpoint.save_model(written[-1], network.half(), manifest)
    sums = [f"{sha256_of(file)}  {file.name}\n" for file in sorted(out.glob("*.safetensors"))]
    write_atomically(out / SUMS_FILE, "".join(sums).encode())
    return written


def _same(kept: nn.Module, halved: nn.Module) -> bool:
    """Whether weights that were loaded again are those that would be written."""
    before, now = kept.state_dict(), halved.state_dict()
    return before.keys() == now.keys() and all(
        before[name].shape == now[name].shape and bool((before[name].to(value) == value).all())
        for name, value in now.items()
    )
