"""Whether the wheel works without the checkout: `python -m release.wheel_alone [uv|pipx|pip]...`.

It is installed as people install apps, by `uv tool install`, `pipx install` and `pip install`, each
into folders of its own under build/, and from another folder `fer-live doctor` and
`fer-live analyze` on the wheel's own demo clip are run. Needs the package index.
"""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from release.tools import (
    BUILD,
    DIST,
    ReleaseError,
    command,
    environment,
    python_of,
    run,
    script_of,
    version,
)

WAYS = ("uv", "pipx", "pip")
_FOLDER = BUILD / "wheel-alone"
_DEMO = "from fer_live.model.assets import asset; print(asset('demo.mp4'))"


def install(way: str, wheel: Path, tools: Path) -> tuple[Path, Path]:
    """Install the wheel; returns the command `fer-live` and the Python that it runs in."""
    folder = _FOLDER / way
    end = ".exe" if sys.platform == "win32" else ""
    if way == "pip":
        environment(folder, str(wheel))
        return script_of(folder, "fer-live"), python_of(folder)
    if way == "uv":
        places = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
        uv = script_of(tools, "uv")
        run(uv, "tool", "install", "--python", sys.executable, wheel, env=places, quiet=True)
        return folder / "bin" / f"fer-live{end}", python_of(folder / "tools" / "fer-live")
    places = {"PIPX_HOME": str(folder / "home"), "PIPX_BIN_DIR": str(folder / "bin")}
    run(script_of(tools, "pipx"), "install", wheel, env=places, quiet=True)
    return folder / "bin" / f"fer-live{end}", python_of(folder / "home" / "venvs" / "fer-live")


def check(program: Path, python: Path, folder: Path) -> int:
    """Run it where nothing of the checkout is; returns how many rows the demo clip gave."""
    folder.mkdir()
    alone: Mapping[str, str] = {
        "FER_LIVE_HOME": str(folder / "home"),
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
    }
    said = run(program, "--version", cwd=folder, env=alone, quiet=True).strip()
    if said != f"fer-live {version()}":
        raise ReleaseError(f"{program} --version says {said!r}")
    run(program, "doctor", cwd=folder, env=alone, quiet=True)
    demo = run(python, "-c", _DEMO, cwd=folder, env=alone, quiet=True).strip()
    run(program, "analyze", demo, "--out", "rows.csv", cwd=folder, env=alone, quiet=True)
    n_rows = len((folder / "rows.csv").read_text().splitlines()) - 1
    if n_rows < 1:
        raise ReleaseError(f"{program} analyze {demo}: no rows")
    return n_rows


def main() -> None:
    """Try each way that was named, or all."""
    wheel = DIST / f"fer_live-{version()}-py3-none-any.whl"
    if not wheel.is_file():
        raise ReleaseError(f"{wheel}: not there; run python -m release.wheel first")
    ways = sys.argv[1:] or WAYS
    if unknown := set(ways) - set(WAYS):
        raise ReleaseError(f"{', '.join(unknown)}: no such way; there are {', '.join(WAYS)}")
    shutil.rmtree(_FOLDER, ignore_errors=True)
    tools = _FOLDER / "tools-venv"
    environment(tools, "uv", "pipx")
    for way in ways:
        program, python = install(way, wheel, tools)
        print(f"{way}: {check(program, python, _FOLDER / f'work-{way}')} rows from the demo clip")
    shutil.rmtree(_FOLDER)


if __name__ == "__main__":
    command(main)
