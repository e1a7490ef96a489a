"""The timeline as a person uses it: legend, read-out, zoom and pan, lanes, markers, episodes."""

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QMouseEvent, QWheelEvent
from PyQt6.QtWidgets import QApplication, QToolTip

from fer_live.base.colors import EXPRESSION_COLORS
from fer_live.base.settings import load_settings
from fer_live.base.translation import set_language
from fer_live.outputs.markers import MarkedSpan
from fer_live.painting.overlay import expression_color
from fer_live.recording.face_curve import FaceCurve
from fer_live.window.style import show_theme
from fer_live.window.widgets.timeline import Timeline
from fer_live.window.widgets.timeline_axes import readable
from tests.helpers.contrast import contrast
from tests.helpers.window import GRAY

LABELS = ("neutral", "happiness", "surprise")


def curve(number: int, *parts: tuple[str, float, float]) -> FaceCurve:
    """Label, from, to: 30 moments a second, each label with 80 % and the others with 10 %."""
    times = [np.arange(round(start * 30), round(end * 30)) / 30 for _, start, end in parts]
    shown = [label for (label, _, _), some in zip(parts, times, strict=True) for _ in some]
    probs = np.full((len(shown), 3), 0.1, np.float32)
    probs[np.arange(len(shown)), [LABELS.index(label) for label in shown]] = 0.8
    return FaceCurve.of(number, np.concatenate(times), probs, shown)


FACES = {
    1: curve(1, ("neutral", 0, 4), ("surprise", 4, 6), ("neutral", 6, 20)),
    2: curve(2, ("happiness", 2, 10)),
}
SPANS = (MarkedSpan("baseline", 5.0, 5.0), MarkedSpan("trial", 8.0, 12.0))


@pytest.fixture
def review(qtbot) -> Timeline:
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.resize(800, 300)
    timeline.show()
    timeline.show_all(FACES.values(), LABELS, 20.0, SPANS)
    timeline.move_cursor(0.0)
    qtbot.waitExposed(timeline)
    timeline.grab()
    return timeline


@pytest.fixture
def live(qtbot) -> Timeline:
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.resize(800, 300)
    timeline.show()
    timeline.show_live(LABELS, 20.0)
    timeline.advance(FACES, 1, 20.0)
    timeline.grab()
    return timeline


def shares_of_colors(timeline: Timeline, time_s: float) -> dict[str, float]:
    """The share of the band's height that each label takes at a time."""
    image = timeline.plot.grab().toImage()
    plot = timeline.plot.plot
    x = round(timeline.plot.x_of(time_s))
    column = [image.pixelColor(x, y).name() for y in range(int(plot.height()))]
    counts = {label: column.count(expression_color(label).name()) for label in LABELS}
    return {label: n / plot.height() for label, n in counts.items()}


def move(timeline: Timeline, x: float, y: float = 40.0) -> None:
    place = QPointF(x, y)
    none = Qt.MouseButton.NoButton
    QApplication.sendEvent(
        timeline.plot,
        QMouseEvent(
            QEvent.Type.MouseMove,
            place,
            timeline.plot.mapToGlobal(place),
            none,
            none,
            Qt.KeyboardModifier.NoModifier,
        ),
    )


def turn_wheel(timeline: Timeline, x: float, up: int = 0, right: int = 0) -> None:
    place = QPointF(x, 40)
    QApplication.sendEvent(
        timeline.plot,
        QWheelEvent(
            place,
            timeline.plot.mapToGlobal(place),
            QPoint(),
            QPoint(right, up),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        ),
    )


def test_a_class_switched_off_leaves_and_the_others_keep_their_heights(qtbot, review):
    before = shares_of_colors(review, 15.0)
    assert before["neutral"] == pytest.approx(0.8, abs=0.08)
    chip = review.legend.chips["neutral"]
    assert chip.accessibleName() == "neutral in the timeline"
    chip.setFocus()
    qtbot.keyClick(chip, Qt.Key.Key_Space)
    after = shares_of_colors(review, 15.0)
    assert after["neutral"] == 0
    for label in ("happiness", "surprise"):
        assert after[label] == pytest.approx(before[label], abs=0.03) and after[label] > 0.05
    assert chip.font().strikeOut()
    qtbot.keyClick(chip, Qt.Key.Key_Space)
    assert shares_of_colors(review, 15.0) == before


def test_the_pointer_reads_without_painting_the_band(qtbot, review):
    painted = review.plot.band.n_painted
    move(review, review.plot.x_of(5.0))
    qtbot.waitUntil(lambda: "surprise" in QToolTip.text(), timeout=5000)
    text = QToolTip.text()
    assert "<b>0:05.0  surprise</b>" in text
    assert "80%" in text and text.count("10%") == 2
    assert "baseline" in text and "trial" not in text
    review.plot.grab()
    assert review.plot.band.n_painted == painted
    move(review, review.plot.x_of(9.0))
    qtbot.waitUntil(lambda: "trial" in QToolTip.text(), timeout=5000)
    QApplication.sendEvent(review.plot, QEvent(QEvent.Type.Leave))
    assert review.plot.read_s is None
    assert not review.plot.reading_line.isVisible()


def test_keys_move_the_cursor_and_tell_a_screen_reader(qtbot, review, live):
    sought: list[float] = []
    review.sought.connect(sought.append)
    review.sought.connect(review.move_cursor)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Left):
        qtbot.keyClick(review.plot, key)
    assert sought == [1.0, 2.0, 1.0]
    assert "neutral 80%" in review.plot.accessibleDescription()
    qtbot.keyClick(review.plot, Qt.Key.Key_End)
    assert sought[-1] == 20.0
    qtbot.keyClick(review.plot, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert sought[-1] == 10.0
    live.plot.read(5.5)
    qtbot.keyClick(live.plot, Qt.Key.Key_Left)
    assert live.plot.read_s == 4.5
    assert "surprise 80%" in live.plot.accessibleDescription()
    qtbot.keyClick(live.plot, Qt.Key.Key_Escape)
    assert live.plot.read_s is None


def test_wheel_keys_and_buttons_zoom_and_pan(qtbot, review):
    plot = review.plot
    assert not review.legend.farther.isEnabled()
    at_s = plot.time_at(600)
    turn_wheel(review, 600, up=120)
    assert plot.range.span_s == pytest.approx(20 / 1.5)
    assert plot.time_at(600) == pytest.approx(at_s, abs=plot.column_s)
    from_s = plot.range.from_s
    turn_wheel(review, 600, right=-120)
    assert plot.range.from_s == pytest.approx(from_s + plot.range.span_s / 10)
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    assert plot.range.span_s == pytest.approx(20 / 1.5**2)
    qtbot.keyClick(plot, Qt.Key.Key_PageUp)
    assert plot.range.from_s < from_s
    qtbot.keyClick(plot, Qt.Key.Key_0)
    assert (plot.range.from_s, plot.range.span_s) == (0.0, 20.0)
    review.legend.nearer.click()
    assert plot.range.span_s == pytest.approx(20 / 1.5)
    review.legend.farther.click()
    assert plot.range.span_s == pytest.approx(20)
    # Zoomed in, the axis is dragged, and the band itself seeks.
    review.plot.zoom(4, 400)
    sought: list[float] = []
    review.sought.connect(sought.append)
    before_s = plot.range.from_s
    axis_y = plot.height() - 5
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=QPoint(500, axis_y))
    move(review, 400, axis_y)
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=QPoint(400, axis_y))
    assert plot.range.from_s > before_s and not sought
    qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=QPoint(600, 60))
    assert sought == [pytest.approx(plot.time_at(600))]


def test_a_live_band_scrolls_until_it_is_dragged_and_goes_back_to_now(qtbot, live):
    plot = live.plot
    assert plot.range.to_s == 20.0
    assert not live.legend.now.isVisible()
    live.advance(FACES, 1, 40.0)
    assert plot.range.from_s == 10.0
    qtbot.mousePress(plot, Qt.MouseButton.LeftButton, pos=QPoint(300, 60))
    move(live, 500, 60)
    qtbot.mouseRelease(plot, Qt.MouseButton.LeftButton, pos=QPoint(500, 60))
    from_s = plot.range.from_s
    assert from_s < 10.0
    live.advance(FACES, 1, 50.0)
    assert plot.range.from_s == from_s, "it stands still"
    assert live.legend.now.isVisible()
    live.legend.now.click()
    assert plot.range.to_s == 50.0
    assert not live.legend.now.isVisible()
    live.advance(FACES, 1, 51.0)
    assert plot.range.to_s == 51.0
    for _ in range(20):
        qtbot.keyClick(plot, Qt.Key.Key_Minus)
    assert plot.range.span_s == 600.0, "the last ten minutes"
    assert plot.range.follows


def test_all_faces_are_lanes_in_their_order_and_a_click_chooses_one(qtbot, review):
    height = review.plot.sizeHint().height()
    review.legend.lanes.click()
    assert review.plot.sizeHint().height() == height + 2 * 14
    QApplication.processEvents()
    image = review.plot.grab().toImage()
    tops = [int(review.plot.plot.bottom()) + 2 + 14 * place for place in range(2)]
    happy = expression_color("happiness").name()
    x = round(review.plot.x_of(6.5))
    rows = [[image.pixelColor(x, y).name() for y in range(top, top + 12)] for top in tops]
    assert [row.count(happy) for row in rows] == [pytest.approx(1, abs=1), pytest.approx(10, abs=1)]
    review.face_chosen.connect(review.show_large)
    qtbot.mouseClick(review.plot, Qt.MouseButton.LeftButton, pos=QPoint(300, tops[1] + 5))
    assert review.plot.followed == 2
    assert shares_of_colors(review, 6.5)["happiness"] > 0.7
    review.show_large(1)
    assert shares_of_colors(review, 6.5)["neutral"] > 0.7
    review.legend.lanes.click()
    assert review.plot.sizeHint().height() == height


def test_a_marker_is_clicked(qtbot, review, live):
    sought: list[float] = []
    review.sought.connect(sought.append)
    for span, box in review.plot.placed_marks:
        qtbot.mouseClick(review.plot, Qt.MouseButton.LeftButton, pos=box.center().toPoint())
        assert sought[-1] == span.from_s
    live.show_marks(SPANS)
    live.plot.grab()
    (_, box), *_ = live.plot.placed_marks
    qtbot.mouseClick(live.plot, Qt.MouseButton.LeftButton, pos=box.center().toPoint())
    assert live.plot.read_s == 5.0


def test_episodes_are_folded_away_listed_and_gone_to(qtbot, review, live):
    listed = review.episode_list
    assert not listed.isVisible()
    review.legend.episodes.click()
    assert listed.isVisible()
    assert listed.texts == ["neutral 0:00–0:04", "surprise 0:04–0:06", "neutral 0:06–0:20"]
    listed.of_all.click()
    assert "face 2: happiness 0:02–0:10" in listed.texts
    assert len(listed.texts) == 4
    sought: list[float] = []
    review.sought.connect(sought.append)
    review.plot.zoom(8, 60)
    rect = listed.view.visualRect(listed.view.model().index(2, 0))
    qtbot.mouseClick(listed.view.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert sought[-1] == pytest.approx(4.0)
    assert review.plot.range.from_s < 4.0 < review.plot.range.to_s
    live.legend.episodes.click()
    assert len(live.episode_list.texts) == 3
    assert live.episode_list.texts[1].startswith("surprise "), "the newest comes first"


def test_lines_in_place_of_a_stack(review):
    review.legend.lines.click()
    plot = review.plot.plot
    image = review.plot.grab().toImage()
    x = round(review.plot.x_of(10.0))
    ground = review.plot.palette().color(review.plot.palette().ColorRole.AlternateBase)
    neutral = readable(expression_color("neutral"), ground).name()
    rows = [y for y in range(int(plot.height())) if image.pixelColor(x, y).name() == neutral]
    assert rows and abs(rows[0] - 0.2 * plot.height()) <= 2
    assert len(rows) <= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("label", EXPRESSION_COLORS)
def test_lines_stand_out_from_the_ground(qtbot, theme, label):
    show_theme(theme)
    palette = QApplication.palette()
    ground = palette.color(palette.ColorRole.AlternateBase)
    shown = readable(expression_color(label), ground)
    assert contrast(shown.name(), ground.name()) >= 3
    edge = palette.color(palette.ColorRole.PlaceholderText)
    assert contrast(edge.name(), ground.name()) >= 3, "the edge of a stack"
    show_theme("system")


def test_what_is_new_is_painted_and_nothing_else(live):
    plot = live.plot
    width = plot._n_columns
    before = plot.band.n_painted
    assert before <= width + 2
    for step in range(1, 31):
        live.advance(FACES, 1, 20.0 + step / 30)
        plot.grab()
    # A second of half a minute, and what may still change: half a second, at each of 30 times.
    assert plot.band.n_painted - before <= 30 * (width / 60 + 3) + width / 30


def test_playing_turns_the_page_and_a_look_elsewhere_stays(review):
    review.plot.zoom(10, review.plot.x_of(1.0))
    review.move_cursor(review.plot.range.to_s - 0.01)
    to_s = review.plot.range.to_s
    review.move_cursor(to_s + 0.02)
    assert review.plot.range.to_s > to_s
    review.plot.pan(10.0)
    from_s = review.plot.range.from_s
    review.move_cursor(to_s + 0.05)
    assert review.plot.range.from_s == from_s


def test_a_narrow_legend_takes_more_rows(qtbot, review):
    wide = review.legend.heightForWidth(800)
    assert review.legend.heightForWidth(200) >= 2 * wide


def test_it_is_as_high_as_its_parts_at_any_width(qtbot, review):
    def is_fit() -> bool:
        parts = (review.legend, review.plot, review.episode_list)
        heights = sum(part.height() for part in parts if part.isVisible())
        return (
            review.height() == heights and review.plot.height() == review.plot.sizeHint().height()
        )

    for width in (800, 300, 800):
        review.resize(width, 100)
        qtbot.waitUntil(is_fit, timeout=5000)
    before = review.height()
    review.legend.lanes.click()
    review.legend.episodes.click()
    qtbot.waitUntil(lambda: is_fit() and review.height() > before + 28, timeout=5000)
    review.show_legend(False)
    qtbot.waitUntil(is_fit, timeout=5000)


def test_its_words_are_translated(qtbot, review):
    review.legend.episodes.click()
    set_language("ko")
    try:
        QApplication.sendEvent(review.legend, QEvent(QEvent.Type.LanguageChange))
        QApplication.sendEvent(review.episode_list, QEvent(QEvent.Type.LanguageChange))
        texts = [chip.text() for chip in review.legend.chips.values()]
        texts += [review.legend.now.text(), review.legend.episodes.text()]
        texts += [review.episode_list.of_all.text(), *review.episode_list.texts]
        assert all(any("가" <= letter <= "힣" for letter in text) for text in texts), texts
    finally:
        set_language("en")


def curve_of(number: int, from_s: float, to_s: float) -> FaceCurve:
    times_s = np.arange(from_s, to_s, 1 / 30)
    probs = np.tile(np.float32([0.8, 0.1, 0.1]), (len(times_s), 1))
    return FaceCurve.of(number, times_s, probs, ["neutral"] * len(times_s))


def test_of_many_faces_the_latest_have_a_lane_live_and_the_longest_in_a_recording(qtbot):
    timeline = Timeline()
    qtbot.addWidget(timeline)
    timeline.legend.lanes.click()
    curves = [curve_of(k, k, k + (3 if k in (2, 3) else 1)) for k in range(1, 21)]
    timeline.show_live(LABELS, 0.0)
    timeline.advance({curve.number: curve for curve in curves}, 1, 21.0)
    assert timeline.plot._lanes == [1, *range(10, 21)], "the followed one, and who came last"
    timeline.grab()
    timeline.advance({curve.number: curve for curve in curves}, 20, 45.0)
    timeline.grab()
    assert set(timeline.plot._lane_bands) <= set(timeline.plot._lanes), "no picture is kept in vain"
    timeline.show_all(curves, LABELS, 21.0, ())
    assert {2, 3} <= set(timeline.plot._lanes)
    assert len(timeline.plot._lanes) == 12
    assert timeline.plot._lanes == sorted(timeline.plot._lanes)


def test_how_timelines_are_shown_is_kept_and_holds_for_all(qtbot, open_window):
    window, _ = open_window(GRAY)
    window.live.timeline.legend.lanes.click()
    assert load_settings()[0].timeline_lanes
    assert window.later.review.pane.timeline.plot.with_lanes, "made later"
    window.later.review.pane.timeline.legend.lines.click()
    assert window.live.timeline.plot.as_lines
    window, _ = open_window(GRAY, load_settings()[0])
    legend = window.live.timeline.legend
    assert (legend.lines.isChecked(), legend.lanes.isChecked()) == (True, True)
    assert not legend.episodes.isChecked()
    assert window.live.timeline.plot.as_lines and window.live.timeline.plot.with_lanes
