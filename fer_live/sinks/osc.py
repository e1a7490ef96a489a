"""OSC over UDP, for art, music and games."""

from fer_live.datatypes import FrameResult
from fer_live.errors import InputError
from fer_live.sinks.address import Address


class OscSink:
    """A `ResultSink` of OSC messages, sent for each frame to one address.

    /fer/faces COUNT
    /fer/face TRACK_ID X1 Y1 X2 Y2 SHOWN_LABEL CONFIDENCE
    /fer/face/TRACK_ID/LABEL PROBABILITY

    Nobody needs to listen; whoever comes later gets the next frame. Boxes are pixels of the
    unmirrored frame, the label is empty for "unsure", probabilities are the model's own.
    """

    def __init__(self, address: Address, labels: tuple[str, ...]) -> None:
        from pythonosc.udp_client import SimpleUDPClient

        self._labels = labels
        try:
            self._client = SimpleUDPClient(address.host, address.port)
        except OSError as error:
            raise InputError(f"--osc {address}: no such host: {error.strerror}") from None

    def write(self, source: str, result: FrameResult) -> None:
        send = self._client.send_message
        send("/fer/faces", len(result.faces))
        for face in result.faces:
            box = [float(value) for value in face.box_xyxy]
            send("/fer/face", [face.track_id, *box, face.shown_label, face.confidence])
            for label, prob in zip(self._labels, face.probs, strict=True):
                send(f"/fer/face/{face.track_id}/{label}", float(prob))

    def close(self) -> None:
        self._client._sock.close()  # the library has no public way

    def abandon(self) -> None:
        self.close()
