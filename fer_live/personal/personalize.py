"""From a person's clips and labeled faces to a model folder of theirs, with what proves it.

What could be used, and what could not, is told line by line. Nothing that could help is refused:
one labeled image per expression, clips alone, the rest face alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from fer_live.errors import DataError, InputError
from fer_live.model.assets import CPU_MODEL, GPU_MODEL, asset
from fer_live.model.head import with_head
from fer_live.model.manifest import Manifest
from fer_live.personal.calibration import (
    Calibrated,
    CalibrationStart,
    Embedded,
    Material,
    embed_person,
)
from fer_live.personal.collector import OnShare, collect_own_faces, files_of_person
from fer_live.personal.evidence import Evidence
from fer_live.personal.gate import choose_calibration
from fer_live.personal.model_folder import write_model_folder
from fer_live.personal.models import (
    InstalledModel,
    check_name,
    find_model,
    list_models,
    models_folder,
    shipped_sha256,
)
from fer_live.personal.own_faces import CropChange, OwnFaces, joined
from fer_live.personal.takes import label_folders
from fer_live.personal.whose_face import TrackChoice

Tell = Callable[[str], None]

_CARD = (
    "**Calibrated to one person.** Its crop and its classifier were fitted to one person's faces; "
    "how well it reads anyone else is not measured. What follows is the card of the model that it "
    "was made from."
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks for: folders or files of clips, a folder of labels, the profile's name,
    and whose face is meant in a clip of several people (None: the largest)."""

    clips: tuple[Path, ...]
    labeled: Path | None
    name: str
    choice: TrackChoice | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Personalized:
    """What came of it: the content of the model's files, by name, and what was measured.

    `used` counts the faces with and without labels, and as `left_out` the files that could not be
    used, which `skipped` names.
    """

    files: Mapping[str, bytes]
    evidence: Evidence
    used: Mapping[str, int]
    skipped: tuple[str, ...]


def start_of_profile(name: str, tell: Tell) -> CalibrationStart:
    """The model that a profile is made from: its own last one, or the shipped one where there is
    none yet, or where the app has come with a newer one since."""
    check_name(name)
    shipped = InstalledModel("shipped", None)
    found = next((model for model in list_models() if model.name == name), shipped)
    if found.folder is None:
        return CalibrationStart.open(asset(GPU_MODEL).parent)
    if found.manifest().embedding is None:
        tell(
            f"{name}: says nothing of other people's faces, so nothing can be compared with them; "
            "this time from the shipped model"
        )
        return CalibrationStart.open(asset(GPU_MODEL).parent)
    if found.has_newer_base():
        tell(f"{name}: made from an older shipped model; this time from the newer one")
        return CalibrationStart.open(asset(GPU_MODEL).parent)
    tell(f"goes on from the last calibration of {name}")
    return CalibrationStart.open(found.folder)


def gather_material(
    wishes: Wishes,
    start: CalibrationStart | Manifest,
    tell: Tell,
    on_share: OnShare = lambda share: None,
) -> Material:
    """Find the person's faces. A picture that has a label is not used without it as well."""
    manifest = start if isinstance(start, Manifest) else start.manifest
    side, crop, labels = manifest.input_side, manifest.crop, manifest.labels
    of_label = {} if wishes.labeled is None else _label_folders(wishes.labeled, labels)
    with_label = {file.resolve() for files in of_label.values() for file in files}
    clips = [file for place in wishes.clips for file in _files(place)]
    clips = [file for file in clips if file.resolve() not in with_label]
    n_files = max(len(clips) + len(with_label), 1)
    done = 0

    def collected(files: list[Path]) -> OwnFaces:
        nonlocal done
        before, done = done, done + len(files)
        return collect_own_faces(
            files,
            side,
            crop,
            wishes.choice,
            lambda share: on_share((before + share * len(files)) / n_files),
        )

    unlabeled = collected(clips)
    found = {label: collected(files) for label, files in of_label.items()}
    labeled = joined(list(found.values()), side)
    numbers = [np.full(len(found[label]), labels.index(label)) for label in found]
    whole = np.concatenate([np.empty(0, np.int64), *numbers]).astype(np.int64)
    if len(whole) > len(labeled):  # `joined` took some of them, spread evenly
        whole = whole[np.linspace(0, len(whole) - 1, len(labeled)).astype(int)]
    for line in (*unlabeled.skipped, *labeled.skipped):
        tell(f"not used: {line}")
    if len(unlabeled) + len(labeled) == 0:
        skipped = (*unlabeled.skipped, *labeled.skipped)
        first = f"; the first: {skipped[0]}" if skipped else ""
        raise DataError(f"no face to learn from{first}")
    return Material(unlabeled, labeled, whole)


def personalize(start: CalibrationStart, material: Material, name: str, tell: Tell) -> Personalized:
    """Calibrate, gather the evidence, and make the files of the model."""
    person = embed_person(start, material)
    fitted, evidence = choose_calibration(start, person)
    for line in story_of(start, material, person, fitted):
        tell(line)
    manifest = manifest_of_person(start, material, person, fitted, evidence, name)
    files = {
        variant: with_head(start.folder / variant, fitted.head, manifest)
        for variant in (CPU_MODEL, GPU_MODEL)
    }
    skipped = (*material.unlabeled.skipped, *material.labeled.skipped)
    used = {
        "labeled": len(material.labeled),
        "unlabeled": len(material.unlabeled),
        "left_out": len(skipped),
    }
    return Personalized(files, evidence, used, skipped)


def write_profile(made: Personalized, name: str) -> InstalledModel:
    """Put the model among the installed ones; a profile of that name is replaced."""
    write_model_folder(models_folder() / name, made.files)
    return find_model(name)


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        return files_of_person(place)
    if not place.is_file():
        raise InputError(f"{place}: no such file or folder")
    return [place]


def _label_folders(folder: Path, labels: tuple[str, ...]) -> dict[str, list[Path]]:
    """Label -> its files; `DataError` names a folder that is none of the model's labels."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    return {path.name: files_of_person(path) for path in label_folders(folder, labels)}


def story_of(
    start: CalibrationStart, material: Material, person: Embedded, fitted: Calibrated
) -> list[str]:
    """One line for each step: what it used, or why it did nothing."""
    labels = start.manifest.labels
    shown = [labels[index] for index in np.unique(person.labels)]
    change, alignment = person.crop_change, fitted.alignment
    crop = "left as it is; no other is clearly better"
    if change != CropChange():
        crop = (
            f"{change.scale:.2f} times as close, turned by {change.roll_degrees:+.0f} degrees, "
            f"moved by {100 * change.shift_y:+.0f} % of the side"
        )
    aligned = "none; the classifier does it, or no face is there to compare"
    if alignment.strength > 0:
        aligned = (
            f"{alignment.strength:.0%} of the way; about {alignment.variety:.1f} expressions shown"
        )
    head = f"fitted to {len(person.labels)} labeled faces: {', '.join(shown)}"
    if fitted.labels_left_out:
        head = "left as it is; your takes speak against one of your own, and for your clips alone"
    elif fitted.hold is None:
        head = "left as it is; it takes labeled faces of two expressions or more"
    rest = int((person.labels == labels.index("neutral")).sum()) if "neutral" in labels else 0
    return [
        f"faces: {len(material.unlabeled)} without a label ({len(person.unlabeled)} half seconds), "
        f"{len(material.labeled)} with one, {rest} of them at rest",
        f"crop: {crop}",
        f"alignment: {aligned}",
        f"classifier: {head}",
    ]


def manifest_of_person(
    start: CalibrationStart,
    material: Material,
    person: Embedded,
    fitted: Calibrated,
    evidence: Evidence,
    name: str,
) -> Manifest:
    """The start's manifest, with the new crop and what the model was made from."""
    old = start.manifest
    before = old.training.get("personalized", {})
    base = before.get("base_sha256") if isinstance(before, dict) else None
    n_faces = len(material.unlabeled) + len(material.labeled)
    personalized = {
        "name": name,
        "closed_form": True,
        "base_sha256": base or shipped_sha256(),
        "n_unlabeled": len(material.unlabeled),
        "n_labeled": len(material.labeled),
        "n_takes": len(np.unique(person.takes)),
        "strength": round(fitted.alignment.strength, 3),
        "variety": round(fitted.alignment.variety, 2),
        "hold": fitted.hold,
        "verdict": evidence.verdict,
    }
    data = str(old.training.get("data", "?")).partition(", then ")[0]
    return old.model_copy(
        update={
            "crop": person.crop_change.applied_to(old.crop),
            "embedding": fitted.alignment.statistics_before(start.statistics),
            "training": {
                **old.training,
                "data": f"{data}, then {n_faces} faces of a person in closed form",
                "made_on": date.today().isoformat(),
                "personalized": personalized,
            },
            "metrics": {
                "on_takes_left_out": {
                    "n_takes": evidence.n_takes,
                    "before": evidence.before,
                    "after": evidence.after,
                    "interval": evidence.interval,
                }
            },
            "card": old.card if old.card.startswith(_CARD) else f"{_CARD}\n\n---\n\n{old.card}",
        }
    )
