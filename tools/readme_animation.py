"""Films the window for the README: python -m tools.readme_animation

Starts Xvfb, opens the real window on the demo in it, and writes six seconds of what is on that
screen to docs/window.webp.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

OUT = Path(__file__).parents[1] / "docs/window.webp"
SECONDS, FPS, BEGINS_S = 6, 10, 1.0
SCREEN_WH, OUT_WH = (1100, 680), (880, 544)
QUALITY = 72


def main() -> None:
    """Film in a second process, whose screen is the virtual one."""
    if len(sys.argv) > 1:
        film(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder, virtual_screen() as display:
        environment = {
            **os.environ,
            "DISPLAY": display,
            "QT_QPA_PLATFORM": "xcb",
            "FER_LIVE_HOME": f"{folder}/home",
            "LC_ALL": "C.UTF-8",
        }
        command = [sys.executable, "-m", "tools.readme_animation", folder]
        subprocess.run(command, env=environment, check=True)
        write(sorted(Path(folder).glob("*.png")))
    print(f"{OUT}: {OUT.stat().st_size / 1e6:.2f} MB")


class virtual_screen:  # noqa: N801  # used as a function is
    """An Xvfb on a display that is free; gives its name."""

    def __enter__(self) -> str:
        size = f"{SCREEN_WH[0]}x{SCREEN_WH[1]}x24"
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._server.stdout is not None
        return f":{self._server.stdout.readline().strip()}"

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait()


def film(folder: Path) -> None:
    """Open the window on the demo and save what the screen shows, `FPS` times a second."""
    from PyQt6.QtCore import Qt, QTimer
    from PyQt6.QtWidgets import QApplication

    from fer_live.base.settings import Settings
    from fer_live.personal.models import load_pipeline
    from fer_live.session.meter import Meter
    from fer_live.sources.choice import Demo
    from fer_live.window.main_window import MainWindow
    from fer_live.window.style import apply_style

    application = QApplication([])
    apply_style(application)
    window = MainWindow(Demo(), Settings(), load_pipeline, Meter(0.0), keep_settings=False)
    window.resize(*SCREEN_WH)
    window.move(0, 0)
    screen = application.primaryScreen()
    assert screen is not None
    timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=1000 // FPS)
    taken = []

    def take() -> None:
        taken.append(screen.grabWindow(0))
        if len(taken) == SECONDS * FPS:
            timer.stop()
            window.close()

    timer.timeout.connect(take)
    window.first_painted.connect(lambda: QTimer.singleShot(round(1000 * BEGINS_S), timer.start))
    window.show()
    application.exec()
    for number, picture in enumerate(taken):
        picture.save(f"{folder}/{number:03}.png")


def write(files: list[Path]) -> None:
    """An animated WebP that plays over and over."""
    pictures = [Image.open(file).convert("RGB").resize(OUT_WH, Image.LANCZOS) for file in files]
    pictures[0].save(
        OUT,
        save_all=True,
        append_images=pictures[1:],
        duration=1000 // FPS,
        loop=0,
        quality=QUALITY,
        method=6,
    )


if __name__ == "__main__":
    main()
