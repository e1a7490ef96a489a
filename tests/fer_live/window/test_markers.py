"""Markers by key, by box and from other programs, on the timeline and in the review."""

import json
import socket
import time
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QTableWidgetItem

from fer_live.base.settings import MarkerKey, load_settings
from fer_live.datatypes import Marker
from fer_live.outputs.marker_file import companion_of, read_marker_file
from fer_live.outputs.markers import MarkedSpan
from fer_live.recording.recorder import list_recordings
from fer_live.sources.choice import Demo
from fer_live.window.review.review_markers import MarkerEditor
from tests.helpers.window import GRAY, ON_CPU, wait_for_pictures

KEYS = ON_CPU.but(
    marker_keys=(MarkerKey(text="trial"), MarkerKey(text="baseline", is_interval=True))
)


@pytest.fixture
def marked(qtbot, open_window):
    """A window whose digits have a meaning, and every marker of its session."""
    window, meter = open_window(GRAY, KEYS)
    wait_for_pictures(qtbot, meter, 1)
    window.activateWindow()
    taken: list[Marker] = []
    window.session.markers.subscribe(taken.append)
    return window, taken


def told(taken: list[Marker]) -> list[tuple[str, str, str]]:
    return [(marker.kind, marker.text, marker.origin) for marker in taken]


def test_the_moment_is_that_of_the_key_and_not_of_the_text(qtbot, marked):
    window, taken = marked
    bar = window.live_page.marker_bar
    pressed_s = time.monotonic()
    qtbot.keyClick(window, Qt.Key.Key_K)
    opened_s = time.monotonic()
    assert bar._at_s is not None
    assert "Enter marks it" in bar.box.placeholderText()
    qtbot.wait(300)
    qtbot.keyClicks(bar.box, "a smile; 3")
    qtbot.keyClick(bar.box, Qt.Key.Key_Return)
    assert told(taken) == [("moment", "a smile, 3", "key")]
    assert pressed_s <= taken[0].time_s <= opened_s
    assert bar.box.text() == ""
    assert "marked: a smile, 3" in bar.box.placeholderText()
    qtbot.keyClick(window, Qt.Key.Key_K)
    qtbot.keyClick(bar.box, Qt.Key.Key_Return)
    assert told(taken)[-1] == ("moment", "mark", "key"), "Enter alone is enough"
    qtbot.keyClick(window, Qt.Key.Key_K)
    qtbot.keyClicks(bar.box, "never mind")
    qtbot.keyClick(bar.box, Qt.Key.Key_Escape)
    assert len(taken) == 2
    assert load_settings()[0].recent_markers == ("a smile, 3",)
    assert bar._recent.stringList() == ["a smile, 3"], "offered again"


def test_digits_mark_at_once_and_intervals_last_until_the_second_press(qtbot, marked):
    window, taken = marked
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_9, Qt.Key.Key_2):
        qtbot.keyClick(window, key)
    assert told(taken) == [
        ("moment", "trial", "key"),
        ("begin", "baseline", "key"),
        ("end", "baseline", "key"),
    ]
    qtbot.waitUntil(lambda: len(window.live.timeline.plot.marks) == 2)
    (moment, interval) = window.live.timeline.plot.marks
    assert not moment.is_interval
    assert interval.is_interval and interval.to_s == taken[2].time_s


def test_a_digit_in_a_text_is_a_digit(qtbot, marked):
    window, taken = marked
    bar = window.live_page.marker_bar
    qtbot.keyClick(window, Qt.Key.Key_K)
    qtbot.keyClicks(bar.box, "stimulus 1")
    bar._begin.click()
    assert told(taken) == [("begin", "stimulus 1", "key")]
    qtbot.waitUntil(lambda: any("stimulus 1" in chip.text() for chip in bar.chips))
    next(chip for chip in bar.chips if "stimulus 1" in chip.text()).click()
    assert told(taken)[1:] == [("end", "stimulus 1", "key")]
    qtbot.waitUntil(lambda: not any("stimulus" in chip.text() for chip in bar.chips))


def test_the_bar_is_there_only_where_it_has_something_to_say(qtbot, open_window):
    window, meter = open_window(GRAY, ON_CPU)
    wait_for_pictures(qtbot, meter, 1)
    bar = window.live_page.marker_bar
    assert not bar.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_K)
    assert bar.isVisible()
    bar.close_box()
    assert not bar.isVisible()
    window.session.markers.add("begin:from afar", "lsl")
    qtbot.waitUntil(bar.isVisible)


def test_keys_are_chosen_in_the_dialog_and_kept(qtbot, marked):
    window, _ = marked
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ShiftModifier)
    dialog = window.markers.dialog
    text, lasts = dialog.keys[2]
    assert dialog.keys[1][0].text() == "baseline" and dialog.keys[1][1].isChecked()
    text.setText("exclude")
    text.editingFinished.emit()
    lasts.click()
    expected = MarkerKey(text="exclude", is_interval=True)
    assert load_settings()[0].marker_keys[2] == expected
    assert any("exclude" in chip.text() for chip in window.live_page.marker_bar.chips)


def test_other_programs_are_heard_once_they_are_switched_on(qtbot, marked):
    from pythonosc.udp_client import SimpleUDPClient

    window, taken = marked
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    window.markers.show_dialog()
    check, where, how = window.markers.dialog.inputs["osc"]
    where.setText("nowhere")
    check.click()
    assert not check.isChecked()
    assert "not an address" in window.markers.dialog._trouble.text()
    where.setText(str(port))
    check.click()
    assert check.isChecked()
    client = SimpleUDPClient("127.0.0.1", port)
    client.send_message("/fer/marker", "from afar")
    qtbot.waitUntil(lambda: bool(taken), timeout=60_000)
    client._sock.close()
    window.markers.dialog.refresh()
    assert "1 marker" in how.text()
    check.click()
    assert window.markers.status("osc") is None
    assert told(taken) == [("moment", "from afar", "osc")]


def test_a_flood_is_said_and_the_window_goes_on(qtbot, marked):
    window, taken = marked
    said: list[str] = []
    window.markers.said.connect(lambda notice: said.append(notice.text))
    for k in range(10_000):
        window.session.markers.add(f"m{k}", "osc")
    qtbot.waitUntil(lambda: any("Too many markers" in line for line in said), timeout=60_000)
    assert len(taken) < 4000
    last = taken[-1].text
    marks = lambda: [span.text for span in window.live.timeline.plot.marks]  # noqa: E731
    qtbot.waitUntil(lambda: last in marks(), timeout=60_000)
    assert len(marks()) <= 300
    for k in range(200):
        window.session.markers.add(f"begin:{k}", "lsl")
    qtbot.waitUntil(lambda: bool(window.live_page.marker_bar.chips), timeout=60_000)
    qtbot.waitUntil(lambda: "begin:199" in marks(), timeout=60_000)
    assert len(window.session.markers.begun) == 100
    assert len(window.live_page.marker_bar.chips) <= 9 + 6


def test_a_way_in_of_the_command_line_that_is_taken_is_refused(qtbot, open_window):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        inputs = {"osc": str(taken.getsockname()[1])}
        window, _ = open_window(GRAY, ON_CPU, marker_inputs=inputs)
        with qtbot.waitSignal(window.output_refused, timeout=60_000) as refused:
            pass
    assert "cannot listen" in refused.args[0]


def test_markers_reach_files_and_recordings_and_are_edited_in_the_review(
    qtbot, open_window, own_home: Path, tmp_path: Path
):
    csv, jsonl = tmp_path / "a.csv", tmp_path / "a.jsonl"
    outputs = {"csv": str(csv), "jsonl": str(jsonl)}
    window, meter = open_window(Demo(), KEYS, outputs=outputs)
    wait_for_pictures(qtbot, meter, 3)
    qtbot.keyClick(window, Qt.Key.Key_2)
    wait_for_pictures(qtbot, meter, 3)
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    worker = window.feeds.chosen.recording._output.worker
    qtbot.waitUntil(lambda: worker.written >= 20, timeout=60_000)
    qtbot.keyClick(window, Qt.Key.Key_1)
    qtbot.keyClick(window, Qt.Key.Key_2)
    qtbot.waitUntil(lambda: worker.written >= 30, timeout=60_000)
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    window.feeds.chosen.recording.wait()
    window.data_out.end()
    window.data_out.wait()
    for rows in (csv, jsonl):
        texts = [span.text for span in read_marker_file(companion_of(rows))]
        wanted = ["baseline", "recording started", "trial", "recording stopped"]
        assert [text for text in texts if text in wanted] == wanted
    objects = [json.loads(line) for line in jsonl.read_text().splitlines()]
    assert {row["marker"] for row in objects} == {"", "baseline"}
    (recording,) = list_recordings(own_home / "recordings")
    assert [span.text for span in recording.markers()] == ["baseline", "trial"]
    begun, trial = recording.markers()
    assert begun.from_s == 0.0, "it had begun before"
    assert begun.to_s is not None and begun.to_s >= trial.from_s

    qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    editor = window.later.review.markers
    assert editor.table.rowCount() == 2
    assert editor.table.item(1, 2).text() == "trial"
    editor.table.setItem(1, 2, QTableWidgetItem("exclude"))
    assert recording.markers()[1].text == "exclude"
    editor.table.selectRow(1)
    window.later.review.seek(trial.from_s + 0.1)
    editor.end_here()
    assert recording.markers()[1].to_s == pytest.approx(trial.from_s + 0.1, abs=2e-3)
    assert window.later.review.pane.timeline.plot.marks == tuple(recording.markers())
    window.later.review.seek(0.0)
    qtbot.keyClick(window, Qt.Key.Key_K)
    qtbot.keyClicks(window.later.review.markers.line, "the very begin")
    qtbot.keyClick(window.later.review.markers.line, Qt.Key.Key_Return)
    assert "the very begin" in [span.text for span in recording.markers()]


@pytest.fixture
def editor(qtbot) -> tuple[MarkerEditor, list[list[MarkedSpan]]]:
    editor = MarkerEditor()
    qtbot.addWidget(editor)
    changes: list[list[MarkedSpan]] = []
    editor.changed.connect(changes.append)
    spans = [MarkedSpan("a", 1.0, 1.0), MarkedSpan("b", 2.0, 5.0), MarkedSpan("c", 6.0, None)]
    editor.show_spans(spans, 10.0, lambda at_s: pytest.fail("nothing is added"))
    return editor, changes


@pytest.mark.parametrize(
    ("row", "column", "text", "expected"),
    [
        (0, 2, "  renamed\n; ", ("renamed ,", 1.0, 1.0)),
        (0, 2, "", ("a", 1.0, 1.0)),
        (0, 0, "0:03.5", ("a", 3.5, 3.5)),
        (0, 0, "soon", ("a", 1.0, 1.0)),
        (0, 0, "99", ("a", 10.0, 10.0)),
        (0, 1, "4", ("a", 1.0, 4.0)),
        (0, 1, "0.5", ("a", 0.5, 1.0)),
        (1, 1, "", ("b", 2.0, 2.0)),
        (1, 0, "3", ("b", 3.0, 6.0)),
        (2, 1, "99", ("c", 6.0, 10.0)),
        (2, 1, "-1", ("c", 6.0, None)),
    ],
)
def test_cells_are_edited(editor, row, column, text, expected):
    widget, changes = editor
    widget.table.item(row, column).setText(text)
    (spans,) = changes[-1:]
    assert expected in [(s.text, s.from_s, s.to_s) for s in spans]
    assert len(spans) == 3


def test_chosen_markers_are_moved_and_deleted(editor):
    widget, changes = editor
    widget.move_here()
    assert changes == [], "none is chosen"
    widget.table.selectRow(1)
    widget.position_s = 0.25
    widget.move_here()
    assert ("b", 0.25, 3.25) in [(s.text, s.from_s, s.to_s) for s in changes[-1]]
    widget.delete_selected()
    assert [s.text for s in changes[-1]] == ["a", "c"]
