"""Check this computer, and report a problem: what the machine has, shown before it is saved."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QObject, QSize, QStandardPaths, Qt
from PyQt6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.window.background import Background
from fer_live.window.file_dialogs import ask_to_save
from fer_live.window.icons import RED_SIGN, icon
from fer_live.window.notices import Notice, done, failed
from fer_live.window.widgets.scrolled import Scrolled, resize_within_screen

_GOOD, _MISSING, _BAD = ("circle-check", "#2f9e5b"), ("info", "#4d93c4"), ("circle-x", RED_SIGN)


class Examination(QObject):
    """Opens either dialog; the machine is examined on a thread of its own, in some seconds.

    `say` gets what came of it.
    """

    def __init__(
        self, parent: QWidget, settings: Callable[[], Settings], say: Callable[[Notice], None]
    ) -> None:
        super().__init__(parent)
        self._parent, self._settings, self._say = parent, settings, say
        self._background = Background(self)

    def show(self) -> QDialog:
        """Open the check of this computer."""
        dialog = _WaitingDialog(self._parent, tr("Check this computer"))
        dialog.show()
        self._background.run(_examine, lambda found: self._show_findings(dialog, found))
        return dialog

    def report_problem(self) -> QDialog:
        """Gather a report and show all of it; it is saved where the person wants, or not at all."""
        dialog = _WaitingDialog(self._parent, tr("Report a problem"))
        dialog.show()
        settings = self._settings()
        self._background.run(
            lambda: _gather(settings), lambda texts: self._show_report(dialog, texts)
        )
        return dialog

    def wait(self) -> None:
        """Block until no examination runs any more."""
        self._background.wait()

    def _show_findings(self, dialog: "_WaitingDialog", found: object) -> None:
        if isinstance(found, dict):
            dialog.replace(_findings(found))

    def _show_report(self, dialog: "_WaitingDialog", texts: object) -> None:
        if isinstance(texts, FerLiveError):
            dialog.close()
            self._say(failed(str(texts)))
        elif isinstance(texts, dict):
            dialog.replace(_Report(texts), on_save=lambda: self._save(dialog, texts))

    def _save(self, dialog: QDialog, texts: dict[str, str]) -> None:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        first = Path(folder) / f"FER Live problem {datetime.now():%Y-%m-%d %H.%M}.zip"
        chosen = ask_to_save(dialog, tr("Save the report"), str(first), tr("Zip files (*.zip)"))
        if not chosen:
            return
        from fer_live.checkup.problem import save_problem_report

        try:
            save_problem_report(texts, Path(chosen))
        except FerLiveError as problem:
            self._say(failed(str(problem)))
            return
        dialog.close()
        self._say(done(tr("Saved: {path}", path=chosen), Path(chosen).parent))


def _examine() -> dict[str, Any]:
    # What it tries is heavy to import, and not needed before.
    from fer_live.checkup.examination import examine

    return examine()


def _gather(settings: Settings) -> dict[str, str]:
    from fer_live.checkup.problem import problem_report

    return problem_report(settings)


class _WaitingDialog(QDialog):
    """Says that it takes a moment, then shows what came."""

    def __init__(self, parent: QWidget, title: str) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self._content = QWidget()
        self._column = QVBoxLayout(self._content)
        self._body: QWidget = QLabel(tr("Looking; this takes some seconds…"))
        self._column.addWidget(self._body)
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._buttons.rejected.connect(self.reject)
        outer = QVBoxLayout(self)
        outer.addWidget(Scrolled(self._content), 1)
        outer.addWidget(self._buttons)
        resize_within_screen(self, QSize(560, 120))

    def replace(self, body: QWidget, on_save: Callable[[], None] | None = None) -> None:
        """Show this in place of what was there."""
        self._column.replaceWidget(self._body, body)
        self._body.deleteLater()
        self._body = body
        if on_save is not None:
            button = self._buttons.addButton(tr("&Save…"), QDialogButtonBox.ButtonRole.AcceptRole)
            assert button is not None
            button.clicked.connect(on_save)
            button.setFocus()
        self._column.activate()
        width = max(self._content.sizeHint().width() + 60, 560)
        height = max(self._content.heightForWidth(width), self._content.sizeHint().height()) + 90
        resize_within_screen(self, QSize(width, height))


def _findings(found: dict[str, Any]) -> QWidget:
    """One row a part of the machine: a mark, its name, and what that means for the person."""
    rows = [
        (_of(found["pipeline"]), tr("Reading faces"), found["pipeline"]["detail"]),
        (_of(found["screen"]), tr("Screen"), found["screen"]["detail"]),
        (
            _GOOD if found["cameras"] else _MISSING,
            tr("Cameras"),
            ", ".join(tr("camera {number}", number=number) for number in found["cameras"])
            or found["no_camera"],
        ),
        (_GOOD, tr("Processor"), f"{found['processor']['name']}\n{found['processor']['detail']}"),
    ]
    missing = [name for name, output in found["outputs"].items() if not output["ok"]]
    rows.append(
        (
            _MISSING if missing else _GOOD,
            tr("Data out"),
            tr("not installed: {names}", names=", ".join(missing)) if missing else tr("all there"),
        )
    )
    rows.append((_GOOD, tr("System"), f"{found['platform']}\nPython {found['python']}"))
    widget = QWidget()
    grid = QGridLayout(widget)
    grid.setColumnStretch(2, 1)
    for number, ((name, color), title, detail) in enumerate(rows):
        mark, words = QLabel(), QLabel(str(detail))
        mark.setPixmap(icon(name, color).pixmap(20, 20))
        words.setWordWrap(True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        top = Qt.AlignmentFlag.AlignTop
        grid.addWidget(mark, number, 0, top)
        grid.addWidget(QLabel(f"<b>{title}</b>"), number, 1, top)
        grid.addWidget(words, number, 2, top)
    return widget


def _of(finding: dict[str, Any]) -> tuple[str, str]:
    return _GOOD if finding["ok"] else _BAD


class _Report(QWidget):
    """The whole report, file by file, to read before it is saved."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self._texts = texts
        self._choice, self._text = QComboBox(), QPlainTextEdit()
        self._choice.addItems(list(texts))
        self._choice.setAccessibleName(tr("Part of the report"))
        self._choice.currentTextChanged.connect(lambda name: self._text.setPlainText(texts[name]))
        self._text.setReadOnly(True)
        self._text.setTabChangesFocus(True)
        self._text.setAccessibleName(tr("Text of the report"))
        self._text.setMinimumSize(620, 300)
        self._text.setPlainText(texts[self._choice.currentText()])
        words = QLabel(
            tr(
                "This is all that the report holds. No picture and no name of a file you "
                "opened is in it, and nothing is sent: save it, and give it to whoever helps you."
            )
        )
        words.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(words)
        column.addWidget(self._choice)
        column.addWidget(self._text, 1)
