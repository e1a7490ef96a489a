"""Writes the report of a recording on another thread, and opens it."""

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QDialog, QMessageBox, QWidget

from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.recording.recorder import Recording
from fer_live.window.background import Background
from fer_live.window.dialogs.report_dialog import ReportDialog
from fer_live.window.file_dialogs import ask_to_save
from fer_live.window.links import show_file


class Reports(QObject):
    """`show_writing(True)` is called when a report is begun, `show_writing(False)` at its end."""

    def __init__(self, parent: QWidget, show_writing: Callable[[bool], None]) -> None:
        super().__init__(parent)
        self._parent, self._show_writing = parent, show_writing
        self._background = Background(self)

    def ask(self, recording: Recording) -> None:
        """Ask what is to be in the report and where it goes, and write it."""
        dialog = ReportDialog(self._parent)
        if dialog.exec() != QDialog.DialogCode.Accepted:
            return
        chosen = ask_to_save(
            self._parent,
            tr("Save the report"),
            str(recording.folder / "report.html"),
            "HTML (*.html)",
        )
        if chosen:
            self.write(recording, Path(chosen), with_pictures=dialog.with_pictures)

    def write(self, recording: Recording, path: Path, *, with_pictures: bool = False) -> None:
        """Write the report on another thread, then open it; where no browser opens, say where it
        lies."""

        def write() -> None:
            # jinja2 takes a moment to import, which no first picture has to wait for.
            from fer_live.recording.report import write_recording_report

            write_recording_report(path, recording, with_pictures=with_pictures)

        def show(result: object) -> None:
            self._show_writing(False)
            if isinstance(result, FerLiveError):
                QMessageBox.warning(self._parent, "FER Live", str(result))
            else:
                show_file(self._parent, path)

        self._show_writing(True)
        self._background.run(write, show)

    def wait(self) -> None:
        """Block until every report is written."""
        self._background.wait()
