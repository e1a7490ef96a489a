"""One calm colour an expression: the eight have theirs for ever, a person's own get one each."""

import zlib
from collections.abc import Sequence
from functools import cache

# Close to Okabe and Ito's palette, lightened to be calm, then moved as little as makes every two of
# them differ by 14 (CIE 1976) for people with protanopia, deuteranopia or tritanopia too.
EXPRESSION_COLORS = {
    "neutral": "#c9cfd6",
    "happiness": "#f2c641",
    "surprise": "#f5a053",
    "sadness": "#4eb4fd",
    "anger": "#e1542b",
    "disgust": "#53a878",
    "fear": "#9f76c5",
    "contempt": "#cf94cb",
}
# Found by a search: they differ by 13 from each other and from those above, in the same sense, and
# by 23 for everyone else; the dark text of a label stands out by 4.5 to 1 on each.
OWN_COLORS = (
    "#2eeea6",
    "#c62efe",
    "#be6656",
    "#ae56de",
    "#a6e67e",
    "#b6ae6e",
    "#fe6eee",
    "#4e8e26",
)
_UNSURE_COLOR = "#969da2"


def expression_hex(label: str, labels: Sequence[str] = ()) -> str:
    """For example "#c9cfd6"; gray for "unsure".

    A label that is none of the eight has the colour that its name chooses among `OWN_COLORS`, or
    the next one that is free where an earlier one of `labels` has that. So it keeps its colour
    whatever comes after it, in recordings and reports too.
    """
    if not label:
        return _UNSURE_COLOR
    if label in EXPRESSION_COLORS:
        return EXPRESSION_COLORS[label]
    others = tuple(name for name in labels if name not in EXPRESSION_COLORS)
    return _own_colors(others if label in others else (label,))[label]


@cache
def _own_colors(names: tuple[str, ...]) -> dict[str, str]:
    n_colors = len(OWN_COLORS)
    colors: dict[str, str] = {}
    for name in names:
        first = zlib.crc32(name.encode()) % n_colors
        wanted = [OWN_COLORS[(first + step) % n_colors] for step in range(n_colors)]
        free = [color for color in wanted if color not in colors.values()]
        colors[name] = (free or wanted)[0]
    return colors
