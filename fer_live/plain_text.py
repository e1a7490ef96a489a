"""Texts of strangers, made safe to be shown on a terminal.

A file's name, or what stands in a file, may hold codes that a terminal obeys: they paint over
lines, name its window, fill the clipboard, or turn the order of letters around. They are shown
instead.
"""

import sys
import unicodedata
from typing import TextIO

_TURNERS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C}
"""What makes the letters after it run the other way."""
_OBEYED = ("Cc", "Cs", "Zl", "Zp")
"""The categories of what steers a terminal, of half characters, and of other ends of lines."""
_KEPT = {ord("\t")}


def plain_line(text: object) -> str:
    """A text as one line without a code that a terminal would obey; each is written as "\\u001b",
    which is JSON's way too. A text that has none is returned as it is."""
    shown = str(text)
    if shown.isascii() and shown.isprintable():
        return shown
    return "".join(_escaped(sign) if _is_obeyed(sign) else sign for sign in shown)


def say(*lines: object, to: TextIO | None = None) -> None:
    """Print lines, each as `plain_line` has it. All that the commands print goes through here.

    Args:
        lines: One call for several keeps them together.
        to: A stream; None is standard output.
    """
    stream = sys.stdout if to is None else to
    print("\n".join(map(plain_line, lines)), file=stream, flush=True)


def _is_obeyed(sign: str) -> bool:
    code = ord(sign)
    if code in _KEPT:
        return False
    return code in _TURNERS or unicodedata.category(sign) in _OBEYED


def _escaped(sign: str) -> str:
    return f"\\u{ord(sign):04x}"
