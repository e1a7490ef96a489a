"""The live picture, the followed face beside it, its timeline below; or what to do without one."""

import time
from collections.abc import Callable

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from fer_live.base.translation import tr
from fer_live.datatypes import FaceResult, FrameResult
from fer_live.recording.history import ExpressionHistory, Moment
from fer_live.window.widgets.affect_plane import AffectPlane
from fer_live.window.widgets.choose_source_card import ChooseSourceCard
from fer_live.window.widgets.face_panel import FacePanel
from fer_live.window.widgets.signals_panel import SignalsPanel
from fer_live.window.widgets.timeline import Timeline
from fer_live.window.widgets.video_view import VideoView

_FOLLOW_LOST_FOR_S = 3.0
_CLEARLY_LARGER = 1.5**2
"""In area: half as wide again. A box grows by a third when a mouth opens."""


class LivePage(QWidget):
    """Shows results and follows a face: the one that was clicked, or the largest while none was.

    `card` stands in place of a picture where a source failed. `picture_changed` is emitted when a
    picture comes or goes.
    """

    picture_changed = pyqtSignal()

    def __init__(self, on_painted: Callable[[float], None]) -> None:
        super().__init__()
        self.view = VideoView(on_painted)
        self.view.face_clicked.connect(self.follow)
        self.panel, self.plane, self.signals = FacePanel(), AffectPlane(), SignalsPanel()
        self.timeline = Timeline()
        self.timeline.emptied.connect(self._fill_timeline)
        self._history = ExpressionHistory()
        self._labels: tuple[str, ...] = ()
        self._chosen: int | None = None
        self._chosen_seen_s = 0.0
        self._followed: int | None = None
        self._faces: tuple[FaceResult, ...] = ()
        self._parts: dict[str, bool] = {}
        self._alone = False
        self.card = ChooseSourceCard()
        self._lay_out()

    def _lay_out(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._picture = QStackedWidget()
        self._picture.addWidget(self.view)
        self._picture.addWidget(self.card)
        column.addWidget(self._picture, 1)
        column.addWidget(self.timeline)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(left)
        splitter.addWidget(self._side())
        splitter.setStretchFactor(0, 1)
        splitter.setChildrenCollapsible(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(splitter)

    def _side(self) -> QWidget:
        self._beside = QWidget()
        column = QVBoxLayout(self._beside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.panel, 1)
        column.addWidget(self.plane)
        column.addWidget(self.signals)
        return self._beside

    def show_parts(self, *, timeline: bool, panel: bool, plane: bool, signals: bool) -> None:
        """Show these around the picture, and nothing where a part is not wanted."""
        self._parts = {"timeline": timeline, "panel": panel, "plane": plane, "signals": signals}
        self._show_parts()

    def show_picture_alone(self, alone: bool) -> None:
        """Show nothing around the picture, or again what is wanted."""
        self._alone = alone
        self._show_parts()

    def _show_parts(self) -> None:
        shown = {name: wanted and not self._alone for name, wanted in self._parts.items()}
        self.timeline.setVisible(shown.pop("timeline"))
        self.panel.setVisible(shown["panel"])
        self.plane.setVisible(shown["plane"])
        self.signals.setVisible(shown["signals"])
        self._beside.setVisible(any(shown.values()))

    @property
    def is_asking(self) -> bool:
        """Whether the page offers other sources in place of results."""
        return self._picture.currentWidget() is self.card

    @property
    def followed(self) -> int | None:
        """The number of the face whose bars and timeline are shown."""
        return self._followed

    def show_result(
        self,
        result: FrameResult,
        labels: tuple[str, ...],
        *,
        mirror: bool,
        lines: tuple[str, str],
    ) -> None:
        """Show a result in picture, bars and timeline.

        `lines` stand in the picture's corner: that it is recorded, and a warning.
        """
        if labels != self._labels:
            self._labels = labels
            self.start_over()
        had_picture = self.view.has_picture
        now_s = result.frame.captured_at_s
        self._faces = result.faces
        self._history.add(result)
        face = self._face_to_follow(result.faces, now_s)
        if face is not None and face.track_id != self._followed:
            self._followed = face.track_id
            self.timeline.show_live(self._history.of(face.track_id), labels)
        elif face is None:
            self.timeline.add(None, now_s)
        else:
            moment = Moment(now_s, face.smoothed_probs, face.shown_label)
            self.timeline.add(moment, now_s)
        if self.panel.isVisible():
            self.panel.show_face(face, labels, away=self._chosen if face is None else None)
        if self.signals.isVisible():
            self.signals.show_signals(None if face is None else face.signals)
        if self.plane.isVisible():
            moments = [(one.track_id, self._history.of(one.track_id)) for one in result.faces]
            self.plane.show_faces(moments, labels, now_s, self._followed)
        self.view.show_result(
            result,
            labels,
            mirror=mirror,
            followed=self._followed,
            lines=lines,
        )
        if not had_picture:
            self.picture_changed.emit()

    def _fill_timeline(self) -> None:
        moments = () if self._followed is None else self._history.of(self._followed)
        self.timeline.show_live(moments, self._labels)

    def show_paused(self, paused: bool) -> None:
        """Say that the source is closed until the person goes on."""
        if paused:
            self.show_message(tr("Paused: the source is closed until you go on (Ctrl+P)"))

    def show_message(self, message: str, *, offer_choices: bool = False) -> None:
        """Say something in place of the picture; with what to do instead, where wanted."""
        self._picture.setCurrentWidget(self.card if offer_choices else self.view)
        self.view.show_message(message)
        if offer_choices:
            self.card.show_reason(message)
        self.panel.show_face(None, self._labels)
        self.plane.show_faces((), self._labels, 0.0, None)
        self.picture_changed.emit()

    def start_over(self) -> None:
        """Forget all faces: the next result is of another source."""
        self._history.clear()
        self._chosen = self._followed = None
        self._faces = ()
        self.timeline.show_live((), self._labels)

    def follow(self, track_id: int) -> None:
        """Follow this face from now on; 0: the largest, whichever that is."""
        self._chosen = track_id or None
        self._chosen_seen_s = time.monotonic()

    def follow_next(self) -> None:
        """Follow the next one of the faces in view, in order of their numbers."""
        numbers = sorted(face.track_id for face in self._faces)
        if numbers:
            behind = [number for number in numbers if number > (self._followed or 0)]
            self.follow(behind[0] if behind else numbers[0])

    def _face_to_follow(self, faces: tuple[FaceResult, ...], now_s: float) -> FaceResult | None:
        for face in faces:
            if face.track_id == self._chosen:
                self._chosen_seen_s = now_s
                return face
        if self._chosen is not None and now_s - self._chosen_seen_s < _FOLLOW_LOST_FOR_S:
            return None  # it may be back in a moment
        self._chosen = None
        largest = max(faces, key=lambda face: face.area, default=None)
        before = next((face for face in faces if face.track_id == self._followed), None)
        if largest is None or before is None:
            return largest
        # Two faces of one size: not from one to the other and back.
        return largest if largest.area > _CLEARLY_LARGER * before.area else before
