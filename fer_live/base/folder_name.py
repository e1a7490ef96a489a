"""Names that become folders: of persons, models, profiles and a person's own expressions."""

import re

_PLAIN = re.compile(r"\w[\w .-]*")
_DEVICES = frozenset({"con", "prn", "aux", "nul", "conin$", "conout$"}) | {
    f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"
}


def can_be_folder(name: str) -> bool:
    """Whether every system keeps a folder of this name, inside of the folder that it is to be in:
    letters, digits, blanks, dots and dashes, a letter or digit first, no blank and no dot last,
    and no device."""
    return bool(_PLAIN.fullmatch(name)) and not name.endswith((" ", ".")) and not is_device(name)


def is_device(name: str) -> bool:
    """Whether Windows takes a name for a device of its own, as it does "con", "Con.x" and
    "COM1 .a": only what stands before the first dot counts, without the blanks at its end."""
    return name.partition(".")[0].rstrip().casefold() in _DEVICES
