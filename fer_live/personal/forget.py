"""Deletes all that is kept of a person, and all that was learnt from it, in one step.

A person has a folder from the first step to the last, so that whoever asks again after a kill finds
them, and the same command goes on.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fer_live.base.deletion import delete_folder, open_up, refuse_links
from fer_live.base.home import home, made
from fer_live.base.settings import Settings, forget_earlier_settings
from fer_live.base.unfinished import forget_notes, notes_folder
from fer_live.errors import OutputError
from fer_live.personal.clips import (
    ME,
    clip_folders,
    clips_folder,
    forget_retraining,
    open_up_clips,
    person_folder,
    person_names,
    retraining_folders,
    takes_folder,
)
from fer_live.personal.model_folder import UNFINISHED, delete_learnt, half_deleted
from fer_live.personal.models import (
    InstalledModel,
    lies_in,
    list_own_folders,
    models_folder,
    remove_model,
)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted: how many clips and takes, and the names of the models. `unread` names the
    models that stay because nothing in them can be read, and so nothing tells whose they are."""

    n_clips: int
    models: tuple[str, ...]
    unread: tuple[str, ...] = ()


def models_learnt_from(person: str) -> list[InstalledModel]:
    """The installed models of a person: the profile of that name, and what a retraining made of
    their clips. A model that does not say whose it is counts as that of "me"."""
    return [
        model
        for model in list_own_folders()
        if person == model.name or person == model.learnt_from()  # which takes a while to read
    ]


def check_forgettable(person: str) -> bool:
    """Whether anything is kept of a person. What is read-only is made writable meanwhile. Raises
    `OutputError` where something of theirs is a link or lies behind one."""
    if not _can_be_called(person):
        return False
    open_up_clips()
    for place in (models_folder(), *retraining_folders()):
        open_up(place)
    models = models_learnt_from(person)
    for folder in _kept_of(person, models):
        refuse_links(folder)
    left = (home() / "calibrated" / person, models_folder() / (UNFINISHED + person))
    is_left = any(map(os.path.lexists, left))
    return is_left or bool(models) or person in person_names()


def settings_without(person: str, settings: Settings) -> Mapping[str, object]:
    """What is to be changed in the settings when a person is forgotten: who is captured, a model
    that goes, and the lists of what was opened and marked, in which their name may stand."""
    changes: dict[str, object] = {
        "person": ME,
        "recent_locations": (),
        "recent_markers": (),
        "sources": (),
    }
    if lies_in(settings.model, _kept_of(person, models_learnt_from(person))):
        changes["model"] = None
    return changes


def forget_person(person: str) -> Forgotten:
    """Delete clips, takes, runs and models. The shipped model stays, and so do recordings and
    snapshots, which are nobody's by name. Raises `OutputError`, before anything is deleted where a
    folder of theirs is a link or lies behind one, and where the disk refuses: then all that could
    be deleted is.

    The caller keeps `settings_without` first.
    """
    if not _can_be_called(person):
        return Forgotten(0, ())
    check_forgettable(person)
    models = models_learnt_from(person)
    kept = _kept_of(person, models)
    if person != ME and not (home() / "persons").is_symlink():
        made(person_folder(person))
    n_clips = len(clip_folders(person))
    _all(
        *(partial(delete_folder, place) for place in (clips_folder(person), takes_folder(person))),
        forget_retraining,
        *(partial(remove_model, model) for model in models),
        # Models that an installation left half done may be of anybody.
        *(partial(delete_learnt, folder) for folder in half_deleted(models_folder())),
        partial(forget_notes, kept),
        forget_earlier_settings,
    )
    if person != ME:
        delete_folder(person_folder(person))
    names = {model.name for model in models}
    unread = [m.name for m in list_own_folders() if m.name not in names and m.learnt_from() is None]
    return Forgotten(n_clips, tuple(model.name for model in models), tuple(unread))


def _kept_of(person: str, models: list[InstalledModel]) -> list[Path]:
    """All folders that go or of which something goes, whether they are there or not."""
    own = [person_folder(person)] if person != ME else []
    return [
        *own,
        clips_folder(person),
        takes_folder(person),
        models_folder() / person,
        *(model.folder for model in models if model.folder is not None),
        *half_deleted(models_folder()),
        *retraining_folders(),
        notes_folder(),
    ]


def _can_be_called(person: str) -> bool:
    """No name leads out of the folder of all persons."""
    return Path(person).name == person and not person.startswith(".") and "\0" not in person


def _all(*steps: Callable[[], object]) -> None:
    """Take every step, and raise the first refusal after the last one."""
    refusals: list[OutputError] = []
    for step in steps:
        try:
            step()
        except OutputError as refused:
            refusals.append(refused)
    if refusals:
        raise refusals[0]
