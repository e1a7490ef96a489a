"""Sends OSC over UDP, for the outputs that speak it."""

import socket
from collections.abc import Iterable

from fer_live.base.refusals import refusal
from fer_live.base.translation import tr
from fer_live.errors import InputError
from fer_live.outputs.address import Address

Message = tuple[str, list[str | int | float]]
"""An address and its arguments."""

_MAX_BUNDLE_BYTES = 1200
"""Below what a packet of a network takes, so that none is cut in two."""


class OscClient:
    """Sends to one address; nobody needs to listen there.

    Args:
        address: Host and port. Its name is looked up once, for a name server that is slow or away
            would hold up every message. Raises `InputError` where there is no such host.
    """

    def __init__(self, address: Address) -> None:
        from pythonosc.udp_client import SimpleUDPClient

        try:
            family, *_, place = socket.getaddrinfo(
                address.host, address.port, type=socket.SOCK_DGRAM
            )[0]
            self._client = SimpleUDPClient(str(place[0]), address.port, family=family)
        except OSError:
            raise InputError(
                tr(
                    "{host}: no machine of this name was found; write its address, such as "
                    "127.0.0.1 for this machine",
                    host=address.host,
                )
            ) from None
        self._address = address
        self._last: Message = ("", [])

    def send_message(self, address: str, value: int | float | list[str | int | float]) -> None:
        """Send one message. Raises `OSError` where the network does not take it."""
        self._client.send_message(address, value)
        self._last = (address, value if isinstance(value, list) else [value])

    @property
    def last_message(self) -> str:
        """The address and the arguments of what was sent last."""
        address, values = self._last
        return " ".join(
            [address, *(f"{v:.3g}" if isinstance(v, float) else f"{v}" for v in values)]
        )

    def send_test(self, address: str, value: str | float) -> str:
        """Send one message for a test; returns what happened."""
        try:
            self.send_message(address, [value])
        except OSError as error:
            return tr("Not sent: {why}", why=refusal(error))
        return tr(
            "Sent to {address}: {sent}. Nobody confirms it: look whether your program shows it.",
            address=self._address,
            sent=self.last_message,
        )

    def send_bundles(self, messages: Iterable[Message]) -> None:
        """Send messages in order, as few packets as they fit into. Raises `OSError`."""
        from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
        from pythonosc.osc_message_builder import build_msg

        bundle, n_bytes = OscBundleBuilder(IMMEDIATELY), 0
        for address, values in messages:
            message = build_msg(address, values)
            if n_bytes and n_bytes + message.size > _MAX_BUNDLE_BYTES:
                self._client.send(bundle.build())
                bundle, n_bytes = OscBundleBuilder(IMMEDIATELY), 0
            bundle.add_content(message)
            n_bytes += message.size + 4
            self._last = (address, values)
        if n_bytes:
            self._client.send(bundle.build())

    def close(self) -> None:
        """Close the socket."""
        self._client._sock.close()  # the library has no public way
