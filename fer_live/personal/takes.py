"""Takes: single expressions of a person, recorded apart and looked at before they are kept.

A round asks for each expression once. A retraining learns from first takes and is proven by second
ones; so a round is over before the next one begins. A take waits in takes/.unreviewed/ until the
person keeps it, as takes/LABEL/<when> take N/, or leaves it out; the next session deletes what is
left there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_live.base.atomic_file import writing
from fer_live.base.deletion import delete_folder
from fer_live.base.home import made
from fer_live.errors import DataError
from fer_live.personal.clips import ME, UNREVIEWED, person_names, take_number, takes_folder
from fer_live.personal.own_expressions import is_own_folder, make_own_folder, plain_name
from fer_live.recording.recorder import Recording, list_recordings

TAKE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class TakeStep:
    """What is recorded next: the `take`-th one of an expression, from 1."""

    label: str
    take: int


def next_round(labels: Sequence[str], person: str = ME) -> list[TakeStep]:
    """One more take of each expression, numbered on from those that are kept."""
    return [TakeStep(label, n_takes(label, person) + 1) for label in labels]


def n_takes(label: str, person: str = ME) -> int:
    """The highest number that a kept take of an expression has; 0 where there is none."""
    kept = list_recordings(takes_folder(person) / label)
    return max((take_number(take.folder) or 0 for take in kept), default=0)


def unreviewed_folder(person: str = ME) -> Path:
    """Where takes wait for the person's word."""
    return takes_folder(person) / UNREVIEWED


def keep_take(take: Recording, step: TakeStep, person: str = ME) -> Recording:
    """Put a reviewed take among the kept ones. Raises `OutputError`."""
    folder = takes_folder(person) / step.label
    place = folder / f"{take.name} take {step.take}"
    if step.label in take.about.own_labels:
        make_own_folder(step.label, person)
    made(folder)
    with writing(place):
        take.folder.rename(place)
    return Recording.open(place)


def discard_unreviewed() -> int:
    """Delete the takes that nobody kept, whoever they are of; how many there were."""
    takes = unreviewed_takes()
    for take in takes:
        delete_folder(take)
    return len(takes)


def unreviewed_takes() -> list[Path]:
    """The folders of the takes that nobody kept, whoever they are of."""
    return [take for name in person_names() for take in unreviewed_folder(name).glob("*/")]


def label_folders(folder: Path, labels: Sequence[str], hint: str = "") -> list[Path]:
    """The folders in `folder`, each called like a label; `DataError` names one that is none of
    the model's `labels`, with a `hint` at what to do, or says that there is no folder at all.

    Folders of expressions of one's own, as `own_expressions` makes them, are left out where the
    model does not know them: what learns the common labels alone has no use for them.
    """
    folders = sorted(path for path in folder.glob("[!.]*") if path.is_dir())
    known = [path for path in folders if plain_name(path.name) in labels]
    unknown = [path for path in folders if path not in known and not is_own_folder(path)]
    if unknown:
        raise DataError(
            f"{unknown[0]}: {unknown[0].name} is no label of this model; they are "
            f"{', '.join(labels)}{hint}"
        )
    if not known:
        raise DataError(f"{folder}: no folder of a label in it, for instance {labels[0]}/")
    return known
