"""The VMC protocol, which moves avatars: https://protocol.vmc.info/marionette-spec"""

import math

from fer_live.base.refusals import refusal
from fer_live.base.translation import mark, tr
from fer_live.datatypes import BLENDSHAPES, FaceSignals, FloatArray, FrameResult
from fer_live.outputs.address import Address, check_address, parse_address
from fer_live.outputs.followed_face import FollowedFace
from fer_live.outputs.kind import OutputKind
from fer_live.outputs.osc_client import Message, OscClient

_SPELLINGS = [(name, name[0].upper() + name[1:]) for name in BLENDSHAPES]
"""ARKit's own name, and that of Unity and of the clips that are called Perfect Sync."""
_TEST: list[Message] = [("/VMC/Ext/Blend/Val", [name, 1.0]) for name in ("jawOpen", "JawOpen")]


class VmcSink:
    """A `ResultSink` that moves the face and the head of one avatar.

    /VMC/Ext/OK 1
    /VMC/Ext/T SECONDS
    /VMC/Ext/Bone/Pos Head 0 0 0 QX QY QZ QW
    /VMC/Ext/Blend/Val NAME VALUE
    /VMC/Ext/Blend/Apply

    The face is the largest one, until that has been gone for two seconds. A frame in which it was
    not measured sends the first two alone, so that the avatar stays as it is. Names are sent in two
    spellings, jawOpen and JawOpen: the protocol minds the case, and receivers differ. A frame that
    the network does not take is counted in `dropped`.
    """

    def __init__(self, address: Address) -> None:
        self.dropped = 0
        self._client = OscClient(address)
        self._followed = FollowedFace()

    def write(self, source: str, result: FrameResult) -> None:
        face = self._followed.find(result)
        signals = None if face is None else face.signals
        messages: list[Message] = [
            ("/VMC/Ext/OK", [1]),
            ("/VMC/Ext/T", [float(result.frame.captured_at_s)]),
        ]
        if signals is not None and signals.age_s == 0:
            messages += _moves(signals)
        try:
            self._client.send_bundles(messages)
        except OSError:  # no route, or a full buffer: the next frame may get through
            self.dropped += 1

    @property
    def last_message(self) -> str:
        """What was sent last."""
        return self._client.last_message

    def send_test(self) -> str:
        """Open the avatar's mouth until the next frame; returns what happened."""
        try:
            self._client.send_bundles([*_TEST, ("/VMC/Ext/Blend/Apply", [])])
        except OSError as error:
            return tr("Not sent: {why}", why=refusal(error))
        return tr(
            "Sent: the avatar's mouth opens wide for a moment. Nobody confirms it: look at it."
        )

    def close(self) -> None:
        self._client.close()

    def abandon(self) -> None:
        self.close()


def _moves(signals: FaceSignals) -> list[Message]:
    shapes = zip(_SPELLINGS, signals.landmarks.blendshapes.tolist(), strict=True)
    return [
        ("/VMC/Ext/Bone/Pos", ["Head", 0.0, 0.0, 0.0, *head_quaternion(signals.head_deg)]),
        *(
            ("/VMC/Ext/Blend/Val", [spelling, value])
            for spellings, value in shapes
            for spelling in spellings
        ),
        ("/VMC/Ext/Blend/Apply", []),
    ]


def head_quaternion(head_deg: FloatArray) -> tuple[float, float, float, float]:
    """x, y, z, w of a head's turn in Unity's terms, from (3,) yaw, pitch and roll in degrees.

    There x is to the avatar's own right, y up and z to where it faces, and a turn is clockwise seen
    along its axis. The order is that of the angles: roll, pitch, yaw.
    """
    yaw, pitch, roll = (math.radians(float(angle)) / 2 for angle in head_deg)
    (sy, cy), (sx, cx), (sz, cz) = (
        (math.sin(half), math.cos(half)) for half in (-yaw, -pitch, roll)
    )
    return (
        cy * sx * cz + sy * cx * sz,
        sy * cx * cz - cy * sx * sz,
        cy * cx * sz - sy * sx * cz,
        cy * cx * cz + sy * sx * sz,
    )


OUTPUT = OutputKind(
    name="vmc",
    title=mark("Avatar (VMC)"),
    purpose=mark(
        "For avatars: moves the head and the face of a character in VSeeFace, VMagicMirror or "
        "Unity."
    ),
    metavar="HOST:PORT",
    help="head and face of an avatar, in the VMC protocol; switches the signals on",
    open=lambda opening: VmcSink(parse_address(opening.where)),
    check=check_address,
    suggest=lambda: "127.0.0.1:39539",
    extra="osc",
    package="pythonosc",
    needs_signals=True,
    sharing="one",
    position=35,
)
