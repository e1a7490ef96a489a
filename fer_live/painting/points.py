"""Paints the outlines of measured faces."""

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF

from fer_live.datatypes import FaceSignals
from fer_live.recording.face_points import OUTLINES

_LINE_COLOR = QColor(120, 225, 255, 190)


def paint_points(
    painter: QPainter,
    area: QRectF,
    signals: FaceSignals,
    frame_wh: tuple[int, int],
    *,
    mirror: bool,
    line_px: float,
) -> None:
    """Paint face, eyes, irises, brows, nose and lips where `area` shows the frame."""
    width, height = frame_wh
    points = signals.landmarks.points_xyz[:, :2] + 0.5  # a pixel's middle
    if mirror:
        points = points * (-1, 1) + (width, 0)
    scale = np.array([area.width() / width, area.height() / height])
    places = points * scale + (area.left(), area.top())
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_LINE_COLOR, line_px))
    for outline in OUTLINES:
        line = places[list(outline)]
        if np.isfinite(line).all():  # a recording without points tells the rest
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in line.tolist()]))
