from fer_live.base.colors import EXPRESSION_COLORS, OWN_COLORS, expression_hex
from fer_live.model.manifest import EXPRESSIONS
from fer_live.personal.own_expressions import MAX_OWN_EXPRESSIONS

NAMES = [f"look {number}" for number in range(MAX_OWN_EXPRESSIONS)]


def luminance(color: str) -> float:
    shares = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_eight_have_their_colours_and_unsure_is_gray():
    assert tuple(EXPRESSION_COLORS) == EXPRESSIONS
    assert expression_hex("fear", ("wink", "fear")) == EXPRESSION_COLORS["fear"]
    assert expression_hex("") == "#969da2"


def test_every_own_expression_has_a_colour_of_its_own():
    labels = (*EXPRESSIONS, *NAMES)
    assert {expression_hex(name, labels) for name in NAMES} == set(OWN_COLORS)
    assert expression_hex("one more", (*labels, "one more")) in OWN_COLORS


def test_an_own_expression_keeps_its_colour_whatever_comes_after_it():
    for n in range(1, len(NAMES)):
        fewer, more = (*EXPRESSIONS, *NAMES[:n]), (*EXPRESSIONS, *NAMES)
        for name in NAMES[:n]:
            assert expression_hex(name, fewer) == expression_hex(name, more)
    assert expression_hex("wink left") == expression_hex("wink left", (*EXPRESSIONS, "wink left"))


def test_the_dark_text_of_a_label_can_be_read_on_each_and_each_shows_on_white():
    dark = luminance("#10141a")
    for color in OWN_COLORS:
        assert (luminance(color) + 0.05) / (dark + 0.05) > 4.5, color
        assert 1.05 / (luminance(color) + 0.05) > 1.4, color
