from pathlib import Path

import pytest

from tests.trust import trials
from tests.trust.trials import Ledger, Limits, Outcome, main_of, run_trials


def broken(number: int) -> Outcome:
    raise ValueError(f"lost {number}")


def test_what_was_tried_is_not_tried_again(tmp_path: Path):
    path = tmp_path / "ledger.jsonl"
    tried: list[int] = []

    def trial(number: int) -> Outcome:
        tried.append(number)
        return Outcome(n=10, figures={"late_ms": float(number)})

    run_trials(Ledger(path), {"a": trial}, Limits(2))
    path.write_text(path.read_text() + '{"kind": "a", "num')  # killed while it wrote
    ledger = Ledger(path)
    run_trials(ledger, {"a": trial}, Limits(4))
    assert tried == [0, 1, 2, 3]
    (row,) = ledger.rows()
    assert (row["cases"], row["failed"], row["at worst"]) == (40, 0, "late_ms 3")


def test_another_commit_is_another_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "ledger.jsonl"
    run_trials(Ledger(path), {"a": lambda _: Outcome()}, Limits(1))
    monkeypatch.setattr(trials, "_commit", lambda: "another")
    assert not Ledger(path).has("a", 0)


def test_no_trial_is_begun_after_its_time(tmp_path: Path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    run_trials(ledger, {"a": lambda _: Outcome()}, Limits(5, minutes=-1))
    assert ledger.rows() == []


def test_a_failure_is_told_ends_with_1_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setattr(trials, "FOLDER", tmp_path)
    monkeypatch.setattr("sys.argv", ["x"])
    kinds = {"good": lambda _: Outcome(), "none": lambda _: Outcome(0, skipped="no clock")}
    assert main_of("x", "", kinds, count=2) == 0
    assert "no clock" in capsys.readouterr().out
    assert main_of("x", "", kinds | {"bad": broken}, count=2) == 1
    assert "bad 1: ValueError at test_trials.py" in capsys.readouterr().out
    assert not Ledger(tmp_path / "x.jsonl").has("bad", 1)
    assert main_of("x", "", kinds | {"bad": lambda _: Outcome()}, count=2) == 0
