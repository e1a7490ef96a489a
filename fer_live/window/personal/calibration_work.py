"""Calibrates from all that is kept of a person, on a thread of its own."""

import time
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from fer_live.base.translation import tr
from fer_live.window.background import Background

if TYPE_CHECKING:
    from fer_live.personal.personalize import Personalized


class CalibrationWork(QObject):
    """`ended` brings a `Personalized`, or the `FerLiveError` that it failed by; `phase` brings what
    is done now and for how long already, a few times a second."""

    ended = pyqtSignal(object)
    phase = pyqtSignal(str)
    _began = pyqtSignal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self._text, self._since_s = "", 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(250)
        self._timer.timeout.connect(self._tell)
        self._began.connect(self._set_text)

    @property
    def is_on(self) -> bool:
        """Whether a calibration runs."""
        return self._timer.isActive()

    def begin(self, person: str) -> None:
        """Calibrate to this person."""
        self._since_s = time.monotonic()
        self._set_text(tr("Finding your face in what is kept"))
        self._timer.start()

        def work() -> "Personalized":
            # Not with the window: it loads the decoders, and the first picture would wait.
            from fer_live.personal.personalize import (
                gather_material,
                kept_wishes,
                personalize,
                start_of_profile,
            )

            start = start_of_profile(person, _say_nothing)
            material = gather_material(kept_wishes(person), start, _say_nothing)
            n_faces = len(material.unlabeled) + len(material.labeled)
            self._began.emit(tr("Learning from {n} pictures, and testing it", n=n_faces))
            return personalize(start, material, person, _say_nothing)

        self._background.run(work, self._end)

    def wait(self) -> None:
        """Block until the calibration that runs is over."""
        self._background.wait()

    def _end(self, result: object) -> None:
        self._timer.stop()
        self.ended.emit(result)

    def _set_text(self, text: str) -> None:
        self._text = text
        self._tell()

    def _tell(self) -> None:
        passed_s = int(time.monotonic() - self._since_s)
        self.phase.emit(tr("{phase}: {seconds} s so far", phase=self._text, seconds=passed_s))


def install(made: "Personalized", person: str) -> str:
    """Put the model among the installed ones; its folder. Raises `OutputError`."""
    from fer_live.personal.personalize import write_profile

    return str(write_profile(made, person).folder)


def _say_nothing(line: str) -> None:
    """The window says what came of it at the end."""
