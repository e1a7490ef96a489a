"""Paints a result on its own frame, for the window and for annotated videos alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QFontMetricsF,
    QImage,
    QPainter,
    QPen,
    QTransform,
)

from fer_live.base.colors import expression_hex
from fer_live.base.translation import tr, tr_advice, tr_label
from fer_live.datatypes import FaceResult, FrameResult, HeatMap, UInt8Array
from fer_live.model.assets import asset
from fer_live.painting.points import paint_points
from fer_live.vision.smoothing import UNSURE

_PANEL_COLOR = QColor(16, 20, 26, 190)
TEXT_COLOR = QColor(244, 246, 248)
WARNING_COLOR = QColor("#ffb454")
_DARK_TEXT_COLOR = QColor(16, 20, 26)
# Dark enough for white numbers, and none of the expressions' colours.
_TRACK_COLORS = (
    "#1f4e79",
    "#7a3b1d",
    "#2d5a3d",
    "#5b2a6e",
    "#6b5200",
    "#1d5c63",
    "#7a1f3d",
    "#3d4451",
)
_HEAT_RGB = (255, 96, 32)
_HEAT_ALPHA = 170
_MAX_NAME_W = 130
"""A longer name of a person's own expression is cut in the bars."""


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


def expression_color(label: str, labels: Sequence[str] = ()) -> QColor:
    """The colour of an expression among the `labels` of its model; gray for "unsure"."""
    return QColor(expression_hex(label, labels))


def track_color(track_id: int) -> QColor:
    """The colour of a face, which it keeps with its number."""
    return QColor(_TRACK_COLORS[(track_id - 1) % len(_TRACK_COLORS)])


def to_qimage(image_bgr: UInt8Array) -> QImage:
    """A QImage on the memory of the array: nothing is copied, so keep the array while it lives."""
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
    hud: Hud | None,
    *,
    mirror: bool = False,
    followed: int | None = None,
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
    paint_overlay(painter, area, result, labels, hud, mirror=mirror, followed=followed)


def paint_overlay(
    painter: QPainter,
    area: QRectF,
    result: FrameResult,
    labels: tuple[str, ...],
    hud: Hud | None,
    *,
    mirror: bool = False,
    followed: int | None = None,
) -> None:
    """Paint boxes, labels, heat maps and measured points on a picture that is painted already.

    With a `hud`, also the line at the top and the bars of the largest face. The face whose track
    id is `followed` has a stronger box.
    """
    unit = overlay_unit(area)
    painter.setFont(overlay_font(round(13 * unit)))
    height, width = result.frame.image_bgr.shape[:2]
    boxes = [to_area(face, area, width, height, mirror=mirror) for face in result.faces]
    for face in result.faces:
        if face.heat_map is not None:
            _paint_heat_map(painter, area, face.heat_map, width, height, mirror)
        if face.signals is not None:
            paint_points(painter, area, face.signals, (width, height), mirror=mirror, line_px=unit)
    for face, box in zip(result.faces, boxes, strict=True):
        _paint_face(painter, area, face, box, labels, unit, is_followed=face.track_id == followed)
    if hud is None:
        return
    if boxes:
        largest = max(range(len(boxes)), key=lambda i: result.faces[i].area)
        _paint_bars(painter, area, result.faces[largest], boxes, largest, labels, unit)
    paint_lines(painter, area, ((hud.text(result), TEXT_COLOR), (hud.warning, WARNING_COLOR)))


def overlay_unit(area: QRectF) -> float:
    """The factor for text and lines: 1 in an area 480 pixels high."""
    return min(max(area.height() / 480, 0.7), 3.0)


def to_area(face: FaceResult, area: QRectF, width: int, height: int, *, mirror: bool) -> QRectF:
    """The box of a face where `area` shows it; the frame is `width` by `height` pixels."""
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
    *,
    is_followed: bool,
) -> None:
    color = expression_color(face.shown_label, labels)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    # A dark line under the coloured one keeps it visible on a bright background.
    thick = 2.0 if is_followed else 1.0
    for pen_color, width in ((QColor(0, 0, 0, 140), 2 + 2 * thick), (color, 2 * thick)):
        painter.setPen(QPen(pen_color, width * unit))
        painter.drawRoundedRect(box, 6 * unit, 6 * unit)
    text = tr_label(face.shown_label)
    if face.shown_confidence is not None:
        text += f"  {face.shown_confidence:.0%}"
    elif face.shown_label == UNSURE and face.quality_reason:
        text += f": {tr_advice(face.quality_reason)}"
    metrics = QFontMetricsF(painter.font())
    number = str(face.track_id)
    pad, size_h = 7 * unit, metrics.height() + 6 * unit
    badge_w = max(metrics.horizontalAdvance(number) + pad, size_h)
    size_w = badge_w + metrics.horizontalAdvance(text) + 2 * pad
    top = box.top() - size_h - 3 * unit
    pill = QRectF(box.left(), top if top >= area.top() else box.top(), size_w, size_h)
    pill.moveLeft(min(max(pill.left(), area.left()), max(area.right() - size_w, area.left())))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(pill, 5 * unit, 5 * unit)
    # The face's own colour stays with it, whatever it expresses.
    badge = QRectF(pill.left(), pill.top(), badge_w, size_h).adjusted(unit, unit, -unit, -unit)
    painter.setBrush(track_color(face.track_id))
    painter.drawRoundedRect(badge, 4 * unit, 4 * unit)
    painter.setPen(QColor(255, 255, 255))
    painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, number)
    painter.setPen(_DARK_TEXT_COLOR)
    painter.drawText(pill.adjusted(badge_w, 0, 0, 0), Qt.AlignmentFlag.AlignCenter, text)


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
    name_w = max(metrics.horizontalAdvance(tr_label(label)) for label in labels)
    name_w = min(name_w, _MAX_NAME_W * unit)
    bar_w = 64 * unit
    panel = QRectF(0, 0, name_w + bar_w + 3 * pad, (len(labels) + 1) * row_h + 2 * pad)
    panel = _free_place(panel, area, boxes, boxes[followed], gap)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PANEL_COLOR)
    painter.drawRoundedRect(panel, 6 * unit, 6 * unit)
    painter.save()
    painter.setFont(small)
    # Whose bars these are: the panel may have to stand away from its face.
    painter.setPen(expression_color(face.shown_label, labels))
    heading = QRectF(panel.left() + pad, panel.top() + pad, panel.width() - 2 * pad, row_h)
    painter.drawText(
        heading, Qt.AlignmentFlag.AlignCenter, tr("face {number}", number=face.track_id)
    )
    for row, (label, prob) in enumerate(zip(labels, face.smoothed_probs, strict=True), 1):
        y = panel.top() + pad + row * row_h
        name = QRectF(panel.left() + pad, y, name_w, row_h)
        painter.setPen(TEXT_COLOR)
        text = metrics.elidedText(tr_label(label), Qt.TextElideMode.ElideRight, name_w + 1)
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
        track = QRectF(name.right() + pad, y + row_h * 0.25, bar_w, row_h * 0.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(255, 255, 255, 40))
        painter.drawRoundedRect(track, 2 * unit, 2 * unit)
        track.setWidth(bar_w * float(prob))
        painter.setBrush(expression_color(label, labels))
        painter.drawRoundedRect(track, 2 * unit, 2 * unit)
    painter.restore()


def _free_place(
    panel: QRectF, area: QRectF, boxes: list[QRectF], beside: QRectF, gap: float
) -> QRectF:
    """The place where the panel hides least: beside its face, or in a lower corner."""
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


def _paint_heat_map(
    painter: QPainter, area: QRectF, heat_map: HeatMap, width: int, height: int, mirror: bool
) -> None:
    """Paint warm colours where the model looked most, relative to the rest of this face."""
    weights = heat_map.weights
    spread = float(weights.max() - weights.min())
    relative = (weights - weights.min()) / spread if spread > 0 else np.zeros_like(weights)
    heat = np.empty((*weights.shape, 4), np.uint8)
    heat[..., :3] = _HEAT_RGB
    heat[..., 3] = np.round(relative * _HEAT_ALPHA)
    image = QImage(
        cast(bytes, heat.data),
        weights.shape[1],
        weights.shape[0],
        4 * weights.shape[1],
        QImage.Format.Format_RGBA8888,
    )
    (a, b, c), (d, e, f) = (map(float, row) for row in heat_map.crop_to_frame)
    painter.save()
    if mirror:
        painter.translate(area.left() + area.right(), 0)
        painter.scale(-1, 1)
    painter.translate(area.topLeft())
    painter.scale(area.width() / width, area.height() / height)
    painter.setTransform(QTransform(a, d, b, e, c, f), combine=True)
    painter.drawImage(QRectF(0, 0, 1, 1), image)
    painter.restore()


def paint_lines(painter: QPainter, area: QRectF, lines: Iterable[tuple[str, QColor]]) -> None:
    """Paint lines of text on a dark ground in the upper left corner, one below the other."""
    unit = overlay_unit(area)
    painter.setFont(overlay_font(round(13 * unit)))
    metrics = QFontMetricsF(painter.font())
    top = area.top() + 8 * unit
    for text, color in lines:
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
    """The app's own font in this size, so that every machine shows the same."""
    font = QFont(_font_family())
    font.setPixelSize(max(pixels, 8))
    return font


@cache
def _font_family() -> str:
    """The family of the app's own font: a machine without a screen often has none."""
    number = QFontDatabase.addApplicationFont(str(asset("DejaVuSans.ttf")))
    return QFontDatabase.applicationFontFamilies(number)[0] if number >= 0 else "sans-serif"
