"""Checks of what a command does when it fails."""

import subprocess


def fails(done: subprocess.CompletedProcess[str], code: int, *says: str) -> None:
    """The interfaces' promise: the exit code, and one line on stderr without a traceback."""
    assert done.returncode == code, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    for words in says:
        assert words in lines[0]
