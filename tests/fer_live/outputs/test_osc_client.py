"""What the outputs over OSC send, byte for byte, and what they say when nothing can be sent."""

import errno
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pythonosc.osc_packet import OscPacket

from fer_live.datatypes import Marker
from fer_live.errors import InputError
from fer_live.outputs import osc
from fer_live.outputs.address import Address
from fer_live.outputs.osc import OscSink
from fer_live.outputs.osc_client import OscClient
from fer_live.outputs.vmc import VmcSink
from tests.helpers.clocks import Noon
from tests.helpers.results import LABELS, face_signals, result, with_signals

Messages = list[tuple[str, list[Any]]]


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(60)
        yield receiver


@pytest.fixture
def address(receiver: socket.socket) -> Address:
    return Address("127.0.0.1", receiver.getsockname()[1])


@pytest.fixture
def client(address: Address) -> Iterator[OscClient]:
    client = OscClient(address)
    yield client
    client.close()


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENETUNREACH, "Network is unreachable")

    monkeypatch.setattr("pythonosc.udp_client.UDPClient.send", refuse)


def messages_in(packet: bytes) -> Messages:
    return [(timed.message.address, timed.message.params) for timed in OscPacket(packet).messages]


def waiting(receiver: socket.socket) -> list[bytes]:
    """The packets that have come; on this machine they are there once they were sent."""
    receiver.settimeout(0.01)
    packets = []
    try:
        while True:
            packets.append(receiver.recv(65_536))
    except TimeoutError:
        return packets


def test_a_test_is_sent_and_told_with_its_address_and_text(client, receiver, address):
    assert client.send_test("/fer/test", "hello") == (
        f"Sent to {address}: /fer/test hello. Nobody confirms it: look whether your program "
        "shows it."
    )
    assert messages_in(receiver.recv(1000)) == [("/fer/test", ["hello"])]


@pytest.mark.usefixtures("no_network")
def test_a_test_that_the_network_refuses_says_why(client):
    assert client.send_test("/fer/test", 1.0) == "Not sent: the other machine cannot be reached"
    assert client.last_message == "", "it was not sent"


def test_a_host_that_is_not_there_is_told_by_its_name():
    with pytest.raises(InputError) as told:
        OscClient(Address("no-such-host.invalid", 9000))
    assert str(told.value) == (
        "no-such-host.invalid: no machine of this name was found; write its address, such as "
        "127.0.0.1 for this machine"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(7, "/a 7"), (0.123456, "/a 0.123"), (["x", 2, 0.5], "/a x 2 0.5")],
)
def test_the_last_message_is_its_address_and_its_values_in_short(client, value, shown):
    client.send_message("/a", value)
    assert client.last_message == shown


def test_few_messages_go_in_one_packet_in_their_order(client, receiver):
    sent: Messages = [(f"/m/{k}", [k, f"text {k}", float(k)]) for k in range(5)]
    client.send_bundles(sent)
    (packet,) = waiting(receiver)
    assert messages_in(packet) == sent
    assert client.last_message == "/m/4 4 text 4 4"


def test_many_messages_go_in_full_packets_that_no_network_cuts(client, receiver):
    sent: Messages = [("/m", ["x" * 100, k]) for k in range(40)]
    client.send_bundles(sent)
    packets = waiting(receiver)
    assert [message for packet in packets for message in messages_in(packet)] == sent
    sizes = [len(messages_in(packet)) for packet in packets]
    # A message has 4 bytes of address, 4 of types, 104 of text, 4 of number, and 4 of its length.
    assert sizes == [10, 10, 10, 10], "eleven of 120 bytes would be more than 1200"
    assert max(map(len, packets)) == 16 + 10 * 120


def test_the_length_that_stands_before_each_message_counts_too(client, receiver):
    client.send_bundles([("/m", [k]) for k in range(200)])
    sizes = [len(messages_in(packet)) for packet in waiting(receiver)]
    assert sizes == [75, 75, 50], "a message has 12 bytes, and 4 of its length"


def test_a_message_above_the_limit_goes_alone_and_no_packet_is_empty(client, receiver):
    client.send_bundles([("/long", ["x" * 2000]), ("/short", [1])])
    packets = waiting(receiver)
    assert [[where for where, _ in messages_in(packet)] for packet in packets] == [
        ["/long"],
        ["/short"],
    ]


def test_no_message_is_no_packet(client, receiver):
    client.send_bundles([])
    assert waiting(receiver) == []


@pytest.mark.parametrize(("source", "root"), [("", "/fer"), ("camera 1", "/camera_1/fer")])
def test_every_address_of_a_source_begins_with_its_name(receiver, address, source, root):
    sink = OscSink(address, LABELS, source)
    sink.write("not this name", with_signals(result(0, 0.0), face_signals()))
    sink.mark(Marker("trial", 1.0))
    sink.close()
    addresses = [where for packet in waiting(receiver) for where, _ in messages_in(packet)]
    assert addresses[:5] == [
        f"{root}/faces",
        f"{root}/face",
        f"{root}/face/1/neutral",
        f"{root}/face/1/happiness",
        f"{root}/shown",
    ]
    assert all(where.startswith(f"{root}/face/1/signal/") for where in addresses[5:-1])
    assert addresses[-1] == f"{root}/marked"


def test_the_test_of_osc_has_an_address_and_the_time(monkeypatch, receiver, address):
    monkeypatch.setattr(osc, "datetime", Noon)
    sink = OscSink(address, LABELS, "camera 1")
    assert sink.send_test() == (
        f"Sent to {address}: /camera_1/fer/test FER Live test 12:00:00. Nobody confirms it: look "
        "whether your program shows it."
    )
    sink.close()
    assert messages_in(receiver.recv(1000)) == [("/camera_1/fer/test", ["FER Live test 12:00:00"])]


def test_an_unsure_face_is_sent_with_no_label_and_confidence_zero(receiver, address):
    shown = result(0, 0.0)
    unsure = replace(
        shown.faces[0], shown_label="", shown_confidence=None, quality=0.5, quality_reason="dark"
    )
    sink = OscSink(address, LABELS)
    sink.write("c", replace(shown, faces=(unsure,)))
    sink.close()
    sent = dict(m for packet in waiting(receiver) for m in messages_in(packet))
    assert sent["/fer/shown"] == [1, "", 0.0, 0.5, "dark"]
    assert sent["/fer/face"][5:] == ["", pytest.approx(0.7)]


def test_signals_that_are_not_of_this_frame_are_not_sent(receiver, address):
    sink = OscSink(address, LABELS)
    sink.write("c", with_signals(result(0, 0.0), face_signals(age_s=0.1)))
    sink.close()
    assert not any(b"/signal/" in packet for packet in waiting(receiver))


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    "lose",
    [
        lambda address: lose_by(OscSink(address, LABELS), "write"),
        lambda address: lose_by(OscSink(address, LABELS), "mark"),
        lambda address: lose_by(VmcSink(address), "write"),
    ],
    ids=["osc frame", "osc marker", "vmc frame"],
)
def test_what_the_network_does_not_take_counts_one_each(address, lose: Callable[[Address], int]):
    assert lose(address) == 2


def lose_by(sink: OscSink | VmcSink, how: str) -> int:
    for k in range(2):
        if how == "mark":
            assert isinstance(sink, OscSink)
            sink.mark(Marker("m", float(k)))
        else:
            sink.write("c", result(k, float(k)))
    sink.close()
    return sink.dropped


def test_an_avatar_gets_the_time_then_the_head_then_the_face(receiver, address):
    sink = VmcSink(address)
    sink.write("c", with_signals(result(0, 1.25), face_signals()))
    assert sink.last_message == "/VMC/Ext/Blend/Apply"
    sink.close()
    sent = [message for packet in waiting(receiver) for message in messages_in(packet)]
    assert sent[:2] == [("/VMC/Ext/OK", [1]), ("/VMC/Ext/T", [1.25])]
    assert [where for where, _ in sent[2:]] == [
        "/VMC/Ext/Bone/Pos",
        *["/VMC/Ext/Blend/Val"] * 102,
        "/VMC/Ext/Blend/Apply",
    ]


@pytest.mark.parametrize("signals", [None, face_signals(age_s=0.1)], ids=["none", "old"])
def test_an_avatar_stays_as_it_is_in_a_frame_without_new_signals(receiver, address, signals):
    sink = VmcSink(address)
    sink.write("c", with_signals(result(0, 1.25), signals))
    sink.close()
    (packet,) = waiting(receiver)
    assert messages_in(packet) == [("/VMC/Ext/OK", [1]), ("/VMC/Ext/T", [1.25])]


def test_the_test_of_an_avatar_opens_its_mouth_in_both_spellings(receiver, address):
    sink = VmcSink(address)
    assert sink.send_test() == (
        "Sent: the avatar's mouth opens wide for a moment. Nobody confirms it: look at it."
    )
    sink.close()
    (packet,) = waiting(receiver)
    assert messages_in(packet) == [
        ("/VMC/Ext/Blend/Val", ["jawOpen", 1.0]),
        ("/VMC/Ext/Blend/Val", ["JawOpen", 1.0]),
        ("/VMC/Ext/Blend/Apply", []),
    ]


@pytest.mark.usefixtures("no_network")
def test_the_test_of_an_avatar_says_why_it_was_not_sent(address):
    sink = VmcSink(address)
    assert sink.send_test() == "Not sent: the other machine cannot be reached"
    sink.close()
