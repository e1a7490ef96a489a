"""What a kind of input is."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from random import Random

Read = Callable[[Path], None]
"""Reads the input in a folder as the product does; what it raises beside errors of ours is a
failure."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Something that reads inputs until it is closed; `pid` is the process that does, None for
    this one."""

    read: Read
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class InputKind:
    """How inputs of a kind are made, spoilt and read.

    Args:
        make: Fills an empty folder with an input that is in order.
        spoil: Changes what lies in the folder; the same for the same state of the generator.
        reader: Opened once for many inputs.
        is_quiet: Whether not one line may come out on standard error.
    """

    make: Callable[[Path], None]
    spoil: Callable[[Path, Random], None]
    reader: Callable[[], AbstractContextManager[Reader]]
    is_quiet: bool = False


def kind_of(
    make: Callable[[Path], None],
    spoil: Callable[[Path, Random], None],
    read: Read,
    *,
    is_quiet: bool = False,
) -> InputKind:
    """A kind that one function reads."""
    return InputKind(make, spoil, lambda: nullcontext(Reader(read)), is_quiet)
