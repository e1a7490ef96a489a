"""Which faces of a recording are one person's: numbers of tracks, and nothing of the faces.

A person is called by the smallest number of their faces. So a face that nobody was grouped with is
a person of its own, and merging and taking apart need no new numbers.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fer_live.base.atomic_file import write_atomically
from fer_live.base.regular_file import read_whole
from fer_live.outputs.face_rows import Row

PERSONS_FILE = "persons.json"
PERSON = "person"
"""The column."""


_TrackId = Annotated[int, Field(ge=0, lt=2**31)]


class Persons(BaseModel):
    """The groups of two faces or more, by the faces' `track_id`; no face is in two."""

    model_config = ConfigDict(frozen=True)

    groups: tuple[tuple[_TrackId, ...], ...] = ()

    def person_of(self, track_id: int) -> int:
        """The number of the person whose face this is."""
        return min(self._group_of(track_id))

    def merged(self, track_ids: Iterable[int]) -> "Persons":
        """These faces, and all that are grouped with one of them, as one person's."""
        together = {face for track_id in track_ids for face in self._group_of(track_id)}
        return _ordered([*(g for g in self.groups if not together & set(g)), tuple(together)])

    def apart(self, track_ids: Iterable[int]) -> "Persons":
        """These faces as a person's each; who was grouped with them stays together."""
        alone = set(track_ids)
        return _ordered([tuple(set(group) - alone) for group in self.groups])

    def _group_of(self, track_id: int) -> tuple[int, ...]:
        return next((group for group in self.groups if track_id in group), (track_id,))


def _ordered(groups: Iterable[tuple[int, ...]]) -> Persons:
    return Persons(groups=tuple(sorted(tuple(sorted(g)) for g in groups if len(g) > 1)))


def load_persons(folder: Path) -> Persons | None:
    """What was grouped in the recording in this folder; None where nobody grouped anything."""
    try:
        return Persons.model_validate_json(read_whole(folder / PERSONS_FILE))
    except (OSError, ValidationError):
        return None


def save_persons(folder: Path, persons: Persons) -> None:
    """Keep the groups with the recording; raises `OutputError`."""
    file = folder / PERSONS_FILE
    write_atomically(file, persons.model_dump_json().encode() + b"\n", is_private=True)


def with_persons(rows: Iterable[Row], persons: Persons) -> Iterator[Row]:
    """The rows with the column `person`, one by one."""
    known: dict[int, int] = {}
    for row in rows:
        track_id = int(row["track_id"])
        if track_id not in known:
            known[track_id] = persons.person_of(track_id)
        yield {**row, PERSON: known[track_id]}
