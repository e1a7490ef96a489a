"""Whether a window can be opened here, found out before Qt is loaded."""

import ctypes
import os
import sys

from fer_live.base.system_libraries import require_qt_libraries
from fer_live.errors import InputError


def check_screen() -> None:
    """Raise `InputError` where Qt could not open a window: it would abort the process instead."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if not screen_is_there():
        raise InputError(
            "no screen here (DISPLAY and WAYLAND_DISPLAY name none that answers); to read a file "
            "without one: fer-live analyze FILE --out FILE.csv; live: fer-live --headless --csv "
            "FILE.csv"
        )
    require_qt_libraries()


def screen_is_there() -> bool:
    """Whether a window can be opened: a display is named and, where it is X11, answers."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    if os.environ.get("WAYLAND_DISPLAY"):
        return True
    if not os.environ.get("DISPLAY"):
        return False
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return True  # `require_qt_libraries` says what to install
    xcb.xcb_connect.restype = ctypes.c_void_p
    connection = ctypes.c_void_p(xcb.xcb_connect(None, None))
    refused = bool(xcb.xcb_connection_has_error(connection))
    xcb.xcb_disconnect(connection)
    return not refused
