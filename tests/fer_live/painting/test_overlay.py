from dataclasses import replace

import cv2
import numpy as np
import pytest
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QImage, QPainter

from fer_live.base.colors import OWN_COLORS
from fer_live.painting.overlay import Hud, _free_place, expression_color, paint_result
from fer_live.vision.pipeline import Pipeline
from fer_live.vision.smoothing import UNSURE
from tests.helpers.results import result


def paint(frame_result, labels, *, mirror: bool, hud: Hud | None) -> np.ndarray:
    canvas = QImage(640, 480, QImage.Format.Format_RGB32)
    painter = QPainter(canvas)
    paint_result(painter, QRectF(0, 0, 640, 480), frame_result, labels, hud, mirror=mirror)
    painter.end()
    bits = canvas.constBits()
    bits.setsize(canvas.sizeInBytes())
    return np.frombuffer(bits, np.uint8).reshape(480, 640, 4)[:, :, :3].astype(int)


def test_the_mirror_flips_the_picture_and_the_boxes_but_not_the_data(qtbot, demo_frames):
    from fer_live import Frame

    with Pipeline.load(provider="cpu") as pipeline:
        result = pipeline.process(Frame(demo_frames[20], 0, 0.0))
        labels = pipeline.labels
    box = result.faces[0].box_xyxy.copy()
    plain = paint(result, labels, mirror=False, hud=Hud(30, 12))
    mirrored = paint(result, labels, mirror=True, hud=Hud(30, 12))
    np.testing.assert_array_equal(result.faces[0].box_xyxy, box)
    # The bottom strip holds no overlay: there the mirrored picture is the flipped one.
    np.testing.assert_allclose(mirrored[-20:], plain[-20:, ::-1], atol=3)
    color = expression_color(result.faces[0].shown_label)
    bgr = np.array([color.blue(), color.green(), color.red()])
    left_edge, right_edge = round(box[0]), round(box[2])
    middle = round((box[1] + box[3]) / 2)
    assert np.abs(plain[middle, left_edge - 1 : left_edge + 2] - bgr).sum(axis=1).min() < 60
    flipped = 640 - right_edge
    assert np.abs(mirrored[middle, flipped - 1 : flipped + 2] - bgr).sum(axis=1).min() < 60


@pytest.mark.parametrize(
    ("boxes", "expected_left"),
    [
        ([(100, 100, 100, 100)], 210),  # room on the right
        ([(500, 100, 120, 100)], 340),  # only on the left
        ([(100, 100, 100, 100), (205, 100, 150, 150)], 480),  # another face there: lower corner
    ],
)
def test_the_bars_go_where_they_hide_no_face(boxes, expected_left: float):
    rects = [QRectF(*box) for box in boxes]
    place = _free_place(QRectF(0, 0, 150, 120), QRectF(0, 0, 640, 480), rects, rects[0], 10)
    assert place.left() == expected_left
    assert not any(place.intersects(rect) for rect in rects)


# Machado, Oliveira and Fernandes (2009): what the colour-blind see, of linear RGB.
COLOUR_BLIND = {
    "nobody": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


@pytest.mark.parametrize("who", COLOUR_BLIND)
def test_the_colour_blind_tell_the_expressions_apart(who: str):
    from fer_live.model.manifest import EXPRESSIONS

    colors = [expression_color(label) for label in (*EXPRESSIONS, UNSURE)]
    colors += [QColor(color) for color in OWN_COLORS]
    rgb = np.array([color.getRgbF()[:3] for color in colors], np.float32)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(COLOUR_BLIND[who]).T, 0, 1).astype(np.float32)
    lab = cv2.cvtColor(seen[None], cv2.COLOR_LRGB2Lab)[0]
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)
    assert distances[~np.eye(len(lab), dtype=bool)].min() > 12


def test_own_expressions_have_bars_in_their_colours_below_the_eight(qtbot):
    from fer_live.model.manifest import EXPRESSIONS

    labels = (*EXPRESSIONS, "wink left", "a name that is far too long")
    probs = np.array([0.0] * 8 + [0.7, 0.3], np.float32)
    shown = result(0, 0.0)
    face = replace(shown.faces[0], probs=probs, smoothed_probs=probs, shown_label="wink left")
    face = replace(face, box_xyxy=np.array([2, 20, 40, 60], np.float32))
    painted = paint(replace(shown, faces=(face,)), labels, mirror=False, hud=Hud(30, 12))
    for label, n_least in (("wink left", 300), (labels[-1], 100)):
        color = expression_color(label, labels)
        bgr = np.array([color.blue(), color.green(), color.red()])
        assert (np.abs(painted - bgr).sum(axis=-1) < 12).sum() > n_least, label


def pill_width(label: str, **changes: object) -> int:
    """How wide the label over a face is, by its own colour; the box's lines are as thin as it."""
    face = replace(result(0, 0.0).faces[0], shown_label=label, **changes)
    face = replace(face, box_xyxy=np.array([30, 60, 36, 66], np.float32))
    shown = replace(result(0, 0.0), faces=(face,))
    painted = paint(shown, ("neutral", "happiness"), mirror=False, hud=None)
    color = expression_color(label)
    bgr = np.array([color.blue(), color.green(), color.red()])
    rows = (np.abs(painted - bgr).sum(axis=-1) < 12).sum(axis=1)
    return int(rows.max())


def test_beside_unsure_stands_what_a_person_can_do(qtbot):
    plain = pill_width(UNSURE, shown_confidence=None)
    dark = pill_width(UNSURE, shown_confidence=None, quality_reason="dark")
    assert dark > plain + 60
    read = pill_width("happiness", shown_confidence=0.5, quality_reason="dark")
    assert read == pill_width("happiness", shown_confidence=0.5), "only where it is unsure"
