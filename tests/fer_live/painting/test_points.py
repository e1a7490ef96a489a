"""The outlines of measured faces, in their place."""

import numpy as np
import pytest
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage, QPainter

from fer_live.datatypes import FaceLandmarks, FaceSignals
from fer_live.painting.points import paint_points
from fer_live.recording.face_points import OUTLINES
from tests.helpers.results import face_signals

WIDTH, HEIGHT = 128, 96


def painted(signals: FaceSignals, *, mirror: bool = False) -> np.ndarray:
    """(H, W) where something was painted, twice as large as the frame."""
    image = QImage(2 * WIDTH, 2 * HEIGHT, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    area = QRectF(0, 0, 2 * WIDTH, 2 * HEIGHT)
    paint_points(painter, area, signals, (WIDTH, HEIGHT), mirror=mirror, line_px=1.0)
    painter.end()
    data = image.constBits()
    assert data is not None
    data.setsize(image.sizeInBytes())
    pixels = np.frombuffer(data, np.uint8).reshape(2 * HEIGHT, 2 * WIDTH, 4)
    return pixels[..., :3].any(axis=2)


@pytest.mark.parametrize("mirror", [False, True])
def test_outlines_are_where_the_points_are(qapp, mirror: bool):
    """The made-up points lie on a line from (12, 38) to (38, 12)."""
    rows, columns = np.nonzero(painted(face_signals(), mirror=mirror))
    assert len(rows) > 40
    x, y = columns / 2, rows / 2
    if mirror:
        x = WIDTH - x
    assert x + y == pytest.approx(np.full(len(x), 51.0), abs=2)
    assert x.min() > 11 and x.max() < 40


def test_outlines_without_points_are_left_out(qapp):
    signals = face_signals()
    points = np.full((478, 3), np.nan, np.float32)
    landmarks = signals.landmarks
    nothing = FaceLandmarks(points, landmarks.blendshapes, landmarks.head_pose)
    assert not painted(face_signals(landmarks=nothing)).any()


def test_outlines_are_lines_through_landmarks():
    assert all(0 <= number < 478 for outline in OUTLINES for number in outline)
    assert all(len(outline) > 1 for outline in OUTLINES)
