"""Two writers of one file, and what one that was killed has left."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fer_live.base.atomic_file import (
    discard_partial,
    forget_cut_off,
    forget_partial,
    partial_path,
    put_in_place,
    write_atomically,
)
from fer_live.base.settings import SETTINGS_FILE, change_settings, load_settings
from tests.helpers.descriptors import open_descriptors

SETS = """
import sys
from fer_live.base.settings import change_settings
sys.stdin.readline()
for number in range(11, 61):
    change_settings({sys.argv[1]: number})
"""


def test_of_two_processes_neither_undoes_what_the_other_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path))
    both = [
        subprocess.Popen([sys.executable, "-c", SETS, name], stdin=subprocess.PIPE)
        for name in ("camera", "clips_limit_mb")
    ]
    for process in both:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in both:
        process.communicate()
        assert process.returncode == 0
    settings, trouble = load_settings()
    assert (settings.camera, settings.clips_limit_mb, trouble) == (60, 60, "")


def test_many_threads_write_one_file_whole(tmp_path: Path):
    path = tmp_path / "file.json"
    contents = [bytes([65 + number]) * 100_000 for number in range(8)]
    threads = [threading.Thread(target=write_atomically, args=(path, each)) for each in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert [file.name for file in tmp_path.iterdir()] == ["file.json"]


def test_what_a_killed_writer_of_settings_left_goes_after_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path))
    old, fresh = tmp_path / "settings.partial.json", tmp_path / "settings.partial-2.json"
    old.touch()
    fresh.touch()
    os.utime(old, (time.time() - 100,) * 2)
    change_settings({"camera": 3})
    assert not old.exists()
    assert fresh.exists(), "somebody may be writing it"
    forget_cut_off(tmp_path / SETTINGS_FILE)


@pytest.mark.skipif(sys.platform == "win32", reason="there it is not known")
def test_a_partial_file_goes_unless_it_is_being_written(tmp_path: Path):
    left = tmp_path / "rows.partial.csv"
    left.touch()
    forget_partial(left)
    assert not left.exists()
    growing = partial_path(tmp_path / "rows.csv")
    forget_partial(growing)
    assert growing.exists()


def test_on_windows_nothing_is_held_that_is_to_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """There a file that is open can be neither renamed nor deleted."""
    monkeypatch.setattr(sys, "platform", "win32")
    growing = partial_path(tmp_path / "rows.csv")
    assert str(growing) not in {place for _, place in open_descriptors()}
    put_in_place(growing, tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").is_file()


def test_files_may_begin_and_end_in_many_threads(tmp_path: Path):
    """As those of several outputs do: one that begins takes a name that another one lets go."""
    path = tmp_path / "rows.csv"

    def write(number: int) -> None:
        for _ in range(200):
            growing = partial_path(path)
            growing.write_text(str(number))
            if number % 2:
                put_in_place(growing, path)
            else:
                discard_partial(growing)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))  # raises what a thread raised
    assert [file.name for file in tmp_path.iterdir()] == ["rows.csv"]
    assert not [place for _, place in open_descriptors() if place.startswith(str(tmp_path))]
