"""The plane of valence and arousal, derived: a point a face, and where it was just now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPalette, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from fer_live.base.circumplex import VALENCE_AROUSAL, derived_valence_arousal
from fer_live.base.translation import tr, tr_label
from fer_live.datatypes import FloatArray
from fer_live.painting.overlay import expression_color, track_color
from fer_live.recording.history import Moment

_TRAIL_S = 3.0
_MARGIN = 14
_MAX_POINTS = 60
_SIDE = 130
"""Pixels; larger it says nothing more, and takes the room of what stands above it."""
_POINT_R, _FOLLOWED_R = 4.0, 6.0


@dataclass(frozen=True, slots=True, eq=False)
class _Trail:
    """A face's last seconds: places (T, 2), the newest last."""

    track_id: int
    places: FloatArray


class AffectPlane(QWidget):
    """Paints the faces in view on the plane, the followed one largest, with the last 3 seconds.

    The values are the mean place of the eight expressions, weighed by the smoothed probabilities;
    expressions of a person's own do not count.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._trails: list[_Trail] = []
        self._followed: int | None = None
        self._described = ""

    def show_faces(
        self,
        faces: Sequence[tuple[int, Iterable[Moment]]],
        labels: tuple[str, ...],
        now_s: float,
        followed: int | None,
    ) -> None:
        """Show these faces: the number and the moments of each, the oldest first."""
        trails = [_trail(number, moments, labels, now_s) for number, moments in faces]
        self._trails = [trail for trail in trails if len(trail.places)]
        self._followed = followed
        described = self._description()
        if described != self._described:  # a screen reader speaks at every change
            self._described = described
            self.setAccessibleName(_title())
            self.setAccessibleDescription(described)
        self.update()

    def place_of(self, track_id: int) -> tuple[float, float] | None:
        """Valence and arousal of a face as shown now; None where it is not in view."""
        for trail in self._trails:
            if trail.track_id == track_id:
                valence, arousal = trail.places[-1].tolist()
                return valence, arousal
        return None

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        rows = 2 * round(QFontMetricsF(self._small_font()).height())
        return QSize(_SIDE + 2 * _MARGIN, _SIDE + _MARGIN + rows)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  # Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._small_font())
        row = QFontMetricsF(painter.font()).height()
        text = self.palette().color(QPalette.ColorRole.WindowText)
        painter.setPen(text)
        heading = QRectF(_MARGIN, 0, self.width() - 2 * _MARGIN, row)
        metrics = QFontMetricsF(painter.font())
        title = metrics.elidedText(_title(), Qt.TextElideMode.ElideRight, heading.width())
        painter.drawText(heading, Qt.AlignmentFlag.AlignLeft, title)
        side = min(self.width() - 2 * _MARGIN, self.height() - 2 * row - _MARGIN)
        plane = QRectF((self.width() - side) / 2, row + 6, side, side)
        self._paint_ground(painter, plane)
        for trail in sorted(self._trails, key=lambda trail: trail.track_id == self._followed):
            self._paint_trail(painter, plane, trail)
        painter.end()

    def _paint_ground(self, painter: QPainter, plane: QRectF) -> None:
        faint = self.palette().color(QPalette.ColorRole.PlaceholderText)
        painter.fillRect(plane, self.palette().color(QPalette.ColorRole.AlternateBase))
        middle = plane.center()
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Mid), 1))
        painter.drawLine(QPointF(plane.left(), middle.y()), QPointF(plane.right(), middle.y()))
        painter.drawLine(QPointF(middle.x(), plane.top()), QPointF(middle.x(), plane.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        for label, place in VALENCE_AROUSAL.items():
            painter.setBrush(expression_color(label))
            painter.drawEllipse(_to_plane(plane, *place), 3, 3)
        painter.setPen(faint)
        side = Qt.AlignmentFlag
        inner = plane.adjusted(3, 1, -3, -1)
        row = QFontMetricsF(painter.font()).height()
        beside_axis = QRectF(inner.left(), middle.y(), inner.width(), row)
        painter.drawText(inner, side.AlignTop | side.AlignHCenter, tr("excited"))
        painter.drawText(inner, side.AlignBottom | side.AlignHCenter, tr("relaxed"))
        painter.drawText(beside_axis, side.AlignLeft, tr("unpleasant"))
        painter.drawText(beside_axis, side.AlignRight, tr("pleasant"))

    def _paint_trail(self, painter: QPainter, plane: QRectF, trail: _Trail) -> None:
        points = [_to_plane(plane, *place) for place in trail.places.tolist()]
        color = _visible_on(track_color(trail.track_id), self.palette())
        for age, (start, end) in enumerate(zip(points[::-1][1:], points[::-1], strict=False)):
            faded = QColor(color)
            faded.setAlphaF(max(0.7 * (1 - age / _MAX_POINTS), 0.05))
            painter.setPen(QPen(faded, 2))
            painter.drawLine(start, end)
        radius = _FOLLOWED_R if trail.track_id == self._followed else _POINT_R
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Base), 1.5))
        painter.setBrush(color)
        painter.drawEllipse(points[-1], radius, radius)

    def _small_font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 0.85)
        return font

    def _description(self) -> str:
        """In words and tenths: a screen reader would not keep up with more."""
        place = None if self._followed is None else self.place_of(self._followed)
        if place is None:
            return tr("No face in view")
        valence, arousal = place
        return tr(
            "valence {valence}, arousal {arousal}; nearest to {label}",
            valence=f"{valence:+.1f}",
            arousal=f"{arousal:+.1f}",
            label=tr_label(_nearest(valence, arousal)),
        )


def _title() -> str:
    return tr("Valence and arousal, derived")


def _nearest(valence: float, arousal: float) -> str:
    """The expression whose place is the nearest."""
    places = VALENCE_AROUSAL
    return min(places, key=lambda name: np.hypot(*np.subtract(places[name], (valence, arousal))))


def _trail(
    track_id: int, moments: Iterable[Moment], labels: tuple[str, ...], now_s: float
) -> _Trail:
    probs = [moment.probs for moment in moments if now_s - moment.time_s <= _TRAIL_S]
    probs = probs[:: -(len(probs) // _MAX_POINTS + 1)][::-1]  # the newest is always kept
    if not probs:
        return _Trail(track_id, np.zeros((0, 2), np.float32))
    places = derived_valence_arousal(np.array(probs), labels)
    return _Trail(track_id, places[~np.isnan(places).any(axis=1)])


def _to_plane(plane: QRectF, valence: float, arousal: float) -> QPointF:
    half = plane.width() / 2
    return QPointF(plane.center().x() + valence * half, plane.center().y() - arousal * half)


def _visible_on(color: QColor, palette: QPalette) -> QColor:
    """The colours of faces are dark, to carry white numbers; a dark ground needs lighter ones."""
    is_dark = palette.color(QPalette.ColorRole.AlternateBase).lightness() < 128
    return color.lighter(220) if is_dark else color
