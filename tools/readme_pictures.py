"""Takes the small pictures of features for the README: python -m tools.readme_pictures

Each is cut out of the real window on the demo and written to docs/features/NAME.webp.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from tools.shown_window import open_on_demo, pictures_of, when_painted

if TYPE_CHECKING:
    from PyQt6.QtGui import QPixmap
    from PyQt6.QtWidgets import QWidget

    from fer_live.window.main_window import MainWindow

OUT = Path(__file__).parents[1] / "docs/features"
WIDTH_HEIGHT = (400, 260)
SCALE = 2
QUALITY = 80


_CENTERS = {
    "faces": (0.0, 0.5),
    "personal": (0.0, 0.0),
    "several": (0.0, 0.0),
    "looked": (0.0, 0.5),
    "signals": (1.0, 0.5),
    "timeline": (1.0, 0.5),
    "data_out": (0.0, 0.0),
    "review": (0.5, 0.5),
}
"""Which part is kept where the proportions differ: from 0, left and above, to 1."""


def main() -> None:
    """Take them in a second process, whose screen is the virtual one."""
    if len(sys.argv) > 1:
        take(Path(sys.argv[1]))
        return
    OUT.mkdir(exist_ok=True)
    with pictures_of("tools.readme_pictures", SCALE) as files:
        for file in files:
            picture = ImageOps.fit(
                Image.open(file).convert("RGB"), WIDTH_HEIGHT, centering=_CENTERS[file.stem]
            )
            picture.save(OUT / f"{file.stem}.webp", quality=QUALITY, method=6)
    size = sum(file.stat().st_size for file in OUT.iterdir())
    print(f"{OUT}: {len(files)} pictures, {size / 1e3:.0f} kB")


def take(folder: Path) -> None:
    """Show one feature after the other and save what its part of the window looks like."""
    from PyQt6.QtCore import QTimer

    application, window = open_on_demo()
    steps = _steps(window)

    def next_step() -> None:
        if not steps:
            window.close()
            return
        name, wait_ms, prepare, picture = steps.pop(0)
        prepare()

        def save() -> None:
            picture().save(f"{folder}/{name}.png")
            next_step()

        QTimer.singleShot(wait_ms, save)

    when_painted(window, 0, next_step)
    window.show()
    application.exec()


Step = tuple[str, int, Callable[[], object], Callable[[], "QPixmap"]]


def _steps(window: "MainWindow") -> list[Step]:
    """Name, time to wait after what prepares it, and what is taken."""

    def change(**settings: object) -> Callable[[], None]:
        return lambda: window.preferences.change(settings)

    def grab(widget: Callable[[], "QWidget"]) -> Callable[[], "QPixmap"]:
        return lambda: widget().grab()

    def review() -> None:
        window.set_recording(False)
        QTimer.singleShot(1500, lambda: window.pages.turn_to("review"))

    def personal() -> None:
        _dialog(window).close()
        window.pages.turn_to("personal")

    def add_a_source() -> None:
        window.pages.turn_to("live")
        window.feeds.add(Location(str(asset("demo.mp4"))))

    from PyQt6.QtCore import QTimer

    from fer_live.model.assets import asset
    from fer_live.sources.choice import Location

    return [
        ("faces", 6000, lambda: window.set_recording(True), grab(lambda: window.live.view)),
        ("looked", 1500, change(show_heat_map=True), grab(lambda: window.live.view)),
        (
            "signals",
            1500,
            change(show_heat_map=False, signals=True),
            grab(lambda: window.live.view),
        ),
        ("timeline", 9000, change(signals=False), grab(lambda: window.live_page)),
        ("data_out", 1500, window.data_out.show_dialog, grab(lambda: _dialog(window))),
        ("review", 4000, review, grab(lambda: window.later.review)),
        ("personal", 1500, personal, grab(lambda: window.later.personal)),
        ("several", 6000, add_a_source, grab(lambda: window.live_page)),
    ]


def _dialog(window: "MainWindow") -> "QWidget":
    from fer_live.window.dialogs.outputs_dialog import OutputsDialog

    (dialog,) = window.findChildren(OutputsDialog)
    return dialog


if __name__ == "__main__":
    main()
