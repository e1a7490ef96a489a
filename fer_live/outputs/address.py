"""HOST:PORT, as a person writes it."""

import ipaddress
from dataclasses import dataclass

from fer_live.base.translation import tr
from fer_live.errors import InputError

LOOPBACK = "127.0.0.1"
_MAX_PORT_DIGITS = 5
"""Python itself refuses to read a number of thousands of digits."""


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port, to send to or to listen at."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether the address is one of this machine alone."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def check_address(text: str) -> None:
    """Raise `InputError` where `text` is no `[HOST:]PORT`."""
    parse_address(text)


def parse_address(text: str) -> Address:
    """`[HOST:]PORT`; without a host, this machine alone. Raises `InputError`."""
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or LOOPBACK
    if not (port.isdecimal() and len(port) <= _MAX_PORT_DIGITS and 0 < int(port) < 65536):
        raise InputError(
            tr(
                "{text}: not an address; write PORT or HOST:PORT, 1 to 65535",
                text=text,
            )
        )
    return Address(host, int(port))
