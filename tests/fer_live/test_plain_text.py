"""What a terminal would obey is shown; all that is printed goes the same way."""

import ast
from pathlib import Path

import pytest

from fer_live.errors import InputError
from fer_live.plain_text import plain_line, say

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("text", ["plain", "찡긋 é\t😀", "=1", "a\\u001b"])
def test_a_text_that_steers_nothing_is_left_as_it_is(text: str):
    assert plain_line(text) == text


@pytest.mark.parametrize(
    "code",
    [
        *map(chr, (0, 7, 8, 10, 13, 27, 127, 0x85, 0x9B)),
        *("\u2028", "\u2029", "\u061c", "\u200f", "\udc9b"),
        *map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))),
    ],
)
def test_what_a_terminal_would_obey_is_shown(code: str, capsys: pytest.CaptureFixture[str]):
    shown = f"a\\u{ord(code):04x}b"
    assert plain_line(f"a{code}b") == shown
    say(f"a{code}b", "c")
    assert capsys.readouterr().out == f"{shown}\nc\n"
    assert code not in str(InputError(f"a{code}b"))


def test_nothing_prints_past_the_function_that_makes_lines_plain():
    """Also not by handing `print` on. A progress bar's lines are written by tqdm."""
    found = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for package in ("fer_live", "training", "export")
        for file in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Name) and node.id == "print"
    ]
    assert [where.partition(":")[0] for where in found] == ["fer_live/plain_text.py"]
