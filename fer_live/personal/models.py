"""Models that a person installed, beside the shipped one: FER_LIVE_HOME/models/NAME/.

Each folder holds the variants that the assets hold: int8 for the CPU, fp32 for a GPU, and the
checkpoint from which retraining goes on. A model that was calibrated without torch has none: a
retraining of it starts from the shipped one. A folder appears whole or not at all.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_live.base.atomic_file import writing
from fer_live.base.deletion import delete_folder, deleting, open_up, refuse_link
from fer_live.base.folder_name import can_be_folder
from fer_live.base.home import home, made
from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.errors import InputError, ModelError, OutputError, RefusedError
from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL, asset
from fer_live.model.manifest import Manifest
from fer_live.model.quantization import mend_file
from fer_live.personal.clips import ME
from fer_live.personal.model_folder import (
    UNFINISHED,
    delete_learnt,
    restore_replaced,
)
from fer_live.personal.proof import load_proof
from fer_live.vision.classifier import ExpressionClassifier, forget_engines
from fer_live.vision.pipeline import Pipeline

SHIPPED = "shipped"
_MAX_NAME = 60
_LEFT_AFTER_S = 3600
"""Nobody is working any more on an unfinished folder of that age."""


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model by its name; `folder` None is the shipped one."""

    name: str
    folder: Path | None

    @property
    def has_checkpoint(self) -> bool:
        """Whether a retraining of this model can start from itself."""
        return self.folder is None or (self.folder / CHECKPOINT).is_file()

    @property
    def checkpoint(self) -> Path:
        """The checkpoint from which a retraining of this model starts."""
        own = self.folder is not None and self.has_checkpoint
        return self.folder / CHECKPOINT if self.folder and own else asset(CHECKPOINT)

    def manifest(self) -> Manifest:
        """What it says of itself; `ModelError` where it cannot be read."""
        return _open(self.folder).manifest

    @property
    def files(self) -> tuple[Path, Path]:
        """The variants, int8 and fp32, whether they are there or not."""
        parent = asset(CPU_MODEL).parent if self.folder is None else self.folder
        return parent / CPU_MODEL, parent / GPU_MODEL

    def learnt_from(self) -> str | None:
        """The person whose faces it was made from, as the first variant says that can be read;
        "me" where it names nobody, empty where it was made from nobody's, None where no variant
        can be read."""
        for file in self.files:
            with contextlib.suppress(ModelError):
                personalized = _open(file).manifest.training.get("personalized")
                return str(personalized.get("name") or ME) if isinstance(personalized, dict) else ""
        return None

    def has_newer_base(self) -> bool:
        """Whether the app has come with another model since this one was made from the shipped."""
        return has_newer_base(self.manifest())


def has_newer_base(manifest: Manifest) -> bool:
    """Whether a model was made from a shipped one that the app does not come with any more."""
    personalized = manifest.training.get("personalized")
    made_from = personalized.get("base_sha256") if isinstance(personalized, dict) else None
    return made_from is not None and made_from != shipped_sha256()


def shipped_sha256() -> str:
    """Which model the app came with: the hash of its fp32 file."""
    return hashlib.sha256(asset(GPU_MODEL).read_bytes()).hexdigest()


def models_folder() -> Path:
    """The folder of installed models, FER_LIVE_HOME/models."""
    return home() / "models"


def list_models() -> list[InstalledModel]:
    """Those that can be used, the shipped one first."""
    own = [model for model in list_own_folders() if _is_file(model.files[0])]
    return [InstalledModel(SHIPPED, None), *own]


def _is_file(path: Path) -> bool:
    with contextlib.suppress(OSError):  # of a folder that is closed
        return path.is_file()
    return False


def list_own_folders() -> list[InstalledModel]:
    """Every folder among the installed models but the shipped one, also where its files are spoilt
    or missing and it cannot be used: it may hold what was learnt from a person. What an interrupted
    installation left is cleared away."""
    folder = models_folder()
    restore_replaced(folder)
    for path in folder.glob(f"{UNFINISHED}*/"):
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime > _LEFT_AFTER_S:
                shutil.rmtree(path, ignore_errors=True)
    return [InstalledModel(path.name, path) for path in sorted(folder.glob("[!.]*/"))]


def find_model(name: str) -> InstalledModel:
    """`InputError` lists the names that there are."""
    models = {model.name: model for model in list_models()}
    if name not in models:
        raise InputError(f"{name}: no model of this name; there are: {', '.join(models)}")
    return models[name]


def find_own_folder(name: str) -> InstalledModel:
    """A model that is to be removed: as `find_model`, but also one that cannot be used, or whose
    removal was cut off."""
    models = {model.name: model for model in list_own_folders()}
    is_plain = Path(name).name == name
    if is_plain and name not in models and os.path.lexists(_half_removed(name)):
        return InstalledModel(name, models_folder() / name)
    return models[name] if name in models else find_model(name)


def resolve_model(name: str | Path | None) -> Path | None:
    """A model as `--model` and the settings name it: a file, a folder of variants, or the name of
    an installed one. None is the shipped one. `ModelError` where there is none."""
    if name is None or str(name) == SHIPPED:
        return None
    path = Path(name)
    installed = models_folder() / str(name)  # which is `path` itself where that is absolute
    with contextlib.suppress(OSError):  # a name that is too long, or a folder that is closed
        if not path.exists() and installed.parent == models_folder():
            restore_replaced(models_folder())
        if installed.parent == models_folder() and (installed / CPU_MODEL).is_file():
            _mend(installed)
            return installed
        if path.is_file() or (path / CPU_MODEL).is_file():
            return path
    raise ModelError(
        tr("{name}: no such model file, and no installed model of this name", name=name)
    )


def load_pipeline(settings: Settings) -> Pipeline:
    """The pipeline that the settings name. Takes a second or two. Raises `ModelError`."""
    return Pipeline.load(resolve_model(settings.model), settings.provider, settings.detector)


def install_model(run_dir: Path, name: str = "", *, anyway: bool = False) -> InstalledModel:
    """Put a retrained model that is proven better among the installed ones; `anyway` takes one that
    is not proven, but none that the takes speak against.

    Its variants are loaded and run first. Raises `RefusedError` where the proof does not speak for
    it, and `InputError` for a name that is taken or cannot be one.
    """
    proof = load_proof(run_dir)
    if not proof.passes and (proof.speaks_against or not anyway):
        raise RefusedError(
            tr("{run_dir}: not installed, {verdict}", run_dir=run_dir, verdict=proof.verdict())
        )
    folder = models_folder() / (_free_name() if not name else _checked_name(name))
    for variant in (CPU_MODEL, GPU_MODEL):
        _open(run_dir / variant)
    if not (run_dir / CHECKPOINT).is_file():
        raise ModelError(f"{run_dir / CHECKPOINT}: no such checkpoint")
    made(folder.parent)
    with writing(folder):
        unfinished = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder.parent))
        try:
            for variant in (CPU_MODEL, GPU_MODEL, CHECKPOINT):
                shutil.copyfile(run_dir / variant, unfinished / variant)
                (unfinished / variant).chmod(0o600)
            unfinished.rename(folder)
        except OSError:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    return InstalledModel(folder.name, folder)


def remove_model(model: InstalledModel) -> None:
    """Delete it from the disk. The shipped one cannot be."""
    if model.folder is None:
        raise InputError(f"{SHIPPED}: came with the app and stays; name another model")
    refuse_link(model.folder)
    doomed = _half_removed(model.name)  # a removal that was cut off may have left it
    delete_learnt(doomed)
    if not model.folder.is_dir():
        return
    open_up(model.folder)
    for file in model.folder.glob("*.onnx"):
        forget_engines(file)
    # Renamed first, so that a half-deleted folder is never taken for a model.
    with deleting(model.folder):
        model.folder.rename(doomed)
    delete_folder(doomed)


def lies_in(chosen: str | None, folders: Sequence[Path]) -> bool:
    """Whether a model as the settings name it is a file or folder below one of these, or one of
    them, however its path is spelt."""
    if not chosen:
        return False
    for named in (Path(chosen), models_folder() / chosen):
        with contextlib.suppress(OSError, ValueError):  # what cannot be a path
            place = Path(os.path.realpath(named))
            for above in (place, *place.parents):
                if any(_is_same(above, folder) for folder in folders):
                    return True
    return False


def _is_same(place: Path, folder: Path) -> bool:
    """By name too, for what is gone by now; by the file system for names in other letters."""
    if place == Path(os.path.realpath(folder)):
        return True
    try:
        return place.samefile(folder)
    except OSError:
        return False


def _half_removed(name: str) -> Path:
    return models_folder() / (UNFINISHED + name)


def card(model: InstalledModel) -> dict[str, Any]:
    """What it was made from and what was measured, from its own manifest; `card` line by line."""
    manifest = model.manifest()
    return {
        "name": model.name,
        "retraining starts from": "itself" if model.has_checkpoint else SHIPPED,
        "training": manifest.training,
        "metrics": manifest.metrics,
        "card": manifest.card.splitlines(),
    }


def card_as_markdown(model: InstalledModel) -> str:
    """The card of a model as Markdown, for a person to read."""
    parts = card(model)
    lines = parts.pop("card")
    made_from = json.dumps(parts, indent=2, ensure_ascii=False)
    return "\n".join([*lines, "", "```json", made_from, "```"])


def check_variant(file: Path) -> None:
    """Load a model file and run it once; `ModelError` where it cannot be used."""
    _open(file)


def _open(path: Path | None) -> ExpressionClassifier:
    """Load a model on the CPU and run it once."""
    return ExpressionClassifier(path, "cpu")


def _mend(folder: Path) -> None:
    """Models that were installed before int8 kept to 7 bits are written anew, once."""
    with contextlib.suppress(OutputError):  # a disk that is read-only: the classifier warns
        mend_file(folder / CPU_MODEL)


def _free_name() -> str:
    number, taken = 1, {model.name for model in list_models()}
    while f"personal-{number}" in taken:
        number += 1
    return f"personal-{number}"


def check_name(name: str) -> None:
    """`InputError` for what cannot be a model's name."""
    is_kept = name == SHIPPED or Path(name).suffix == ".onnx"
    if not can_be_folder(name) or is_kept or len(name) > _MAX_NAME:
        raise InputError(
            f"{name[:_MAX_NAME]!r}: cannot be a model's name; use letters, digits, blanks, dots "
            f"and dashes, {_MAX_NAME} in all, none that Windows calls a device (as con)"
        )


def _checked_name(name: str) -> str:
    check_name(name)
    if (models_folder() / name).exists():
        raise InputError(f"{name}: a model of this name is installed; choose another, or remove it")
    return name
