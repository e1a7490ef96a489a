"""Libraries of the system that Qt, OpenCV and MediaPipe load, and what installs them."""

import ctypes
import sys
from pathlib import Path

from fer_live.errors import InputError

LIST = Path(__file__).with_name("system_packages.txt")
"""One line per library: its file name, the Debian package that brings it, what it is needed for."""


def packages(*, headless: bool = False) -> dict[str, str]:
    """Library -> its package; with `headless`, of those that Qt loads without a screen too."""
    rows = [line.split() for line in LIST.read_text().splitlines() if not line.startswith("#")]
    return {row[0]: row[1] for row in rows if not headless or "headless" in row[2:]}


def require_qt_libraries(*, headless: bool = False) -> None:
    """Raise `InputError` with one copyable line where Qt would abort for want of a library."""
    missing = _missing(packages(headless=headless))
    if missing:
        raise InputError(install_line(missing))


def install_line(packages: list[str]) -> str:
    """What a person can paste into a terminal."""
    return f"system packages are missing; run: sudo apt-get install -y {' '.join(packages)}"


def has_nvidia_driver() -> bool:
    """Whether the driver that CUDA and TensorRT need is on this machine."""
    names = {"win32": "nvcuda.dll", "linux": "libcuda.so.1"}
    try:
        ctypes.CDLL(names[sys.platform])
    except (KeyError, OSError):
        return False
    return True


def package_of_failed_import(error: ImportError) -> list[str]:
    """Packages to install for an import that failed for want of a system library; often none."""
    if not sys.platform.startswith("linux") or ".so" not in str(error):
        return []
    return _missing(packages())


def _missing(libraries: dict[str, str]) -> list[str]:
    """The packages of those libraries that cannot be loaded here."""
    if not sys.platform.startswith("linux"):
        return []
    missing = []
    for library, package in libraries.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    return missing
