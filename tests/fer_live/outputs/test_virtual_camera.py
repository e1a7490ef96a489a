"""The virtual camera, with a library that stands in for the system's: no machine here has one."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fer_live.base.colors import EXPRESSION_COLORS
from fer_live.errors import InputError
from fer_live.outputs import virtual_camera
from fer_live.outputs.registry import check_outputs
from fer_live.outputs.virtual_camera import VirtualCamera
from tests.helpers.results import result

LIBRARYS_WORDS = "'v4l2loopback' backend: No v4l2 loopback device found at /dev/video[0-99]."


class FakeCamera:
    sent: list[np.ndarray]

    def __init__(self, width: int, height: int, fps: int, **_: object) -> None:
        self.size, self.sent = (width, height), []
        FakeCamera.last = self  # type: ignore[attr-defined]

    def send(self, image: np.ndarray) -> None:
        self.sent.append(image)

    def close(self) -> None:
        pass


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Any:
    module = ModuleType("pyvirtualcam")
    module.Camera = FakeCamera  # type: ignore[attr-defined]
    module.PixelFormat = type("PixelFormat", (), {"BGR": "bgr"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyvirtualcam", module)
    return module


def refuse(*_: object, **__: object) -> None:
    raise RuntimeError(LIBRARYS_WORDS)


def test_a_machine_without_one_is_told_what_to_install(
    library: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr(virtual_camera, "_MADE_UP_DEVICES", tmp_path)
    monkeypatch.setattr("sys.platform", "linux")
    library.Camera = refuse
    camera = VirtualCamera("", lambda shown: shown.frame.image_bgr)
    with pytest.raises(InputError, match="sudo apt-get install v4l2loopback-dkms") as told:
        camera.write("camera 0", result(0, 0.0))
    assert "backend" not in str(told.value)
    monkeypatch.setattr("fer_live.outputs.registry.require_packages", lambda *_: None)
    with pytest.raises(InputError, match=r"--virtual-camera: There is no virtual camera"):
        check_outputs({"virtual_camera": ""})
    (tmp_path / "video0").mkdir()
    check_outputs({"virtual_camera": ""})
    with pytest.raises(InputError, match="/dev/video0 cannot be opened: another program"):
        VirtualCamera("/dev/video0", lambda shown: shown.frame.image_bgr).write("c", result(0, 0.0))
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(InputError, match="install OBS, and start its virtual camera once"):
        camera.write("camera 0", result(0, 0.0))


@pytest.mark.usefixtures("library")
def test_a_test_shows_the_colours_for_a_while(monkeypatch: pytest.MonkeyPatch):
    now_s = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now_s[0])
    camera = VirtualCamera("", lambda shown: shown.frame.image_bgr)
    camera.write("camera 0", result(0, 0.0))
    assert camera.last_message == "128 x 96"
    assert "colour bars" in camera.send_test()
    camera.write("camera 0", result(1, 0.1))
    now_s[0] += 4
    camera.write("camera 0", result(2, 4.1))
    plain, bars, after = FakeCamera.last.sent  # type: ignore[attr-defined]
    assert (plain == 100).all() and (after == 100).all()
    assert bars.shape == (96, 128, 3)
    colors = [f"#{bytes(bars[0, x][::-1]).hex()}" for x in range(8, 128, 16)]
    assert colors == list(EXPRESSION_COLORS.values())
