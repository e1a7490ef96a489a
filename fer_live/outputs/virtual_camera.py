"""What the window shows, as a camera for calls and streams."""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from fer_live.base.colors import EXPRESSION_COLORS
from fer_live.base.translation import mark, tr
from fer_live.datatypes import FrameResult, UInt8Array
from fer_live.errors import InputError
from fer_live.outputs.kind import OutputKind, Paint

_FPS = 30
"""Only announced: a frame is sent when there is one."""
_TEST_S = 3.0
_MADE_UP_DEVICES = Path("/sys/devices/virtual/video")
"""Where Linux lists the cameras that are programs."""


class VirtualCamera:
    """A `ResultSink` into the system's virtual camera (v4l2loopback, OBS).

    `paint` makes its picture, (H, W, 3) uint8 BGR. `device` empty takes the first one. Raises
    `InputError` where there is none.
    """

    def __init__(self, device: str, paint: Paint) -> None:
        self._device, self._paint = device, paint
        self._camera: Any = None
        self._size_wh = (0, 0)
        self._test_until_s = 0.0

    @property
    def last_message(self) -> str:
        """The size of the picture that was sent last."""
        return "{} x {}".format(*self._size_wh) if self._camera is not None else ""

    def send_test(self) -> str:
        """Send colour bars for three seconds; returns what happened."""
        self._test_until_s = time.monotonic() + _TEST_S
        return tr("For three seconds colour bars are sent in place of the picture.")

    def write(self, source: str, result: FrameResult) -> None:
        painted = self._paint(result)
        if time.monotonic() < self._test_until_s:
            painted = _colour_bars(painted.shape[1], painted.shape[0])
        self._open(painted.shape[1], painted.shape[0])
        self._camera.send(painted)

    def close(self) -> None:
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def abandon(self) -> None:
        self.close()

    def _open(self, width: int, height: int) -> None:
        import pyvirtualcam

        if self._camera is not None and self._size_wh == (width, height):
            return
        self.close()
        try:
            self._camera = pyvirtualcam.Camera(
                width,
                height,
                _FPS,
                fmt=pyvirtualcam.PixelFormat.BGR,
                device=self._device or None,
            )
        except RuntimeError:  # in the words of the system below
            raise InputError(_trouble() or _cannot_open(self._device)) from None
        self._size_wh = (width, height)


def _colour_bars(width: int, height: int) -> UInt8Array:
    """(H, W, 3) uint8 BGR: the colours of the expressions side by side."""
    colors = [bytes.fromhex(color[1:])[::-1] for color in EXPRESSION_COLORS.values()]
    row = np.array([list(colors[x * len(colors) // width]) for x in range(width)], np.uint8)
    return np.ascontiguousarray(np.broadcast_to(row, (height, width, 3)))


def _trouble() -> str:
    """Why this machine has no virtual camera, and what to install; empty where it may have one."""
    if sys.platform != "linux" or any(_MADE_UP_DEVICES.glob("video*")):
        return ""
    return tr(
        "There is no virtual camera on this machine. Install it with: sudo apt-get install "
        "v4l2loopback-dkms. Switch it on with: sudo modprobe v4l2loopback exclusive_caps=1"
    )


def _cannot_open(device: str) -> str:
    name = device or tr("the virtual camera")
    if sys.platform == "linux":
        return tr(
            "{name} cannot be opened: another program may be sending to it, it may be no virtual "
            "camera, or your user may not be in the group video",
            name=name,
        )
    return tr("{name} cannot be opened: install OBS, and start its virtual camera once", name=name)


OUTPUT = OutputKind(
    name="virtual_camera",
    title=mark("Virtual camera"),
    purpose=mark(
        "For calls and streams: Zoom, Teams or OBS take what this window shows as a camera."
    ),
    metavar="DEVICE",
    help="the video with boxes and labels; on Linux it needs v4l2loopback, elsewhere OBS",
    open=lambda opening: VirtualCamera(opening.where, opening.make_painter()),
    extra="virtual-camera",
    package="pyvirtualcam",
    trouble=_trouble,
    where_is_optional=True,
    sharing="one",
    position=60,
)
