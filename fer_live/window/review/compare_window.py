"""Two recordings beside each other, played together from their begins or from one marker."""

from pathlib import Path

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import QComboBox, QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from fer_live.base.translation import tr
from fer_live.outputs.markers import MarkedSpan
from fer_live.window.review.pane import Pane
from fer_live.window.review.playback import Playback
from fer_live.window.review.player_bar import PlayerBar


class CompareWindow(QDialog):
    """Shows two recordings on one clock, whose 0 is the begin of the one that begins first.

    One that has not begun yet, or has ended, stands still at its first or last picture.
    """

    def __init__(self, folders: tuple[Path, Path], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Two recordings"))
        self.resize(1000, 480)
        self.playback = Playback(self)
        self.playback.moved.connect(self._show_at)
        self.panes = (Pane(), Pane())
        self.names = (QLabel(), QLabel())
        self.aligned = QComboBox()
        self.aligned.setAccessibleName(tr("Together from"))
        self.bar = PlayerBar(self.playback)
        self.bar.back.clicked.connect(lambda: self.step(-1))
        self.bar.forward.clicked.connect(lambda: self.step(1))
        self._lay_out()
        self._lengths_s = [
            pane.open(folder) or 0.0 for pane, folder in zip(self.panes, folders, strict=True)
        ]
        self._marks = [self._marks_of(pane) for pane in self.panes]
        self._late_s = (0.0, 0.0)
        for pane, name, folder in zip(self.panes, self.names, folders, strict=True):
            recording = pane.now.recording
            name.setText(folder.name if recording is None else recording.name)
            pane.now.read.connect(self._show_timelines)
        for number, pane in enumerate(self.panes):
            pane.timeline.sought.connect(lambda at_s, n=number: self._seek_in(n, at_s))
            pane.timeline.face_chosen.connect(pane.timeline.show_large)
        self.aligned.addItem(tr("their begins"), None)
        for text in self.common_texts():
            self.aligned.addItem(tr("the marker {text}", text=text), text)
        self.aligned.currentIndexChanged.connect(lambda _: self.align(self.aligned.currentData()))
        self._show_timelines()
        self.align(None)

    def common_texts(self) -> list[str]:
        """The texts of markers that both have, in the order of the first one's."""
        first, second = ([span.text for span in marks] for marks in self._marks)
        return [text for text in dict.fromkeys(first) if text in second]

    def align(self, text: str | None) -> None:
        """Begin both at their begins, None, or so that the first marker of this text is at once."""
        self.playback.stop()
        if text is None:
            self._late_s = (0.0, 0.0)
        else:
            at_s = [next(s.from_s for s in marks if s.text == text) for marks in self._marks]
            latest = max(at_s)
            self._late_s = (latest - at_s[0], latest - at_s[1])
        ends = [late + length for late, length in zip(self._late_s, self._lengths_s, strict=True)]
        self.playback.open(max(ends))
        begin_s = (
            0.0
            if text is None
            else max(next(s.from_s for s in marks if s.text == text) for marks in self._marks)
        )
        self.playback.seek(begin_s)

    def step(self, frames: int) -> None:
        """Pause, and go on or back by a frame of 30 a second."""
        self.playback.stop()
        self.playback.seek(self.playback.position_s + frames / 30)

    def done(self, result: int) -> None:
        """Let both go, however the window is closed."""
        self.end()
        super().done(result)

    def end(self) -> None:
        """Pause, and let both go."""
        self.playback.open(None)
        for pane in self.panes:
            pane.stop()

    def _lay_out(self) -> None:
        both = QHBoxLayout()
        for pane, name in zip(self.panes, self.names, strict=True):
            column = QVBoxLayout()
            name.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(name)
            column.addWidget(pane, 1)
            both.addLayout(column)
        together = QLabel(tr("Together from"))
        together.setBuddy(self.aligned)
        self.bar.row.addStretch()
        self.bar.row.addWidget(together)
        self.bar.row.addWidget(self.aligned)
        column = QVBoxLayout(self)
        column.addLayout(both, 1)
        column.addWidget(self.bar)
        for key, do in (
            (Qt.Key.Key_J, lambda: self.playback.shuttle(-1)),
            (Qt.Key.Key_K, self.playback.stop),
            (Qt.Key.Key_L, lambda: self.playback.shuttle(1)),
            (Qt.Key.Key_Comma, lambda: self.step(-1)),
            (Qt.Key.Key_Period, lambda: self.step(1)),
        ):
            QShortcut(QKeySequence(key), self).activated.connect(do)

    def _marks_of(self, pane: Pane) -> list[MarkedSpan]:
        return [] if pane.now.recording is None else pane.now.recording.markers()

    def _show_timelines(self) -> None:
        for pane, marks in zip(self.panes, self._marks, strict=True):
            pane.show_timeline(None, marks)
        self._show_at(self.playback.position_s)

    def _seek_in(self, number: int, at_s: float) -> None:
        self.playback.seek(at_s + self._late_s[number])

    def _show_at(self, position_s: float) -> None:
        for pane, late_s, length_s in zip(self.panes, self._late_s, self._lengths_s, strict=True):
            at_s = min(max(position_s - late_s, 0.0), length_s)
            result = pane.result_at(at_s)
            if result is not None:
                pane.show_result(result, at_s, None)
