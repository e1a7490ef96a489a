"""OSC over UDP, for art, music and games."""

import re
from datetime import datetime

from fer_live.base.translation import mark
from fer_live.datatypes import FaceResult, FrameResult, Marker
from fer_live.outputs.address import Address, check_address, parse_address
from fer_live.outputs.face_rows import utc_text
from fer_live.outputs.kind import OutputKind
from fer_live.outputs.osc_client import OscClient
from fer_live.outputs.signal_columns import signal_values


class OscSink:
    """A `ResultSink` of OSC messages, sent for each frame to one address.

    /fer/faces COUNT
    /fer/face TRACK_ID X1 Y1 X2 Y2 SHOWN_LABEL CONFIDENCE
    /fer/face/TRACK_ID/LABEL PROBABILITY
    /fer/face/TRACK_ID/signal/COLUMN VALUE
    /fer/shown TRACK_ID SHOWN_LABEL SHOWN_CONFIDENCE QUALITY QUALITY_REASON

    /fer/marked TEXT KIND UTC ORIGIN

    The last for each marker, at once. Markers come in at another address, /fer/marker, so that none
    can go in a circle. Signals while they are on, for a face that was measured in this frame, in
    bundles. With the name of a `source`, every address begins with it: /camera_1/fer/faces.

    Nobody needs to listen; whoever comes later gets the next frame. A frame that the network does
    not take is counted in `dropped`. Boxes are pixels of the unmirrored frame, the label is empty
    for "unsure", probabilities are the model's own; SHOWN_CONFIDENCE alone is smoothed, and 0 for
    "unsure".
    """

    def __init__(self, address: Address, labels: tuple[str, ...], source: str = "") -> None:
        self.dropped = 0
        self._labels = labels
        self._root = f"/{osc_name(source)}/fer" if source else "/fer"
        self._client = OscClient(address)

    def write(self, source: str, result: FrameResult) -> None:
        try:
            self._send(result)
        except OSError:  # no route, or a full buffer: the next frame may get through
            self.dropped += 1

    def mark(self, marker: Marker) -> None:
        values: list[str | int | float] = [marker.text, marker.kind, utc_text(marker.utc)]
        try:
            self._client.send_message(f"{self._root}/marked", [*values, marker.origin])
        except OSError:
            self.dropped += 1

    @property
    def last_message(self) -> str:
        """What was sent last."""
        return self._client.last_message

    def send_test(self) -> str:
        """Send `/fer/test TEXT`; returns what happened."""
        return self._client.send_test(
            f"{self._root}/test", f"FER Live test {datetime.now():%H:%M:%S}"
        )

    def _send(self, result: FrameResult) -> None:
        send, root = self._client.send_message, self._root
        send(f"{root}/faces", len(result.faces))
        for face in result.faces:
            box = [float(value) for value in face.box_xyxy]
            send(f"{root}/face", [face.track_id, *box, face.shown_label, face.confidence])
            for label, prob in zip(self._labels, face.probs, strict=True):
                send(f"{root}/face/{face.track_id}/{osc_name(label)}", float(prob))
            # An address of its own: receivers count the arguments of the others.
            shown = (face.shown_label, face.shown_confidence or 0.0)
            send(f"{root}/shown", [face.track_id, *shown, face.quality, face.quality_reason])
            self._send_signals(face)

    def _send_signals(self, face: FaceResult) -> None:
        if face.signals is None or face.signals.age_s > 0:
            return
        prefix = f"{self._root}/face/{face.track_id}/signal/"
        self._client.send_bundles(
            (prefix + column, [float(value)])
            for column, value in signal_values(face, self._labels).items()
            if value is not None
        )

    def close(self) -> None:
        self._client.close()

    def abandon(self) -> None:
        self.close()


def osc_name(label: str) -> str:
    """A label as the part of an address: OSC has no blanks there, and gives `#*,/?[]{}` a meaning
    of their own; each becomes an underscore. Letters of every script are sent as UTF-8."""
    return re.sub(r"[\s#*,/?\[\]{}]", "_", label)


OUTPUT = OutputKind(
    name="osc",
    title="OSC",
    purpose=mark(
        "For music, light and art: TouchDesigner, Max, Ableton, Unreal. Short messages to the "
        "address on which the other program listens."
    ),
    metavar="HOST:PORT",
    help="OSC over UDP",
    open=lambda opening: OscSink(parse_address(opening.where), opening.labels, opening.source),
    check=check_address,
    suggest=lambda: "127.0.0.1:9000",
    extra="osc",
    package="pythonosc",
    sharing="each",
    position=30,
)
