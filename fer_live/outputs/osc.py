"""OSC over UDP, for art, music and games."""

import re
import socket

from fer_live.base.translation import tr
from fer_live.datatypes import FrameResult
from fer_live.errors import InputError
from fer_live.outputs.address import Address, check_address, parse_address
from fer_live.outputs.kind import OutputKind


class OscSink:
    """A `ResultSink` of OSC messages, sent for each frame to one address.

    /fer/faces COUNT
    /fer/face TRACK_ID X1 Y1 X2 Y2 SHOWN_LABEL CONFIDENCE
    /fer/face/TRACK_ID/LABEL PROBABILITY
    /fer/shown TRACK_ID SHOWN_LABEL SHOWN_CONFIDENCE QUALITY QUALITY_REASON

    Nobody needs to listen; whoever comes later gets the next frame. A frame that the network does
    not take is counted in `dropped`. Boxes are pixels of the unmirrored frame, the label is empty
    for "unsure", probabilities are the model's own; SHOWN_CONFIDENCE alone is smoothed, and 0 for
    "unsure".
    """

    def __init__(self, address: Address, labels: tuple[str, ...]) -> None:
        from pythonosc.udp_client import SimpleUDPClient

        self.dropped = 0
        self._labels = labels
        try:
            # Once, for a name server that is slow or away would hold up every message.
            family, *_, place = socket.getaddrinfo(
                address.host, address.port, type=socket.SOCK_DGRAM
            )[0]
            self._client = SimpleUDPClient(str(place[0]), address.port, family=family)
        except OSError as error:
            raise InputError(
                tr("--osc {address}: no such host: {why}", address=address, why=error.strerror)
            ) from None

    def write(self, source: str, result: FrameResult) -> None:
        try:
            self._send(result)
        except OSError:  # no route, or a full buffer: the next frame may get through
            self.dropped += 1

    def _send(self, result: FrameResult) -> None:
        send = self._client.send_message
        send("/fer/faces", len(result.faces))
        for face in result.faces:
            box = [float(value) for value in face.box_xyxy]
            send("/fer/face", [face.track_id, *box, face.shown_label, face.confidence])
            for label, prob in zip(self._labels, face.probs, strict=True):
                send(f"/fer/face/{face.track_id}/{osc_name(label)}", float(prob))
            # An address of its own: receivers count the arguments of the others.
            shown = [face.shown_label, face.shown_confidence or 0.0]
            send("/fer/shown", [face.track_id, *shown, face.quality, face.quality_reason])

    def close(self) -> None:
        self._client._sock.close()  # the library has no public way

    def abandon(self) -> None:
        self.close()


def osc_name(label: str) -> str:
    """A label as the part of an address: OSC has no blanks there, and gives `#*,/?[]{}` a meaning
    of their own; each becomes an underscore. Letters of every script are sent as UTF-8."""
    return re.sub(r"[\s#*,/?\[\]{}]", "_", label)


OUTPUT = OutputKind(
    name="osc",
    title="OSC",
    metavar="HOST:PORT",
    help="OSC over UDP",
    open=lambda opening: OscSink(parse_address("--osc", opening.where), opening.labels),
    check=lambda where: check_address("--osc", where),
    suggest=lambda: "127.0.0.1:9000",
    extra="osc",
    package="pythonosc",
    position=30,
)
