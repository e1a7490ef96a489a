"""From a person's clips and labeled faces to a model folder of theirs, with what proves it.

What could be used, and what could not, is told line by line. Nothing that could help is refused:
one labeled image per expression, clips alone, the rest face alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer_live.base.translation import tr
from fer_live.errors import DataError, InputError
from fer_live.model.assets import CPU_MODEL, GPU_MODEL, asset
from fer_live.model.head import with_head
from fer_live.model.manifest import Manifest
from fer_live.personal.account import personal_manifest, story, story_of_own
from fer_live.personal.calibration import (
    Calibrated,
    CalibrationStart,
    Material,
    embed_person,
    read_cut,
)
from fer_live.personal.clips import clips_folder, list_clips, list_takes, takes_folder
from fer_live.personal.collector import (
    OnShare,
    collect_own_faces,
    files_of_person,
    person_files,
)
from fer_live.personal.embedding_alignment import no_alignment
from fer_live.personal.evidence import Evidence
from fer_live.personal.gate import choose_calibration
from fer_live.personal.model_folder import write_model_folder
from fer_live.personal.models import (
    InstalledModel,
    check_name,
    find_model,
    list_models,
    models_folder,
)
from fer_live.personal.own_expression import (
    OwnEvidence,
    gather_own_evidence,
    with_own_rows,
)
from fer_live.personal.own_expressions import (
    check_number,
    check_own_name,
    is_own_folder,
    own_names_in,
    plain_name,
)
from fer_live.personal.own_faces import CropChange, OwnFaces, joined
from fer_live.personal.proof import MAX_COMPARED, Compared, differing
from fer_live.personal.takes import label_folders
from fer_live.personal.whose_face import TrackChoice

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person asks for: folders or files of clips, a folder of labels, the profile's name,
    and whose face is meant in a clip of several people (None: the largest).

    `own` are expressions of their own, whose takes lie in folders of their names beside those of
    the labels; `forget` those that the profile is to know no longer. Those that it knows and that
    nobody names stay: learnt anew where there are takes of them, else as they are.
    """

    clips: tuple[Path, ...]
    labeled: Path | None
    name: str
    choice: TrackChoice | None = None
    own: tuple[str, ...] = ()
    forget: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Personalized:
    """What came of it: the content of the model's files, by name, and what was measured.

    `used` counts the faces with and without labels, and as `left_out` the files that could not be
    used, which `skipped` names. `compared` are the faces that the model reads otherwise than the
    one it was made from.
    """

    files: Mapping[str, bytes]
    evidence: Evidence
    used: Mapping[str, int]
    skipped: tuple[str, ...]
    compared: Compared
    labels: tuple[str, ...]
    own: Mapping[str, OwnEvidence]
    """What speaks for each expression of the person's own that was learnt now."""
    common_kept: bool
    """The takes speak against another reading of the common labels, so these stay as the start has
    them, and the own expressions alone are new."""

    @property
    def is_refused(self) -> bool:
        """The takes speak against it, and nothing else is new: it must not be used."""
        return self.evidence.verdict == "against" and not self.common_kept


def kept_wishes(name: str) -> Wishes:
    """All clips and takes of a person; `InputError` where none are kept."""
    check_name(name)
    clips, takes = list_clips(name), list_takes(name)
    if not clips and not takes:
        raise InputError(tr("No clip and no take of {name} is kept; capture some", name=name))
    return Wishes(
        (clips_folder(name),) if clips else (), takes_folder(name) if takes else None, name
    )


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
        if own := found.manifest().own_labels:
            tell(f"{name}: these need their takes again, by --own: {', '.join(own)}")
        return CalibrationStart.open(asset(GPU_MODEL).parent)
    tell(f"goes on from the last calibration of {name}")
    return CalibrationStart.open(found.folder)


def gather_material(
    wishes: Wishes,
    start: CalibrationStart | Manifest,
    tell: Tell,
    on_share: OnShare = lambda share: None,
) -> Material:
    """Find the person's faces. A picture that has a label is not used without it as well.

    Without any face there is nothing to do, unless something is to be forgotten.
    """
    manifest = start if isinstance(start, Manifest) else start.manifest
    side, crop = manifest.input_side, manifest.crop
    own_labels = own_labels_after(manifest, wishes)
    labels = (*manifest.common_labels, *own_labels)
    of_label = _label_folders(wishes, labels)
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
    if len(unlabeled) + len(labeled) == 0 and not wishes.forget:
        skipped = (*unlabeled.skipped, *labeled.skipped)
        first = f"; the first: {skipped[0]}" if skipped else ""
        raise DataError(f"no face to learn from{first}")
    faceless = [name for name in own_labels if labels.index(name) not in whole]
    for name in faceless:
        if name not in manifest.own_labels:
            raise DataError(f"{name}: no face in any of its takes; record them again")
    return Material(unlabeled, labeled, whole, own_labels)


def own_labels_after(start: Manifest, wishes: Wishes) -> tuple[str, ...]:
    """The own expressions that the new model is to know: those of the start that are not to be
    forgotten, and those that are asked for or lie as such among the labels.

    Raises `InputError` for a name that cannot be one, or that there is nothing to forget of.
    """
    common, old = start.common_labels, start.own_labels
    for name in wishes.forget:
        if name not in old:
            there = f"it knows {', '.join(old)}" if old else "it knows none"
            raise InputError(f"--forget {name}: no expression of your own in this profile; {there}")
    asked = [check_own_name(name, common) for name in wishes.own]
    with_files = _names_with_files(wishes.labeled)
    for name in asked:
        if wishes.labeled is None:
            raise InputError(f"--own {name}: add --labeled DIR, with takes of it in DIR/{name}")
        if name not in with_files:
            raise InputError(f"--own {name}: no takes of it in {wishes.labeled}/{name}")
    if wishes.labeled is not None:
        marked = [name for name in own_names_in(wishes.labeled) if name in with_files]
        asked += [name for name in marked if name not in common]
    kept = [name for name in old if name not in wishes.forget]
    asked = [name for name in asked if name not in wishes.forget]
    names = tuple(dict.fromkeys([*kept, *asked]))
    for index, name in enumerate(names):
        check_own_name(name, (*common, *names[:index]))
    check_number(names)
    return names


def personalize(start: CalibrationStart, material: Material, name: str, tell: Tell) -> Personalized:
    """Calibrate, gather the evidence, and make the files of the model."""
    person = embed_person(start, material)
    fitted, evidence = choose_calibration(start, person)
    learns_own = bool((~person.is_common).any())
    common_kept = evidence.verdict == "against" and learns_own
    if common_kept:
        # What is asked for is an expression of their own; that the rest gains nothing is no reason
        # to refuse it.
        person = embed_person(start, material, may_cut_again=False)
        fitted = Calibrated(start.head, no_alignment(start.head.weights.shape[1]), None)
    own = gather_own_evidence(start, person, fitted, fits_common=not common_kept)
    head = with_own_rows(start, person, fitted, np.ones(len(person.labels), dtype=np.bool_))
    for line in story(start, material, person, fitted):
        tell(line)
    for line in story_of_own(start, person, own):
        tell(line)
    manifest = personal_manifest(start, material, person, fitted, evidence, own, name)
    files = {
        variant: with_head(start.folder / variant, head, manifest)
        for variant in (CPU_MODEL, GPU_MODEL)
    }
    skipped = (*material.unlabeled.skipped, *material.labeled.skipped)
    used = {
        "labeled": len(material.labeled),
        "unlabeled": len(material.unlabeled),
        "left_out": len(skipped),
    }
    compared = _compared(start, material, person.crop_change, fitted, manifest.labels)
    return Personalized(files, evidence, used, skipped, compared, manifest.labels, own, common_kept)


def write_profile(made: Personalized, name: str) -> InstalledModel:
    """Put the model among the installed ones; a profile of that name is replaced."""
    write_model_folder(models_folder() / name, made.files)
    return find_model(name)


def _compared(
    start: CalibrationStart,
    material: Material,
    change: CropChange,
    fitted: Calibrated,
    labels: tuple[str, ...],
) -> Compared:
    """One face of each half second, those that are read differently now."""
    faces = joined([material.unlabeled, material.labeled], start.manifest.input_side)
    faces = faces.where(np.unique(faces.segments, return_index=True)[1])
    before = read_cut(start, start.head, faces, CropChange())
    after = read_cut(start, fitted.head, faces, change)
    rows = differing(before, after, MAX_COMPARED)
    return Compared(faces.patches[rows], before[rows], after[rows], labels)


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        return files_of_person(place)
    if not place.is_file():
        raise InputError(f"{place}: no such file or folder")
    return [place]


def _label_folders(wishes: Wishes, labels: tuple[str, ...]) -> dict[str, list[Path]]:
    """Label -> its files; `DataError` names a folder that is none of the labels."""
    folder = wishes.labeled
    if folder is None:
        return {}
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    hint = "; name an expression of your own by --own"
    folders = label_folders(folder, (*labels, *wishes.forget), hint)
    return {
        plain_name(path.name): files_of_person(path)
        for path in folders
        if plain_name(path.name) in labels and (person_files(path) or not is_own_folder(path))
    }


def _names_with_files(folder: Path | None) -> set[str]:
    """The names of the folders in `folder` that have clips or images."""
    folders = [] if folder is None else folder.glob("[!.]*/")
    return {plain_name(path.name) for path in folders if person_files(path)}
