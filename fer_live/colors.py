"""One calm colour an expression."""

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


def expression_hex(label: str) -> str:
    """For example "#c9ced6"; gray for "unsure" and for labels we do not know."""
    return _COLORS.get(label, _OTHER_COLOR)
