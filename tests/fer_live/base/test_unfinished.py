"""What a killed process was writing is named at the next start, once."""

import subprocess
import sys
from pathlib import Path

import pytest

from fer_live.base.unfinished import Unfinished, cut_off_line, take_cut_off

WRITES = """
import os, sys
from pathlib import Path
from fer_live.base.unfinished import Unfinished
kept = Unfinished(Path(sys.argv[1]))
if sys.argv[2] == "done":
    kept.done()
os._exit(9)
"""


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))


def write_and_die(path: Path, how: str = "") -> None:
    subprocess.run([sys.executable, "-c", WRITES, str(path), how], check=False)


def test_without_a_kill_nothing_is_said(tmp_path: Path):
    assert cut_off_line() == ""
    rows = tmp_path / "rows.csv"
    rows.touch()
    write_and_die(rows, "done")
    assert cut_off_line() == ""


def test_what_was_cut_off_is_named_once(tmp_path: Path):
    rows = tmp_path / "rows.partial.csv"
    rows.touch()
    write_and_die(rows)
    write_and_die(tmp_path / "deleted since.csv")
    line = cut_off_line()
    assert str(rows) in line
    assert "deleted since" not in line
    assert cut_off_line() == ""


def test_what_is_being_written_now_is_not_cut_off(tmp_path: Path):
    (tmp_path / "rows.csv").touch()
    note = Unfinished(tmp_path / "rows.csv")
    assert take_cut_off() == []
    note.done()


def test_a_home_that_cannot_be_made_is_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "file" / "home"))
    Unfinished(tmp_path / "rows.csv").done()
    assert cut_off_line() == ""
