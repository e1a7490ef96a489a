"""Whether what people install can be had on every system that the docs name:
`python -m release.resolves`.

uv, from an environment of its own under build/, resolves the dependencies from the package index
for each system and each Python, taking nothing but wheels, so that nobody needs a compiler. It
prints a table; exit code 1 where a promise is broken, 0 where the index cannot be reached, which
it then says. What resolves is not thereby known to run.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from release.tools import BUILD, ROOT, command, environment, script_of

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_VENV = BUILD / "resolves-venv"
_UNREACHABLE = ("error sending request", "failed to fetch", "dns error", "could not connect")


@dataclass(frozen=True, slots=True)
class System:
    """A system as the docs name it, and as uv does; `works` is what the docs promise."""

    name: str
    platform: str
    works: bool
    settings: dict[str, str] = field(default_factory=dict)


SYSTEMS = (
    System("Linux x86-64 (glibc 2.28 or newer)", "x86_64-manylinux_2_28", True),
    System("Windows x86-64", "x86_64-pc-windows-msvc", True),
    System(
        "macOS 14 or newer, Apple silicon",
        "aarch64-apple-darwin",
        True,
        {"MACOSX_DEPLOYMENT_TARGET": "14.0"},
    ),
    System(
        "macOS 13, Apple silicon",
        "aarch64-apple-darwin",
        False,
        {"MACOSX_DEPLOYMENT_TARGET": "13.0"},
    ),
    System("macOS, Intel", "x86_64-apple-darwin", False, {"MACOSX_DEPLOYMENT_TARGET": "14.0"}),
    System("Linux arm64", "aarch64-manylinux_2_28", False),
)


class UnreachableError(Exception):
    """No package index answers here."""


def why_not(uv: Path, system: System, python: str) -> str:
    """Why the dependencies, with every extra, cannot be had; empty where they can. Raises
    `UnreachableError`."""
    done = subprocess.run(
        [
            *(str(uv), "pip", "compile", "pyproject.toml", "--all-extras", "--quiet"),
            *("--python-platform", system.platform, "--python-version", python),
            *("--only-binary", ":all:", "--no-header"),
        ],
        cwd=ROOT,
        env={**os.environ, **system.settings},
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return ""
    text = " ".join(done.stderr.split())
    if any(sign in text.lower() for sign in _UNREACHABLE):
        raise UnreachableError(text)
    return (
        text.partition("cause:")[2].partition(", we can")[0].partition("hint:")[0].strip() or text
    )


def table(uv: Path) -> Iterator[tuple[System, dict[str, str]]]:
    """For each system: Python -> why not."""
    for system in SYSTEMS:
        yield system, {python: why_not(uv, system, python) for python in PYTHONS}


def main() -> None:
    """Print the table, and fail where it is not what the docs say."""
    environment(_VENV, "uv")
    broken = []
    try:
        for system, reasons in table(script_of(_VENV, "uv")):
            works = [python for python, reason in reasons.items() if not reason]
            print(f"{system.name}: {', '.join(works) or 'none'}", flush=True)
            for reason in sorted(set(reasons.values()) - {""}):
                print(f"    {reason}")
            if works != (list(PYTHONS) if system.works else []):
                broken.append(system.name)
    except UnreachableError as error:
        print(f"skipped: no package index can be reached ({error})")
        return
    if broken:
        print(f"not as docs/platforms.md says: {', '.join(broken)}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    command(main)
