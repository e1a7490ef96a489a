"""Snapshots: the picture as it is shown, as a PNG file or on the clipboard."""

from collections.abc import Callable
from datetime import datetime

from PyQt6.QtCore import QBuffer, QByteArray
from PyQt6.QtGui import QGuiApplication

from fer_live.base.atomic_file import write_atomically
from fer_live.base.home import home, made
from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.window.notices import Notice, done, failed
from fer_live.window.widgets.video_view import VideoView


def take_snapshot(view: VideoView, say: Callable[[Notice], None]) -> None:
    """Save what the view shows below FER_LIVE_HOME/snapshots, and say where or what went wrong."""
    picture = view.picture()
    if picture is None:
        return
    try:
        path = made(home() / "snapshots") / f"{datetime.now():%Y-%m-%d %H.%M.%S.%f}.png"
        content = QByteArray()
        buffer = QBuffer(content)
        buffer.open(QBuffer.OpenModeFlag.WriteOnly)
        picture.save(buffer, "png")
        # Qt would leave half a picture on a full disk.
        write_atomically(path, content.data(), is_private=True)
    except FerLiveError as problem:
        say(failed(str(problem)))
        return
    say(done(tr("Saved: {path}", path=path), path))


def copy_picture(view: VideoView, say: Callable[[Notice], None]) -> None:
    """Put what the view shows on the clipboard."""
    picture, clipboard = view.picture(), QGuiApplication.clipboard()
    if picture is None:
        return
    assert clipboard is not None, "Qt makes it with the application"
    clipboard.setImage(picture)
    say(done(tr("The picture is on the clipboard")))
