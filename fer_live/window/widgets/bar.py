"""A bar that can be read on any ground: pale colours have an edge, and so has their end."""

from collections.abc import Sequence

from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QGuiApplication, QPainter, QPalette, QPen


def paint_bar(painter: QPainter, area: QRectF, share: float, color: QColor) -> None:
    """Fill this share of `area`, 0 to 1, from the left."""
    palette = QGuiApplication.palette()
    edge = palette.color(QPalette.ColorRole.PlaceholderText)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    inner = area.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.fillRect(inner, palette.color(QPalette.ColorRole.AlternateBase))
    filled = QRectF(inner)
    filled.setWidth(inner.width() * min(max(share, 0.0), 1.0))
    painter.fillRect(filled, color)
    painter.setPen(QPen(edge, 1))
    if 0 < share < 1:
        painter.drawLine(filled.topRight(), filled.bottomRight())
    painter.setBrush(QColor(0, 0, 0, 0))
    painter.drawRect(inner)
    painter.restore()


def paint_shares(painter: QPainter, area: QRectF, shares: Sequence[tuple[QColor, float]]) -> None:
    """Divide the bar among colours by their shares, which sum to 1."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    left = area.left()
    for color, share in shares:
        width = area.width() * share
        painter.fillRect(QRectF(left, area.top(), width, area.height()), color)
        left += width
    painter.setPen(QPen(QGuiApplication.palette().color(QPalette.ColorRole.PlaceholderText), 1))
    painter.setBrush(QColor(0, 0, 0, 0))
    painter.drawRect(area.adjusted(0, 0, -1, -1))
    painter.restore()
