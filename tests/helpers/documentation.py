"""What stands in the code blocks of a page of the documentation."""

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]


def blocks(page: str, kind: str) -> list[str]:
    """The blocks of docs/`page` that are marked as `kind`, in their order, without their indent."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = re.findall(rf"^ *```{re.escape(kind)}\n(.*?)^ *```$", text, flags=re.M | re.S)
    return [textwrap.dedent(block) for block in found]


def commands(page: str, kind: str) -> list[str]:
    """Every line of those blocks."""
    return [line for block in blocks(page, kind) for line in block.splitlines() if line.strip()]
