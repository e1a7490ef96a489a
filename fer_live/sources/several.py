"""Several sources at once: each with a name of its own, and kept for the next start."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from fer_live.base.settings import KeptSource, Settings
from fer_live.base.translation import tr
from fer_live.errors import InputError
from fer_live.sources.choice import Camera, Demo, Location, SourceChoice

MAX_NAME = 60


@dataclass(frozen=True, slots=True)
class NamedSource:
    """A source and the name that a person gave it; empty: it is called as its choice is."""

    choice: SourceChoice
    given_name: str = ""


def clean_name(name: str) -> str:
    """A name on one line, without control characters, of at most 60 characters."""
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(printable.split())[:MAX_NAME].strip()


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, with a number behind it where another source is called so.

    Names that would be one address of OSC, or one name of a file, count as the same.
    """
    keys = {_key(name) for name in taken}
    name, number = clean_name(wanted) or tr("source"), 2
    free = name
    while _key(free) in keys:
        free, number = f"{name} {number}", number + 1
    return free


def named(sources: Sequence[NamedSource]) -> list[tuple[str, SourceChoice]]:
    """Every source with a name that no other one has, in their order."""
    names: list[str] = []
    for source in sources:
        names.append(free_name(source.given_name or source.choice.name, names))
    return list(zip(names, (source.choice for source in sources), strict=True))


def refuse_one_camera_twice(choices: Collection[SourceChoice]) -> None:
    """Raise `InputError` where two sources are the same camera, which opens once alone."""
    numbers = [choice.number for choice in choices if isinstance(choice, Camera)]
    for number in numbers:
        if numbers.count(number) > 1:
            raise InputError(tr("camera {number}: a camera can be opened once only", number=number))


def kept_sources(settings: Settings) -> list[NamedSource]:
    """The sources of the last window that had several; empty where it had one."""
    return [NamedSource(_choice(kept), kept.name) for kept in settings.sources]


def to_keep(sources: Sequence[NamedSource]) -> tuple[KeptSource, ...]:
    """What the next start needs to open several sources again; nothing where there is one."""
    return tuple(map(_kept, sources)) if len(sources) > 1 else ()


def _choice(kept: KeptSource) -> SourceChoice:
    if kept.camera is not None:
        return Camera(kept.camera, device=kept.device)
    return Location(kept.location) if kept.location else Demo()


def _kept(source: NamedSource) -> KeptSource:
    choice, name = source.choice, source.given_name
    if isinstance(choice, Camera):
        return KeptSource(camera=choice.number, device=choice.device, name=name)
    return KeptSource(location=choice.where if isinstance(choice, Location) else "", name=name)


def _key(name: str) -> str:
    return re.sub(r"[^\w]+", "_", name.casefold())
