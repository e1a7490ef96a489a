"""Each output against a real receiver."""

import gc
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from fer_live.analyze.options import AnalyzeOptions
from fer_live.analyze.run import analyze
from fer_live.errors import InputError
from fer_live.outputs._websocket_server import WebSocketSink
from fer_live.outputs.address import Address, parse_address
from fer_live.outputs.kind import Opening
from fer_live.outputs.osc import OscSink
from fer_live.outputs.registry import check_outputs, open_output
from fer_live.outputs.worker import SinkWorker
from tests.helpers.documentation import blocks
from tests.helpers.listening import free_port, wait_until
from tests.helpers.results import LABELS, result


def opening(where: str) -> Opening:
    """Of a live output that paints nothing."""
    return Opening(where, LABELS, lambda: pytest.fail("no picture is wanted"), is_live=True)


@pytest.fixture
def server() -> Iterator[WebSocketSink]:
    sink = WebSocketSink(Address("127.0.0.1", free_port()), LABELS)
    yield sink
    sink.close()


def url(sink: WebSocketSink, path: str = "/") -> str:
    return f"ws://{sink._address}{path}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9000", Address("127.0.0.1", 9000)),
        ("studio.local:9000", Address("studio.local", 9000)),
        ("[::1]:80", Address("::1", 80)),
    ],
)
def test_addresses(text: str, expected: Address):
    assert parse_address(text) == expected
    assert parse_address(str(expected)) == expected


@pytest.mark.parametrize(
    "text", ["", "host", "host:", "host:0", "host:99999", "1.5", ":-1", "9" * 5000]
)
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(InputError, match="not an address"):
        parse_address(text)


def test_loopback_is_told_from_the_rest():
    assert all(Address(h, 1).is_loopback for h in ("127.0.0.1", "127.9.9.9", "localhost", "::1"))
    assert not any(Address(h, 1).is_loopback for h in ("0.0.0.0", "10.0.0.2", "studio.local"))


def test_osc_messages_arrive_as_documented():
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import ThreadingOSCUDPServer

    got: list[tuple[str, tuple[object, ...]]] = []
    dispatcher = Dispatcher()
    dispatcher.set_default_handler(lambda address, *values: got.append((address, values)))
    server = ThreadingOSCUDPServer(("127.0.0.1", 0), dispatcher)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        sink = OscSink(Address("127.0.0.1", server.server_address[1]), LABELS)
        sink.write("camera 0", result(3, 1.0, happy=0.75, n_faces=2))
        wait_until(lambda: len(got) == 9)
        sink.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    values = dict(got)
    assert values["/fer/faces"] == (2,)
    faces = [v for a, v in got if a == "/fer/face"]
    assert sorted(face[0] for face in faces) == [1, 2]
    assert faces[0][1:] == (10.0, 10.0, 40.0, 40.0, "happiness", 0.75)
    assert values["/fer/face/2/neutral"] == (0.25,)
    assert values["/fer/shown"] == (2, "happiness", 0.75, pytest.approx(0.9), "")


def test_nobody_listening_and_no_such_host():
    sink = OscSink(Address("127.0.0.1", free_port(socket.SOCK_DGRAM)), LABELS)
    for k in range(100):
        sink.write("camera 0", result(k, k / 30))
    sink.close()
    with pytest.raises(InputError, match="no machine of this name"):
        OscSink(Address("no-such-host.invalid", 9000), LABELS)


def test_every_client_gets_every_frame_in_the_keys_of_the_jsonl(server: WebSocketSink):
    with connect(url(server)) as one, connect(url(server)) as two:
        wait_until(lambda: server.n_clients == 2)
        server.write("camera 0", result(3, 1.25, happy=0.75))
        messages = [json.loads(client.recv(60)) for client in (one, two)]
    assert messages[0] == messages[1]
    assert {k: v for k, v in messages[0].items() if k != "faces"} == {
        "schema": 2,
        "source": "camera 0",
        "frame": 3,
        "time_s": 1.25,
        "utc": "",
    }
    (face,) = messages[0]["faces"]
    assert (face["track_id"], face["shown_label"], face["p_happiness"]) == (1, "happiness", 0.75)
    assert (face["shown_confidence"], face["quality"], face["quality_reason"]) == (0.75, 0.9, "")
    wait_until(lambda: server.n_clients == 0)
    server.write("camera 0", result(4, 1.3))


def test_a_client_that_does_not_read_costs_its_own_frames_alone(server: WebSocketSink):
    """Small buffers on both sides; the quick client gets all, the other one's are counted."""
    with connect(url(server), max_queue=1, close_timeout=0.2), connect(url(server)) as quick:
        wait_until(lambda: server.n_clients == 2)
        wide, n = result(0, 0.0, n_faces=20), 0
        while server.dropped < 20:
            server.write("camera 0", wide)
            quick.recv(60)
            n += 1
            assert n < 10_000
    wait_until(lambda: server.n_clients == 0)


def test_pages_of_other_origins_are_refused(server: WebSocketSink):
    for origin in ("http://evil.example", "null", f"http://evil.example:{server._address.port}"):
        with (
            pytest.raises(InvalidStatus, match="403"),
            connect(url(server), origin=origin),  # type: ignore[arg-type]
        ):
            pass
    with connect(url(server), origin=f"http://127.0.0.1:{server._address.port}"):  # type: ignore[arg-type]
        pass


def test_beyond_this_machine_a_token_is_needed():
    port = free_port()
    with pytest.raises(InputError, match="a token is needed"):
        WebSocketSink(Address("0.0.0.0", port), LABELS)
    sink = WebSocketSink(Address("0.0.0.0", port), LABELS, token="secret")
    try:
        for path in ("/", "/?token=wrong", "/?token="):
            unknown = f"ws://127.0.0.1:{port}{path}"
            with pytest.raises(InvalidStatus, match="401"), connect(unknown):
                pass
        with connect(f"ws://127.0.0.1:{port}/?token=secret"):
            pass
        bearer = {"Authorization": "Bearer secret"}
        with connect(f"ws://127.0.0.1:{port}/", additional_headers=bearer):
            pass
        assert http(port, "/?token=secret").startswith("HTTP/1.1 404"), "no page out there"
    finally:
        sink.close()


def http(port: int, path: str) -> str:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts).decode()


def test_the_page_is_served_on_this_machine(server: WebSocketSink):
    answer = http(server._address.port, "/")
    assert answer.startswith("HTTP/1.1 200")
    assert "text/html" in answer
    assert "new WebSocket" in answer
    head = answer.partition("\r\n\r\n")[0]
    assert "Content-Security-Policy: default-src 'none'; script-src 'sha256-" in head
    assert "frame-ancestors 'none'" in head and "nosniff" in head
    assert http(server._address.port, "/etc/passwd").startswith("HTTP/1.1 404")


def test_too_many_clients_and_malformed_messages_harm_nothing(server: WebSocketSink):
    with ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(connect(url(server)))
        wait_until(lambda: server.n_clients == 16)
        with pytest.raises(InvalidStatus, match="503"), connect(url(server)):
            pass
    wait_until(lambda: server.n_clients == 0)
    memory = psutil.Process().memory_info
    with connect(url(server)) as client:
        for k in range(10_000):  # 9 MB of what the server takes at most, after a warm-up
            client.send(("{" * (1000 + k % 24)).encode() if k % 2 else "\x00ÿ{" * 200)
            if k == 1000:
                gc.collect()
                before = memory().rss
        assert memory().rss - before < 4 * 2**20, "nothing is kept of what a client says"
        client.send("x" * 100_000)
        with pytest.raises(ConnectionClosed):
            client.recv(30)
    wait_until(lambda: server.n_clients == 0)
    with socket.create_connection((server._address.host, server._address.port)) as raw:
        raw.sendall(b"\x00\xff nonsense\r\n\r\n")
    with connect(url(server)) as client:
        wait_until(lambda: server.n_clients == 1)
        server.write("camera 0", result(1, 0.0))
        assert json.loads(client.recv(60))["frame"] == 1


def test_a_port_in_use_is_told(server: WebSocketSink):
    with pytest.raises(InputError, match=rf"port {server._address.port} is taken .* such as"):
        WebSocketSink(server._address, LABELS)


def test_lsl_has_the_channels_and_the_capture_times(lsl_name: str):
    pylsl = pytest.importorskip("pylsl")
    from fer_live.outputs.lsl import LslSink

    sink = LslSink(lsl_name, LABELS, is_live=True)
    stop = threading.Event()
    sent: list[float] = []
    old_s = 40.0

    def send() -> None:
        index = 0
        while not stop.wait(1 / 60):
            captured_at_s = time.monotonic() - old_s  # so old is the frame by then
            sent.append(captured_at_s)
            happy = 0.75
            sink.write("c", result(index, captured_at_s, happy=happy, n_faces=index % 90 < 60))
            index += 1

    sender = threading.Thread(target=send)
    sender.start()
    try:
        found = pylsl.resolve_byprop("name", lsl_name, timeout=60)
        assert found, "no stream"
        inlet = pylsl.StreamInlet(found[0])
        info = inlet.info(10)
        samples, stamps = [], []
        while len(samples) < 150:
            sample, stamp = inlet.pull_sample(timeout=60)
            samples.append(sample)
            stamps.append(stamp)
        offset_s = pylsl.local_clock() - time.monotonic()
        inlet.close_stream()
    finally:
        stop.set()
        sender.join()
        sink.close()
    channel, labels = info.desc().child("channels").child("channel"), []
    for _ in range(info.channel_count()):
        labels.append((channel.child_value("label"), channel.child_value("unit")))
        channel = channel.next_sibling()
    assert labels == [
        ("neutral", "probability"),
        ("happiness", "probability"),
        ("shown_confidence", "probability"),
        ("quality", "share"),
        ("track_id", "number"),
    ]
    rate = 1 / np.median(np.diff(sent[:15]))
    assert info.nominal_srate() == pytest.approx(rate, rel=0.01)
    assert rate > 10
    seen = np.array(samples)
    assert np.isnan(seen[:, 1]).any(), "no face: NaN"
    assert seen[~np.isnan(seen[:, 1]), 1] == pytest.approx(0.75)
    away_s = [np.abs(np.array(sent) + offset_s - stamp).min() for stamp in stamps]
    assert np.median(away_s) < 1e-3, "stamped when they were captured, not when they were sent"


def test_osc_goes_on_where_the_network_was_away(monkeypatch: pytest.MonkeyPatch):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(60)
        sink = OscSink(Address("localhost", receiver.getsockname()[1]), LABELS)

        def unreachable(*_: object) -> None:
            raise OSError(101, "Network is unreachable")

        with monkeypatch.context() as patch:
            patch.setattr(sink._client, "send_message", unreachable)
            sink.write("c", result(0, 0.0))
        sink.write("c", result(1, 0.1))
        assert receiver.recv(1000).startswith(b"/fer/faces")
        sink.close()
    assert sink.dropped == 1


def test_what_clients_lost_is_in_the_count_and_the_token_is_told(server: WebSocketSink):
    worker = SinkWorker(server)
    server.dropped = 7
    assert worker.dropped_in_all == 7
    assert worker.described == "0 clients"
    worker.close()
    other = WebSocketSink(Address("0.0.0.0", free_port()), LABELS, "secret")
    assert other.address_to_copy == f"ws://{other._address}/?token=secret"
    assert other.page_address == "", "no page out there"
    other.close()


def test_lsl_is_found_on_this_machine_alone_unless_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from fer_live.outputs.lsl import _configure

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LSLAPICFG", "own.cfg")
    _configure()
    assert os.environ["LSLAPICFG"] == "own.cfg"
    monkeypatch.delenv("LSLAPICFG")
    _configure()
    written = Path(os.environ["LSLAPICFG"])
    assert written.read_text() == "[multicast]\nResolveScope = machine\n[log]\nlevel = -3\n"
    monkeypatch.delenv("LSLAPICFG")
    Path("lsl_api.cfg").write_text("[lab]\nSessionID = ours\n")
    _configure()
    assert written.read_text() == "[lab]\nSessionID = ours\n[log]\nlevel = -3\n"
    monkeypatch.delenv("LSLAPICFG")
    Path("lsl_api.cfg").write_text("[log]\nlevel = 4\n")
    _configure()
    assert "LSLAPICFG" not in os.environ, "who wants its log gets it"


def test_lsl_writes_nothing_to_the_terminal(tmp_path: Path):
    pytest.importorskip("pylsl")
    code = """
from fer_live.outputs.lsl import LslSink
from tests.helpers.listening import free_port, wait_until
from tests.helpers.results import LABELS, result
sink = LslSink("quiet", LABELS, is_live=True)
for k in range(20):
    sink.write("camera 0", result(k, k / 30))
print(sink.send_test())
sink.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "FER_LIVE_HOME": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "Nobody reads the stream quiet yet. In the stream quiet test was sent" in done.stdout


def test_files_are_read_back(demo_clip: Path, tmp_path: Path):
    csv, jsonl = tmp_path / "a.csv", tmp_path / "a.jsonl"
    options = AnalyzeOptions(
        [str(demo_clip)], outputs={"csv": str(csv), "jsonl": str(jsonl)}, every=25
    )
    analyze(options)
    rows, objects = pd.read_csv(csv, keep_default_na=False), pd.read_json(jsonl, lines=True)
    pd.testing.assert_frame_equal(
        rows, objects[list(rows.columns)], check_dtype=False, check_exact=False
    )
    assert len(rows) >= 9


def test_excel_is_told_that_the_text_is_utf_8(tmp_path: Path):
    path = tmp_path / "a.csv"
    sink = open_output("csv_bom", opening(str(path)))
    sink.write("촬영.mp4", result(0, 0.0))
    sink.close()
    assert path.read_bytes().startswith(b"\xef\xbb\xbfsource,")
    assert path.read_bytes().count(b"\xef\xbb\xbf") == 1
    assert pd.read_csv(path)["source"].tolist() == ["촬영.mp4"], "pandas reads it all the same"


def test_cells_of_a_csv_cannot_become_formulas(tmp_path: Path):
    sink = open_output("csv", opening(str(tmp_path / "a.csv")))
    for source in ("=1+1.mp4", "+cmd", "-2", "@x", "\ttab", "normal.mp4"):
        sink.write(source, result(0, 0.0))
    sink.close()
    cells = pd.read_csv(tmp_path / "a.csv")["source"]
    assert not any(cell[0] in "=+-@\t\r" for cell in cells)
    assert cells.iloc[-1] == "normal.mp4"


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        ({"osc": "nowhere"}, "not an address"),
        ({"websocket": "70000"}, "not an address"),
        ({"csv": "a.txt"}, "unknown kind"),
        ({"jsonl": "nowhere/a.jsonl"}, "does not exist"),
    ],
)
def test_a_mistake_is_found_before_anything_starts(outputs, says: str):
    with pytest.raises(InputError, match=says):
        check_outputs(outputs)


def test_a_missing_library_is_one_line_with_the_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install '\.\[osc\]'"):
        check_outputs({"osc": "9000"})


def test_outputs_do_not_slow_what_offers_to_them(server: WebSocketSink):
    """`offer` costs microseconds, whatever the sink does."""
    worker = SinkWorker(server)
    with connect(url(server), max_queue=1):
        wait_until(lambda: server.n_clients == 1)
        frame = result(0, 0.0, n_faces=8)
        began = time.perf_counter()
        for _ in range(5000):
            worker.offer("camera 0", frame)
        took_s = time.perf_counter() - began
    assert took_s / 5000 < 1e-3
    worker.close()


@pytest.mark.parametrize("kind", ["osc", "websocket", "lsl"])
def test_the_receivers_of_the_documentation_receive(kind, tmp_path: Path, lsl_name: str):
    (code,) = blocks("data_out.md", f"python {kind}")
    port = free_port(socket.SOCK_DGRAM if kind == "osc" else socket.SOCK_STREAM)
    where = lsl_name if kind == "lsl" else f"127.0.0.1:{port}"
    for own, ours in (("9000", str(port)), ("8765", str(port)), ("FER Live", lsl_name)):
        code = code.replace(own, ours)
    sink = open_output(kind, opening(where))
    receiver = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert receiver.stdout is not None
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(receiver.stdout))  # type: ignore
    reader.start()
    try:
        deadline = time.monotonic() + 60
        index = 0
        while not lines and time.monotonic() < deadline and receiver.poll() is None:
            sink.write("camera 0", result(index, time.monotonic(), happy=0.9))
            index += 1
            time.sleep(1 / 60)
    finally:
        receiver.kill()
        receiver.wait()
        reader.join()
        sink.close()
        for stream in (receiver.stdout, receiver.stderr):
            assert stream is not None
            stream.close()
    assert lines, "nothing came"
    assert "face 1" in lines[0]
