"""Writes dist/SHA256SUMS of everything that is given to people: `python -m release.checksums`.

`sha256sum --check SHA256SUMS` checks it.
"""

import hashlib
from pathlib import Path

from release.tools import DIST, command, version

NAME = "SHA256SUMS"


def checksums(folder: Path, release: str) -> str:
    """One line for each file of this release in the folder."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != NAME)
    lines = []
    for path in files:
        if release in path.name:
            with path.open("rb") as file:
                lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {path.name}\n")
    return "".join(lines)


def main() -> None:
    """Write them."""
    text = checksums(DIST, version())
    (DIST / NAME).write_text(text)
    print(text, end="")


if __name__ == "__main__":
    command(main)
