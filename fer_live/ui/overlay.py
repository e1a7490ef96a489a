"""Paints a result on the frame it was read from; the window and annotated videos share it."""

from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QImage, QPainter, QPen

from fer_live.assets import asset
from fer_live.datatypes import FaceResult, FrameResult, UInt8Array
from fer_live.smoothing import UNSURE

# After Okabe and Ito's palette, which the colour-blind can tell apart; lightened to be calm.
_COLORS = {
    "neutral": "#c9ced6",
    "happiness": "#f0c541",
    "surprise": "#f29e4c",
    "sadness": "#5aa9e6",
    "anger": "#e4572e",
    "disgust": "#4fb286",
    "fear": "#b48ae0",
    "contempt": "#d98fb8",
}
_OTHER_COLOR = "#9aa5b1"
_PANEL_COLOR = QColor(16, 20, 26, 190)
_TEXT_COLOR = QColor(244, 246, 248)


@dataclass(frozen=True, slots=True)
class Hud:
    """The measured part of the line at the top; `warning` stands beneath it in orange."""

    fps: float
    latency_ms: float
    warning: str = ""

    def text(self, result: FrameResult) -> str:
        """For example "30.0 fps   12 ms   cpu   short-range"."""
        return (
            f"{self.fps:.1f} fps   {self.latency_ms:.0f} ms   {result.provider}   "
            f"{result.detector}-range"
        )


def expression_color(label: str) -> QColor:
    """One calm colour an expression; gray for "unsure" and for labels we do not know."""
    return QColor(_COLORS.get(label, _OTHER_COLOR))


def to_qimage(image_bgr: UInt8Array) -> QImage:
    """A QImage on the array's own memory: nothing is copied, so keep the array while it lives."""
    contiguous = np.ascontiguousarray(image_bgr)
    height, width = contiguous.shape[:2]
    # PyQt takes any buffer, though its stubs say bytes.
    data = cast(bytes, contiguous.data)
    return QImage(data, int(width), int(height), 3 * int(width), QImage.Format.Format_BGR888)


def paint_result(
    painter: QPainter,
    area: QRectF,
    result: FrameResult,
    labels: tuple[str, ...],
    hud: Hud,
    *,
    mirror: bool = False,
) -> None:
    """Paint the frame and everything read from it into `area`, which has the frame's proportions.

    `mirror` flips the picture and the places of the boxes, never the text and never the data.
    """
    image = to_qimage(result.frame.image_bgr)
    painter.setRenderHints(
        QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
    )
    painter.save()
    if mirror:
        painter.translate(area.left() + area.right(), 0)
        painter.scale(-1, 1)
    painter.drawImage(area, image)
    painter.restore()
    paint_overlay(painter, area, result, labels, hud, mirror=mirror)


def paint_overlay(
    painter: QPainter,
    area: QRectF,
    result: FrameResult,
    labels: tuple[str, ...],
    hud: Hud,
    *,
    mirror: bool = False,
) -> None:
    """Boxes, labels, the bars of the largest face, and the line at the top."""
    unit = min(max(area.height() / 480, 0.7), 3.0)
    painter.setFont(overlay_font(round(13 * unit)))
    height, width = result.frame.image_bgr.shape[:2]
    boxes = [_to_area(face, area, width, height, mirror) for face in result.faces]
    for face, box in zip(result.faces, boxes, strict=True):
        _paint_face(painter, area, face, box, labels, unit)
    if boxes:
        largest = max(range(len(boxes)), key=lambda i: boxes[i].width() * boxes[i].height())
        _paint_bars(painter, area, result.faces[largest], boxes, largest, labels, unit)
    _paint_hud(painter, area, hud.text(result), hud.warning, unit)


def _to_area(face: FaceResult, area: QRectF, width: int, height: int, mirror: bool) -> QRectF:
    x1, y1, x2, y2 = (float(value) for value in face.box_xyxy)
    if mirror:
        x1, x2 = width - x2, width - x1
    scale_x, scale_y = area.width() / width, area.height() / height
    return QRectF(
        area.left() + x1 * scale_x,
        area.top() + y1 * scale_y,
        (x2 - x1) * scale_x,
        (y2 - y1) * scale_y,
    )


def _paint_face(
    painter: QPainter,
    area: QRectF,
    face: FaceResult,
    box: QRectF,
    labels: tuple[str, ...],
    unit: float,
) -> None:
    color = expression_color(face.shown_label)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    # A dark line under the coloured one keeps it visible on a bright background.
    for pen_color, width in ((QColor(0, 0, 0, 140), 4.0), (color, 2.0)):
        painter.setPen(QPen(pen_color, width * unit))
        painter.drawRoundedRect(box, 6 * unit, 6 * unit)
    text = f"{face.track_id}  {face.shown_label or 'unsure'}"
    if face.shown_label != UNSURE:
        # Of the label shown, which hold and margin may keep while another one leads.
        text += f"  {face.smoothed_probs[labels.index(face.shown_label)]:.0%}"
    metrics = QFontMetricsF(painter.font())
    size_w, size_h = metrics.horizontalAdvance(text) + 14 * unit, metrics.height() + 6 * unit
    top = box.top() - size_h - 3 * unit
    pill = QRectF(box.left(), top if top >= area.top() else box.top(), size_w, size_h)
    pill.moveLeft(min(max(pill.left(), area.left()), max(area.right() - size_w, area.left())))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(pill, 5 * unit, 5 * unit)
    painter.setPen(QColor(16, 20, 26))
    painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)


def _paint_bars(
    painter: QPainter,
    area: QRectF,
    face: FaceResult,
    boxes: list[QRectF],
    followed: int,
    labels: tuple[str, ...],
    unit: float,
) -> None:
    small = overlay_font(round(11 * unit))
    metrics = QFontMetricsF(small)
    row_h, pad, gap = metrics.height() + 3 * unit, 8 * unit, 8 * unit
    name_w = max(metrics.horizontalAdvance(label) for label in labels)
    bar_w = 64 * unit
    panel = QRectF(0, 0, name_w + bar_w + 3 * pad, (len(labels) + 1) * row_h + 2 * pad)
    panel = _free_place(panel, area, boxes, boxes[followed], gap)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PANEL_COLOR)
    painter.drawRoundedRect(panel, 6 * unit, 6 * unit)
    painter.save()
    painter.setFont(small)
    # Whose bars these are: the panel may have to stand away from its face.
    painter.setPen(expression_color(face.shown_label))
    heading = QRectF(panel.left() + pad, panel.top() + pad, panel.width() - 2 * pad, row_h)
    painter.drawText(heading, Qt.AlignmentFlag.AlignCenter, f"face {face.track_id}")
    for row, (label, prob) in enumerate(zip(labels, face.smoothed_probs, strict=True), 1):
        y = panel.top() + pad + row * row_h
        name = QRectF(panel.left() + pad, y, name_w, row_h)
        painter.setPen(_TEXT_COLOR)
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, label)
        track = QRectF(name.right() + pad, y + row_h * 0.25, bar_w, row_h * 0.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(255, 255, 255, 40))
        painter.drawRoundedRect(track, 2 * unit, 2 * unit)
        track.setWidth(bar_w * float(prob))
        painter.setBrush(expression_color(label))
        painter.drawRoundedRect(track, 2 * unit, 2 * unit)
    painter.restore()


def _free_place(
    panel: QRectF, area: QRectF, boxes: list[QRectF], beside: QRectF, gap: float
) -> QRectF:
    """Where the panel hides least of the faces: right or left of its own, or in a lower corner."""
    right_end, low_end = area.right() - panel.width() - gap, area.bottom() - panel.height() - gap
    top = max(min(beside.top(), low_end), area.top())
    places = [
        panel.translated(left, place_top)
        for left, place_top in (
            (beside.right() + gap, top),
            (beside.left() - gap - panel.width(), top),
            (right_end, low_end),
            (area.left() + gap, low_end),
        )
        if area.left() <= left <= right_end + gap
    ]

    def hidden(place: QRectF) -> float:
        overlaps = [place.intersected(box) for box in boxes]
        return sum(overlap.width() * overlap.height() for overlap in overlaps)

    return min(places, key=hidden, default=panel.translated(area.left(), top))


def _paint_hud(painter: QPainter, area: QRectF, figures: str, warning: str, unit: float) -> None:
    metrics = QFontMetricsF(painter.font())
    top = area.top() + 8 * unit
    for text, color in ((figures, _TEXT_COLOR), (warning, QColor("#ffb454"))):
        if not text:
            continue
        pill = QRectF(
            area.left() + 8 * unit,
            top,
            metrics.horizontalAdvance(text) + 16 * unit,
            metrics.height() + 6 * unit,
        )
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_PANEL_COLOR)
        painter.drawRoundedRect(pill, 5 * unit, 5 * unit)
        painter.setPen(color)
        painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, text)
        top = pill.bottom() + 4 * unit


@cache
def overlay_font(pixels: int) -> QFont:
    """Our own font in a size, which every machine shows alike."""
    font = QFont(_font_family())
    font.setPixelSize(max(pixels, 8))
    return font


@cache
def _font_family() -> str:
    """Our own font: a machine without a screen often has none."""
    number = QFontDatabase.addApplicationFont(str(asset("DejaVuSans.ttf")))
    return QFontDatabase.applicationFontFamilies(number)[0] if number >= 0 else "sans-serif"
