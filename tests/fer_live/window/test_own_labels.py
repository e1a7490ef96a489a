"""Expressions of a person's own in the widgets: any number of them, however low the window."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtGui import QColor, QImage
from PyQt6.QtWidgets import QApplication, QWidget

from fer_live.base.colors import OWN_COLORS
from fer_live.model.manifest import EXPRESSIONS
from fer_live.painting.overlay import expression_color
from fer_live.window.grid.tile import LiveTile
from fer_live.window.live_page import LivePage
from fer_live.window.widgets.face_panel import FacePanel
from tests.helpers.results import result

LABELS = (*EXPRESSIONS, *(f"a rather long name of one, {n:02}" for n in range(len(OWN_COLORS))))
PROBS = np.full(len(LABELS), 1 / len(LABELS), np.float32)


def winking(index: int, time_s: float):
    shown = result(index, time_s)
    face = replace(
        shown.faces[0], probs=PROBS, smoothed_probs=PROBS, label=LABELS[-1], shown_label=LABELS[-1]
    )
    return replace(shown, faces=(face,))


def colors_in(widget: QWidget) -> set[str]:
    image = QImage(widget.size(), QImage.Format.Format_RGB32)
    widget.render(image)
    return {
        QColor(image.pixel(x, y)).name()
        for x in range(image.width())
        for y in range(image.height())
    }


@pytest.mark.parametrize("height", [240, 320, 700])
def test_every_expression_has_its_bar(qtbot, height: int):
    panel = FacePanel()
    qtbot.addWidget(panel)
    panel.resize(210, height)
    panel.show_face(winking(0, 0.0).faces[0], LABELS)
    wanted = {expression_color(label, LABELS).name() for label in LABELS}
    assert wanted <= colors_in(panel)
    assert panel.accessibleDescription().endswith(LABELS[-1])


def test_the_timeline_stacks_them_above_the_eight(qtbot):
    page, tile = LivePage(), LiveTile(lambda _: None)
    page.add(tile)
    qtbot.addWidget(page)
    page.resize(900, 500)
    page.show()
    for index in range(10):
        tile.show_result(winking(index, index / 30), LABELS, mirror=False, lines=("", ""))
        QApplication.processEvents()
    plot = tile.timeline.plot
    image, x = plot.grab().toImage(), round(plot.x_of(9 / 30)) - 1
    painted = [image.pixelColor(x, y).name() for y in range(int(plot.plot.height()))]
    order = [expression_color(label, LABELS).name() for label in reversed(LABELS)]
    assert [color for color in dict.fromkeys(painted) if color in order] == order
