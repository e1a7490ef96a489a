"""Deletes all that is kept of a person, and all that was learnt from it, in one step."""

import shutil
from dataclasses import dataclass

from fer_live.base.atomic_file import writing
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
from fer_live.personal.models import InstalledModel, list_models, remove_model


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted: how many clips and takes, and the names of the models."""

    n_clips: int
    models: tuple[str, ...]


def models_learnt_from(person: str) -> list[InstalledModel]:
    """The installed models of a person: the profile of that name, and for "me" also those that a
    retraining made, which bear no person's name."""
    return [
        model
        for model in list_models()
        if model.folder is not None and person in (model.name, _learnt_from(model))
    ]


def forget_person(person: str) -> Forgotten:
    """Delete clips, takes, runs and models. The shipped model stays. Raises `OutputError`.

    Where one of these models is in use, the caller turns to another one first.
    """
    n_clips = len(list_clips(person)) + len(list_takes(person))
    for folder in (clips_folder(person), takes_folder(person)):
        if folder.is_dir():
            with writing(folder):
                shutil.rmtree(folder)
    if person != ME and person_folder(person).is_dir():
        with writing(person_folder(person)):
            shutil.rmtree(person_folder(person))
    forget_retraining()
    models = models_learnt_from(person)
    for model in models:
        remove_model(model)
    return Forgotten(n_clips, tuple(model.name for model in models))


def _learnt_from(model: InstalledModel) -> str:
    """Whose faces a model was made from; empty where it was made from nobody's, or is broken."""
    try:
        personalized = model.manifest().training.get("personalized")
    except ModelError:
        return ""
    return str(personalized.get("name", ME)) if isinstance(personalized, dict) else ""
