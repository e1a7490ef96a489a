import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSlider,
    QTabBar,
    QToolButton,
)

from fer_live.window.actions import ACTIONS, TOOLBAR
from fer_live.window.window_action import WindowAction
from tests.helpers.window import GRAY, wait_for_pictures


def test_every_control_has_a_name_and_can_be_reached_by_keyboard(qtbot, open_window):
    window, _ = open_window(GRAY)
    window.action["settings"].trigger()
    window.data_out.show_dialog()
    for kind in (QPushButton, QToolButton, QCheckBox, QComboBox, QSlider, QLineEdit, QListWidget):
        for widget in window.findChildren(kind):
            if widget.objectName().startswith("qt_") or isinstance(widget.parent(), QTabBar):
                continue
            name = widget.accessibleName() or getattr(widget, "text", lambda: "")()
            assert name, f"{widget} has no name"
            assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus, f"{name}: not by keyboard"


def test_no_two_actions_have_one_key_in_the_same_tab():
    for tab in ("live", "review", "personal"):
        keys = [a.key for a in ACTIONS if a.key and (a.tab == "any" or tab in a.tab)]
        assert len(set(keys)) == len(keys), tab
    everywhere = {a.key for a in ACTIONS if a.key and a.tab == "any"}
    of_tabs = {a.key for a in ACTIONS if a.key and a.tab != "any"}
    assert not everywhere & of_tabs


def test_each_action_is_named_once_and_the_toolbar_names_only_these():
    ids = [action.id for action in ACTIONS]
    assert len(set(ids)) == len(ids)
    assert {name for group in TOOLBAR for name in group} <= set(ids)


def test_every_action_of_the_toolbar_tells_more_than_its_name():
    tips = {action.id: action.tip for action in ACTIONS}
    assert [name for group in TOOLBAR for name in group if not tips[name]] == []


@pytest.mark.parametrize("ways", [{}, {"run": print, "setting": "mirror"}])
def test_an_action_that_does_nothing_or_two_things_is_refused(ways):
    with pytest.raises(ValueError, match="expected one of run, switch, setting"):
        WindowAction("x", "X", "X", **ways)


def test_a_key_switches_its_setting_and_the_help_sheet_lists_every_key(qtbot, open_window):
    window, meter = open_window(GRAY)
    wait_for_pictures(qtbot, meter)
    bars = window.action["bars"]
    assert bars.isChecked()
    assert bars.toolTip() == "Bars (B)\nThe probabilities of the followed face"
    qtbot.keyClick(window, Qt.Key.Key_B)
    assert not window.preferences.now.show_panel
    assert not bars.isChecked()
    assert not window.live.panel.isVisible()
    window.action["help"].trigger()
    sheet = next(d for d in window.findChildren(QDialog) if d.windowTitle() == "Help")
    texts = {label.text() for label in sheet.findChildren(QLabel)}
    assert {action.text.replace("&", "") for action in ACTIONS if action.key} <= texts
    sheet.close()
