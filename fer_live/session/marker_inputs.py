"""Markers of other programs, over OSC and the Lab Streaming Layer.

Those over WebSocket come in by the output of that name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fer_live.base.console import require_packages
from fer_live.errors import InputError
from fer_live.outputs.address import check_address, parse_address
from fer_live.outputs.kind import MarkersIn
from fer_live.session.marker_lsl import LslMarkers
from fer_live.session.marker_osc import OscMarkers

SUGGESTED_PORT = "9001"


class MarkerInput(Protocol):
    """Something that listens, on threads of its own, until it is closed."""

    @property
    def described(self) -> str:
        """How it does, in a few words for the person."""
        ...

    def close(self) -> None:
        """Listen no more; waits a moment for its threads."""
        ...


@dataclass(frozen=True, slots=True)
class _InputKind:
    open: Callable[[str, MarkersIn], MarkerInput]
    check: Callable[[str], None]
    package: str


_KINDS = {
    "osc": _InputKind(
        lambda where, markers: OscMarkers(parse_address(where), markers),
        check_address,
        "pythonosc",
    ),
    "lsl": _InputKind(LslMarkers, lambda _: None, "pylsl"),
}
MARKER_INPUTS = tuple(_KINDS)
"""The names of the ways in, each also that of the extra that it needs."""


def check_marker_inputs(wanted: Mapping[str, str]) -> None:
    """Find a mistake on the command line, or a package that is missing, before anything starts.
    Raises `InputError`, which names the option."""
    for name, where in wanted.items():
        try:
            check_marker_input(name, where)
        except InputError as error:
            raise InputError(f"--marker-{name}: {error}") from None


def check_marker_input(name: str, where: str) -> None:
    """Find a mistake in `where`, or a package that is missing. Raises `InputError`."""
    _KINDS[name].check(where)
    require_packages(name, _KINDS[name].package)


def open_marker_inputs(wanted: Mapping[str, str], markers: MarkersIn) -> list[MarkerInput]:
    """Listen for markers: name of the way in -> where.

    Raises:
        InputError: One of them cannot be opened; none is open then.
    """
    opened: list[MarkerInput] = []
    try:
        for name, where in wanted.items():
            opened.append(_KINDS[name].open(where, markers))
    except InputError:
        for one in opened:
            one.close()
        raise
    return opened
