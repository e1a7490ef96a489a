"""What stands beside the picture of a recording: the chosen face's bars, all faces, the plane."""

from PyQt6.QtCore import QTimer, pyqtSignal

from fer_live.datatypes import FaceResult, FrameResult
from fer_live.recording.recorded_faces import RecordedFaces
from fer_live.window.grid.tile import Parts
from fer_live.window.widgets.face_column import FaceColumn

_LAST_MINUTE_S, _TRAIL_S = 60.0, 3.0
_SETTLED_MS = 600


class Beside(FaceColumn):
    """Shows a frame's faces; the chosen one has the bars, or else the one that the recording shows
    longest, and where that is not in the picture the largest.

    `chosen_changed` tells that the person chose another face. List and signals look up only now and
    then while a recording plays; once it stands still they show what is there.
    """

    chosen_changed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.faces.chosen.connect(self.choose)
        self.chosen: int | None = None
        self._recorded: RecordedFaces | None = None
        self._result: FrameResult | None = None
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLED_MS)
        self._settled.timeout.connect(self._show)

    def open(self, recorded: RecordedFaces | None) -> None:
        """The next frames are of this recording, or of none."""
        self._recorded, self._result, self.chosen = recorded, None, None
        self._settled.stop()
        self.faces.start_over()
        self.panel.show_face(None, () if recorded is None else recorded.labels)
        self.plane.show_faces((), (), 0.0, None)

    def show_parts(self, parts: Parts) -> None:
        """Show these beside the picture, and nothing where none is wanted."""
        self.panel.setVisible(parts.panel)
        self.faces.setVisible(parts.faces)
        self.plane.setVisible(parts.plane)
        self.signals.setVisible(parts.signals)
        self.setVisible(parts.any_beside)
        self._show()

    def show_result(self, result: FrameResult) -> None:
        """Show what was read in this frame."""
        self._result = result
        self._show()
        self._settled.start()

    @property
    def followed(self) -> int | None:
        """The number of the face that has the bars."""
        face = self._face()
        return self.chosen if face is None else face.track_id

    def choose(self, number: int) -> None:
        """Show the bars of this face from now on; 0: of the one seen longest."""
        self.chosen = number or None
        self._show()
        self.chosen_changed.emit()

    def choose_next(self) -> None:
        """The next one of the faces in view, in order of their numbers."""
        faces = () if self._result is None else self._result.faces
        numbers = sorted(face.track_id for face in faces)
        if numbers:
            behind = [number for number in numbers if number > (self.followed or 0)]
            self.choose(behind[0] if behind else numbers[0])

    def _face(self) -> FaceResult | None:
        faces = () if self._result is None else self._result.faces
        if self.chosen is not None:
            return next((face for face in faces if face.track_id == self.chosen), None)
        longest = None if self._recorded is None else self._recorded.seen_longest
        usual = (face for face in faces if face.track_id == longest)
        return next(usual, max(faces, key=lambda face: face.area, default=None))

    def _show(self) -> None:
        recorded, result, face = self._recorded, self._result, self._face()
        if recorded is None or result is None:
            return
        labels, now_s = recorded.labels, result.frame.captured_at_s
        away = self.chosen if face is None else None
        if not self.panel.isHidden():
            self.panel.show_face(face, labels, away=away)
        if not self.signals.isHidden():
            self.signals.show_signals(None if face is None else face.signals)
        if not self.plane.isHidden():
            numbers = [one.track_id for one in result.faces]
            trails = [(n, recorded.of(n).between(now_s - _TRAIL_S, now_s)) for n in numbers]
            self.plane.show_faces(trails, labels, now_s, self.followed)
        if not self.faces.isHidden() and self.faces.is_due:
            last_minute = {
                number: moments
                for number in recorded.numbers
                if (moments := recorded.of(number).between(now_s - _LAST_MINUTE_S, now_s))
            }
            self.faces.show_faces(result, last_minute, labels, self.followed)
