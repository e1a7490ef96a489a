import errno
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QDesktopServices, QGuiApplication
from PyQt6.QtWidgets import QMessageBox

from fer_live.base.atomic_file import writing
from fer_live.outputs import virtual_camera
from fer_live.outputs.csv_file import CsvFile
from fer_live.outputs.osc import OscSink
from fer_live.sources.choice import Demo
from fer_live.window.dialogs.outputs_dialog import OutputsDialog
from fer_live.window.main_window import MainWindow
from tests.helpers.window import GRAY, wait_for_pictures

Opened = tuple[MainWindow, OutputsDialog]


@pytest.fixture
def opened(qtbot, open_window) -> Iterator[Opened]:
    """A window with pictures, and its dialog *Data out*."""
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter, 3)
    window.data_out.show_dialog()
    yield window, window.data_out.dialog


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


def test_a_taken_port_is_said_in_the_card_and_mended_there(qtbot, opened: Opened):
    _, dialog = opened
    card = dialog.card("websocket")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        card.where.setText(str(port))
        card.check.click()
        assert not card.check.isChecked()
        assert card.trouble.text().startswith(f"⚠ Port {port} is taken by another program")
        assert "Errno" not in card.trouble.text() and "--websocket" not in card.trouble.text()
    card.check.click()
    assert card.check.isChecked() and not card.trouble.isVisible()


def test_the_page_and_the_address_are_a_click_away(qtbot, opened: Opened, monkeypatch):
    _, dialog = opened
    card = dialog.card("websocket")
    for button in (card.page, card.overlay, card.copy, card.test):
        assert not button.isEnabled() and button.toolTip() == "Switch it on first"
    port = free_port()
    card.where.setText(str(port))
    card.check.click()
    assert "0 clients" in card.how.text()
    card.copy.click()
    assert QGuiApplication.clipboard().text() == f"ws://127.0.0.1:{port}/"
    assert card.copy.text() == "Copied"
    card.overlay.click()
    assert QGuiApplication.clipboard().text() == f"http://127.0.0.1:{port}/?transparent=1"
    pages: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: pages.append(url.toString()))
    card.page.click()
    assert pages == [f"http://127.0.0.1:{port}/"]
    (box,) = card.findChildren(QMessageBox)
    assert box.informativeText() == pages[0], "no browser opened"
    box.close()
    card.test.click()
    qtbot.waitUntil(card.answer.isVisible, timeout=30_000)
    assert card.answer.text().startswith("Nobody is connected yet")
    qtbot.waitUntil(lambda: '"schema": 2' in card.message.toolTip(), timeout=30_000)
    card.check.click()
    assert not card.answer.isVisible() and card.how.text() == "Off"


def test_one_client_is_one_client(qtbot, opened: Opened):
    from websockets.sync.client import connect

    _, dialog = opened
    card, port = dialog.card("websocket"), free_port()
    card.where.setText(str(port))
    card.check.click()
    with connect(f"ws://127.0.0.1:{port}/"):
        qtbot.waitUntil(lambda: card.how.text().endswith("; 1 client"), timeout=30_000)


def test_a_test_message_arrives_and_says_so(qtbot, opened: Opened):
    _, dialog = opened
    card = dialog.card("osc")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        card.where.setText(address)
        card.check.click()
        card.test.click()
        while not (packet := receiver.recv(2000)).startswith(b"/fer/test"):
            pass
    assert b"FER Live test " in packet
    qtbot.waitUntil(card.answer.isVisible, timeout=30_000)
    assert card.answer.text().startswith(f"Sent to {address}: /fer/test FER Live test ")


def test_a_test_of_a_file_leaves_nothing_in_it(qtbot, opened: Opened, tmp_path: Path):
    window, dialog = opened
    card = dialog.card("csv")
    card.where.setText(str(tmp_path / "a.csv"))
    card.check.click()
    card.test.click()
    qtbot.waitUntil(card.answer.isVisible, timeout=30_000)
    assert "a.partial.csv" in card.answer.text()
    card.check.click()
    window.data_out.wait()
    assert [path.name for path in tmp_path.iterdir() if path.suffix in (".csv", ".txt")] == [
        "a.csv"
    ]
    assert "test" not in (tmp_path / "a.csv").read_text()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (OSError(errno.EACCES, "Permission denied"), "no permission to write there"),
        (RuntimeError("SIGILL in libfoo"), "it stopped because of an error in FER Live"),
    ],
)
def test_an_output_that_breaks_says_why_in_its_card(
    qtbot, opened: Opened, tmp_path: Path, monkeypatch, error: Exception, words: str
):
    window, dialog = opened
    said: list[str] = []
    window.data_out.failed.connect(said.append)

    def refuse(sink: CsvFile, rows: object) -> None:
        with writing(sink._file.path):
            raise error

    monkeypatch.setattr(CsvFile, "append", refuse)
    card = dialog.card("csv")
    card.where.setText(str(tmp_path / "a.csv"))
    card.check.click()
    qtbot.waitUntil(card.trouble.isVisible, timeout=30_000)
    assert words.lower() in card.trouble.text().lower()
    assert "libfoo" not in card.trouble.text()
    assert not card.check.isChecked()
    assert said == [], "not over the picture too"


def test_what_breaks_while_nobody_looks_is_said_in_the_window(qtbot, opened: Opened, monkeypatch):
    window, dialog = opened
    dialog.hide()
    said: list[str] = []
    window.data_out.failed.connect(said.append)

    def break_it(*_: object) -> None:
        raise ValueError("in a library")

    monkeypatch.setattr(OscSink, "write", break_it)
    assert window.data_out.switch("osc", "9000") == ""
    qtbot.waitUntil(lambda: bool(said), timeout=30_000)
    assert said[0].startswith("OSC: it stopped because of an error")
    dialog.show()
    dialog.refresh()
    assert "it stopped" in dialog.card("osc").trouble.text().lower()
    assert "ValueError: in a library" in dialog.card("osc").trouble.toolTip()


def test_what_cannot_work_is_off_and_says_why(qtbot, opened: Opened, monkeypatch, tmp_path: Path):
    _, dialog = opened
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(virtual_camera, "_MADE_UP_DEVICES", tmp_path)
    dialog.refresh()
    card = dialog.card("virtual_camera")
    assert not card.check.isEnabled()
    assert "sudo modprobe v4l2loopback" in card.check.toolTip()
    assert card.trouble.isVisible() and "v4l2loopback-dkms" in card.trouble.text()
    (tmp_path / "video0").mkdir()
    dialog.refresh()
    assert card.check.isEnabled() and not card.trouble.isVisible()
    monkeypatch.setattr("fer_live.outputs.registry.is_installed", lambda name: name != "pylsl")
    dialog.refresh()
    lsl = dialog.card("lsl")
    assert not lsl.check.isEnabled()
    assert "pip install '.[lsl]'" in lsl.check.toolTip() and lsl.trouble.isVisible()


def test_files_go_to_a_folder_of_the_persons_own_under_a_new_name_each(
    qtbot, opened: Opened, own_home: Path
):
    window, dialog = opened
    card = dialog.card("jsonl")
    first = Path(card.where.text())
    assert first.parent == own_home / "documents"
    assert card.where.cursorPosition() == len(card.where.text()), "its end can be read"
    assert not first.parent.exists()
    assert not card.folder.isEnabled()
    card.check.click()
    assert card.check.isChecked() and card.folder.isEnabled()
    card.check.click()
    window.data_out.wait()
    assert first.is_file()
    qtbot.waitUntil(lambda: f"{card._kind.suggest()}" != str(first), timeout=10_000)
    card.check.click()
    assert card.check.isChecked(), "not a second time under the first name"
    assert card.where.text() != str(first)


def test_every_control_of_a_card_has_a_name(qtbot, opened: Opened):
    from PyQt6.QtWidgets import QAbstractButton, QLineEdit

    _, dialog = opened
    for name in dialog._cards:
        card = dialog.card(name)
        for widget in card.findChildren(QAbstractButton):
            assert widget.accessibleName() or widget.text(), name
        (where,) = card.findChildren(QLineEdit)
        assert card.check.text() in where.accessibleName()


def test_data_out_is_switched_on_and_off_by_hand(qtbot, open_window, tmp_path: Path):
    window, meter = open_window(Demo(), outputs={"csv": str(tmp_path / "cli.csv")})
    wait_for_pictures(qtbot, meter, 5)
    qtbot.keyClick(window, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    dialog = window.data_out.dialog
    csv, card = dialog.card("csv"), dialog.card("jsonl")
    jsonl, where, how = card.check, card.where, card.how
    assert csv.check.isChecked(), "switched on by the command line"
    assert csv.where.text() == str(tmp_path / "cli.csv")
    where.setText(str(tmp_path / "nowhere" / "a.jsonl"))
    qtbot.mouseClick(jsonl, Qt.MouseButton.LeftButton)
    assert not jsonl.isChecked()
    assert "does not exist" in card.trouble.text() and card.trouble.isVisible()
    where.setText(str(tmp_path / "a.jsonl"))
    qtbot.mouseClick(jsonl, Qt.MouseButton.LeftButton)
    assert jsonl.isChecked()
    assert not card.trouble.isVisible()
    wait_for_pictures(qtbot, meter, 10)
    dialog.refresh()
    assert re.fullmatch(r"[1-9]\d* sent, \d+ dropped", how.text())
    qtbot.mouseClick(jsonl, Qt.MouseButton.LeftButton)
    window.data_out.wait()
    written = (tmp_path / "a.jsonl").read_text()
    assert len(written.splitlines()) >= 5
    qtbot.mouseClick(jsonl, Qt.MouseButton.LeftButton)
    assert not jsonl.isChecked()
    assert "is there already" in card.trouble.text()
    assert (tmp_path / "a.jsonl").read_text() == written
    window.stop()
    assert len((tmp_path / "cli.csv").read_text().splitlines()) > 5
