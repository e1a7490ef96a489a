"""What the window shows, as a camera for calls and streams."""

from typing import Any

from fer_live.base.translation import mark, tr
from fer_live.datatypes import FrameResult
from fer_live.errors import InputError
from fer_live.outputs.kind import OutputKind, Paint

_FPS = 30
"""Only announced: a frame is sent when there is one."""


class VirtualCamera:
    """A `ResultSink` into the system's virtual camera (v4l2loopback, OBS).

    `paint` makes its picture, (H, W, 3) uint8 BGR. `device` empty takes the first one. Raises
    `InputError` where there is none.
    """

    def __init__(self, device: str, paint: Paint) -> None:
        self._device, self._paint = device, paint
        self._camera: Any = None
        self._size_wh = (0, 0)

    def write(self, source: str, result: FrameResult) -> None:
        painted = self._paint(result)
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
        except RuntimeError as error:
            raise InputError(
                tr(
                    "virtual camera {device}: {why}; on Linux load v4l2loopback, elsewhere "
                    "install OBS",
                    device=self._device,
                    why=str(error).splitlines()[0],
                )
            ) from None
        self._size_wh = (width, height)


OUTPUT = OutputKind(
    name="virtual_camera",
    title=mark("Virtual camera"),
    metavar="DEVICE",
    help="the video with boxes and labels; on Linux it needs v4l2loopback, elsewhere OBS",
    open=lambda opening: VirtualCamera(opening.where, opening.make_painter()),
    extra="virtual-camera",
    package="pyvirtualcam",
    where_is_optional=True,
    sharing="one",
    position=60,
)
