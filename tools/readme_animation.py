"""Films the window for the README: python -m tools.readme_animation

Writes six seconds of what is on the virtual screen to docs/window.webp.
"""

import sys
from pathlib import Path

from PIL import Image

from tools.shown_window import open_on_demo, pictures_of, when_painted

OUT = Path(__file__).parents[1] / "docs/window.webp"
SECONDS, FPS, BEGINS_MS = 6, 10, 1000
OUT_WH = (880, 544)
QUALITY = 72


def main() -> None:
    """Film in a second process, whose screen is the virtual one."""
    if len(sys.argv) > 1:
        film(Path(sys.argv[1]))
        return
    with pictures_of("tools.readme_animation") as files:
        write(files)
    print(f"{OUT}: {OUT.stat().st_size / 1e6:.2f} MB")


def film(folder: Path) -> None:
    """Open the window on the demo and save what the screen shows, `FPS` times a second."""
    from PyQt6.QtCore import Qt, QTimer

    application, window = open_on_demo()
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
    when_painted(window, BEGINS_MS, timer.start)
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
