import numpy as np
import pytest

from fer_live.errors import SourceError
from fer_live.sources.camera import CameraSource
from tests.helpers.cameras import SyntheticCamera


def test_a_missing_camera_is_refused():
    with pytest.raises(SourceError, match="camera 93: not there"):
        CameraSource(93)


def test_the_synthetic_camera_can_be_unplugged():
    camera = SyntheticCamera([np.zeros((4, 4, 3), np.uint8)], 2, then_fail=True)
    assert [camera.read().index, camera.read().index] == [0, 1]
    with pytest.raises(SourceError):
        camera.read()
