import numpy as np
import pytest
from PyQt6.QtGui import QGuiApplication

from fer_live.datatypes import Frame, FrameResult
from fer_live.session.meter import FrameCounts
from fer_live.window.status_bar import StatusBar
from tests.helpers.window import GRAY, wait_for_pictures


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def bar(qtbot) -> StatusBar:
    bar = StatusBar(Clock())
    qtbot.addWidget(bar)
    bar.show()
    return bar


def paint(bar: StatusBar, meter: FrameCounts, *, seconds: int, rate: int, dropped: list[int]):
    """Paint `rate` frames in each second, half of them before each look at the counts."""
    for _ in range(2 * seconds):
        bar._clock.now_s += 0.5  # type: ignore[attr-defined]
        for _ in range(rate // 2):
            meter.count_captured()
            meter.count_processed(1)
            meter.count_painted(0.0)
        for _ in range(dropped[0] if dropped else 0):
            meter.count_captured()
        bar.refresh()


def n_dropped(meter: FrameCounts) -> int:
    return meter.captured - meter.processed


def test_it_says_how_smooth_the_picture_is_and_what_is_left_out_only_while_something_is(bar):
    meter = FrameCounts()
    bar.watch(meter, lambda: n_dropped(meter), "")
    assert bar.labels[0].whole == "", "nothing was shown yet"
    paint(bar, meter, seconds=4, rate=30, dropped=[])
    assert bar.labels[0].whole == "30 pictures a second"
    paint(bar, meter, seconds=1, rate=30, dropped=[2])
    assert bar.labels[0].whole == "30 pictures a second, 4 left out in the last ten seconds"
    paint(bar, meter, seconds=11, rate=20, dropped=[])
    assert bar.labels[0].whole == "20 pictures a second"
    assert "dropped" in bar.labels[0].toolTip(), "the counters stay to be found"
    assert f"{meter.captured} captured" in bar.labels[0].toolTip()


def test_delay_and_what_reads_are_in_plain_words_with_the_rest_in_tooltips(bar):
    meter = FrameCounts()
    bar.watch(meter, int, "left")
    frame = Frame(np.zeros((480, 640, 3), np.uint8), 0, 0.0)
    bar.note(FrameResult(frame, (), {}, "cpu", "short"), "fer_live_int8.onnx")
    bar.refresh()
    smooth, delay, read_by = bar.labels
    assert smooth.whole.startswith("left:")
    assert delay.whole == ""
    assert read_by.whole == "read on the processor, 640 x 480"
    assert (
        read_by.toolTip()
        == "read on the processor, 640 x 480\ncpu · short · fer_live_int8.onnx · 640 x 480"
    )
    meter.latency_ms.add(15.0)
    bar.refresh()
    assert delay.whole == "15 ms behind the camera"
    assert "95 % within 15 ms" in delay.toolTip()


def test_a_narrow_window_ends_a_line_with_an_ellipsis_and_copies_all_of_it(bar, qtbot):
    meter = FrameCounts()
    bar.watch(meter, int, "a camera with a long name")
    paint(bar, meter, seconds=4, rate=30, dropped=[])
    bar.resize(200, 24)
    qtbot.waitUntil(lambda: bar.labels[0].text().endswith("…"))
    bar.resize(2000, 24)
    qtbot.waitUntil(lambda: bar.labels[0].text() == bar.labels[0].whole)
    bar.actions()[0].trigger()
    clipboard = QGuiApplication.clipboard()
    assert clipboard is not None
    assert "30 pictures a second" in clipboard.text()
    assert "Since the start" in clipboard.text()


def test_the_window_shows_its_counts(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter, 30)
    qtbot.waitUntil(lambda: "pictures a second" in window.status.labels[0].whole, timeout=10_000)
    qtbot.waitUntil(lambda: "160 x 120" in window.status.labels[2].whole, timeout=10_000)
