"""Thumbnails of what was just recorded, each with a box that keeps it or leaves it out."""

from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage, QPixmap
from PyQt6.QtWidgets import QCheckBox, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from fer_live.base.translation import tr
from fer_live.datatypes import UInt8Array
from fer_live.errors import FerLiveError
from fer_live.outputs.face_rows import Box, box_in, number_in
from fer_live.recording.player import ClipPlayer
from fer_live.recording.recorder import Recording

_SIDE = 120
_AROUND = 0.35
"""Of a face's box, shown around it on each side."""
_COLUMNS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A picture to check, and what is written below it; None: no face was seen."""

    caption: str
    face_bgr: UInt8Array | None


class TakesCheck(QScrollArea):
    """Shows shots in rows of four; `kept` tells which boxes are checked."""

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self._boxes: list[QCheckBox] = []

    def show_shots(self, shots: list[Shot], *, can_choose: bool) -> None:
        """Show these in place of what was there; a shot without a face is left out."""
        self._boxes = []
        grid = QGridLayout()
        for number, shot in enumerate(shots):
            cell = QVBoxLayout()
            picture = QLabel()
            picture.setFixedSize(_SIDE, _SIDE)
            picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
            if shot.face_bgr is None:
                picture.setText(tr("no face was seen"))
                picture.setWordWrap(True)
            else:
                picture.setPixmap(_pixmap(shot.face_bgr))
            cell.addWidget(picture)
            if can_choose:
                box = QCheckBox(shot.caption)
                box.setChecked(shot.face_bgr is not None)
                box.setEnabled(shot.face_bgr is not None)
                self._boxes.append(box)
                cell.addWidget(box)
            grid.addLayout(cell, number // _COLUMNS, number % _COLUMNS)
        inner = QWidget()
        outer = QVBoxLayout(inner)
        outer.addLayout(grid)
        outer.addStretch()
        self.setWidget(inner)

    @property
    def kept(self) -> list[bool]:
        """Of each shot, whether it is to be kept."""
        return [box.isChecked() for box in self._boxes]

    @property
    def boxes(self) -> list[QCheckBox]:
        """The boxes below the pictures, in their order."""
        return self._boxes


def faces_of(recording: Recording, n: int) -> list[UInt8Array]:
    """The largest face at `n` moments of a recording, spread over it, (H, W, 3) each."""
    boxes: dict[float, tuple[float, Box]] = {}
    for row in recording.rows():
        if (box := box_in(row)) is None:
            continue
        x1, y1, x2, y2 = box
        area = (x2 - x1) * (y2 - y1)
        time_s = number_in(row, "time_s")
        if time_s not in boxes or area > boxes[time_s][0]:
            boxes[time_s] = (area, box)
    times = sorted(boxes)
    if not times:
        return []
    wanted = (np.arange(n) + 0.5) / n * (len(times) - 1)
    try:
        player = ClipPlayer(recording.video)
    except FerLiveError:
        return []
    try:
        chosen = sorted({times[round(float(index))] for index in wanted})
        frames = ((time_s, player.at(time_s)) for time_s in chosen)
        faces = [
            _face(frame.image_bgr, boxes[time_s][1])
            for time_s, frame in frames
            if frame is not None
        ]
        return [face for face in faces if face.size]  # a damaged row's box is beside the picture
    except FerLiveError:
        return []
    finally:
        player.close()


def _face(image_bgr: UInt8Array, box: Box) -> UInt8Array:
    x1, y1, x2, y2 = box
    around = _AROUND * max(x2 - x1, y2 - y1)
    height, width = image_bgr.shape[:2]
    left, right = max(int(x1 - around), 0), min(int(x2 + around), width)
    top, bottom = max(int(y1 - around), 0), min(int(y2 + around), height)
    return np.ascontiguousarray(image_bgr[top:bottom, left:right])


def _pixmap(image_bgr: UInt8Array) -> QPixmap:
    height, width = image_bgr.shape[:2]
    data = image_bgr.tobytes()
    image = QImage(data, width, height, 3 * width, QImage.Format.Format_BGR888).copy()
    return QPixmap.fromImage(image).scaled(
        _SIDE,
        _SIDE,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
