"""A small disk for each trial, which every writer of the app fills or finds read-only."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.trust.chaos.kills import a_folder, environment
from tests.trust.chaos.personal import write_run
from tests.trust.chaos.writers import WRITERS
from tests.trust.trials import Outcome, Trial

_SIZE_MB = {"install": 100, "recording": 16, "capture": 16}
_ENDS_WITHIN_S = 300.0


class NoDisk(Exception):
    """No file system can be mounted here."""


@contextmanager
def small_disk(folder: Path, size_mb: int) -> Iterator[Path]:
    """A file system in memory; raises `NoDisk` where that needs rights that are not there."""
    mounted = folder / "disk"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "chaos", str(mounted)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        raise NoDisk
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "-l", str(mounted)], check=False)


def write_on(what: str, writer: str, number: int) -> Outcome:
    """One writer on one disk."""
    with a_folder() as folder:
        try:
            with small_disk(folder, _SIZE_MB.get(writer, 8)) as mounted:
                return _write_on(what, writer, number, mounted)
        except NoDisk:
            return Outcome(0, skipped="no file system can be mounted without the rights for it")


def _write_on(what: str, writer: str, number: int, mounted: Path) -> Outcome:
    if writer == "install":
        write_run(mounted / "run")
    command = [sys.executable, "-m", "tests.trust.chaos.writers", writer, str(mounted)]
    began_s = time.monotonic()
    done = subprocess.run(
        [*command, str(number), what],
        capture_output=True,
        text=True,
        env=environment(mounted / "home"),
        timeout=_ENDS_WITHIN_S,
    )
    if done.returncode or not done.stdout.strip():
        return Outcome(failures=(f"code {done.returncode}: {done.stderr.strip()[-200:]}",))
    troubles = json.loads(done.stdout.splitlines()[-1])
    seconds = {"seconds": round(time.monotonic() - began_s, 1)}
    return Outcome(failures=tuple(f"{writer}: {line}" for line in troubles), figures=seconds)


def in_turn(what: str, number: int) -> Outcome:
    """One writer after another, by the number of the trial."""
    writers = list(WRITERS)
    return write_on(what, writers[number % len(writers)], number)


KINDS: dict[str, Trial] = {
    "disk_full": partial(in_turn, "full"),
    "read_only": partial(in_turn, "read_only"),
}
