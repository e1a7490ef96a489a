"""How the window looks, in light and in dark, as the system or the person sets it."""

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor, QPalette, QPixmapCache
from PyQt6.QtWidgets import QApplication

from fer_live.base.settings import Theme
from fer_live.model.assets import asset
from fer_live.window.icons import RED

_LIGHT = {
    QPalette.ColorRole.Window: "#f3f5f7",
    QPalette.ColorRole.WindowText: "#1b232d",
    QPalette.ColorRole.Base: "#ffffff",
    QPalette.ColorRole.AlternateBase: "#e9edf1",
    QPalette.ColorRole.Text: "#1b232d",
    QPalette.ColorRole.Button: "#ffffff",
    QPalette.ColorRole.ButtonText: "#1b232d",
    QPalette.ColorRole.Mid: "#cfd6de",
    QPalette.ColorRole.Light: "#ffffff",
    QPalette.ColorRole.Midlight: "#e9edf1",
    QPalette.ColorRole.Dark: "#9aa6b3",
    QPalette.ColorRole.Shadow: "#5d6875",
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
    QPalette.ColorRole.Light: "#2b3440",
    QPalette.ColorRole.Midlight: "#262e39",
    QPalette.ColorRole.Dark: "#10141a",
    QPalette.ColorRole.Shadow: "#0a0d11",
    QPalette.ColorRole.PlaceholderText: "#9aa6b3",
    QPalette.ColorRole.Highlight: "#4d93c4",
    QPalette.ColorRole.HighlightedText: "#0d1116",
    QPalette.ColorRole.ToolTipBase: "#e6eaee",
    QPalette.ColorRole.ToolTipText: "#171c23",
    QPalette.ColorRole.Link: "#7fb8de",
}
_SCALED_KB = 2048
"""Of pictures that Qt has scaled: room for the icons. By itself it would keep 10 MB, of portraits
that nobody sees any more."""
_DISABLED = (
    QPalette.ColorRole.WindowText,
    QPalette.ColorRole.Text,
    QPalette.ColorRole.ButtonText,
)
_SHEET = """
QToolBar {{ border: none; padding: 4px; spacing: 4px; }}
QToolBar QToolButton, QPushButton {{ border: 1px solid {mid}; border-radius: 6px;
  padding: 5px 10px; background: {button}; color: {text}; }}
QToolBar QToolButton:hover, QPushButton:hover {{ border-color: {highlight}; }}
QToolBar QToolButton:checked, QPushButton:checked {{ background: {highlight};
  color: {highlighted}; }}
QToolBar QToolButton:focus, QPushButton:focus {{ border: 1px solid {highlight}; }}
QToolBar QToolButton:disabled, QPushButton:disabled {{ color: {faint}; background: none; }}
QToolBar QToolButton#record:checked {{ background: {record}; color: #ffffff;
  border-color: {record}; }}
QToolButton::menu-indicator {{ width: 0; }}
QToolButton#qt_toolbar_ext_button {{ border: none; padding: 0; background: none; }}
QCheckBox::indicator {{ width: 15px; height: 15px; border: 1px solid {faint};
  border-radius: 4px; background: {base}; }}
QCheckBox::indicator:hover, QCheckBox::indicator:focus {{ border-color: {highlight}; }}
QCheckBox::indicator:checked {{ background: {highlight}; border-color: {highlight};
  image: url("{check}"); }}
QCheckBox::indicator:disabled {{ border-color: {mid}; }}
QTabBar::tab {{ padding: 6px 14px; border: none; color: {faint}; }}
QTabBar::tab:selected {{ color: {text}; border-bottom: 2px solid {highlight}; }}
QTabWidget::pane {{ border: none; }}
QFrame#card {{ background: {base}; border: 1px solid {mid}; border-radius: 10px; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ color: {faint}; padding: 0 6px; }}
QFrame#notice {{ background: {base}; border: 1px solid {mid}; border-radius: 8px; }}
"""

_chosen: Theme = "system"


def apply_style(application: QApplication) -> None:
    """Set colours and style sheet, now and whenever the system turns light or dark."""
    application.setStyle("Fusion")
    QPixmapCache.setCacheLimit(_SCALED_KB)
    hints = application.styleHints()
    assert hints is not None, "Qt makes it with the application"
    hints.colorSchemeChanged.connect(lambda _: show_theme(_chosen))
    show_theme(_chosen)


def show_theme(theme: Theme) -> None:
    """Dress every window in this theme from now on; "system" follows what the system says."""
    global _chosen
    _chosen = theme
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    hints = application.styleHints()
    assert hints is not None
    scheme = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}.get(theme)
    # Title bars and the system's own dialogs follow this.
    if scheme is None:
        hints.unsetColorScheme()
    elif hints.colorScheme() != scheme:
        hints.setColorScheme(scheme)
    is_dark = (scheme or hints.colorScheme()) == Qt.ColorScheme.Dark
    _dress(application, _DARK if is_dark else _LIGHT)


def _dress(application: QApplication, colors: dict[QPalette.ColorRole, str]) -> None:
    palette = QPalette()
    for role, name in colors.items():
        palette.setColor(role, QColor(name))
    faint = colors[QPalette.ColorRole.PlaceholderText]
    for role in _DISABLED:
        palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(faint))
    sheet = _SHEET.format(
        text=colors[QPalette.ColorRole.ButtonText],
        button=colors[QPalette.ColorRole.Button],
        base=colors[QPalette.ColorRole.Base],
        mid=colors[QPalette.ColorRole.Mid],
        highlight=colors[QPalette.ColorRole.Highlight],
        highlighted=colors[QPalette.ColorRole.HighlightedText],
        faint=faint,
        record=RED,
        check=asset("icons/check-white.svg").as_posix(),
    )
    if application.palette() != palette:
        application.setPalette(palette)
    if application.styleSheet() != sheet:
        application.setStyleSheet(sheet)
