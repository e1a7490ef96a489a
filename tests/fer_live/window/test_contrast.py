"""Every text and bar stands out from its ground, in both themes, for colour-blind people too."""

import numpy as np
import pytest
from PyQt6.QtGui import QPalette
from PyQt6.QtWidgets import QApplication

from fer_live.base.colors import EXPRESSION_COLORS, OWN_COLORS
from fer_live.window import notices
from fer_live.window.icons import RED, RED_SIGN
from fer_live.window.style import show_theme
from tests.helpers.contrast import contrast

# Machado, Oliveira & Fernandes 2009, severity 1.
SEEN_AS = {
    "all colours": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}
ROLE = QPalette.ColorRole


def seen(color: str, eyes: str) -> str:
    parts = np.frombuffer(bytes.fromhex(color[1:]), np.uint8) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.asarray(SEEN_AS[eyes]) @ linear, 0, 1)
    back = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + bytes(np.round(back * 255).astype(np.uint8)).hex()


@pytest.fixture(scope="module", params=["light", "dark"])
def palette(qapp, request) -> QPalette:
    show_theme(request.param)
    colors = QPalette(QApplication.palette())
    show_theme("system")
    return colors


@pytest.mark.parametrize("eyes", SEEN_AS)
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        (ROLE.WindowText, ROLE.Window),
        (ROLE.Text, ROLE.Base),
        (ROLE.WindowText, ROLE.AlternateBase),
        (ROLE.ButtonText, ROLE.Button),
        (ROLE.PlaceholderText, ROLE.Window),
        (ROLE.PlaceholderText, ROLE.Base),
        (ROLE.HighlightedText, ROLE.Highlight),
        (ROLE.ToolTipText, ROLE.ToolTipBase),
        (ROLE.Link, ROLE.Window),
    ],
)
def test_texts_stand_out(palette, eyes, text, ground):
    colors = [seen(palette.color(role).name(), eyes) for role in (text, ground)]
    assert contrast(*colors) >= 4.5


@pytest.mark.parametrize("eyes", SEEN_AS)
def test_switched_off_texts_can_still_be_read(palette, eyes):
    text = palette.color(QPalette.ColorGroup.Disabled, ROLE.ButtonText).name()
    assert contrast(seen(text, eyes), seen(palette.color(ROLE.Window).name(), eyes)) >= 4.5


@pytest.mark.parametrize("eyes", SEEN_AS)
@pytest.mark.parametrize("label", [*EXPRESSION_COLORS, *OWN_COLORS])
def test_every_bar_stands_out_by_its_colour_or_its_edge(palette, eyes, label):
    track, edge = (
        seen(palette.color(role).name(), eyes)
        for role in (ROLE.AlternateBase, ROLE.PlaceholderText)
    )
    fill = seen(EXPRESSION_COLORS.get(label, label), eyes)
    assert contrast(edge, track) >= 3
    # The end of a bar is where its colour, or the line at its end, differs from the track.
    assert max(contrast(fill, track), contrast(edge, track)) >= 3


@pytest.mark.parametrize("eyes", SEEN_AS)
def test_signs_stand_out(palette, eyes):
    base, button = (seen(palette.color(role).name(), eyes) for role in (ROLE.Base, ROLE.Button))
    for _, color, _ in notices._LOOKS.values():
        assert contrast(seen(color, eyes), base) >= 3, color
    assert contrast(seen(RED_SIGN, eyes), button) >= 3
    assert contrast("#ffffff", RED) >= 4.5  # "Stop" on the red button
