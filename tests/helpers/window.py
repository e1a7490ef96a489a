"""Windows on sources that need no camera, and waiting for what they paint."""

from dataclasses import dataclass

import numpy as np

from fer_live.base.settings import Settings, save_settings
from fer_live.errors import SourceError
from fer_live.personal.models import load_pipeline
from fer_live.session.meter import Meter
from fer_live.sources.choice import Demo
from fer_live.sources.several import NamedSource
from fer_live.sources.source import FrameSource
from fer_live.window.main_window import MainWindow
from tests.helpers.cameras import SyntheticCamera

ON_CPU = Settings(provider="cpu")
CONSENTED = ON_CPU.but(capture_accepted_on="2026-11-25")


@dataclass(frozen=True)
class Pictures:
    """A source of these pictures, again and again, at 30 a second."""

    images: tuple[np.ndarray, ...]
    is_mirrored: bool = False
    name: str = "pictures"

    def open(self) -> FrameSource:
        return SyntheticCamera(self.images, 100_000, paced=True)


@dataclass(frozen=True)
class Missing:
    is_mirrored: bool = True
    name: str = "camera 0"

    def open(self) -> FrameSource:
        raise SourceError("camera 0: not there")


GRAY = Pictures((np.full((120, 160, 3), 90, np.uint8),))


def wait_for_pictures(qtbot, meter: Meter, n: int = 3) -> None:
    wanted = meter.painted + n
    qtbot.waitUntil(lambda: meter.painted >= wanted, timeout=60_000)


def open_demo_window(qtbot, settings: Settings = CONSENTED) -> MainWindow:
    """A window on the demo clip that shows a face."""
    save_settings(settings)
    window = MainWindow([NamedSource(Demo())], settings, load_pipeline, Meter(0.0))
    # Not w, of which qtbot has a weak reference: without a test's own the window could be collected
    # while its threads run.
    qtbot.addWidget(window, before_close_func=lambda _: window.stop())
    window.show()
    qtbot.waitUntil(lambda: bool(window.live._faces), timeout=60_000)
    return window
