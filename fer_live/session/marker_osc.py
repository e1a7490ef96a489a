"""Markers that come in over OSC."""

import socket
import threading

from fer_live.base.translation import tr, tr_n
from fer_live.errors import InputError
from fer_live.outputs.address import Address
from fer_live.outputs.kind import MarkersIn

_HEADS = {"/fer/marker": "", "/fer/marker/begin": "begin:", "/fer/marker/end": "end:"}
_LOOK_EVERY_S = 0.2
_MAX_PACKET_BYTES = 65_536
_ENDS_WITHIN_S = 2.0
_ORIGIN = "osc"


class OscMarkers:
    """Listens at an address of UDP, on a thread of its own.

    /fer/marker TEXT
    /fer/marker/begin NAME
    /fer/marker/end NAME

    What else comes, and what cannot be read, is counted and left. UDP knows no sender that could be
    asked for a token: beyond this machine anybody who reaches the port can mark. Raises
    `InputError` where it cannot listen there.
    """

    def __init__(self, address: Address, markers: MarkersIn) -> None:
        self._address, self._markers = address, markers
        self._n_taken = self._n_odd = 0
        self._end = threading.Event()
        try:
            family, *_, place = socket.getaddrinfo(
                address.host, address.port, type=socket.SOCK_DGRAM
            )[0]
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            try:
                self._socket.bind(place)
            except OSError:
                self._socket.close()
                raise
        except OSError as error:
            raise InputError(
                tr(
                    "markers over OSC: cannot listen at {address}: {why}; choose another port",
                    address=address,
                    why=error.strerror,
                )
            ) from None
        self._socket.settimeout(_LOOK_EVERY_S)
        self._thread = threading.Thread(target=self._run, name="markers osc", daemon=True)
        self._thread.start()

    @property
    def described(self) -> str:
        """Where it listens, and what came."""
        odd = (
            tr_n("{n} message not understood", "{n} messages not understood", self._n_odd)
            if self._n_odd
            else ""
        )
        return "; ".join(filter(None, (tr_n("{n} marker", "{n} markers", self._n_taken), odd)))

    def close(self) -> None:
        """Listen no more."""
        self._end.set()
        self._thread.join(_ENDS_WITHIN_S)
        self._socket.close()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                packet = self._socket.recv(_MAX_PACKET_BYTES)
            except OSError:  # nothing came, or an answer to what another socket sent
                continue
            # In a flood, what would not be taken is not read either.
            if self._markers.has_room(_ORIGIN):
                self._read(packet)

    def _read(self, packet: bytes) -> None:
        for text in texts_of(packet):
            if text is None:
                self._n_odd += 1
            elif self._markers.take(text, _ORIGIN):
                self._n_taken += 1


def texts_of(packet: bytes) -> list[str | None]:
    """The markers in a packet, None for each message that is none; [None] where it is no OSC."""
    from pythonosc.osc_packet import OscPacket

    try:
        messages = [timed.message for timed in OscPacket(packet).messages]
        return [_text(message.address, list(message.params)) for message in messages]
    except Exception:  # noqa: BLE001  # the library raises many kinds for bytes that are no OSC
        return [None]


def _text(address: str, values: list[object]) -> str | None:
    head = _HEADS.get(address)
    if head is None or not values or not isinstance(values[0], str | int | float):
        return None
    return head + str(values[0])
