"""How well a colour stands out from another, as WCAG 2 counts it."""


def contrast(first: str, second: str) -> float:
    """1 to 21, of two colours such as "#c9cfd6"."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def over(color: str, alpha: float, below: str) -> str:
    """What is seen of a colour that covers another by `alpha`."""
    pairs = zip(bytes.fromhex(color[1:]), bytes.fromhex(below[1:]), strict=True)
    return "#" + bytes(round(alpha * a + (1 - alpha) * b) for a, b in pairs).hex()


def _luminance(color: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = (value / 255 for value in bytes.fromhex(color[1:]))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
