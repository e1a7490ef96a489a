"""Deletes all that is kept of a person, and all that was learnt from it, in one step."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from fer_live.base.atomic_file import writing
from fer_live.base.deletion import delete_folder, refuse_link
from fer_live.base.settings import Settings, forget_set_aside
from fer_live.errors import ModelError
from fer_live.personal.clips import (
    ME,
    clips_folder,
    forget_retraining,
    list_clips,
    list_takes,
    person_folder,
    takes_folder,
)
from fer_live.personal.model_folder import UNFINISHED
from fer_live.personal.models import InstalledModel, list_models, models_folder, remove_model


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted: how many clips and takes, and the names of the models."""

    n_clips: int
    models: tuple[str, ...]


def models_learnt_from(person: str) -> list[InstalledModel]:
    """The installed models of a person: the profile of that name, and what a retraining made of
    their clips. A model that does not say whose it is counts as that of "me"."""
    return [
        model
        for model in list_models()
        if model.folder is not None and person in (model.name, _learnt_from(model))
    ]


def settings_without(person: str, settings: Settings) -> Mapping[str, object]:
    """What is to be changed in the settings when a person is forgotten: who is captured, a model
    that goes, and the lists of what was opened and marked, in which their name may stand."""
    changes: dict[str, object] = {
        "person": ME,
        "recent_locations": (),
        "recent_markers": (),
        "sources": (),
    }
    if settings.model in [str(model.folder) for model in models_learnt_from(person)]:
        changes["model"] = None
    return changes


def forget_person(person: str) -> Forgotten:
    """Delete clips, takes, runs and models. The shipped model stays, and so do recordings and
    snapshots, which are nobody's by name. Raises `OutputError`, before anything is deleted where a
    folder of theirs is a link.

    The caller keeps `settings_without` first.
    """
    folders = [clips_folder(person), takes_folder(person)]
    if person != ME:
        folders.append(person_folder(person))
    models = models_learnt_from(person)
    for folder in [*folders, *(model.folder for model in models if model.folder)]:
        refuse_link(folder)
    n_clips = len(list_clips(person)) + len(list_takes(person))
    for folder in folders:
        if folder.is_dir():
            delete_folder(folder)
    forget_retraining()
    for model in models:
        remove_model(model)
    _forget_unfinished()
    forget_set_aside()
    return Forgotten(n_clips, tuple(model.name for model in models))


def _forget_unfinished() -> None:
    """Models that an installation left half done may be of anybody."""
    for folder in models_folder().glob(f"{UNFINISHED}*/"):
        with writing(folder):
            shutil.rmtree(folder)


def _learnt_from(model: InstalledModel) -> str:
    """Whose faces a model was made from; empty where it was made from nobody's, or is broken."""
    try:
        personalized = model.manifest().training.get("personalized")
    except ModelError:
        return ""
    return str(personalized.get("name") or ME) if isinstance(personalized, dict) else ""
