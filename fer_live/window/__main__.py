"""`make tables`: writes the table of keys into a page of the documentation."""

import re
import sys
from pathlib import Path

from fer_live.base.atomic_file import write_atomically
from fer_live.base.translation import mark, set_language, tr
from fer_live.window.actions import ACTIONS
from fer_live.window.translated import plain

_TABS = {"live": mark("in the tab Live"), "review": mark("in the tab Review")}
_BEGIN, _END = "<!-- keys -->", "<!-- /keys -->"


def as_markdown(language: str) -> str:
    """The table of everything that has a key, in the order of the help sheet.

    Args:
        language: en or ko.

    Returns:
        One row per key, between the two marks that a page has around it.
    """
    set_language(language)
    rows = ["| | |", "|---|---|"]
    for action in ACTIONS:
        if action.key:
            tip = f" — {tr(action.tip)}" if action.tip else ""
            where = f" ({tr(_TABS[action.tab])})" if action.tab in _TABS else ""
            rows.append(f"| {action.key} | {plain(tr(action.text))}{where}{tip} |")
    return "\n".join([_BEGIN, *rows, _END])


def main() -> None:
    """Replace the table in the page that the command line names, in the language before it."""
    language, page = sys.argv[1], Path(sys.argv[2])
    table = as_markdown(language)
    text = page.read_text(encoding="utf-8")
    written = re.sub(f"{_BEGIN}.*?{_END}", lambda _: table, text, flags=re.S)
    write_atomically(page, written.encode())


if __name__ == "__main__":
    main()
