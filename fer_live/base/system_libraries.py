"""Libraries of the system that Qt, OpenCV and MediaPipe load, and what installs them."""

import ctypes
import sys

from fer_live.errors import InputError

# By soname, with the package of Debian and Ubuntu. The Makefile and the README list the same.
PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libGLESv2.so.2": "libgles2",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
}

_HEADLESS = (
    "libEGL.so.1",
    "libGL.so.1",
    "libxkbcommon.so.0",
    "libdbus-1.so.3",
    "libfontconfig.so.1",
)


def require_qt_libraries(*, headless: bool = False) -> None:
    """Raise `InputError` with one copyable line where Qt would abort for want of a library."""
    missing = _missing(_HEADLESS if headless else tuple(PACKAGES))
    if missing:
        raise InputError(install_line(missing))


def install_line(packages: list[str]) -> str:
    """What a person can paste into a terminal."""
    return f"system packages are missing; run: sudo apt-get install -y {' '.join(packages)}"


def package_of_failed_import(error: ImportError) -> list[str]:
    """Packages to install for an import that failed for want of a system library; often none."""
    if not sys.platform.startswith("linux") or ".so" not in str(error):
        return []
    return _missing(tuple(PACKAGES))


def _missing(libraries: tuple[str, ...]) -> list[str]:
    if not sys.platform.startswith("linux"):
        return []
    missing = []
    for library in libraries:
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(PACKAGES[library])
    return missing
