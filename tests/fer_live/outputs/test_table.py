"""`make tables`: the table of outputs in a page of the documentation."""

import sys
from pathlib import Path

import pytest

from fer_live.outputs.__main__ import main
from fer_live.outputs.registry import as_markdown

OLD = "| option | what comes out | needs |\n|---|---|---|\n| `--gone` | a plotter | |\n"
BEFORE = "# Out – 출력\n\n| another | table |\n|---|---|\n| x | y |\n\n"
AFTER = "\nText behind.\n\n| a third | table |\n"


def test_the_old_table_gives_way_to_the_new_one_and_the_page_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    page = tmp_path / "page.md"
    page.write_text(BEFORE + OLD + AFTER, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["outputs", str(page)])
    main()
    assert page.read_bytes() == (BEFORE + as_markdown() + AFTER).encode()


def test_a_page_without_the_table_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = tmp_path / "page.md"
    page.write_text(f"{BEFORE}in a line: {OLD}", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["outputs", str(page)])
    main()
    assert page.read_text(encoding="utf-8") == f"{BEFORE}in a line: {OLD}"


def test_an_option_that_may_stand_alone_is_shown_in_brackets():
    rows = as_markdown().splitlines()
    assert rows[0] == "| option | what comes out | needs |"
    assert "| `--csv FILE` | one row per face |  |" in rows
    assert "| `--osc HOST:PORT` | OSC over UDP | `pip install '.[osc]'` |" in rows
    assert any(row.startswith("| `--virtual-camera [DEVICE]` | ") for row in rows)
