"""The followed face: its label, what stands in its way, and one bar per expression."""

from math import ceil

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QPalette
from PyQt6.QtWidgets import QSizePolicy, QWidget

from fer_live.base.translation import tr, tr_advice, tr_label
from fer_live.datatypes import FaceResult
from fer_live.painting.overlay import expression_color, track_color
from fer_live.window.translated import as_sentence
from fer_live.window.widgets.bar import paint_bar

_MARGIN = 14
_ROW_GAP = 9
_BAR_H = 8.0
_MIN_BAR_H = 5.0
_MIN_WIDTH = 156
_MIN_LETTERS = 0.8
"""Of the window's letters: as small as those beside the bars become in a low window."""
_USUAL_LABELS = 8
_BELOW_LABEL = 2 + 6 + 4
_LARGE = 1.7


class FacePanel(QWidget):
    """Paints the smoothed probabilities of one face, or says that no face is followed."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setMinimumWidth(_MIN_WIDTH)
        self._face: FaceResult | None = None
        self._labels: tuple[str, ...] = ()
        self._away: int | None = None
        self._described = ""

    def show_face(
        self, face: FaceResult | None, labels: tuple[str, ...], *, away: int | None = None
    ) -> None:
        """Show this face; without one, say that there is none or that `away` is out of view."""
        if len(labels) != len(self._labels):
            self.updateGeometry()
        self._face, self._labels, self._away = face, labels, away
        described = self._description()
        if described != self._described:  # a screen reader speaks at every change
            self._described = described
            self.setAccessibleName(tr("followed face"))
            self.setAccessibleDescription(described)
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        return QSize(210, max(345, self.minimumSizeHint().height()))

    def minimumSizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        row = QFontMetricsF(self.font()).height()
        heading = row + 4 + QFontMetricsF(self._large_font()).height() + _BELOW_LABEL + row + 8
        bars = max(len(self._labels), _USUAL_LABELS) * (row * _MIN_LETTERS + _MIN_BAR_H)
        return QSize(_MIN_WIDTH, ceil(2 * _MARGIN + heading + bars))

    def _large_font(self) -> QFont:
        large = QFont(self.font())
        large.setPointSizeF(large.pointSizeF() * _LARGE)
        return large

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  # Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self.rect().toRectF().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        faint = self.palette().color(QPalette.ColorRole.PlaceholderText)
        if self._face is None:
            painter.setPen(faint)
            painter.drawText(
                area,
                int(Qt.AlignmentFlag.AlignTop) | int(Qt.TextFlag.TextWordWrap),
                self._description(),
            )
            painter.end()
            return
        top = self._paint_heading(painter, area, self._face)
        self._paint_bars(painter, QRectF(area.left(), top, area.width(), area.bottom() - top))
        painter.end()

    def _paint_heading(self, painter: QPainter, area: QRectF, face: FaceResult) -> float:
        row = QFontMetricsF(self.font()).height()
        badge = QRectF(area.left(), area.top() + row * 0.1, row * 0.8, row * 0.8)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(track_color(face.track_id))
        painter.drawRoundedRect(badge, 4, 4)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        name = QRectF(badge.right() + 7, area.top(), area.width(), row)
        painter.drawText(
            name,
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            tr("face {number}", number=face.track_id),
        )
        large = self._large_font()
        painter.setFont(large)
        height = QFontMetricsF(large).height()
        label = QRectF(area.left(), area.top() + row + 4, area.width(), height)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        percent = "" if face.shown_confidence is None else f"{face.shown_confidence:.0%}"
        free_w = area.width() - QFontMetricsF(large).horizontalAdvance(f" {percent}")
        shown = _elided(QFontMetricsF(large), tr_label(face.shown_label), free_w)
        painter.drawText(label, Qt.AlignmentFlag.AlignLeft, shown)
        painter.drawText(label, Qt.AlignmentFlag.AlignRight, percent)
        line = QRectF(area.left(), label.bottom() + 2, area.width(), 6)
        paint_bar(painter, line, 1.0, expression_color(face.shown_label, self._labels))
        painter.setFont(self.font())
        # Its row stays when it has nothing to say, or the bars would jump.
        remark = QRectF(area.left(), line.bottom() + 4, area.width(), row)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        text = _elided(QFontMetricsF(self.font()), _remark(face, self._labels), area.width())
        painter.drawText(remark, Qt.AlignmentFlag.AlignLeft, text)
        return remark.bottom() + 8

    def _paint_bars(self, painter: QPainter, area: QRectF) -> None:
        assert self._face is not None
        text_h, bar_h = QFontMetricsF(self.font()).height(), _BAR_H
        row_h = min(text_h + bar_h + _ROW_GAP, area.height() / max(len(self._labels), 1))
        if row_h < text_h + bar_h:  # many expressions, or a low window
            bar_h = max(row_h - text_h, _MIN_BAR_H)
            font = self.font()
            font.setPointSizeF(font.pointSizeF() * min(max(row_h - bar_h, 1.0) / text_h, 1.0))
            painter.setFont(font)
            text_h = min(text_h, row_h - bar_h)
        metrics = QFontMetricsF(painter.font())
        text_color = self.palette().color(QPalette.ColorRole.WindowText)
        for row, (label, prob) in enumerate(
            zip(self._labels, self._face.smoothed_probs, strict=True)
        ):
            top = area.top() + row * row_h
            line = QRectF(area.left(), top, area.width(), text_h)
            painter.setPen(text_color)
            percent = f"{prob:.0%}"
            free_w = area.width() - metrics.horizontalAdvance(f"  {percent}")
            name = _elided(metrics, tr_label(label), free_w)
            painter.drawText(line, Qt.AlignmentFlag.AlignLeft, name)
            painter.drawText(line, Qt.AlignmentFlag.AlignRight, percent)
            bar = QRectF(area.left(), min(top + text_h, top + row_h - bar_h), area.width(), bar_h)
            paint_bar(painter, bar, float(prob), expression_color(label, self._labels))

    def _description(self) -> str:
        if self._face is None and self._away is not None:
            return tr("face {number} is out of view", number=self._away)
        if self._face is None:
            return tr("No face in view")
        number = tr("face {number}", number=self._face.track_id)
        advice = "" if self._face.shown_label else tr_advice(self._face.quality_reason)
        return f"{number}: {tr_label(self._face.shown_label)}" + (f", {advice}" if advice else "")


def _remark(face: FaceResult, labels: tuple[str, ...]) -> str:
    """Beside "unsure", what the person can do; or who challenges the label that is held."""
    if not face.shown_label:
        return as_sentence(tr_advice(face.quality_reason))
    best = int(face.smoothed_probs.argmax())
    if face.shown_confidence is None or labels[best] == face.shown_label:
        return ""
    lead = float(face.smoothed_probs[best]) - face.shown_confidence
    return tr("{label} leads by {lead}", label=tr_label(labels[best]), lead=f"{lead:.0%}")


def _elided(metrics: QFontMetricsF, text: str, width: float) -> str:
    """A name as long as there is room for; expressions of a person's own may have long ones."""
    return metrics.elidedText(text, Qt.TextElideMode.ElideRight, width)
