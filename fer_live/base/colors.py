"""One calm colour an expression."""

# Close to Okabe and Ito's palette, lightened to be calm, then moved as little as makes every two of
# them differ by 14 (CIE 1976) for people with protanopia, deuteranopia or tritanopia too.
_COLORS = {
    "neutral": "#c9cfd6",
    "happiness": "#f2c641",
    "surprise": "#f5a053",
    "sadness": "#4eb4fd",
    "anger": "#e1542b",
    "disgust": "#53a878",
    "fear": "#9f76c5",
    "contempt": "#cf94cb",
}
_OTHER_COLOR = "#969da2"


def expression_hex(label: str) -> str:
    """For example "#c9ced6"; gray for "unsure" and for labels we do not know."""
    return _COLORS.get(label, _OTHER_COLOR)
