"""Puts the process right before Qt starts."""

import os
import sys

from PyQt6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

from fer_live.plain_text import say

_NOISE = ("This plugin does not support propagateSizeHints()",)


def prepare_qt(*, headless: bool = False) -> None:
    """Make Qt load its own plugins; call before a Qt application is made.

    OpenCV's wheels carry a Qt of their own and, when imported, point Qt to its plugins; PyQt6 would
    load those and crash. `headless` asks for the platform that needs no display, unless another one
    was chosen. Qt's own warnings go to stderr, without the one that its offscreen platform repeats.
    """
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if f"{os.sep}cv2{os.sep}" in os.environ.get(name, ""):
            del os.environ[name]
    if headless and not os.environ.get("QT_QPA_PLATFORM"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    qInstallMessageHandler(_print_warning)


def _print_warning(kind: QtMsgType, _: QMessageLogContext, message: str | None) -> None:
    quiet = (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg)
    if message and kind not in quiet and message not in _NOISE:
        say(f"Qt: {message}", to=sys.stderr)
