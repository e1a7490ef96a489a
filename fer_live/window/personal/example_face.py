"""Drawings of the eight expressions, for whoever is asked to show one.

Brows, eyes and mouth are set by what the Facial Action Coding System has for the prototype of each
(Ekman and Friesen, 1978), which people all over the world were asked to pose.
"""

from dataclasses import dataclass

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPen

_SKIN, _LINE = QColor("#e3c3a4"), QColor("#33241b")


@dataclass(frozen=True, slots=True)
class _Features:
    """Of a face one unit wide: how far ends of brows and corners of the mouth are raised, how far
    eyes and mouth are open, how wide the mouth is, and whether one corner alone is raised."""

    brow_inner: float = 0.0
    brow_outer: float = 0.0
    eye: float = 0.045
    corner: float = 0.0
    mouth_open: float = 0.0
    mouth_width: float = 0.16
    is_lopsided: bool = False
    nose_is_wrinkled: bool = False


_FEATURES = {
    "neutral": _Features(),
    "happiness": _Features(eye=0.035, corner=0.09, mouth_width=0.21),
    "surprise": _Features(0.08, 0.08, eye=0.07, mouth_open=0.11, mouth_width=0.09),
    "sadness": _Features(0.07, -0.02, eye=0.035, corner=-0.07, mouth_width=0.14),
    "anger": _Features(-0.06, 0.03, eye=0.03, corner=-0.02, mouth_width=0.13),
    "disgust": _Features(
        -0.03, 0.0, eye=0.025, corner=-0.05, mouth_width=0.15, nose_is_wrinkled=True
    ),
    "fear": _Features(0.09, 0.04, eye=0.07, corner=-0.02, mouth_open=0.04, mouth_width=0.2),
    "contempt": _Features(corner=0.08, mouth_width=0.15, is_lopsided=True),
}


def has_example(label: str) -> bool:
    """Whether there is a drawing of this expression."""
    return label in _FEATURES


def paint_example(painter: QPainter, area: QRectF, label: str) -> None:
    """Draw the expression into a square; nothing where there is no drawing of it."""
    features = _FEATURES.get(label)
    if features is None:
        return
    painter.save()
    painter.translate(area.center())
    painter.scale(area.width(), area.width())
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_SKIN)
    painter.drawEllipse(QPointF(0, 0), 0.42, 0.49)
    _paint_eyes(painter, features)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(_LINE, 0.03, cap=Qt.PenCapStyle.RoundCap))
    _paint_brows(painter, features)
    _paint_nose(painter, features)
    _paint_mouth(painter, features)
    painter.restore()


def _paint_eyes(painter: QPainter, features: _Features) -> None:
    for side in (-1, 1):
        painter.setBrush(QColor("white"))
        painter.drawEllipse(QPointF(side * 0.17, -0.1), 0.075, features.eye + 0.01)
        painter.setBrush(_LINE)
        painter.drawEllipse(QPointF(side * 0.17, -0.1), 0.03, min(features.eye, 0.03))


def _paint_brows(painter: QPainter, features: _Features) -> None:
    for side in (-1, 1):
        inner = QPointF(side * 0.08, -0.21 - features.brow_inner)
        outer = QPointF(side * 0.27, -0.21 - features.brow_outer)
        painter.drawLine(inner, outer)


def _paint_nose(painter: QPainter, features: _Features) -> None:
    painter.drawLine(QPointF(-0.03, 0.07), QPointF(0.03, 0.07))
    if features.nose_is_wrinkled:
        for y in (-0.06, -0.01):
            painter.drawLine(QPointF(-0.05, y), QPointF(0.05, y))


def _paint_mouth(painter: QPainter, features: _Features) -> None:
    width, middle = features.mouth_width, 0.24
    if features.mouth_open:
        painter.setBrush(_LINE)
        painter.drawEllipse(QPointF(0, middle), width, features.mouth_open)
        return
    left = 0.0 if features.is_lopsided else features.corner
    path = QPainterPath(QPointF(-width, middle - left))
    path.quadTo(QPointF(0, middle + left), QPointF(width, middle - features.corner))
    painter.drawPath(path)
