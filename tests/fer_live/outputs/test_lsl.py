"""The streams of LSL, with a library that stands in for liblsl: each option, sample and stamp."""

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from fer_live.datatypes import FrameResult, Marker
from fer_live.outputs import lsl
from fer_live.outputs.kind import Opening
from fer_live.outputs.lsl import LslSink
from fer_live.outputs.registry import output_kinds
from fer_live.outputs.signal_columns import signal_columns, signal_unit
from tests.helpers.clocks import Noon
from tests.helpers.results import LABELS, face_signals, result, with_signals

Sample = tuple[list[Any], float | None]


class Node:
    """A part of a stream's description."""

    def __init__(self) -> None:
        self.children: list[tuple[str, Any]] = []

    def append_child(self, name: str) -> "Node":
        self.children.append((name, child := Node()))
        return child

    def append_child_value(self, name: str, value: str) -> None:
        self.children.append((name, value))


class Library:
    IRREGULAR_RATE = 0.0

    def __init__(self) -> None:
        self.now_s = 500.0
        self.has_consumers = False
        self.streams: dict[str, tuple[Any, ...]] = {}
        self.described: dict[str, Node] = {}
        self.sent: dict[str, list[Sample]] = {}

    def local_clock(self) -> float:
        return self.now_s

    def StreamInfo(self, name: str, *rest: object) -> SimpleNamespace:  # noqa: N802  # as in pylsl
        self.streams[name], self.described[name] = rest, Node()
        return SimpleNamespace(name=name, desc=lambda: self.described[name])

    def StreamOutlet(self, info: SimpleNamespace) -> SimpleNamespace:  # noqa: N802  # as in pylsl
        sent = self.sent.setdefault(info.name, [])
        return SimpleNamespace(
            push_sample=lambda sample, stamp=None: sent.append((sample, stamp)),
            have_consumers=lambda: self.has_consumers,
        )


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setattr(lsl, "load_lsl", lambda: library)
    monkeypatch.setattr(lsl, "offset_s", lambda clock: 100.0)
    monkeypatch.setattr(lsl, "datetime", Noon)
    return library


def begin(sink: LslSink, shown: FrameResult | None = None) -> None:
    """The fifteen frames, a twentieth of a second each, from which the rate is taken."""
    for k in range(15):
        frame = replace((shown or result(0, 0.0)).frame, captured_at_s=k / 20)
        sink.write("c", replace(shown or result(0, 0.0), frame=frame))


def test_the_stream_begins_with_the_fifteenth_frame_and_its_rate(library):
    sink = LslSink("lab", LABELS, is_live=True)
    for k in range(14):
        sink.write("c", result(k, k / 20))
    assert "lab" not in library.streams
    assert sink.last_message == ""
    sink.write("c", result(14, 14 / 20))
    assert library.streams["lab"] == ("Expression", 5, 20.0, "float32", "fer-live-lab")
    assert len(library.sent["lab"]) == 1


def test_frames_of_one_time_have_the_highest_rate(library):
    sink = LslSink("lab", LABELS, is_live=True)
    for k in range(15):
        sink.write("c", result(k, 7.0))
    assert library.streams["lab"][2] == 1000.0


@pytest.mark.parametrize("has_signals", [False, True])
def test_each_channel_is_described_by_its_name_unit_and_type(library, has_signals):
    sink = LslSink("lab", LABELS, is_live=True)
    begin(sink, with_signals(result(0, 0.0), face_signals()) if has_signals else None)
    ((name, channels),) = library.described["lab"].children
    assert name == "channels"
    signals = signal_columns() if has_signals else []
    units = [
        *((label, "probability") for label in LABELS),
        ("shown_confidence", "probability"),
        ("quality", "share"),
        *((column, signal_unit(column)) for column in signals),
        ("track_id", "number"),
    ]
    assert [(kind, part.children) for kind, part in channels.children] == [
        ("channel", [("label", label), ("unit", unit), ("type", "Expression")])
        for label, unit in units
    ]
    assert library.streams["lab"][1] == len(units) == len(library.sent["lab"][0][0])


def test_a_sample_is_the_face_in_the_order_of_the_channels(library):
    sink = LslSink("lab", LABELS, is_live=True)
    begin(sink)
    (sample, _) = library.sent["lab"][0]
    assert sample == pytest.approx([0.7, 0.3, 0.7, 0.9, 1.0])
    assert sink.last_message == "0.7 0.3 0.7 0.9 1"


def test_an_unsure_face_has_no_shown_confidence(library):
    shown = result(0, 0.0)
    unsure = replace(shown.faces[0], shown_label="", shown_confidence=None)
    sink = LslSink("lab", LABELS, is_live=True)
    begin(sink, replace(shown, faces=(unsure,)))
    (sample, _) = library.sent["lab"][0]
    assert [math.isnan(value) for value in sample] == [False, False, True, False, False]


@pytest.mark.parametrize("has_signals", [False, True])
def test_without_a_face_each_channel_is_empty(library, has_signals):
    sink = LslSink("lab", LABELS, is_live=True)
    begin(sink, with_signals(result(0, 0.0), face_signals()) if has_signals else None)
    sink.write("c", result(15, 0.75, n_faces=0))
    (sample, _) = library.sent["lab"][-1]
    assert len(sample) == library.streams["lab"][1]
    assert all(map(math.isnan, sample))


def test_a_live_sample_is_stamped_with_its_capture_on_the_clock_of_lsl(library):
    sink = LslSink("lab", LABELS, is_live=True)
    begin(sink)
    sink.write("c", result(15, 3.25))
    assert library.sent["lab"][-1][1] == 103.25


def test_the_times_of_a_file_count_from_its_beginning_on_the_clock_of_lsl(library):
    sink = LslSink("lab", LABELS, is_live=False)
    begin(sink)
    library.now_s = 900.0
    sink.write("c", result(15, 0.75))
    stamps = [stamp for _, stamp in library.sent["lab"]]
    assert stamps == pytest.approx([500.0, 500.05])


def test_the_times_of_the_next_file_count_from_when_it_begins(library):
    sink = LslSink("lab", LABELS, is_live=False)
    begin(sink)
    library.now_s = 900.0
    sink.write("next", result(0, 0.1))
    sink.write("next", result(1, 0.15))
    stamps = [stamp for _, stamp in library.sent["lab"]]
    assert stamps == pytest.approx([500.0, 900.0, 900.05])


def test_markers_have_an_irregular_stream_of_texts_from_the_start(library):
    sink = LslSink("lab", LABELS, is_live=True)
    expected = ("Markers", 1, 0.0, "string", "fer-live-lab-markers")
    assert library.streams == {"lab markers": expected}
    sink.mark(Marker("a", 2.0, kind="end"))
    assert library.sent["lab markers"] == [(["end:a"], 102.0)]


def test_a_test_before_the_stream_says_when_to_try_again(library):
    sink = LslSink("lab", LABELS, is_live=True)
    says = "The stream begins with the first pictures; test again in a second."
    assert sink.send_test() == says
    assert list(library.streams) == ["lab markers"]


@pytest.mark.parametrize(
    ("has_consumers", "readers"),
    [
        (True, "At least one receiver reads the stream lab."),
        (False, "Nobody reads the stream lab yet."),
    ],
)
def test_a_test_goes_in_a_stream_of_its_own_and_says_who_reads(library, has_consumers, readers):
    library.has_consumers = has_consumers
    sink = LslSink("lab", LABELS, is_live=True)
    begin(sink)
    says = f"{readers} In the stream lab test was sent: FER Live test 12:00:00"
    assert [sink.send_test(), sink.send_test()] == [says, says]
    assert library.streams["lab test"] == ("Test", 1, 0.0, "string", "fer-live-lab test")
    assert library.sent["lab test"] == [(["FER Live test 12:00:00"], None)] * 2
    assert len(library.sent["lab"]) == 1, "no test stands among the data"


@pytest.mark.parametrize(
    ("source", "is_live", "name", "stamp_s"),
    [("", True, "lab", 100.7), ("camera 1", False, "lab camera 1", 500.0)],
)
def test_it_opens_under_the_name_of_its_source_and_by_its_clock(
    library, source, is_live, name, stamp_s
):
    opening = Opening("lab", LABELS, lambda: pytest.fail("no picture"), is_live, source=source)
    sink = output_kinds()["lsl"].open(opening)
    begin(sink)  # type: ignore[arg-type]
    assert library.sent[name][0][1] == pytest.approx(stamp_s)
