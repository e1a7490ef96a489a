"""The virtual camera, with a library that stands in for the system's: no machine here has one."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from fer_live.base.colors import EXPRESSION_COLORS
from fer_live.datatypes import FrameResult
from fer_live.errors import InputError
from fer_live.outputs import virtual_camera
from fer_live.outputs.registry import check_outputs
from fer_live.outputs.virtual_camera import VirtualCamera
from tests.helpers.results import result

LIBRARYS_WORDS = "'v4l2loopback' backend: No v4l2 loopback device found at /dev/video[0-99]."


class FakeCamera:
    made: list["FakeCamera"]

    def __init__(self, width: int, height: int, fps: int, **options: object) -> None:
        self.size, self.fps, self.options = (width, height), fps, options
        self.sent: list[np.ndarray] = []
        self.is_closed = False
        FakeCamera.made.append(self)

    def send(self, image: np.ndarray) -> None:
        self.sent.append(image)

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(FakeCamera, "made", [], raising=False)
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
    plain, bars, after = FakeCamera.made[-1].sent
    assert (plain == 100).all() and (after == 100).all()
    assert bars.shape == (96, 128, 3)
    colors = [f"#{bytes(bars[0, x][::-1]).hex()}" for x in range(8, 128, 16)]
    assert colors == list(EXPRESSION_COLORS.values())


def shown(result_: FrameResult) -> np.ndarray:
    return result_.frame.image_bgr


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(("device", "asked"), [("/dev/video7", "/dev/video7"), ("", None)])
def test_the_library_gets_the_size_the_kind_of_picture_and_the_device(device, asked):
    VirtualCamera(device, shown).write("camera 0", result(0, 0.0))
    (camera,) = FakeCamera.made
    assert (camera.size, camera.fps) == ((128, 96), 30)
    assert camera.options == {"fmt": "bgr", "device": asked}


@pytest.mark.usefixtures("library")
def test_pictures_of_one_size_go_into_one_camera():
    camera = VirtualCamera("", shown)
    for k in range(3):
        camera.write("camera 0", result(k, k / 30))
    (made,) = FakeCamera.made
    assert len(made.sent) == 3
    assert not made.is_closed


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("size", [(96, 64), (48, 128)])
def test_a_picture_of_another_size_closes_the_camera_and_opens_one_of_its_size(size):
    pictures = [np.zeros((96, 128, 3), np.uint8), np.zeros((*size, 3), np.uint8)]
    camera = VirtualCamera("", lambda _: pictures.pop(0))
    for k in range(2):
        camera.write("camera 0", result(k, k / 30))
    before, after = FakeCamera.made
    assert (before.is_closed, after.is_closed) == (True, False)
    assert after.size == size[::-1]
    assert camera.last_message == f"{size[1]} x {size[0]}"


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("end", [VirtualCamera.close, VirtualCamera.abandon])
def test_at_the_end_the_camera_is_closed_and_nothing_is_told_as_sent(end):
    camera = VirtualCamera("", shown)
    assert camera.last_message == "", "nothing was sent yet"
    camera.write("camera 0", result(0, 0.0))
    end(camera)
    assert FakeCamera.made[0].is_closed
    assert camera.last_message == ""
    end(camera)


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(("after_s", "is_test"), [(2.9, True), (3.0, False)])
def test_the_colours_are_sent_for_three_seconds(monkeypatch, after_s, is_test):
    now_s = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now_s[0])
    camera = VirtualCamera("", shown)
    assert camera.send_test() == ("For three seconds colour bars are sent in place of the picture.")
    now_s[0] += after_s
    camera.write("camera 0", result(0, 0.0))
    assert (FakeCamera.made[0].sent[0] != 100).any() == is_test


@pytest.mark.parametrize(
    ("device", "platform", "says"),
    [
        (
            "/dev/video3",
            "linux",
            "/dev/video3 cannot be opened: another program may be sending to it, it may be no "
            "virtual camera, or your user may not be in the group video",
        ),
        (
            "",
            "darwin",
            "the virtual camera cannot be opened: install OBS, and start its virtual camera once",
        ),
    ],
)
def test_a_camera_that_cannot_be_opened_is_named(
    library: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, device, platform, says
):
    (tmp_path / "video3").mkdir()
    monkeypatch.setattr(virtual_camera, "_MADE_UP_DEVICES", tmp_path)
    monkeypatch.setattr("sys.platform", platform)
    library.Camera = refuse
    with pytest.raises(InputError) as told:
        VirtualCamera(device, shown).write("camera 0", result(0, 0.0))
    assert str(told.value) == says
