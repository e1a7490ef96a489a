"""Expressions of a person's own in every output: after the eight, under names each can carry."""

import json
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_live.base.colors import expression_hex
from fer_live.datatypes import FrameResult
from fer_live.model.manifest import EXPRESSIONS
from fer_live.outputs._dashboard import dashboard
from fer_live.outputs._websocket_server import frame_object
from fer_live.outputs.address import Address
from fer_live.outputs.files import open_file_sink
from fer_live.outputs.lsl import LslSink
from fer_live.outputs.osc import OscSink, osc_name
from tests.helpers.results import result

LABELS = (*EXPRESSIONS, "wink left", "so-so 2", "집중")
PROBS = np.array([0.05] * 8 + [0.3, 0.2, 0.1], np.float32)


def winking(index: int, time_s: float) -> FrameResult:
    shown = result(index, time_s)
    face = replace(
        shown.faces[0],
        probs=PROBS,
        smoothed_probs=PROBS,
        label="wink left",
        shown_label="wink left",
        confidence=0.3,
        shown_confidence=0.3,
    )
    return replace(shown, faces=(face,))


@pytest.mark.parametrize("kind", [".csv", ".jsonl", ".parquet"])
def test_their_columns_come_last_and_read_back(tmp_path: Path, kind: str):
    path = tmp_path / f"out{kind}"
    sink = open_file_sink(path, LABELS)
    sink.write("camera 0", winking(0, 0.0))
    sink.close()
    if kind == ".csv":
        rows = pd.read_csv(path)
    elif kind == ".jsonl":
        rows = pd.DataFrame([json.loads(line) for line in path.read_text().splitlines()])
    else:
        rows = pd.read_parquet(path)
    assert list(rows.columns)[-11:] == [f"p_{label}" for label in LABELS]
    assert rows["label"].tolist() == rows["shown_label"].tolist() == ["wink left"]
    assert rows[[f"p_{label}" for label in LABELS]].sum(axis=1).iloc[0] == pytest.approx(1)
    assert rows["p_집중"].iloc[0] == pytest.approx(0.1)


def test_osc_addresses_have_no_blanks_and_each_label_one_of_its_own():
    assert [osc_name(label) for label in LABELS[7:]] == ["contempt", "wink_left", "so-so_2", "집중"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(60)
        sink = OscSink(Address("127.0.0.1", receiver.getsockname()[1]), LABELS)
        sink.write("camera 0", winking(0, 0.0))
        sink.close()
        addresses = [receiver.recv(1024).split(b"\0")[0].decode() for _ in range(2 + len(LABELS))]
    assert addresses[-3:] == ["/fer/face/1/wink_left", "/fer/face/1/so-so_2", "/fer/face/1/집중"]


def test_the_page_has_the_windows_colours():
    page = dashboard(LABELS, []).html
    data = json.loads(page.split('id="data">')[1].split("</script>")[0])
    colors = {entry["key"]: entry["color"] for entry in data["labels"]}
    assert colors == {label: expression_hex(label, LABELS) for label in (*LABELS, "")}
    other = dashboard(("</script>alert(1)", "x"), []).html
    assert "</script>alert" not in other, "labels of any model"
    (face,) = frame_object("camera 0", winking(0, 0.0), LABELS)["faces"]
    assert list(face)[-3:] == ["p_wink left", "p_so-so 2", "p_집중"]


def test_lsl_has_a_channel_for_each_before_the_number_of_the_face(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    pylsl = pytest.importorskip("pylsl")
    config = tmp_path / "lsl_api.cfg"
    config.write_text("[multicast]\nResolveScope = machine\n[log]\nlevel = -3\n")
    monkeypatch.setenv("LSLAPICFG", str(config))
    name = f"FER Live {tmp_path.name} {time.monotonic_ns()}"
    sink = LslSink(name, LABELS, is_live=True)
    stop = threading.Event()

    def send() -> None:
        index = 0
        while not stop.wait(1 / 60):
            sink.write("camera 0", winking(index, time.monotonic()))
            index += 1

    sender = threading.Thread(target=send)
    sender.start()
    try:
        (found,) = pylsl.resolve_byprop("name", name, timeout=60)
        inlet = pylsl.StreamInlet(found)
        channel = inlet.info(10).desc().child("channels").child("channel")
        labels = []
        for _ in range(found.channel_count()):
            labels.append(channel.child_value("label"))
            channel = channel.next_sibling()
        sample, _ = inlet.pull_sample(timeout=60)
        inlet.close_stream()
    finally:
        stop.set()
        sender.join()
        sink.close()
    assert labels == [*LABELS, "shown_confidence", "quality", "track_id"]
    np.testing.assert_allclose(sample, [*PROBS, 0.3, 0.9, 1.0], atol=1e-6)
