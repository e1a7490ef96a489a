"""The time of what is played: forwards and backwards, slower and faster."""

import time

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0)
_TICK_MS = 33
_END_S = 0.05


class Playback(QObject):
    """Owns the position, in seconds from 0 to `length_s`; nothing plays while that is None.

    `moved` brings the position whenever it changed, `changed` tells that playing began or ended, or
    the speed did.
    """

    moved = pyqtSignal(float)
    changed = pyqtSignal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.position_s = 0.0
        self.speed = 1.0
        self._length_s: float | None = None
        self._direction = 1
        self._ticked_at_s = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def length_s(self) -> float | None:
        """How long what is open is; None while nothing is."""
        return self._length_s

    @property
    def is_playing(self) -> bool:
        """Whether time goes on by itself."""
        return self._timer.isActive()

    @property
    def is_backwards(self) -> bool:
        """Whether it plays, or last played, backwards."""
        return self._direction < 0

    def open(self, length_s: float | None) -> None:
        """Begin anew, paused and at the begin, with something of this length, or with nothing."""
        self.stop()
        self._length_s, self.position_s = length_s, 0.0
        self._direction = 1

    def seek(self, time_s: float) -> None:
        """Go to this time, or to the end that is nearest to it."""
        if self._length_s is None:
            return
        self.position_s = min(max(time_s, 0.0), self._length_s)
        self.moved.emit(self.position_s)

    def toggle(self) -> None:
        """Play on in the direction of before, or pause."""
        if self.is_playing:
            self.stop()
        else:
            self.play(self._direction)

    def play(self, direction: int = 1) -> None:
        """Play: 1 forwards, -1 backwards; from the other end where there is nothing left."""
        if self._length_s is None:
            return
        self._direction = direction
        if direction > 0 and self.position_s >= self._length_s - _END_S:
            self.seek(0.0)
        elif direction < 0 and self.position_s <= _END_S:
            self.seek(self._length_s)
        self._ticked_at_s = time.monotonic()
        self._timer.start()
        self.changed.emit()

    def shuttle(self, direction: int) -> None:
        """As J and L do in editors: play in this direction, and faster where it does already."""
        if self.is_playing and self._direction == direction:
            self.change_speed(1)
            return
        if not self.is_playing:
            self.speed = 1.0
        self.play(direction)

    def stop(self) -> None:
        """Pause where it is."""
        if self._timer.isActive():
            self._timer.stop()
            self.changed.emit()

    def set_speed(self, speed: float) -> None:
        """Play this many times as fast, one of `SPEEDS`, from now on."""
        if speed != self.speed:
            self.speed = speed
            self.changed.emit()

    def change_speed(self, steps: int) -> None:
        """To the next slower or faster speed, where there is one."""
        place = SPEEDS.index(self.speed) + steps
        self.set_speed(SPEEDS[min(max(place, 0), len(SPEEDS) - 1)])

    def _tick(self) -> None:
        assert self._length_s is not None
        now_s = time.monotonic()
        passed_s, self._ticked_at_s = now_s - self._ticked_at_s, now_s
        self.seek(self.position_s + self._direction * self.speed * passed_s)
        if self.position_s >= self._length_s if self._direction > 0 else self.position_s <= 0:
            self.stop()
