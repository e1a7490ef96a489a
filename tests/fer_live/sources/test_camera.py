from pathlib import Path

import numpy as np
import pytest

from fer_live.errors import SourceError
from fer_live.sources import camera
from fer_live.sources.camera import CameraSource
from tests.helpers.cameras import SyntheticCamera


@pytest.mark.parametrize("index", [93, 2**31, 10**30])
def test_a_missing_camera_is_refused(index: int):
    with pytest.raises(SourceError, match=rf"camera {index}: (no camera is found|not there)"):
        CameraSource(index)


def test_the_synthetic_camera_can_be_unplugged():
    made_up = SyntheticCamera([np.zeros((4, 4, 3), np.uint8)], 2, then_fail=True)
    assert [made_up.read().index, made_up.read().index] == [0, 1]
    with pytest.raises(SourceError):
        made_up.read()


@pytest.mark.parametrize(
    ("there", "allowed", "says"),
    [
        ({}, True, "no camera is found; plug one in"),
        ({1: "Front"}, True, r"not there; plug it in, or choose another: Front \(1\)"),
        ({0: "Front"}, True, "Front is in use; close the program"),
        ({0: "Front"}, False, "not allowed to use .*add yourself to its group"),
    ],
)
def test_each_reason_why_a_camera_does_not_open_has_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, there, allowed, says
):
    device = tmp_path / "video0"
    if 0 in there:
        device.touch()
    monkeypatch.setattr(camera.sys, "platform", "linux")
    monkeypatch.setattr(camera, "list_cameras", lambda: there)
    monkeypatch.setattr(camera, "Path", lambda _: device)
    monkeypatch.setattr(camera.os, "access", lambda *_: allowed)
    with pytest.raises(SourceError, match=f"camera 0: .*{says}"):
        CameraSource(0)
