"""Sends OSC over UDP, for the outputs that speak it."""

import socket
from collections.abc import Iterable

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
        option: The option of the command line that named the address, for the error.
        address: Host and port. Its name is looked up once, for a name server that is slow or away
            would hold up every message. Raises `InputError` where there is no such host.
    """

    def __init__(self, option: str, address: Address) -> None:
        from pythonosc.udp_client import SimpleUDPClient

        try:
            family, *_, place = socket.getaddrinfo(
                address.host, address.port, type=socket.SOCK_DGRAM
            )[0]
            self._client = SimpleUDPClient(str(place[0]), address.port, family=family)
        except OSError as error:
            raise InputError(
                tr(
                    "{option} {address}: no such host: {why}",
                    option=option,
                    address=address,
                    why=error.strerror,
                )
            ) from None

    def send_message(self, address: str, value: int | float | list[str | int | float]) -> None:
        """Send one message. Raises `OSError` where the network does not take it."""
        self._client.send_message(address, value)

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
        if n_bytes:
            self._client.send(bundle.build())

    def close(self) -> None:
        """Close the socket."""
        self._client._sock.close()  # the library has no public way
