"""Whose face is meant where several people are in a clip."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fer_live.datatypes import UInt8Array
from fer_live.errors import InputError

LARGEST, ALL = "largest", "all"
_MIN_LOOKS_OF_SEVERAL = 5
"""Looks that show two faces at once, from which on a clip has two people in it."""
_LEFT, _RIGHT = 0.4, 0.6


@dataclass(frozen=True, slots=True)
class TrackChoice:
    """The values of --track: largest, all, a face's number, or CLIP:NUMBER for one clip."""

    everywhere: str = ""
    by_clip: dict[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Sequence[str], otherwise: str = "") -> "TrackChoice":
        """Read the values of --track; `otherwise` is meant where they say nothing. `InputError` for
        one that means nothing."""
        everywhere, by_clip = otherwise, dict[str, int]()
        for text in texts:
            clip, separator, number = text.rpartition(":")
            if separator and number.isdecimal():
                by_clip[clip] = int(number)
            elif text in (LARGEST, ALL) or text.isdecimal():
                everywhere = text
            else:
                raise InputError(f"--track {text}: write largest, all, a number, or CLIP:NUMBER")
        return cls(everywhere, by_clip)

    def of(self, clip: Path) -> str:
        """Say whose faces are meant in a clip: "largest", "all", a number, or "" for not said.

        A clip may be called by its path, the end of its path, its name with or without the suffix,
        or the folder that it lies in.
        """
        for name, number in self.by_clip.items():
            parts = Path(name).parts
            if clip.parts[-len(parts) :] == parts or name in (clip.stem, clip.parent.name):
                return str(number)
        return self.everywhere


@dataclass(frozen=True, slots=True, eq=False)
class SeenFace:
    """A face in one picture of a clip, the `look`-th that was looked at: its crop and patch, the
    number of its track, and its center in shares of the picture's width."""

    crop: UInt8Array
    patch: UInt8Array
    time_s: float
    look: int
    track_id: int
    center_x: float


def of_one_person(seen: list[SeenFace], clip: Path, wanted: str) -> list[SeenFace]:
    """Keep the faces that `wanted` names; where it says nothing, all, if never two at once.

    `InputError` tells who is there where that has to be said.
    """
    if wanted == ALL or not seen:
        return seen
    name = f"{clip.parent.name}/{clip.name}"
    if wanted:
        chosen = [face for face in seen if face.track_id == int(wanted)]
        if not chosen:
            there = ", ".join(str(number) for number in sorted({f.track_id for f in seen}))
            raise InputError(f"--track {wanted}: {name} has the faces {there}")
        return chosen
    together = Counter(face.look for face in seen)
    if sum(n > 1 for n in together.values()) >= _MIN_LOOKS_OF_SEVERAL:
        raise InputError(
            f"{name}: several people at once: {_who_is_there(seen)}; add --track {name}:N for "
            "yours, or --track largest, or --track all"
        )
    return seen


def _who_is_there(seen: list[SeenFace]) -> str:
    """Tell who is in a clip: "face 1 (left, in 80 pictures), face 2 (right, in 75 pictures)"."""
    counts = Counter(face.track_id for face in seen)
    lines = []
    for number, n in counts.most_common():
        x = float(np.median([face.center_x for face in seen if face.track_id == number]))
        place = "left" if x < _LEFT else "right" if x > _RIGHT else "middle"
        lines.append(f"face {number} ({place}, in {n} pictures)")
    return ", ".join(lines)
