"""Numbers on a command line."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from fer_live.base.console import ArgumentParser, real, whole


@pytest.mark.parametrize(
    "text", ["-1", "0", "1.5", "x", "", "9" * 30, "9" * 5000, "³", "+2", "1_0"]
)
def test_a_whole_number_outside_its_limits_is_one_line(text: str):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a whole number, 1 to 256"):
        whole(1, 256)(text)
    assert whole(1, 256)("256") == 256 and whole(-5, 5)("-5") == -5


@pytest.mark.parametrize("text", ["nan", "inf", "-0.1", "1.1", "x", "", "9" * 5000])
def test_a_number_outside_its_limits_is_one_line(text: str):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a number, 0 to 1"):
        real(0, 1)(text)
    assert real(0, 1)("0.25") == 0.25


def test_an_empty_path_is_refused():
    """As of a variable that is not set: it would be the current folder."""
    parser = ArgumentParser(prog="try")
    parser.add_argument("--out", type=Path)
    assert parser.parse_args(["--out", "."]).out == Path()
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["--out", ""])
    assert ended.value.code == 2


_SAYS = "from fer_live.base.console import run_command; from fer_live.plain_text import say; "
_SAYS += "run_command('try', lambda: say('gl\u00fccklich') or 0)"


@pytest.mark.skipif(sys.platform == "win32", reason="by a shell")
def test_a_closed_output_or_one_of_few_letters_ends_no_command_in_a_traceback():
    closed = ["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, _SAYS]
    for command, environment in (
        (closed, None),
        ([sys.executable, "-c", _SAYS], {"PYTHONIOENCODING": "ascii", "PATH": ""}),
    ):
        done = subprocess.run(command, capture_output=True, env=environment, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"gl\\xfccklich\n"
