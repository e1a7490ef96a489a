"""`make tables`: writes the table of outputs into a page of the documentation."""

import re
import sys
from pathlib import Path

from fer_live.base.atomic_file import write_atomically
from fer_live.outputs.registry import as_markdown


def main() -> None:
    """Replace the table in the page that the command line names."""
    page = Path(sys.argv[1])
    table = as_markdown()
    heading = re.escape(table.splitlines()[0])
    written = re.sub(
        rf"^{heading}\n(\|.*\n)*", lambda _: table, page.read_text(encoding="utf-8"), flags=re.M
    )
    write_atomically(page, written.encode())


if __name__ == "__main__":
    main()
