"""Builds the wheel and the source distribution: `python -m release.wheel`.

The wheel is built from the source distribution, so that one that lacks a file cannot pass.
"""

import shutil
from pathlib import Path

from release.tools import BUILD, DIST, command, environment, megabytes, run, version


def build_wheel(folder: Path = DIST) -> Path:
    """Build both into a folder; returns the wheel."""
    python = environment(BUILD / "wheel-venv", "build")
    folder.mkdir(exist_ok=True)
    run(python, "-m", "build", "--outdir", folder, quiet=True)
    shutil.rmtree(BUILD / "wheel-venv")
    return folder / f"fer_live-{version()}-py3-none-any.whl"


def main() -> None:
    """Build them and say how large they are."""
    wheel = build_wheel()
    print(f"{wheel}: {megabytes(wheel)} MB")


if __name__ == "__main__":
    command(main)
