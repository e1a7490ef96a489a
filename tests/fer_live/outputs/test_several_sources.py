"""How each output tells several sources apart."""

import json
import socket
from dataclasses import replace

import pytest
from websockets.sync.client import connect

from fer_live.outputs.kind import Opening
from fer_live.outputs.lsl import LslSink
from fer_live.outputs.registry import open_output, output_kinds
from tests.helpers.results import LABELS, result


def opening(where: str, source: str) -> Opening:
    return Opening(where, LABELS, lambda: pytest.fail("no picture"), is_live=True, source=source)


def test_every_output_says_how_it_takes_several_sources():
    sharing = {name: kind.sharing for name, kind in output_kinds().items()}
    assert sharing == {
        "csv": "shared",
        "csv_bom": "shared",
        "jsonl": "shared",
        "osc": "each",
        "vmc": "one",
        "websocket": "shared",
        "lsl": "each",
        "virtual_camera": "one",
    }


@pytest.mark.parametrize(
    ("source", "begins"),
    [
        ("", b"/fer/faces"),
        ("camera 1", b"/camera_1/fer/faces"),
        ("왼쪽/a", "/왼쪽_a/fer/faces".encode()),
    ],
)
def test_osc_addresses_begin_with_the_source_where_there_are_several(source: str, begins: bytes):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        sink = open_output("osc", opening(f"127.0.0.1:{receiver.getsockname()[1]}", source))
        sink.write("camera 1", result(0, 0.0))
        got = [receiver.recv(2000) for _ in range(5)]
        sink.close()
    assert got[0].startswith(begins + b"\0")
    root = begins.removesuffix(b"/faces")
    assert all(message.startswith(root + b"/") for message in got)


def test_lsl_streams_are_called_after_their_sources():
    pytest.importorskip("pylsl")
    names = []
    for source in ("", "camera 1"):
        sink = open_output("lsl", opening("FER Live", source))
        assert isinstance(sink, LslSink)
        names.append(sink._name)
        sink.close()
    assert names == ["FER Live", "FER Live camera 1"]


def test_websocket_objects_name_their_source():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sink = open_output("websocket", replace(opening(str(port), ""), is_live=True))
    with connect(f"ws://127.0.0.1:{port}/") as client:
        while not sink.n_clients:  # type: ignore[attr-defined]
            pass
        for source in ("left", "right"):
            sink.write(source, result(0, 0.0))
        got = [json.loads(client.recv(30)) for _ in range(2)]
    sink.close()
    assert [one["source"] for one in got] == ["left", "right"]
    assert [one["faces"][0]["track_id"] for one in got] == [1, 1]
