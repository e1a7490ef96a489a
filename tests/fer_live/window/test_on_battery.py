"""Whether the machine lives on its battery, on machines that say so in different ways."""

import psutil
import pytest

from fer_live.window.power import on_battery


def test_a_linux_that_tells_nothing_of_power_is_not_on_battery(monkeypatch: pytest.MonkeyPatch):
    """A container without /sys/class/power_supply ended the window."""

    def nothing_there() -> None:
        raise FileNotFoundError("/sys/class/power_supply")

    monkeypatch.setattr(psutil, "sensors_battery", nothing_there, raising=False)
    assert on_battery() is False
