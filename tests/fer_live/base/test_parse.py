"""Texts that are nested without an end are faults like any other."""

import ast
from pathlib import Path

import pytest

from fer_live.base.parse import parse_json, parse_toml

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[1,", "", b"\xff"])
def test_a_json_text_that_cannot_be_read_is_one_kind_of_error(text: str | bytes):
    with pytest.raises(ValueError):
        parse_json(text)


@pytest.mark.parametrize("text", ["a=" + "[" * 100_000, "a=" + "{b=" * 100_000, "a=", "[" * 100])
def test_a_toml_text_that_cannot_be_read_is_one_kind_of_error(text: str):
    with pytest.raises(ValueError):
        parse_toml(text)


def test_a_text_that_is_one_is_read():
    assert parse_json(b'{"a": [1, null]}') == {"a": [1, None]}
    assert parse_toml("a = [1, 2]\n[b]\nc = 'd'") == {"a": [1, 2], "b": {"c": "d"}}


def test_nothing_else_reads_json_or_toml():
    found = {
        f"{file.relative_to(ROOT)}: {ast.unparse(node)}"
        for package in ("fer_live", "training", "export")
        for file in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith(("json.", "tomllib."))
        if node.attr in ("load", "loads")
    }
    inside = "fer_live/base/parse.py"
    assert found == {f"{inside}: json.loads", f"{inside}: tomllib.loads"}
