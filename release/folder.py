"""Builds the self-contained app with PyInstaller: `python -m release.folder`.

It comes after `release.wheel`: it freezes the wheel, not the checkout, in an environment of its
own under build/. On Linux it leaves `dist/fer-live-VERSION-linux-x86_64/` and the same as .tar.xz,
on Windows and macOS the folder that PyInstaller makes there and a .zip. The folder needs no Python.
"""

import platform
import shutil
import sys
import tarfile
from pathlib import Path

from release.tools import (
    BUILD,
    DIST,
    ROOT,
    ReleaseError,
    command,
    environment,
    megabytes,
    run,
    script_of,
    version,
)

EXTRAS = "out,studies,serve"
VENV = BUILD / "folder-venv"
# The wheels' repair has moved these libraries' tables, which strip may break.
_NOT_STRIPPED = (".libs/", "libmediapipe")


def folder_name() -> str:
    """What the folder is called on this system."""
    system = {"linux": "linux", "win32": "windows", "darwin": "macos"}[sys.platform]
    return f"fer-live-{version()}-{system}-{platform.machine().lower()}"


def prepare(wheel: Path) -> None:
    """Make the environment that is frozen."""
    python = environment(VENV, f"{wheel}[{EXTRAS}]", "pyinstaller")
    # The same OpenCV without windows of its own, whose Qt is 150 MB. Not in pyproject.toml, because
    # MediaPipe asks for the other one by name.
    run(python, "-m", "pip", "uninstall", "--quiet", "--yes", "opencv-contrib-python", quiet=True)
    run(
        python, "-m", "pip", "install", "--quiet", "--no-deps", "opencv-python-headless", quiet=True
    )
    if sys.platform != "linux":
        # PyInstaller makes the icon of each system from it.
        _draw_icon(python, BUILD / "fer-live.png")


def freeze() -> Path:
    """Run PyInstaller; returns the folder in dist/."""
    target = DIST / folder_name()
    shutil.rmtree(target, ignore_errors=True)
    (BUILD / "entry").mkdir(exist_ok=True)
    shutil.copyfile(ROOT / "release" / "entry.py", BUILD / "entry" / "entry.py")
    run(
        *(script_of(VENV, "pyinstaller"), "--noconfirm", "--clean", "--log-level", "WARN"),
        *("--distpath", BUILD / "frozen", "--workpath", BUILD / "pyinstaller"),
        ROOT / "release" / "fer_live.spec",
        cwd=BUILD,
        quiet=True,
    )
    name = "FER Live.app" if sys.platform == "darwin" else "fer-live"
    if sys.platform == "darwin":
        target.mkdir(parents=True)
        shutil.move(BUILD / "frozen" / name, target / name)
    else:
        shutil.move(BUILD / "frozen" / name, target)
    shutil.copyfile(ROOT / "LICENSE", target / "LICENSE")
    return target


def strip(folder: Path) -> None:
    """Take the names of functions, which only a debugger reads, out of Linux' libraries."""
    if sys.platform != "linux" or shutil.which("strip") is None:
        return
    for path in sorted(folder.rglob("*.so*")):
        place = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and not any(n in place for n in _NOT_STRIPPED):
            run("strip", "--strip-unneeded", path, quiet=True)


def check(folder: Path) -> None:
    """Start what was built: it says its version, and two clips go through what loads most of the
    libraries, in processes of their own, into Parquet and into a summary."""
    program = folder / ("fer-live.exe" if sys.platform == "win32" else "fer-live")
    if sys.platform == "darwin":
        program = folder / "FER Live.app" / "Contents" / "MacOS" / "fer-live"
    said = run(program, "--version", quiet=True).strip()
    if said != f"fer-live {version()}":
        raise ReleaseError(f"{program} --version says {said!r}")
    with_home = {"FER_LIVE_HOME": str(BUILD / "home"), "QT_QPA_PLATFORM": "offscreen"}
    run(program, "doctor", env=with_home)
    demo = next(folder.rglob("fer_live/assets/demo.mp4"))
    again = Path(shutil.copyfile(demo, BUILD / "again.mp4"))
    rows, page = BUILD / "check.parquet", BUILD / "check.html"
    rows.unlink(missing_ok=True)  # or a batch would go on with what is there
    for words in (("analyze", demo, again, "--out", rows), ("summarize", rows, "--out", page)):
        run(program, *words, env=with_home, quiet=True)


def compress(folder: Path) -> Path:
    """The folder as one file, beside it."""
    if sys.platform != "linux":
        return Path(shutil.make_archive(str(folder), "zip", DIST, folder.name))
    archive = folder.parent / f"{folder.name}.tar.xz"
    with tarfile.open(archive, "w:xz", preset=6) as file:
        file.add(folder, folder.name, filter=_without_owner)
    return archive


def _without_owner(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def _draw_icon(python: Path, target: Path) -> None:
    text = (
        "import sys; from PyQt6.QtGui import QGuiApplication, QIcon;"
        "app = QGuiApplication(['icon', '-platform', 'offscreen']);"
        "QIcon(sys.argv[1]).pixmap(1024, 1024).save(sys.argv[2])"
    )
    run(python, "-c", text, ROOT / "assets" / "icon.svg", target, quiet=True)


def main() -> None:
    """Build, check and compress the folder, and say how large it is."""
    wheel = DIST / f"fer_live-{version()}-py3-none-any.whl"
    if not wheel.is_file():
        raise ReleaseError(f"{wheel}: not there; run python -m release.wheel first")
    prepare(wheel)
    folder = freeze()
    strip(folder)
    check(folder)
    archive = compress(folder)
    print(f"{folder}: {megabytes(folder)} MB; {archive.name}: {megabytes(archive)} MB")


if __name__ == "__main__":
    command(main)
