"""What makes it an app of the desktop: menus, messages, the small window, power, reports."""

import json
import stat
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QDesktopServices, QPalette
from PyQt6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QMessageBox,
    QPlainTextEdit,
    QToolButton,
)

from fer_live.base.log import end_log, log_files, start_log
from fer_live.base.settings import Settings
from fer_live.checkup.problem import problem_report
from fer_live.window import notices
from fer_live.window.actions import ACTIONS
from fer_live.window.dialogs import settings_dialog
from fer_live.window.icons import icon
from fer_live.window.notices import Notice, done
from fer_live.window.place import place
from fer_live.window.power import ON_BATTERY_PER_SECOND
from fer_live.window.style import show_theme
from tests.helpers.window import CONSENTED, GRAY, ON_CPU, Missing, wait_for_pictures


def test_every_action_stands_in_one_menu_and_has_a_sign(qtbot, open_window):
    window, _ = open_window(GRAY)
    bar = window.menuBar()
    titles = [a.text().replace("&", "") for a in bar.actions()]
    assert titles == ["File", "Source", "Edit", "Record", "Playback", "View", "Tools", "Help"]
    listed = [a for menu in bar.actions() for a in menu.menu().actions() if not a.isSeparator()]
    for action in ACTIONS:
        assert listed.count(window.action[action.id]) == 1, action.id
    for name in [name for action in ACTIONS if (name := action.icon)]:
        image = icon(name).pixmap(32, 32).toImage()
        alphas = {image.pixelColor(x, y).alpha() for x in range(32) for y in range(32)}
        assert len(alphas) > 3, name


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_icon_has_the_colour_of_the_text_of_its_theme(qtbot, theme):
    show_theme(theme)
    image = icon("x").pixmap(64, 64).toImage()
    drawn = [image.pixelColor(x, x) for x in range(64) if image.pixelColor(x, x).alpha() == 255]
    assert QApplication.palette().color(QPalette.ColorRole.ButtonText) in drawn
    show_theme("system")


def test_the_theme_is_chosen_in_the_settings_and_holds_at_once(qtbot, open_window):
    window, _ = open_window(GRAY)
    for theme, is_dark in (("dark", True), ("light", False)):
        window.preferences.change({"theme": theme})
        color = QApplication.palette().color(QPalette.ColorRole.Window)
        assert (color.lightness() < 128) is is_dark
        assert window.palette().color(QPalette.ColorRole.Window) == color
    window.preferences.change({"theme": "system"})


def test_what_cannot_work_is_off_and_says_why(qtbot, open_window):
    window, meter = open_window(GRAY, CONSENTED)
    for name in ("snapshot", "record", "capture", "calibrate"):
        assert not window.action[name].isEnabled()
        assert window.action[name].toolTip().endswith("There is no picture")
    wait_for_pictures(qtbot, meter)
    for name in ("snapshot", "record", "capture", "calibrate"):
        assert window.action[name].isEnabled(), name
    assert not window.action["mirror"].isEnabled()
    assert window.action["mirror"].toolTip().endswith("Only a camera is mirrored")
    assert not window.action["pause"].isEnabled()
    window.pages.turn_to("review")
    assert window.action["bars"].isEnabled()
    for name in ("mirror", "marker", "largest_face"):
        assert window.action[name].toolTip().endswith("Only in the tab Live"), name
    assert not window.action["play"].isEnabled()
    assert "Choose a recording" in window.action["play"].toolTip()
    window.pages.turn_to("personal")
    assert window.action["bars"].toolTip().endswith("Only in the tabs Live and Review")
    assert window.action["frame_on"].toolTip().endswith("Only in the tab Review")


def test_record_is_off_without_a_picture_and_leaves_nothing(qtbot, open_window, own_home: Path):
    window, _ = open_window(Missing())
    with qtbot.waitSignal(window.failed, timeout=60_000):
        pass
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert not window.feeds.chosen.recording.is_on
    qtbot.waitUntil(lambda: window.pipeline is not None, timeout=60_000)
    window.set_recording(True)  # as a picture that goes in the same moment would
    window.set_recording(False)
    qtbot.waitUntil(lambda: bool(window.notices.texts), timeout=10_000)
    assert window.notices.texts[-1] == "No picture came, so nothing was recorded"
    assert list((own_home / "recordings").iterdir()) == []


def test_record_becomes_stop_with_its_time(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    record = window.action["record"]
    assert record.iconText() == "Record"
    record.trigger()
    qtbot.waitUntil(lambda: record.iconText() == "Stop 0:01", timeout=10_000)
    record.trigger()
    assert record.iconText() == "Record"
    qtbot.waitUntil(lambda: bool(window.notices.texts), timeout=10_000)
    assert window.notices.texts == ("Recorded; it is in the review tab",)


def test_messages_differ_by_severity_and_leave_by_themselves(qtbot, open_window, monkeypatch):
    short = {name: (*look[:2], 150 * bool(look[2])) for name, look in notices._LOOKS.items()}
    monkeypatch.setattr(notices, "_LOOKS", short)
    window, _ = open_window(GRAY)
    shown = window.notices
    for severity in ("done", "info", "warning", "error"):
        window.say(Notice(f"a {severity}", severity))
    assert shown.texts == ("a info", "a warning", "a error")  # room for three
    window.say(Notice("a warning", "warning"))
    assert shown.texts.count("a warning") == 1
    qtbot.waitUntil(lambda: shown.texts == ("a error",), timeout=5000)
    qtbot.wait(300)
    assert shown.texts == ("a error",)
    close = next(b for b in shown.findChildren(QToolButton))
    close.click()
    assert not shown.isVisible()


def test_a_message_opens_what_it_is_about_or_says_where_it_lies(
    qtbot, open_window, tmp_path: Path, monkeypatch
):
    window, _ = open_window(GRAY)
    opened: list[str] = []

    def open_url(url) -> bool:
        opened.append(url.toLocalFile())
        return False

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    window.say(done("Saved", tmp_path))
    (card,) = window.notices._cards()
    button = next(b for b in card.findChildren(notices.QPushButton) if b.text() == "Open")
    button.click()
    assert opened == [str(tmp_path)]
    said = window.findChild(QMessageBox)
    assert said is not None
    assert said.informativeText() == str(tmp_path)
    said.close()


def test_the_small_window_is_the_picture_alone_in_front_and_escape_leaves_it(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    before = window.size()
    window.action["small"].trigger()
    assert window.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    assert window.width() <= 400
    for part in (window.menuBar(), window.toolbar, window.status, window.live.panel):
        assert not part.isVisible()
    wait_for_pictures(qtbot, meter)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    assert not window.action["small"].isChecked()
    for part in (window.menuBar(), window.toolbar, window.status, window.live.panel):
        assert part.isVisible()
    assert window.size() == before


def test_the_window_fits_the_screen(qtbot, open_window):
    window, _ = open_window(GRAY)
    free = window.screen().availableGeometry()
    for kept in ("", "nonsense", "AAAA"):
        place(window, kept)
        assert window.width() <= free.width()
        assert window.height() <= free.height()


def test_pausing_closes_the_source_and_going_on_opens_it(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    window.action["pause_source"].trigger()
    qtbot.wait(300)
    captured = meter.captured
    qtbot.wait(300)
    assert meter.captured == captured
    assert "Paused" in window.message
    assert window.action["pause_source"].isChecked()
    assert not window.action["record"].isEnabled()
    window.action["pause_source"].trigger()
    wait_for_pictures(qtbot, meter)
    assert not window.action["pause_source"].isChecked()


def test_on_a_battery_fewer_frames_are_read_and_the_counts_add_up(qtbot, open_window, monkeypatch):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    battery = SimpleNamespace(percent=50, power_plugged=False)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    window.power.look()
    assert "On battery" in window.notices.texts[-1]
    qtbot.wait(500)
    before, captured = meter.processed, meter.captured
    qtbot.wait(2000)
    assert meter.captured - captured > 40
    assert meter.processed - before <= 2 * ON_BATTERY_PER_SECOND + 3
    window.preferences.change({"spare_battery": False})
    before = meter.processed
    qtbot.waitUntil(lambda: meter.processed - before > 40, timeout=10_000)
    window.stop()
    figures = meter.summary()
    assert figures["captured"] == figures["processed"] + figures["dropped"]
    assert window.session.n_dropped == figures["dropped"]


def test_a_camera_is_opened_again_after_the_machine_slept(qtbot, open_window, monkeypatch):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    opened: list[int] = []
    monkeypatch.setattr(window.source, "open", lambda: opened.append(1))
    monkeypatch.setattr(type(window.source), "is_camera", True)
    window.power.look()
    assert not opened
    slept = window.power._wall_s() + 3600
    window.power._wall_s = lambda: slept
    window.power.look()
    assert opened == [1]


def test_the_log_is_private_and_bounded_and_a_report_names_nobody(own_home: Path):
    start_log("9.9")
    try:
        log = notices.logging.getLogger("fer_live.test")
        for number in range(9000):
            log.info("%d a line of the log that is long enough to fill a file in the end", number)
        log.warning("opened %s by Rosa", own_home / "clips" / "Rosa" / "secret.mp4")
        settings = Settings(
            person="Rosa",
            recent_locations=("/media/film of Rosa.mp4",),
            camera_name="Rosa's camera",
        )
        files = log_files()
        texts = problem_report(settings)
    finally:
        end_log()
    assert 2 <= len(files) <= 3
    assert sum(file.stat().st_size for file in files) < 1_600_000
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    everything = "\n".join(texts.values())
    assert "Rosa" not in everything
    assert str(own_home) not in everything
    assert str(Path.home()) not in everything
    assert json.loads(texts["settings.json"])["model"] == "shipped"
    assert "numpy" in texts["versions.txt"]
    assert "pipeline" in texts["examination.txt"]


def test_a_problem_is_reported_by_a_file_that_is_shown_first(
    qtbot, open_window, tmp_path: Path, monkeypatch
):
    window, _ = open_window(GRAY)
    path = tmp_path / "report.zip"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    window.action["report_problem"].trigger()
    dialog = next(d for d in window.findChildren(QDialog) if "problem" in d.windowTitle())
    qtbot.waitUntil(lambda: bool(dialog.findChildren(QPlainTextEdit)), timeout=60_000)
    save = next(b for b in dialog.findChildren(notices.QPushButton) if "Save" in b.text())
    save.click()
    with zipfile.ZipFile(path) as archive:
        assert {"examination.txt", "versions.txt", "settings.json"} <= set(archive.namelist())
    assert str(path) in window.notices.texts[-1]


def test_the_card_without_a_camera_shows_cameras_with_pictures(qtbot, open_window, monkeypatch):
    from fer_live.window.widgets import choose_source_card

    class Red:
        def __init__(self, number: int) -> None:
            self.number = number

        def read(self):
            from fer_live.datatypes import Frame

            return Frame(np.full((480, 640, 3), (0, 0, 255), np.uint8), 0, 0.0)

        def close(self) -> None:
            pass

    monkeypatch.setattr(choose_source_card, "CameraSource", Red)
    window, _ = open_window(Missing())
    card = window.live.card
    card._list_them = lambda: {0: "Front", 2: "USB"}
    with qtbot.waitSignal(window.failed, timeout=60_000):
        pass
    buttons = {b.text(): b for b in card.findChildren(QToolButton)}
    assert set(buttons) == {"Front", "USB"}

    def middle(name: str) -> QColor:
        return buttons[name].icon().pixmap(160, 120).toImage().pixelColor(80, 60)

    qtbot.waitUntil(lambda: middle("USB") == QColor(255, 0, 0), timeout=10_000)
    chosen: list[object] = []
    monkeypatch.setattr(window.source, "choose", chosen.append)
    buttons["USB"].click()
    assert (chosen[0].number, chosen[0].device) == (2, "USB")


def test_a_start_with_a_dark_theme_is_dark(qtbot, open_window):
    open_window(GRAY, ON_CPU.but(theme="dark"))
    assert QApplication.palette().color(QPalette.ColorRole.Window).lightness() < 128
    show_theme("system")


def test_the_settings_offer_what_can_work_and_go_back_to_what_they_were(
    qtbot, open_window, monkeypatch
):
    monkeypatch.setattr(settings_dialog, "has_nvidia_driver", lambda: False)
    window, _ = open_window(GRAY)
    window.preferences.change({"calm": 0.9, "theme": "dark", "person": "Rosa"})
    window.action["settings"].trigger()
    dialog = window.preferences.dialog
    combos = {c.accessibleName(): c for c in dialog.findChildren(settings_dialog.QComboBox)}
    assert not combos["Picture"].isEnabled()
    assert combos["Picture"].toolTip() == "The source is no camera"
    runs_on = combos["Runs on"]
    enabled = [runs_on.model().item(row).isEnabled() for row in range(runs_on.count())]
    assert enabled == [True, True, False, False]
    reset = next(b for b in dialog.findChildren(notices.QPushButton) if b.text() == "As it came")
    reset.click()
    now = window.preferences.now
    assert (now.calm, now.theme, now.person) == (0.5, "system", "Rosa")
    screen = window.screen().availableGeometry()
    assert dialog.height() <= screen.height()
