import pytest
from PyQt6.QtCore import QRect, Qt
from PyQt6.QtWidgets import QApplication, QComboBox, QDialog, QLabel, QPushButton

from fer_live.base.settings import load_settings
from fer_live.base.translation import tr
from fer_live.sources.choice import Camera
from fer_live.window.main_window import MainWindow
from fer_live.window.tour import STEPS, _TourSheet
from tests.helpers.window import GRAY, wait_for_pictures


def sheet(window: MainWindow) -> _TourSheet:
    found = window.tour._sheet
    assert found is not None
    return found


def press(qtbot, key: Qt.Key) -> None:
    focused = QApplication.focusWidget()
    assert focused is not None
    qtbot.keyClick(focused, key)


@pytest.fixture
def begun(qtbot, open_window) -> MainWindow:
    """A window in which the first start was just accepted and the first picture has come."""
    window, _ = open_window(GRAY, ask_first=True)
    qtbot.waitExposed(window)
    window.activateWindow()
    assert not window.tour.is_on
    window.pages._first_start._accept.click()
    qtbot.waitUntil(lambda: window.tour.is_on, timeout=60_000)
    return window


def test_the_first_start_ends_in_a_tour_that_enter_leads_through(qtbot, begun):
    for number, step in enumerate(STEPS):
        titles = [label.text() for label in sheet(begun).findChildren(QLabel)]
        assert tr(step.title) in titles
        assert f"{number + 1} of 3" in titles
        press(qtbot, Qt.Key.Key_Return)
    assert not begun.tour.is_on


def test_escape_skips_it_and_the_window_has_its_keys_again(qtbot, begun):
    press(qtbot, Qt.Key.Key_Escape)
    assert not begun.tour.is_on
    shown = begun.preferences.now.show_panel
    qtbot.keyClick(begun, Qt.Key.Key_B)
    assert begun.preferences.now.show_panel is not shown


def test_tab_stays_in_it_and_enter_presses_what_has_the_focus(qtbot, begun):
    press(qtbot, Qt.Key.Key_Return)
    visited = []
    for _ in range(3):
        press(qtbot, Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        assert isinstance(focused, QPushButton) and sheet(begun).isAncestorOf(focused)
        visited.append(focused.text())
    assert visited == ["Skip", "Back", "Next"]
    press(qtbot, Qt.Key.Key_Backtab)
    press(qtbot, Qt.Key.Key_Return)  # Back
    assert sheet(begun)._count.text() == "1 of 3"
    press(qtbot, Qt.Key.Key_Backtab)
    press(qtbot, Qt.Key.Key_Return)  # Skip
    assert not begun.tour.is_on


def test_a_step_can_be_tried_at_once_by_the_key_it_names(qtbot, begun):
    qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_T)
    assert not begun.preferences.now.show_timeline
    assert begun.tour.is_on


def test_it_is_not_shown_where_the_notice_was_accepted_before(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    assert not window.tour.is_on


def test_help_shows_it_again(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    window.pages.turn_to("review")
    window.action["help"].trigger()
    help_sheet = next(d for d in window.findChildren(QDialog) if d.windowTitle() == "Help")
    again = next(b for b in help_sheet.findChildren(QPushButton) if b.text() == "&Take the tour")
    again.click()
    assert window.tour.is_on
    assert window.live.isVisible()


@pytest.mark.parametrize("size", [(480, 360), (1100, 720), (1920, 1080)])
def test_the_card_is_in_the_window_and_not_over_what_it_tells_of(qtbot, open_window, size):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    window.tour.begin()
    window.resize(*size)
    for step in range(len(STEPS)):
        over = sheet(window)
        qtbot.waitUntil(lambda over=over: over.size() == window.size())
        card = over._card.geometry()
        assert over.rect().contains(card), step
        targets = over._targets()
        assert targets, step
        # The picture fills most of the window: there the card may lie on its rim.
        if step > 0 and size[0] > 1000:
            assert not any(target.intersects(card) for target in targets), step
        assert not any(QRect(card).contains(target) for target in targets), step
        over._next.click()


def test_a_camera_is_chosen_before_any_is_opened(qtbot, open_window, monkeypatch):
    opened: list[int] = []
    monkeypatch.setattr(
        "fer_live.sources.choice.CameraSource",
        lambda number, mode: opened.append(number) or GRAY.open(),
    )
    cameras = {0: "built in", 2: "desk"}
    for module in ("fer_live.sources.choice", "fer_live.window.first_start"):
        monkeypatch.setattr(f"{module}.list_cameras", lambda: cameras)
    window, meter = open_window(Camera(0), ask_first=True)
    (sources,) = window.pages._first_start.findChildren(QComboBox)
    assert [sources.itemText(n) for n in range(sources.count())] == ["built in", "desk", "Demo"]
    assert sources.currentText() == "built in"
    sources.setCurrentIndex(1)
    assert opened == []
    window.pages._first_start._accept.click()
    wait_for_pictures(qtbot, meter)
    assert opened == [2]
    assert load_settings()[0].camera == 2


def test_before_the_notice_is_accepted_only_help_about_and_quit_work(qtbot, open_window):
    window, _ = open_window(GRAY, ask_first=True)
    enabled = {name for name, action in window.action.items() if action.isEnabled()}
    assert enabled == {"help", "about", "quit"}


def test_enter_accepts_the_notice(qtbot, open_window):
    window, meter = open_window(GRAY, ask_first=True)
    window.activateWindow()
    accept = window.pages._first_start._accept
    accept.setFocus()
    qtbot.waitUntil(accept.hasFocus)
    qtbot.keyClick(accept, Qt.Key.Key_Return)
    wait_for_pictures(qtbot, meter)
    assert load_settings()[0].notice_accepted_on


def test_the_first_notice_has_its_drawing_where_there_is_room(qtbot, open_window):
    window, _ = open_window(GRAY, ask_first=True)
    start = window.pages._first_start
    assert start._picture.isVisible()
    assert start._picture.accessibleName()
    window.resize(480, 360)
    qtbot.waitUntil(lambda: not start._picture.isVisible())
    assert start._sources.currentText() == "pictures"
