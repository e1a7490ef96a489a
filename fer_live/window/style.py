"""How the window looks, in light and in dark, as the system is set."""

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPalette
from PyQt6.QtWidgets import QApplication

_LIGHT = {
    QPalette.ColorRole.Window: "#f3f5f7",
    QPalette.ColorRole.WindowText: "#1b232d",
    QPalette.ColorRole.Base: "#ffffff",
    QPalette.ColorRole.AlternateBase: "#e9edf1",
    QPalette.ColorRole.Text: "#1b232d",
    QPalette.ColorRole.Button: "#ffffff",
    QPalette.ColorRole.ButtonText: "#1b232d",
    QPalette.ColorRole.Mid: "#cfd6de",
    QPalette.ColorRole.PlaceholderText: "#5d6875",
    QPalette.ColorRole.Highlight: "#2f6f9f",
    QPalette.ColorRole.HighlightedText: "#ffffff",
    QPalette.ColorRole.ToolTipBase: "#1b232d",
    QPalette.ColorRole.ToolTipText: "#f3f5f7",
    QPalette.ColorRole.Link: "#2f6f9f",
}
_DARK = {
    QPalette.ColorRole.Window: "#171c23",
    QPalette.ColorRole.WindowText: "#e6eaee",
    QPalette.ColorRole.Base: "#10141a",
    QPalette.ColorRole.AlternateBase: "#212832",
    QPalette.ColorRole.Text: "#e6eaee",
    QPalette.ColorRole.Button: "#232b36",
    QPalette.ColorRole.ButtonText: "#e6eaee",
    QPalette.ColorRole.Mid: "#384250",
    QPalette.ColorRole.PlaceholderText: "#9aa6b3",
    QPalette.ColorRole.Highlight: "#4d93c4",
    QPalette.ColorRole.HighlightedText: "#0d1116",
    QPalette.ColorRole.ToolTipBase: "#e6eaee",
    QPalette.ColorRole.ToolTipText: "#171c23",
    QPalette.ColorRole.Link: "#7fb8de",
}
_DISABLED = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
)
_SHEET = """
QToolBar {{ border: none; padding: 4px; spacing: 4px; }}
QToolButton, QPushButton {{ border: 1px solid {mid}; border-radius: 6px; padding: 5px 10px;
  background: {button}; color: {text}; }}
QToolButton:hover, QPushButton:hover {{ border-color: {highlight}; }}
QToolButton:checked, QPushButton:checked {{ background: {highlight}; color: {highlighted}; }}
QToolButton:focus, QPushButton:focus, QComboBox:focus, QSlider:focus, QListWidget:focus
  {{ border: 1px solid {highlight}; }}
QToolButton:disabled, QPushButton:disabled {{ color: {faint}; }}
QToolButton::menu-indicator {{ width: 0; }}
QToolButton#qt_toolbar_ext_button {{ border: none; padding: 0; background: none; }}
QTabBar::tab {{ padding: 6px 14px; border: none; color: {faint}; }}
QTabBar::tab:selected {{ color: {text}; border-bottom: 2px solid {highlight}; }}
QTabWidget::pane {{ border: none; }}
QFrame#card {{ background: {base}; border: 1px solid {mid}; border-radius: 10px; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ color: {faint}; padding: 0 6px; }}
"""


def apply_style(application: QApplication) -> None:
    """Set colours and style sheet, now and whenever the system turns light or dark."""
    application.setStyle("Fusion")
    hints = application.styleHints()
    assert hints is not None, "Qt makes it with the application"
    _dress(application, hints.colorScheme())
    hints.colorSchemeChanged.connect(lambda scheme: _dress(application, scheme))


def _dress(application: QApplication, scheme: Qt.ColorScheme) -> None:
    colors = _DARK if scheme == Qt.ColorScheme.Dark else _LIGHT
    palette = QPalette()
    for role, name in colors.items():
        palette.setColor(role, QColor(name))
    faint = colors[QPalette.ColorRole.PlaceholderText]
    for role in _DISABLED:
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(faint))
    application.setPalette(palette)
    application.setStyleSheet(
        _SHEET.format(
            text=colors[QPalette.ColorRole.ButtonText],
            button=colors[QPalette.ColorRole.Button],
            base=colors[QPalette.ColorRole.Base],
            mid=colors[QPalette.ColorRole.Mid],
            highlight=colors[QPalette.ColorRole.Highlight],
            highlighted=colors[QPalette.ColorRole.HighlightedText],
            faint=faint,
        )
    )
