"""The expressions of a person's own by their names, and the folders in which their takes lie.

FER_LIVE_HOME/takes/NAME/ holds the takes of one, as those of the eight lie beside it; an empty file
in it, `.own`, tells it from a label of some other model. There is no other list.
"""

import contextlib
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from fer_live.base.atomic_file import writing
from fer_live.base.deletion import delete_folder, deleting, refuse_link
from fer_live.base.folder_name import is_device
from fer_live.base.home import made
from fer_live.base.translation import tr
from fer_live.errors import InputError
from fer_live.model.manifest import EXPRESSIONS
from fer_live.personal.clips import ME, takes_folder

MAX_OWN_EXPRESSIONS = 8
"""As many as have a colour of their own."""
MAX_NAME_LENGTH = 30
_MARK = ".own"
_GOING = ".going-"
_TAKEN = frozenset({"unsure", "na", "nan", "null", "none", "true", "false"})
"""What the window calls a face without a label, and what tables read as something else."""


def plain_name(name: str) -> str:
    """The same name in the one form in which letters with marks are whole; folders of some systems
    have them in parts."""
    return unicodedata.normalize("NFC", name)


def check_own_name(name: str, labels: Sequence[str] = EXPRESSIONS) -> str:
    """The name of an expression of one's own in its plain form.

    `InputError` for what cannot be one: a name has letters of any script, digits, single blanks and
    dashes and begins with a letter, so that it can be a folder, a column, an OSC address and a
    channel; and it differs from the other `labels`, not in capital letters alone.
    """
    plain = plain_name(name)
    parts = plain.replace("-", " ").split(" ")
    is_word = all(part and all(map(_is_part_of_word, part)) for part in parts)
    if not is_word or not plain[0].isalpha() or len(plain) > MAX_NAME_LENGTH:
        raise InputError(
            tr(
                "{name!r}: cannot be the name of an expression; use letters, digits, and single "
                "blanks or dashes between them, {most} in all, a letter first",
                name=name,
                most=MAX_NAME_LENGTH,
            )
        )
    if plain.casefold() in _TAKEN or is_device(plain):
        raise InputError(tr("{name}: means something else; choose another name", name=plain))
    if plain.casefold() in {label.casefold() for label in labels}:
        raise InputError(
            tr("{name}: is an expression already; choose another name for your own", name=plain)
        )
    return plain


def own_expressions(person: str = ME) -> tuple[str, ...]:
    """The names that are registered, by the alphabet, with takes or without."""
    return own_names_in(takes_folder(person))


def own_names_in(folder: Path) -> tuple[str, ...]:
    """The names of those whose folders of takes lie in `folder`."""
    found = sorted(folder.glob("[!.]*/")) if folder.is_dir() else []
    return tuple(plain_name(path.name) for path in found if is_own_folder(path))


def add_own_expression(name: str, labels: Sequence[str] = EXPRESSIONS, person: str = ME) -> str:
    """Register one: make the folder of its takes. Returns its name in plain form.

    Raises `InputError` for a name that cannot be one, is there already, or would be one too many,
    and `OutputError` where the disk refuses.
    """
    there = own_expressions(person)
    plain = check_own_name(name, (*labels, *there))
    check_number((*there, plain))
    make_own_folder(plain, person)
    return plain


def make_own_folder(name: str, person: str = ME) -> None:
    """Make the folder of its takes, and mark it as that. Raises `OutputError`."""
    folder = made(takes_folder(person) / name)
    with writing(folder):
        (folder / _MARK).touch(0o600)


def remove_own_expression(name: str, person: str = ME) -> None:
    """Delete all its takes, and its name. A model that has learnt it keeps it until it is made
    anew without (`fer-live personalize --forget NAME`). `InputError` where there is none."""
    plain = plain_name(name)
    going = takes_folder(person) / (_GOING + plain)
    was_cut_off = Path(plain).name == plain and os.path.lexists(going)
    if was_cut_off:
        delete_folder(going)
    if not was_cut_off or plain in own_expressions(person):
        folder = _folder_of(name, person)
        refuse_link(folder)
        # Renamed first: what is half deleted is no expression any more.
        with deleting(folder):
            folder.rename(going)
        delete_folder(going)
    with contextlib.suppress(OSError):
        takes_folder(person).rmdir()  # only where nothing else is in it


def check_number(names: Sequence[str]) -> None:
    """`InputError` where these are more than there can be."""
    if len(names) > MAX_OWN_EXPRESSIONS:
        raise InputError(
            tr(
                "{name}: there are {most} expressions of your own already; remove one first",
                name=names[-1],
                most=MAX_OWN_EXPRESSIONS,
            )
        )


def is_own_folder(folder: Path) -> bool:
    """Whether `add_own_expression` made this folder, wherever it lies now."""
    return (folder / _MARK).is_file()


def _folder_of(name: str, person: str) -> Path:
    for folder in takes_folder(person).glob("[!.]*/"):
        if plain_name(folder.name) == plain_name(name) and is_own_folder(folder):
            return folder
    names = ", ".join(own_expressions()) or "-"
    raise InputError(
        tr("{name}: no expression of your own; there are: {names}", name=name, names=names)
    )


def _is_part_of_word(character: str) -> bool:
    """Letters, the marks that some scripts write vowels with, and digits."""
    return unicodedata.category(character)[0] in "LMN"
