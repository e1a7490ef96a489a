"""The real window on the demo, on a virtual screen: what pictures of it are taken from."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PyQt6.QtWidgets import QApplication

    from fer_live.window.main_window import MainWindow

SIZE_WH = (1100, 680)


@contextmanager
def pictures_of(module: str, scale: int = 1) -> Iterator[list[Path]]:
    """Run `python -m MODULE FOLDER` on a virtual screen; gives the pictures that it left there.

    `scale` is how many pixels of the screen make one of the window.
    """
    with tempfile.TemporaryDirectory() as folder, _virtual_screen(scale) as display:
        Path(folder, "home/you/Documents").mkdir(parents=True)
        others = {k: v for k, v in os.environ.items() if k[:4] not in ("FER_", "XDG_")}
        environment = {
            **others,
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "HOME": f"{folder}/home/you",  # paths stand in the pictures
            "LC_ALL": "C.UTF-8",
            "QT_SCALE_FACTOR": str(scale),
        }
        subprocess.run([sys.executable, "-m", module, folder], env=environment, check=True)
        yield sorted(Path(folder).glob("*.png"))


def open_on_demo() -> tuple["QApplication", "MainWindow"]:
    """The window on the demo, not shown yet; nothing that is changed in it is kept."""
    from PyQt6.QtWidgets import QApplication

    from fer_live.base.settings import Settings
    from fer_live.personal.models import load_pipeline
    from fer_live.session.meter import Meter
    from fer_live.sources.choice import Demo
    from fer_live.sources.several import NamedSource
    from fer_live.window.main_window import MainWindow
    from fer_live.window.style import apply_style

    application = QApplication([])
    apply_style(application)
    sources = [NamedSource(Demo())]
    window = MainWindow(sources, Settings(), load_pipeline, Meter(0.0), keep_settings=False)
    window.resize(*SIZE_WH)
    window.move(0, 0)
    return application, window


def when_painted(window: "MainWindow", delay_ms: int, do: Callable[[], object]) -> None:
    """Call `do` this long after the first picture."""
    from PyQt6.QtCore import QTimer

    window.first_painted.connect(lambda: QTimer.singleShot(delay_ms, do))


@contextmanager
def _virtual_screen(scale: int) -> Iterator[str]:
    """An Xvfb on a display that is free; gives its name."""
    size = f"{SIZE_WH[0] * scale}x{SIZE_WH[1] * scale}x24"
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp"]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, **quiet) as server:
        assert server.stdout is not None
        yield f":{server.stdout.readline().strip()}"
        server.terminate()
