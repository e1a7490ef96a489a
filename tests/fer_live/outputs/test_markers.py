"""Markers in every output: nothing is lost, nothing can break a file, old receivers go on."""

import csv
import json
import re
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from fer_live.datatypes import Marker
from fer_live.errors import OutputError
from fer_live.outputs._websocket_server import WebSocketSink
from fer_live.outputs.address import Address
from fer_live.outputs.kind import Opening
from fer_live.outputs.marker_file import (
    MarkerFile,
    companion_of,
    read_marker_file,
    write_marker_file,
)
from fer_live.outputs.markers import (
    MAX_TEXT,
    MarkedSpan,
    MarkedSpans,
    clean_text,
    is_excluded,
    marker_text,
    parse_marker,
)
from fer_live.outputs.osc import OscSink
from fer_live.outputs.registry import open_output
from fer_live.outputs.sink import MarkerSink
from fer_live.outputs.worker import SinkWorker
from fer_live.session.marker_board import MarkerBoard
from tests.helpers.results import LABELS, result

UTC_BEGIN = datetime(2026, 11, 25, 14, 3, 22, 517_000, UTC)


def opening(where: Path) -> Opening:
    return Opening(str(where), LABELS, lambda: pytest.fail("no picture is wanted"), is_live=True)


def begin(name: str, at_s: float) -> Marker:
    return Marker(name, at_s, UTC_BEGIN, "begin", "key")


def end(name: str, at_s: float) -> Marker:
    return Marker(name, at_s, UTC_BEGIN, "end", "key")


def wait_until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("moment", "")),
        (" \x00\t\n ", ("moment", "")),
        ("trial 3", ("moment", "trial 3")),
        ("two\nlines\u2028and\x1b[31m more", ("moment", "two lines and [31m more")),
        ("begin:baseline", ("begin", "baseline")),
        ("End: baseline ", ("end", "baseline")),
        ("begin:", ("moment", "begin:")),
        ("begin the trial", ("moment", "begin the trial")),
        ("a; b", ("moment", "a, b")),
        ("\ud800x", ("moment", "x")),
        ("자극 3", ("moment", "자극 3")),
        ("x" * 10**6, ("moment", "x" * (MAX_TEXT - 1) + "…")),
    ],
)
def test_a_text_is_cleaned_and_read(text: str, expected: tuple[str, str]):
    assert parse_marker(text) == expected
    clean_text(text).encode()


@pytest.mark.parametrize("kind", ["moment", "begin", "end"])
def test_what_goes_out_as_text_comes_in_as_it_was(kind):
    marker = Marker("baseline", 1.0, kind=kind)
    assert parse_marker(marker_text(marker)) == (kind, "baseline")


def test_intervals_hold_from_their_begin_to_before_their_end():
    spans = MarkedSpans()
    spans.add(begin("a", 1.0))
    spans.add(begin("exclude", 2.0))
    spans.add(Marker("a moment", 2.5, UTC_BEGIN))
    assert [spans.names_at(t) for t in (0.9, 1.0, 2.0)] == ["", "a", "a; exclude"]
    spans.add(end("a", 3.0))
    assert [spans.names_at(t) for t in (2.99, 3.0)] == ["a; exclude", "exclude"]
    assert spans.add(end("never begun", 3.0)) is None
    assert spans.add(begin("exclude", 4.0)) is None, "is open already"
    spans.add(begin("b", 3.5))
    assert spans.names_at(1000.0) == "exclude; b"
    assert len(spans._recent) == 2, "memory does not grow with what has ended"
    excluded = [MarkedSpan("Exclude", 1.0, 2.0)]
    assert [is_excluded(excluded, t) for t in (0.5, 1.5, 2.0)] == [False, True, False]


@pytest.mark.parametrize("kind", ["csv", "csv_bom", "jsonl"])
def test_rows_name_their_intervals_and_the_file_beside_them_has_every_marker(tmp_path, kind):
    path = tmp_path / ("a.jsonl" if kind == "jsonl" else "a.csv")
    sink = open_output(kind, opening(path))
    assert isinstance(sink, MarkerSink)
    sink.write("camera 0", result(0, 1.0))
    sink.mark(begin("baseline", 1.5))
    sink.write("camera 0", result(1, 2.0))
    sink.write("camera 0", result(2, 2.1, n_faces=0))
    sink.mark(Marker("a smile", 2.1, UTC_BEGIN, origin="osc"))
    sink.mark(end("baseline", 2.5))
    sink.write("camera 0", result(3, 3.0))
    sink.mark(begin("still open", 3.5))
    sink.close()
    if kind == "jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    else:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    assert [row["marker"] for row in rows] == ["", "baseline", ""]
    assert list(rows[0])[-1] == "marker", "the columns before stay where they were"
    text = (tmp_path / f"{path.name}.markers.csv").read_text(encoding="utf-8-sig")
    assert text.splitlines() == [
        "source,marker,from,to,utc,origin",
        ",baseline,1.500000,2.500000,2026-11-25T14:03:22.517Z,key",
        ",a smile,2.100000,2.100000,2026-11-25T14:03:22.517Z,osc",
        ",still open,3.500000,,2026-11-25T14:03:22.517Z,key",
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == [path.name, f"{path.name}.markers.csv"]


def test_what_a_crash_leaves_is_read(tmp_path: Path):
    """Nothing is closed: the rows and, beside them by their name, the markers are there."""
    sink = open_output("csv", opening(tmp_path / "a.csv"))
    assert isinstance(sink, MarkerSink)
    sink.write("camera 0", result(0, 1.0))
    sink.mark(begin("baseline", 1.0))
    sink.mark(end("baseline", 2.0))
    sink.mark(begin("stimulus", 3.0))
    growing = companion_of(tmp_path / "a.partial.csv")
    assert [(s.text, s.from_s, s.to_s) for s in read_marker_file(growing)] == [
        ("baseline", 1.0, 2.0),
        ("stimulus", 3.0, None),
    ]
    growing.write_text(growing.read_text() + "camera 0,half a li")
    assert len(read_marker_file(growing)) == 2
    sink.abandon()
    assert growing.exists()


def test_markers_of_an_earlier_run_are_not_taken_for_those_of_this_one(tmp_path: Path):
    path = tmp_path / "a.csv"
    for marker in (Marker("old", 1.0), None):
        sink = open_output("csv", opening(path))
        assert isinstance(sink, MarkerSink)
        if marker:
            sink.mark(marker)
        sink.close()
        assert companion_of(path).exists() == (marker is not None)
        path.unlink()


@pytest.mark.parametrize(
    ("kind", "suffix"), [("csv", "csv"), ("csv_bom", "csv"), ("jsonl", "jsonl")]
)
def test_what_an_earlier_run_left_stays_where_nothing_came(tmp_path: Path, kind: str, suffix: str):
    path = tmp_path / f"a.{suffix}"
    path.write_text("precious")
    companion_of(path).write_text("precious too")
    open_output(kind, opening(path)).close()
    assert path.read_text() == "precious"
    assert companion_of(path).read_text() == "precious too"
    assert len(list(tmp_path.iterdir())) == 2
    sink = open_output(kind, opening(path))
    sink.write("a", result(0, 0))
    sink.close()
    assert "precious" not in path.read_text()
    assert list(tmp_path.iterdir()) == [path]


def test_two_files_of_one_name_have_their_own_markers(tmp_path: Path):
    assert companion_of(tmp_path / "a.csv") != companion_of(tmp_path / "a.jsonl")
    long = companion_of(tmp_path / f"{'x' * 250}.csv")
    long.touch()


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-5 mV", "@x", "'quoted'", 'a "b", c'])
def test_no_marker_becomes_a_formula_and_each_is_read_as_it_was(tmp_path: Path, text: str):
    path = tmp_path / "m.csv"
    write_marker_file(path, [MarkedSpan(text, -0.5, 2.0, UTC_BEGIN, "osc", "=a.mp4")])
    with path.open(newline="") as file:
        cells = next(csv.DictReader(file))
    assert not cells["marker"].startswith(("=", "+", "-", "@"))
    assert not cells["source"].startswith("=")
    assert float(cells["from"]) == -0.5
    (span,) = read_marker_file(path)
    assert span == MarkedSpan(text, -0.5, 2.0, UTC_BEGIN, "osc", "=a.mp4")


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"source,marker,from,to\nx,y,soon,2\n"]
)
def test_a_file_that_holds_no_markers_has_none(tmp_path: Path, content: bytes):
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    assert read_marker_file(path) == []
    assert read_marker_file(tmp_path / "none.csv") == []


def test_a_marker_file_keeps_its_rights(tmp_path: Path):
    file = MarkerFile(tmp_path / "m.csv", is_private=True)
    file.append(MarkedSpan("a", 1.0, 1.0))
    assert file.path.stat().st_mode & 0o777 == 0o600
    file.close(file.path)
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert len(read_marker_file(file.path)) == 1


def test_half_a_character_in_a_marker_is_spelt_out(tmp_path: Path):
    """A name of a file on Linux may hold one, and so a source."""
    growing = MarkerFile(tmp_path / "m.csv")
    growing.append(MarkedSpan("촬영", 1.0, 1.0, source="\ud800.mp4"))
    assert "\\ud800.mp4,촬영," in growing.path.read_text(encoding="utf-8")
    write_marker_file(tmp_path / "whole.csv", [MarkedSpan("a", 1.0, 1.0, source="\ud800.mp4")])
    assert "\\ud800.mp4,a," in (tmp_path / "whole.csv").read_text(encoding="utf-8")


def test_a_marker_that_cannot_be_written_names_its_file(tmp_path: Path):
    path = tmp_path / "gone" / "m.csv"
    with pytest.raises(OutputError) as told:
        MarkerFile(path).append(MarkedSpan("a", 1.0, 1.0))
    assert str(told.value) == (
        f"{path}: cannot write: its folder is gone; free some space or choose another place"
    )


def test_old_markers_that_cannot_be_removed_name_their_place(tmp_path: Path):
    place = tmp_path / "m.csv"
    place.mkdir()
    with pytest.raises(OutputError, match=f"^{re.escape(str(place))}: cannot write: "):
        MarkerFile(tmp_path / "growing.csv").close(place)


def test_an_interval_that_grows_has_a_line_for_its_begin_and_one_for_its_end(tmp_path: Path):
    growing = MarkerFile(tmp_path / "m.csv")
    growing.append(MarkedSpan("a", 1.0, None, UTC_BEGIN, "key", "clip"))
    growing.append(MarkedSpan("a", 1.0, 2.5, UTC_BEGIN, "key", "clip"))
    assert growing.path.read_bytes().decode() == (
        "source,marker,from,to,utc,origin\n"
        "clip,a,1.000000,,2026-11-25T14:03:22.517Z,key\n"
        "clip,a,1.000000,2.500000,2026-11-25T14:03:22.517Z,key\n"
    )


@pytest.mark.parametrize(("with_bom", "n"), [(True, 1), (False, 0)])
def test_a_marker_file_has_the_mark_of_its_bytes_once_before_and_after_its_end(
    tmp_path: Path, with_bom: bool, n: int
):
    growing = MarkerFile(tmp_path / "growing.csv", with_bom=with_bom)
    for k in range(2):
        growing.append(MarkedSpan(f"m{k}", float(k), float(k)))
    before = growing.path.read_bytes()
    growing.close(tmp_path / "m.csv")
    after = (tmp_path / "m.csv").read_bytes()
    for content in (before, after):
        assert content.count(b"\xef\xbb\xbf") == content.startswith(b"\xef\xbb\xbf") == n
    assert not growing.path.exists()


@pytest.mark.parametrize(
    "line",
    [
        b",a,nan,2,,",
        b",a,1,inf,,",
        b",a,-inf,,,",
        b",a,1,2,yesterday,",
        b",a,,2,,",
        b",a,1,later,,",
        b",a",
    ],
)
def test_a_line_that_is_no_marker_leaves_the_others(tmp_path: Path, line: bytes):
    path = tmp_path / "m.csv"
    head = b"source,marker,from,to,utc,origin\n"
    path.write_bytes(head + b",before,1,1,,\n" + line + b"\n,\xff behind,3,3,,key\n")
    assert read_marker_file(path) == [
        MarkedSpan("before", 1.0, 1.0),
        MarkedSpan("\ufffd behind", 3.0, 3.0, None, "key"),
    ]


def test_markers_are_read_in_the_order_of_time(tmp_path: Path):
    path = tmp_path / "m.csv"
    write_marker_file(path, [MarkedSpan(f"m{at_s}", at_s, at_s) for at_s in (3.0, -1.0, 2.0)])
    assert [span.from_s for span in read_marker_file(path)] == [-1.0, 2.0, 3.0]


def test_what_stands_before_a_cell_that_is_too_long_is_kept(tmp_path: Path):
    path = tmp_path / "m.csv"
    write_marker_file(path, [MarkedSpan("a", 1.0, 1.0)])
    path.write_text(path.read_text() + f",{'x' * 200_000},2,2,,\n")
    assert [span.text for span in read_marker_file(path)] == ["a"]


@pytest.mark.parametrize("end_s", [1.0, 0.5])
def test_an_interval_that_ends_no_later_than_it_began_lasts_a_millionth(end_s: float):
    spans = MarkedSpans()
    spans.add(begin("a", 1.0))
    assert spans.add(end("a", end_s)) == MarkedSpan("a", 1.0, 1.000001, UTC_BEGIN, "key")


class Slow:
    """Waits at each frame for `go`."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.marks: list[Marker] = []
        self.n_frames = 0

    def write(self, source: str, frame_result: object) -> None:
        assert self.go.wait(60)
        self.n_frames += 1

    def mark(self, marker: Marker) -> None:
        self.marks.append(marker)

    def close(self) -> None:
        pass

    def abandon(self) -> None:
        pass


def test_frames_push_no_marker_out_of_the_queue():
    sink = Slow()
    worker = SinkWorker(sink, depth=5)
    for k in range(100):
        worker.mark(Marker(f"m{k}", float(k)))
        worker.offer("camera", result(k, float(k)))
    sink.go.set()
    worker.close()
    assert [marker.text for marker in sink.marks] == [f"m{k}" for k in range(100)]
    assert sink.n_frames + worker.dropped == 100
    worker.mark(Marker("late", 1.0))
    assert len(sink.marks) == 100


def test_a_flood_at_a_sink_that_stands_still_is_bounded_and_counted():
    sink = Slow()
    worker = SinkWorker(sink)
    worker.offer("camera", result(0, 0.0))
    wait_until(lambda: not worker._results)
    for k in range(10_100):
        worker.mark(Marker("m", float(k)))
    assert worker.dropped == 100
    sink.go.set()
    worker.close()
    assert len(sink.marks) == 10_000


def test_osc_tells_each_marker():
    from pythonosc.osc_message import OscMessage

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(60)
        sink = OscSink(Address("127.0.0.1", receiver.getsockname()[1]), LABELS)
        sink.mark(begin("기준선", 1.0))
        message = OscMessage(receiver.recv(1000))
        sink.close()
    assert message.address == "/fer/marked"
    assert list(message.params) == ["기준선", "begin", "2026-11-25T14:03:22.517Z", "key"]


def test_lsl_has_a_stream_of_markers(lsl_name: str):
    pylsl = pytest.importorskip("pylsl")
    from fer_live.outputs.lsl import LslSink

    sink = LslSink(lsl_name, LABELS, is_live=True)
    try:
        found = pylsl.resolve_byprop("name", f"{lsl_name} markers", timeout=60)
        assert found[0].type() == "Markers"
        assert found[0].nominal_srate() == pylsl.IRREGULAR_RATE
        inlet = pylsl.StreamInlet(found[0])
        inlet.open_stream(60)
        at_s = time.monotonic() - 7
        sink.mark(begin("baseline", at_s))
        sample, stamp = inlet.pull_sample(60)
        assert sample == ["begin:baseline"]
        assert stamp == pytest.approx(at_s + pylsl.local_clock() - time.monotonic(), abs=1e-2)
        inlet.close_stream()
    finally:
        sink.close()


@pytest.fixture
def board() -> MarkerBoard:
    return MarkerBoard()


@pytest.fixture
def server(board: MarkerBoard):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sink = WebSocketSink(Address("127.0.0.1", port), LABELS, markers_in=board)
    board.subscribe(sink.mark)
    yield sink
    sink.close()


def test_a_websocket_client_marks_and_every_client_is_told(server, board):
    taken: list[Marker] = []
    board.subscribe(taken.append)
    url = f"ws://{server._address}/"
    with connect(url) as one, connect(url) as two:
        wait_until(lambda: server.n_clients == 2)
        one.send(json.dumps({"marker": "baseline", "kind": "begin"}))
        messages = [json.loads(client.recv(60)) for client in (one, two)]
    assert messages[0] == messages[1]
    assert {k: v for k, v in messages[0].items() if k not in ("time_s", "utc")} == {
        "schema": 2,
        "marker": "baseline",
        "kind": "begin",
        "origin": "websocket",
        "faces": [],
    }
    assert [(m.text, m.kind, m.origin) for m in taken] == [("baseline", "begin", "websocket")]


@pytest.mark.parametrize(
    "said",
    [
        "",
        "hello",
        "[]",
        "{}",
        '{"marker": 3}',
        '{"marker": "a", "kind": "middle"}',
        "[" * 1000,
        b"\xff\xfe",
        b'{"marker": "\xff"}',
        '{"marker": ["a"]}',
    ],
)
def test_what_is_no_marker_is_counted_and_harms_nothing(server, board, said):
    with connect(f"ws://{server._address}/") as client:
        client.send(said)
        client.send('{"marker": "after"}')
        assert json.loads(client.recv(60))["marker"] == "after"
    assert "1 message not understood" in server.described


def test_a_marker_of_a_megabyte_ends_its_client_alone(server, board):
    url = f"ws://{server._address}/"
    with connect(url) as good:
        wait_until(lambda: server.n_clients == 1)
        with connect(url) as bad:
            bad.send(json.dumps({"marker": "x" * 10**6}))
            with pytest.raises(ConnectionClosed, match="1009"):
                bad.recv(60)
        good.send('{"marker": "fine"}')
        assert json.loads(good.recv(60))["marker"] == "fine"


def test_a_client_that_floods_is_sent_away(server, board):
    with (
        pytest.raises(ConnectionClosed, match="1008"),
        connect(f"ws://{server._address}/") as client,
    ):
        for k in range(4000):
            client.send(json.dumps({"marker": f"m{k}"}))
        while True:
            client.recv(60)
    assert board.refused >= 1000
