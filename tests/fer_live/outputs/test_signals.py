"""The signals in every output, against real receivers."""

import json
import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_live.datatypes import ACTION_UNITS, BLENDSHAPES, FrameResult
from fer_live.errors import InputError
from fer_live.outputs._websocket_server import frame_object
from fer_live.outputs.address import Address
from fer_live.outputs.face_rows import column_names
from fer_live.outputs.files import open_file_sink
from fer_live.outputs.followed_face import FollowedFace
from fer_live.outputs.osc import OscSink
from fer_live.outputs.registry import output_kinds
from fer_live.outputs.signal_columns import signal_columns, signal_unit, signal_values
from fer_live.outputs.vmc import VmcSink, head_quaternion
from fer_live.outputs.worker import SinkWorker
from tests.helpers.results import LABELS, face_signals, result, with_signals

MEASURED = (
    *("yaw_deg", "pitch_deg", "roll_deg", "gaze_yaw_deg", "gaze_pitch_deg"),
    *("eye_left_open", "eye_right_open", "blink", "mouth_open"),
)

Message = tuple[str, tuple[object, ...]]


@contextmanager
def osc_receiver() -> Iterator[tuple[int, list[Message], list[float]]]:
    """A real receiver: its port, what came, and when."""
    from pythonosc.dispatcher import Dispatcher
    from pythonosc.osc_server import ThreadingOSCUDPServer

    got: list[Message] = []
    at_s: list[float] = []

    def take(address: str, *values: object) -> None:
        at_s.append(time.perf_counter())
        got.append((address, values))

    dispatcher = Dispatcher()
    dispatcher.set_default_handler(take)
    server = ThreadingOSCUDPServer(("127.0.0.1", 0), dispatcher)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1], got, at_s
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wait_until(condition, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def measured(index: int = 0, time_s: float = 0.0, n_faces: int = 1) -> FrameResult:
    return with_signals(result(index, time_s, n_faces=n_faces), face_signals())


def test_columns_are_those_of_the_interface():
    assert column_names(LABELS, signals=True) == column_names(LABELS) + signal_columns()
    assert signal_columns() == [
        *MEASURED,
        *("valence", "arousal"),
        *(f"au_{number}" for number in ACTION_UNITS),
        *(f"bs_{name}" for name in BLENDSHAPES),
    ]
    assert len(set(signal_columns())) == 9 + 2 + len(ACTION_UNITS) + 51


def test_values_are_those_of_the_face_and_none_where_it_was_not_measured():
    (face,) = measured().faces
    values = signal_values(face, LABELS)
    assert list(values) == signal_columns()
    assert [values[name] for name in MEASURED] == [20, 10, 5, 2, 3, 0.3, 0.25, 1, 0.125]
    assert values["bs_jawOpen"] == pytest.approx(BLENDSHAPES.index("jawOpen") / 100)
    assert values["au_26"] == values["bs_jawOpen"]
    held = with_signals(result(0, 0.0), face_signals(age_s=0.1))
    for other in (held, with_signals(result(0, 0.0), None)):
        unmeasured = signal_values(other.faces[0], LABELS)
        assert {name for name, value in unmeasured.items() if value is not None} == {
            *("valence", "arousal")
        }, "these two follow from the probabilities"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_files_have_the_columns_and_empty_cells(tmp_path: Path, suffix: str):
    path = tmp_path / f"faces{suffix}"
    sink = open_file_sink(path, LABELS, signals=True)
    sink.write("clip", measured(0))
    sink.write("clip", with_signals(result(1, 0.1), None))
    sink.close()
    read = {".csv": pd.read_csv, ".parquet": pd.read_parquet}.get(suffix)
    rows = read(path) if read else pd.read_json(path, lines=True)
    assert list(rows.columns) == column_names(LABELS, signals=True)
    assert rows["yaw_deg"].tolist()[0] == 20
    assert rows["blink"].tolist()[0] == 1
    empty = rows[signal_columns()].iloc[1].isna()
    assert empty.drop(["valence", "arousal"]).all() and not empty[["valence", "arousal"]].any()
    assert rows["p_neutral"].notna().all()


def test_without_signals_files_are_as_before(tmp_path: Path):
    path = tmp_path / "faces.csv"
    sink = open_file_sink(path, LABELS)
    sink.write("clip", measured(0))
    sink.close()
    assert list(pd.read_csv(path).columns) == column_names(LABELS)


def test_the_websocket_object_tells_its_schema():
    assert frame_object("c", result(0, 0.0), LABELS)["schema"] == 2
    with_them = frame_object("c", measured(), LABELS)
    assert with_them["schema"] == 3
    (face,) = json.loads(json.dumps(with_them))["faces"]
    assert face["yaw_deg"] == 20 and face["bs_jawOpen"] > 0
    (face,) = frame_object("c", with_signals(result(0, 0.0), None), LABELS)["faces"]
    assert face["yaw_deg"] is None


def test_osc_sends_a_column_an_address():
    with osc_receiver() as (port, got, _):
        sink = OscSink(Address("127.0.0.1", port), LABELS)
        sink.write("c", measured())
        n = 3 + len(LABELS) + len(signal_columns())
        wait_until(lambda: len(got) == n)
        sink.write("c", with_signals(result(1, 0.1), None))
        wait_until(lambda: len(got) == n + 3 + len(LABELS))
        sink.close()
    values = dict(got)
    assert values["/fer/face/1/signal/yaw_deg"] == (20.0,)
    assert values["/fer/face/1/signal/blink"] == (1.0,)
    assert {f"/fer/face/1/signal/{name}" for name in signal_columns()} <= values.keys()


def test_lsl_has_their_names_and_units(lsl_name: str):
    pylsl = pytest.importorskip("pylsl")
    from fer_live.outputs.lsl import LslSink

    sink = LslSink(lsl_name, LABELS, is_live=True)
    stop = threading.Event()

    def send() -> None:
        index = 0
        while not stop.wait(1 / 60):
            plain = result(index, time.monotonic())
            sink.write("c", with_signals(plain, face_signals() if index % 2 else None))
            index += 1

    sender = threading.Thread(target=send)
    sender.start()
    try:
        found = pylsl.resolve_byprop("name", lsl_name, timeout=20)
        assert found, "no stream"
        inlet = pylsl.StreamInlet(found[0])
        info = inlet.info(10)
        samples, ages = [], []
        while len(samples) < 60:
            sample, stamp = inlet.pull_sample(timeout=5)
            samples.append(sample)
            ages.append(pylsl.local_clock() - stamp)
        inlet.close_stream()
    finally:
        stop.set()
        sender.join()
        sink.close()
    channel, described = info.desc().child("channels").child("channel"), []
    for _ in range(info.channel_count()):
        described.append((channel.child_value("label"), channel.child_value("unit")))
        channel = channel.next_sibling()
    assert described == [
        *((label, "probability") for label in LABELS),
        ("shown_confidence", "probability"),
        ("quality", "share"),
        *((name, signal_unit(name)) for name in signal_columns()),
        ("track_id", "number"),
    ]
    assert dict(described)["yaw_deg"] == "degrees"
    assert dict(described)["bs_jawOpen"] == "normalized"
    seen = np.array(samples)[:, len(LABELS) + 2]
    assert np.isnan(seen).any() and set(seen[~np.isnan(seen)]) == {20.0}
    assert not np.isnan(np.array(samples)[:, 0]).any(), "the face is in view"
    assert np.quantile(ages, 0.1) < 0.01, "on a busy machine most come later"


def test_vmc_moves_an_avatar():
    with osc_receiver() as (port, got, _):
        sink = VmcSink(Address("127.0.0.1", port))
        sink.write("c", measured(n_faces=2))
        n = 2 + 1 + 2 * 51 + 1
        wait_until(lambda: len(got) == n)
        assert {address for address, _ in got[:2]} == {"/VMC/Ext/OK", "/VMC/Ext/T"}
        shapes = dict(values for address, values in got if address == "/VMC/Ext/Blend/Val")
        heads = [values for address, values in got if address == "/VMC/Ext/Bone/Pos"]
        assert ("/VMC/Ext/Blend/Apply", ()) in got
        got.clear()
        sink.write("c", with_signals(result(1, 0.1), None))
        wait_until(lambda: len(got) == 2)
        sink.close()
    assert {address for address, _ in got} == {"/VMC/Ext/OK", "/VMC/Ext/T"}
    for name in BLENDSHAPES:
        expected = pytest.approx(BLENDSHAPES.index(name) / 100, abs=1e-6)
        assert shapes[name] == shapes[name[0].upper() + name[1:]] == expected
    (head,) = heads
    assert head[:4] == ("Head", 0.0, 0.0, 0.0)
    assert head[4:] == pytest.approx(head_quaternion(np.array([20, 10, 5])), abs=1e-6)


def test_vmc_packets_fit_into_a_network_packet():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sink = VmcSink(Address("127.0.0.1", receiver.getsockname()[1]))
        sink.write("c", measured())
        packets = [receiver.recv(65536)]
        while b"/VMC/Ext/Blend/Apply" not in packets[-1]:
            packets.append(receiver.recv(65536))
        sink.close()
    assert max(map(len, packets)) <= 1472
    assert len(packets) <= 6


def in_unity(quaternion: tuple[float, ...], vector: tuple[float, ...]) -> np.ndarray:
    """A vector turned as Unity turns it: q v q*, whatever hand the axes have."""
    x, y, z, w = quaternion
    axis, along = np.array([x, y, z]), np.array(vector, float)
    return along + 2 * w * np.cross(axis, along) + 2 * np.cross(axis, np.cross(axis, along))


@pytest.mark.parametrize(
    ("head_deg", "looks_at", "top_at"),
    [
        ((0, 0, 0), (0, 0, 1), (0, 1, 0)),
        ((90, 0, 0), (-1, 0, 0), (0, 1, 0)),  # its own left is -x, for x is its right
        ((0, 90, 0), (0, 1, 0), (0, 0, -1)),
        ((0, 0, 90), (0, 0, 1), (-1, 0, 0)),  # the top of the head to its own left shoulder
    ],
)
def test_the_quaternion_turns_an_avatar_as_the_head_is_turned(head_deg, looks_at, top_at):
    quaternion = head_quaternion(np.array(head_deg))
    assert math.hypot(*quaternion) == pytest.approx(1)
    assert in_unity(quaternion, (0, 0, 1)) == pytest.approx(looks_at, abs=1e-9)
    assert in_unity(quaternion, (0, 1, 0)) == pytest.approx(top_at, abs=1e-9)


@pytest.mark.parametrize("head_deg", [(20, 10, 5), (-35, 25, -40), (70, -15, 30)])
@pytest.mark.parametrize("vector", [(1, 0, 0), (0, 1, 0), (0, 0, 1)])
def test_a_mixed_turn_is_the_roll_then_the_pitch_then_the_yaw(head_deg, vector):
    yaw, pitch, roll = head_deg
    turned: tuple[float, ...] | np.ndarray = vector
    for alone in ((0, 0, roll), (0, pitch, 0), (yaw, 0, 0)):
        turned = in_unity(head_quaternion(np.array(alone)), tuple(turned))
    whole = head_quaternion(np.array(head_deg))
    assert in_unity(whole, vector) == pytest.approx(turned, abs=1e-9)
    assert math.hypot(*whole) == pytest.approx(1)


def test_vmc_is_at_its_receiver_within_ten_milliseconds():
    """From the result to the last packet, through the output's own thread.

    The receiver is a bare socket, because one that takes messages apart in this process would wait
    for the sender's thread.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        worker = SinkWorker(VmcSink(Address("127.0.0.1", receiver.getsockname()[1])))
        delays = []
        for index in range(60):
            began_s = time.perf_counter()
            worker.offer("c", measured(index, index / 30))
            while b"/VMC/Ext/Blend/Apply" not in receiver.recv(65536):
                pass
            delays.append(time.perf_counter() - began_s)
        worker.close()
    assert np.quantile(delays, 0.1) < 0.01, "on a busy machine most come later"


def test_vmc_without_a_receiver_or_a_host_harms_nothing():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sink = VmcSink(Address("127.0.0.1", port))
    for index in range(20):
        sink.write("c", measured(index))
    sink.close()
    with pytest.raises(InputError, match=r"no-such-host\.invalid: no machine of this name"):
        VmcSink(Address("no-such-host.invalid", 39539))


def test_only_vmc_needs_the_signals():
    assert [kind.name for kind in output_kinds().values() if kind.needs_signals] == ["vmc"]


def test_one_face_is_followed_until_it_is_gone_for_two_seconds():
    followed = FollowedFace()
    assert followed.find(result(0, 0.0, n_faces=0)) is None
    face = followed.find(result(1, 0.1, n_faces=2))
    assert face is not None and face.track_id == 1
    assert followed.find(result(2, 1.0, n_faces=0)) is None
    face = followed.find(result(3, 1.1, n_faces=1))
    assert face is not None and face.track_id == 1
