"""Expressions over time: scrolling beside the video, whole in a review, to be read and searched."""

import time
from collections.abc import Iterable, Mapping
from functools import partial

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QContextMenuEvent
from PyQt6.QtWidgets import QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from fer_live.base.translation import tr
from fer_live.outputs.markers import MarkedSpan
from fer_live.recording.face_curve import FaceCurve
from fer_live.recording.history import KEPT_S
from fer_live.window.widgets.episode_list import EpisodeList, episodes_of
from fer_live.window.widgets.timeline_axes import time_text
from fer_live.window.widgets.timeline_legend import TimelineLegend
from fer_live.window.widgets.timeline_levels import CurveLevels
from fer_live.window.widgets.timeline_plot import TimelinePlot
from fer_live.window.widgets.timeline_range import TimeRange

_LISTED_EVERY_S = 1.0
_LIVE_SPAN_S = 30.0


class Timeline(QWidget):
    """A legend that takes classes out, the band with its lanes and axes, and a list of episodes.

    A live timeline shows the last half minute and scrolls; zoomed out or panned, the last ten
    minutes. `show_all` shows a whole recording instead; then `sought` tells the time, in seconds,
    that the person clicked or moved to. `face_chosen` brings the number of a face to be followed,
    and `switched` the name and state of a switch: lines, lanes or episodes.
    """

    sought = pyqtSignal(float)
    face_chosen = pyqtSignal(int)
    switched = pyqtSignal(str, bool)

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.legend, self.plot, self.episode_list = TimelineLegend(), TimelinePlot(), EpisodeList()
        self._listed_at_s = float("-inf")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (self.legend, self.plot, self.episode_list):
            column.addWidget(widget)
        self.episode_list.hide()
        self.plot.sought.connect(self.sought)
        self.plot.face_chosen.connect(self.face_chosen)
        self.plot.moved.connect(self._show_state)
        self.legend.chosen.connect(self._leave_out)
        self.legend.nearer.clicked.connect(lambda: self.plot.zoom(1.5))
        self.legend.farther.clicked.connect(lambda: self.plot.zoom(1 / 1.5))
        self.legend.usual.clicked.connect(lambda: self.plot.zoom(0))
        self.legend.now.clicked.connect(self.go_to_now)
        self.legend.lines.toggled.connect(self._show_lines)
        self.legend.lanes.toggled.connect(self._show_lanes)
        self.legend.episodes.toggled.connect(self._show_episodes)
        for name, button in self._switches().items():
            button.clicked.connect(partial(self.switched.emit, name))
        self.episode_list.chosen.connect(self.plot.go_to)
        self.episode_list.all_wanted.connect(self._list_episodes)
        self._show_state()

    def show_as(self, *, lines: bool, lanes: bool, episodes: bool) -> None:
        """Show lines in place of a stack, a lane for each face, and the list of episodes, or not.
        This is no `switched`."""
        wanted = {"lines": lines, "lanes": lanes, "episodes": episodes}
        for name, button in self._switches().items():
            button.setChecked(wanted[name])

    def _switches(self) -> dict[str, QToolButton]:
        legend = self.legend
        return {"lines": legend.lines, "lanes": legend.lanes, "episodes": legend.episodes}

    def show_live(self, labels: tuple[str, ...], now_s: float) -> None:
        """Scroll from now on: another source, or a model with other labels."""
        self._begin(TimeRange.live(now_s, _LIVE_SPAN_S, KEPT_S), labels)
        self.plot.show_curves({}, None)
        self._show_state()

    def advance(self, curves: Mapping[int, FaceCurve], followed: int | None, now_s: float) -> None:
        """It is later now; the band is of the face `followed`, or of none."""
        if now_s < self.plot.range.end_s:
            self.show_live(self.plot.labels, now_s)
        self.plot.range.advance(now_s)
        levels = {number: CurveLevels(curve) for number, curve in curves.items()}
        self.plot.show_curves(levels, followed)
        if time.monotonic() - self._listed_at_s >= _LISTED_EVERY_S:
            self._list_episodes()

    def show_all(
        self,
        curves: Iterable[FaceCurve],
        labels: tuple[str, ...],
        length_s: float,
        marks: Iterable[MarkedSpan],
        followed: int | None = None,
    ) -> None:
        """Show a whole recording of `length_s` seconds, with its markers; the curve of `followed`,
        or else of the face that was seen in most moments, is large."""
        self._begin(TimeRange.whole(max(length_s, 0.1)), labels)
        self.plot.show_marks(marks)
        levels = {curve.number: CurveLevels(curve) for curve in curves}
        if followed not in levels:
            followed = max(levels, key=lambda n: len(levels[n].curve.times_s), default=None)
        self.plot.show_curves(levels, followed)
        self._list_episodes()
        self._show_state()

    def show_large(self, number: int) -> None:
        """Show the curve of this face large, and list its episodes."""
        self.plot.show_curves(self.plot.curves, number)
        self._list_episodes()

    def show_marks(self, marks: Iterable[MarkedSpan]) -> None:
        """Show these moments and intervals from now on, on the clock of what else is shown."""
        self.plot.show_marks(marks)

    def move_cursor(self, time_s: float) -> None:
        """Show which time of the recording, in seconds, is in the picture."""
        self.plot.show_played(time_s)

    def show_legend(self, shown: bool) -> None:
        """Show the legend and its buttons, or leave their room to the pictures."""
        self.legend.setVisible(shown)

    def go_to_now(self) -> None:
        """Let a live timeline scroll again, as long as it was."""
        self.plot.read(None)
        self.plot.pan(self.plot.range.end_s - self.plot.range.to_s)

    def event(self, event: QEvent | None) -> bool:
        if event is not None and event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._fit()
        return super().event(event)

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:  # noqa: N802  # Qt's name
        """The legend's buttons once more, also where the legend is hidden."""
        if event is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for button in self.legend.buttons:
            entry = menu.addAction(button.accessibleName(), button.click)
            assert entry is not None, "the menu makes it"
            entry.setCheckable(button.isCheckable())
            entry.setChecked(button.isChecked())
            entry.setEnabled(button.isEnabled() and button.isVisibleTo(self.legend))
        menu.addSeparator()
        every = menu.addAction(tr("Show every expression"), self.legend.show_every)
        assert every is not None, "the menu makes it"
        every.setEnabled(bool(self.legend.off))
        menu.popup(event.globalPos())

    def _fit(self) -> None:
        """Be as high as the parts at this width: a box layout does not reckon with a legend whose
        rows are more where it is narrow."""
        height = self.plot.sizeHint().height()
        if not self.legend.isHidden():
            height += self.legend.heightForWidth(self.width())
        if not self.episode_list.isHidden():
            height += self.episode_list.sizeHint().height()
        if self.minimumHeight() != height:
            self.setFixedHeight(height)

    def _begin(self, shown: TimeRange, labels: tuple[str, ...]) -> None:
        self.plot.range, self.plot.labels = shown, labels
        self.plot.read(None)
        self.plot.show_played(None if shown.is_live else 0.0)
        self.plot.forget()
        self.legend.show_labels(labels)

    def _show_state(self) -> None:
        shown = self.plot.range
        self.legend.show_state(
            can_go_to_now=shown.is_live and not shown.follows, is_whole=shown.is_whole
        )

    def _leave_out(self, off: frozenset[str]) -> None:
        self.plot.off = off
        self.plot.update()

    def _show_lines(self, on: bool) -> None:
        self.plot.as_lines = on
        self.plot.update()

    def _show_lanes(self, on: bool) -> None:
        self.plot.with_lanes = on
        self.plot.place_lanes()
        self.plot.update()

    def _show_episodes(self, on: bool) -> None:
        self.episode_list.setVisible(on)
        self._list_episodes()

    def _list_episodes(self) -> None:
        self._listed_at_s = time.monotonic()
        if not self.legend.episodes.isChecked() or not self.plot.labels:
            return
        plot = self.plot
        wanted = [
            levels.curve
            for number, levels in plot.curves.items()
            if self.episode_list.of_all.isChecked() or number == plot.followed
        ]
        self.episode_list.show_episodes(
            episodes_of(wanted),
            plot.labels,
            lambda time_s: time_text(time_s, plot.range),
            newest_first=plot.range.is_live,
        )
