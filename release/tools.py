"""What the steps share: where things lie, the version, and running a command."""

import os
import re
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
DIST = ROOT / "dist"


class ReleaseError(Exception):
    """A step could not be done; the text says what is missing and what to do."""


def version() -> str:
    """The one version, from `fer_live/__init__.py`, which is not imported."""
    text = (ROOT / "fer_live" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, flags=re.M)
    assert found, "fer_live/__init__.py has no __version__"
    return found[1]


def run(
    *command: str | Path,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> str:
    """Run a command and return its stdout; raises `ReleaseError` with its last lines."""
    # What is built must be the wheel's code, not that of a checkout on the path.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**environment, **(env or {})},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        named = " ".join(map(str, command[:6])) + (" ..." if len(command) > 6 else "")
        raise ReleaseError(f"{named}: exit code {done.returncode}\n{last}")
    if not quiet and done.stdout.strip():
        print(done.stdout.strip(), flush=True)
    return done.stdout


def environment(folder: Path, *packages: str) -> Path:
    """A new virtual environment with packages; returns its Python."""
    venv.EnvBuilder(with_pip=True, clear=True).create(folder)
    python = python_of(folder)
    if packages:
        run(python, "-m", "pip", "install", "--quiet", *packages, quiet=True)
    return python


def python_of(folder: Path) -> Path:
    """The Python of a virtual environment, on every system."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def script_of(folder: Path, name: str) -> Path:
    """A command of a virtual environment, on every system."""
    return folder / (f"Scripts/{name}.exe" if sys.platform == "win32" else f"bin/{name}")


def command(step: Callable[[], None]) -> NoReturn:
    """Run a step as a command: its error is one message, and exit code 1."""
    try:
        step()
    except ReleaseError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    sys.exit(0)


def megabytes(path: Path) -> int:
    """The size of a file or of all files in a folder; a link counts as nothing."""
    files = path.rglob("*") if path.is_dir() else [path]
    n_bytes = sum(f.stat().st_size for f in files if f.is_file() and not f.is_symlink())
    return round(n_bytes / 1e6)
