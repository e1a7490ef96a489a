"""A guided session: two takes of each expression, recorded apart and reviewed before they are kept.

The first takes are what retraining learns from, the second ones what it is proven by; so all first
takes come before all second ones. A take waits in FER_LIVE_HOME/takes/.unreviewed/ until the person
keeps it, as takes/LABEL/<when> take N/, or discards it; the next session discards what is left.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_live.base.atomic_file import writing
from fer_live.errors import DataError
from fer_live.personal.clips import takes_folder
from fer_live.personal.own_expressions import is_own_folder, make_own_folder, plain_name
from fer_live.recording.recorder import Recording, list_recordings

N_TAKES = 2
TAKE_SECONDS = 4.0
_TAKE = re.compile(r".*\btake (\d+)$")


@dataclass(frozen=True, slots=True)
class TakeStep:
    """What is recorded next: `take` 1 or 2 of an expression."""

    label: str
    take: int


def steps(labels: Sequence[str]) -> list[TakeStep]:
    """All first takes, then all second ones."""
    return [TakeStep(label, take) for take in range(1, N_TAKES + 1) for label in labels]


def without(remaining: Sequence[TakeStep], label: str) -> list[TakeStep]:
    """An expression that the person skips is not asked for again."""
    return [step for step in remaining if step.label != label]


def unreviewed_folder() -> Path:
    """Where takes wait for the person's word."""
    return takes_folder() / ".unreviewed"


def keep_take(take: Recording, step: TakeStep) -> Recording:
    """Put a reviewed take among the kept ones. Raises `OutputError`."""
    folder = takes_folder() / step.label
    place = folder / f"{take.name} take {step.take}"
    if step.label in take.about.own_labels:
        make_own_folder(step.label)
    with writing(place):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        take.folder.rename(place)
    return Recording.open(place)


def discard_unreviewed() -> int:
    """Delete the takes that nobody kept; how many there were."""
    takes = list_recordings(unreviewed_folder())
    for take in takes:
        take.delete()
    return len(takes)


def take_number(path: Path) -> int | None:
    """Of a take's folder or file, None where its name tells no number."""
    match = _TAKE.match(path.stem if path.is_file() else path.name)
    return int(match.group(1)) if match else None


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
