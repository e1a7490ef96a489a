"""The short form of `make chaos`: a quick trial of each sort, and that faults are found."""

from pathlib import Path

import pytest

from tests.trust.chaos import __main__ as chaos
from tests.trust.chaos import disks, kills, others, sources, whole
from tests.trust.trials import Outcome


def succeed(outcome: Outcome) -> None:
    if outcome.skipped:
        pytest.skip(outcome.skipped)
    assert outcome.failures == ()


@pytest.mark.parametrize("what", ["pull", "resize"])
def test_a_source_that_fails_comes_back(what: str):
    succeed(sources.fault(what, 0))


@pytest.mark.parametrize("writer", ["csv", "snapshot"])
def test_a_full_disk_is_said_and_loses_nothing(writer: str):
    succeed(disks.write_on("full", writer, 1))


def test_a_disk_that_is_read_only_is_said(tmp_path: Path):
    succeed(disks.write_on("read_only", "settings", 0))


def test_a_clock_that_is_set_bends_no_recording():
    succeed(others.clock_step(0))


def test_a_window_that_is_killed_starts_again_and_says_what_was_cut_off():
    succeed(kills.KINDS["kill_outputs"](0))


def test_what_is_lost_is_found(tmp_path: Path):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"time_s": 0.1}\n{"time_s": 0.05}\n{"time')
    assert len(whole.json_rows(rows, 3)) == 2
    assert whole.json_rows(rows, 0) == ["rows.jsonl: rows are not in the order of their times"]
    rows.write_text("no\njson")
    assert whole.json_rows(rows, 0)


def test_every_sort_is_tried():
    named = {
        *("kill_recording", "kill_capture", "kill_calibration", "kill_install", "kill_analyze"),
        *("kill_settings", "kill_outputs", "pull_stream", "stall_stream", "slow_stream"),
        *("repeat_stream", "resize_stream", "disk_full", "read_only", "clock_step"),
        *("two_instances", "deaf_receiver"),
    }
    assert set(chaos.KINDS) == named
