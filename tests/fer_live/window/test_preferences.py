import re

from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QPushButton,
    QToolButton,
)

from fer_live.base.settings import load_settings
from fer_live.window.main_window import MainWindow
from tests.helpers.window import GRAY, wait_for_pictures


def test_two_windows_do_not_undo_each_others_settings(qtbot, open_window):
    one, _ = open_window(GRAY)
    other, _ = open_window(GRAY)
    one.preferences.change({"calm": 0.9, "capture_accepted_on": "2026-11-25"})
    other.close()
    kept, _ = load_settings()
    assert (kept.calm, kept.capture_accepted_on) == (0.9, "2026-11-25")


def test_what_the_command_line_says_is_not_kept(qtbot, open_window):
    window, _ = open_window(GRAY, for_now={"detector": "short"})
    assert window.preferences.now.detector == "short"
    window.preferences.change({"calm": 0.8})
    kept, _ = load_settings()
    assert (kept.detector, kept.calm) == ("auto", 0.8)


def test_the_language_changes_at_once_everywhere(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    window.action["settings"].trigger()
    window.data_out.show_dialog()
    window.later.review, window.later.personal  # noqa: B018  # made now, not in the midst
    english = visible_texts(window)
    window.preferences.change({"language": "ko"})
    wait_for_pictures(qtbot, meter)
    korean = visible_texts(window)
    window.preferences.change({"language": "en"})
    wait_for_pictures(qtbot, meter)
    assert visible_texts(window) == english
    own_names = {"", "FER Live", "English", "한국어", "CPU", "CUDA", "TensorRT"}
    own_names |= {"CSV", "JSONL", "OSC", "WebSocket", "LSL"}
    left = {text for text in english & korean if re.search("[A-Za-z]{3}", text)} - own_names
    assert not left, f"not translated: {left}"
    assert window.message == "No face in view"


def visible_texts(window: MainWindow) -> set[str]:
    texts = {window.message, window.preferences.dialog.windowTitle()}
    texts |= {action.text() for action in window.actions()}
    for kind in (QPushButton, QLabel, QToolButton, QCheckBox):
        status = set(window.status.labels)
        texts |= {w.text() for w in window.findChildren(kind) if w not in status}
    for combo in window.findChildren(QComboBox):
        texts |= {combo.itemText(i) for i in range(combo.count())}
    return texts
