"""What tests of the three commands share."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path


def fails(done: subprocess.CompletedProcess[str], code: int, *says: str) -> None:
    """The interfaces' promise: the exit code, and one line on stderr without a traceback."""
    assert done.returncode == code, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for words in says:
        assert words in lines[0]


def interrupt(
    command: list[str], folder: Path, when: Callable[[], bool]
) -> subprocess.CompletedProcess[str]:
    """Run a command and press Ctrl-C once `when` holds."""
    reading = subprocess.Popen(
        [sys.executable, "-m", "fer_live", *command],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_interrupts,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not when() and reading.poll() is None:
        time.sleep(0.05)
    in_time = time.monotonic() < deadline
    reading.send_signal(signal.SIGINT)
    _, errors = reading.communicate(timeout=60)
    assert in_time, "waited in vain"
    return subprocess.CompletedProcess(command, reading.returncode, "", errors)


def _hear_interrupts() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would what the tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
