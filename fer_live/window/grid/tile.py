"""The live picture of one source, and what the page shows of its followed face."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import QPoint, QTimer, pyqtSignal
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QFrame, QVBoxLayout

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.datatypes import FaceResult, FrameResult
from fer_live.recording.history import ExpressionHistory
from fer_live.window.grid.tile_head import TileHead
from fer_live.window.widgets.choose_source_card import ChooseSourceCard
from fer_live.window.widgets.face_column import FaceColumn
from fer_live.window.widgets.timeline import Timeline
from fer_live.window.widgets.video_view import VideoView

_FOLLOW_LOST_FOR_S = 3.0
_CLEARLY_LARGER = 1.5**2
"""In area: half as wide again. A box grows by a third when a mouth opens."""
_SMALLEST, _SMALLEST_OF_SEVERAL = (240, 180), (96, 60)
"""Of the picture, width and height."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What stands around the picture; lines, lanes and episodes are those of the timeline."""

    timeline: bool = True
    panel: bool = True
    plane: bool = False
    signals: bool = False
    faces: bool = True
    lines: bool = False
    lanes: bool = False
    episodes: bool = False

    @classmethod
    def wanted_by(cls, settings: Settings) -> "Parts":
        """What these settings want."""
        return cls(
            timeline=settings.show_timeline,
            panel=settings.show_panel,
            plane=settings.show_plane,
            signals=settings.signals,
            faces=settings.show_faces,
            lines=settings.timeline_lines,
            lanes=settings.timeline_lanes,
            episodes=settings.timeline_episodes,
        )

    @property
    def any_beside(self) -> bool:
        """Whether anything stands beside the picture."""
        return self.panel or self.plane or self.signals or self.faces

    @classmethod
    def none(cls) -> "Parts":
        """Nothing around the picture."""
        return cls(timeline=False, panel=False, plane=False, signals=False, faces=False)


class LiveTile(QFrame):
    """Shows results and follows a face: the one that was clicked, or the largest while none was.

    The tile itself has the picture and, among others, a head with name and status. The `timeline`
    and what is `beside` the picture belong to it too, and are laid out by the page. Where a source
    alone failed, the `card` stands in place of its picture; among others there is no room for it,
    and the head has Retry. `picture_changed` is emitted when a picture comes or goes, and `pressed`
    when the person clicks anywhere in the tile. `menu_wanted` is that of the picture.
    """

    picture_changed = pyqtSignal()
    pressed = pyqtSignal()
    menu_wanted = pyqtSignal(int, QPoint)

    def __init__(self, on_painted: Callable[[float], None]) -> None:
        super().__init__()
        self.setObjectName("tile")
        self.head = TileHead()
        self.head.pressed.connect(self.pressed)
        self.view = VideoView(on_painted)
        self.view.pressed.connect(self.pressed)
        self.view.face_clicked.connect(self.follow)
        self.view.menu_wanted.connect(self.menu_wanted)
        self.beside = FaceColumn()
        self.panel, self.faces = self.beside.panel, self.beside.faces
        self.plane, self.signals = self.beside.plane, self.beside.signals
        self.faces.chosen.connect(self.follow)
        self.timeline = Timeline()
        self.timeline.face_chosen.connect(self.follow)
        self._history = ExpressionHistory()
        self._labels: tuple[str, ...] = ()
        self._chosen: int | None = None
        self._chosen_seen_s = 0.0
        self._followed: int | None = None
        self._faces: tuple[FaceResult, ...] = ()
        self._face: FaceResult | None = None
        self._result: FrameResult | None = None
        # The picture is painted first: what is posted comes before timers.
        self._around = QTimer(self)
        self._around.setSingleShot(True)
        self._around.timeout.connect(self._show_around)
        self._is_asking, self._is_alone = False, True
        self.card = ChooseSourceCard()
        self._lay_out()
        self._show_card()
        self.show_among_others(is_alone=True, is_chosen=True)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self.view, 1)
        column.addWidget(self.card, 1)

    def show_among_others(self, *, is_alone: bool, is_chosen: bool) -> None:
        """Have a head and a frame that tells the chosen tile, where there is more than one."""
        self._is_alone = is_alone
        self._show_card()
        self.head.setVisible(not is_alone)
        self.view.setMinimumSize(*(_SMALLEST if is_alone else _SMALLEST_OF_SEVERAL))
        color = "palette(highlight)" if is_chosen else "palette(mid)"
        frame = "" if is_alone else f"#tile {{ border: 2px solid {color}; }}"
        if frame != self.styleSheet():
            self.setStyleSheet(frame)

    def show_parts(self, parts: Parts, *, is_chosen: bool) -> None:
        """Show these around the picture while the tile is the chosen one, else none of them."""
        self.timeline.setVisible(parts.timeline and is_chosen)
        self.timeline.show_as(lines=parts.lines, lanes=parts.lanes, episodes=parts.episodes)
        self.panel.setVisible(parts.panel)
        self.plane.setVisible(parts.plane)
        self.signals.setVisible(parts.signals)
        self.faces.setVisible(parts.faces)
        self.beside.setVisible(is_chosen and parts.any_beside)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  # Qt's name
        self.pressed.emit()

    @property
    def is_asking(self) -> bool:
        """Whether the source failed, so that the tile waits for the person in place of results."""
        return self._is_asking

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
        """Show a result in the picture, and then in bars and timeline.

        `lines` stand in the picture's corner: that it is recorded, and a warning.
        """
        if labels != self._labels:
            self._labels = labels
            self.start_over()
        had_picture = self.view.has_picture
        now_s = result.frame.captured_at_s
        self._faces = result.faces
        self._history.add(result)
        self._face = self._face_to_follow(result.faces, now_s)
        if self._face is not None:
            self._followed = self._face.track_id
        self.view.show_result(
            result,
            labels,
            mirror=mirror,
            followed=self._followed,
            lines=lines,
        )
        self._result = result
        self._around.start()
        if not had_picture:
            self.picture_changed.emit()

    def _show_around(self) -> None:
        """Show around the picture what was last shown in it."""
        result, face, labels = self._result, self._face, self._labels
        if result is None:
            return
        self._result = None  # no pixels are kept here
        now_s = result.frame.captured_at_s
        self.timeline.advance(self._history.curves(), self._followed, now_s)
        if self.panel.isVisible():
            self.panel.show_face(face, labels, away=self._chosen if face is None else None)
        if self.signals.isVisible():
            self.signals.show_signals(None if face is None else face.signals)
        if self.plane.isVisible():
            moments = [(one.track_id, self._history.of(one.track_id)) for one in result.faces]
            self.plane.show_faces(moments, labels, now_s, self._followed)
        if self.faces.isVisible():
            self.faces.show_faces(result, self._history.all(), labels, self._followed)

    def show_paused(self, paused: bool) -> None:
        """Say that the source is closed until the person goes on."""
        if paused:
            self.show_message(tr("Paused: the source is closed until you go on (Ctrl+P)"))

    def show_message(self, message: str, *, offer_choices: bool = False) -> None:
        """Say something in place of the picture; with what to do instead, where wanted."""
        self._is_asking = offer_choices
        self._result = None
        self.view.show_message(message)
        if offer_choices and self._is_alone:
            self.card.show_reason(message)
        self._show_card()
        self.panel.show_face(None, self._labels)
        self.plane.show_faces((), self._labels, 0.0, None)
        self.picture_changed.emit()

    def _show_card(self) -> None:
        is_shown = self._is_asking and self._is_alone
        self.card.setVisible(is_shown)
        self.view.setVisible(not is_shown)

    def start_over(self) -> None:
        """Forget all faces: the next result is of another source."""
        self._history.clear()
        self.faces.start_over()
        self._chosen = self._followed = None
        self._faces, self._face, self._result = (), None, None
        self.timeline.show_live(self._labels, time.monotonic())

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
