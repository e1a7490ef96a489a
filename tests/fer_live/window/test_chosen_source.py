from pathlib import Path

import pytest

from fer_live.base.settings import load_settings
from fer_live.sources.choice import Camera, Demo, Location
from tests.helpers.window import GRAY, ON_CPU, wait_for_pictures


def test_sources_are_switched_and_the_camera_is_remembered(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    window.source.choose(Demo())
    qtbot.waitUntil(lambda: window.live.followed is not None, timeout=60_000)
    window.source.choose(Camera(3))
    qtbot.waitUntil(lambda: "camera 3" in window.message, timeout=60_000)
    assert load_settings()[0].camera == 3
    window.source.choose(Demo())
    qtbot.waitUntil(lambda: window.message == "", timeout=60_000)


def test_a_camera_is_found_again_by_its_name(monkeypatch: pytest.MonkeyPatch):
    opened: list[int] = []
    monkeypatch.setattr("fer_live.sources.choice.CameraSource", lambda n, mode: opened.append(n))
    cameras = {0: "built in", 2: "desk"}
    monkeypatch.setattr("fer_live.sources.choice.list_cameras", lambda: cameras)
    for camera in (
        Camera(1, device="desk"),
        Camera(0, device="built in"),
        Camera(0, device="gone"),
    ):
        camera.open()
    Camera(1).open()
    assert opened == [2, 0, 0, 1]


def test_what_was_opened_is_offered_again(qtbot, open_window, demo_clip: Path):
    window, _ = open_window(GRAY)
    for where in (str(demo_clip), "rtsp://127.0.0.1:1/x", str(demo_clip)):
        window.source.choose(Location(where))
    recent = (str(demo_clip), "rtsp://127.0.0.1:1/x")
    assert load_settings()[0].recent_locations == recent
    window.source_menu.fill()
    assert demo_clip.name in [action.text() for action in window.source_menu.actions()]


def test_a_resolution_that_the_camera_refuses_is_told(qtbot, open_window, monkeypatch):
    monkeypatch.setattr(Camera, "open", lambda self: GRAY.open())
    window, meter = open_window(Camera(0), ON_CPU.but(camera_size_wh=(1280, 720)))
    wait_for_pictures(qtbot, meter)
    assert window.notices.texts == ("The camera does not do 1280 x 720; it sends 160 x 120",)
    assert "160 x 120" in window.status.runs_on
