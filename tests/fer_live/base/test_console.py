"""Numbers on a command line."""

import argparse

import pytest

from fer_live.base.console import real, whole


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
