"""Data out: the outputs that are on in this window, from the command line or the dialog."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QWidget

from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.outputs.kind import Opening
from fer_live.outputs.registry import check_outputs, open_output, output_kinds
from fer_live.painting.annotated_video import FramePainter
from fer_live.session.attached import AttachedOutput
from fer_live.session.live import LiveSession
from fer_live.window.dialogs.outputs_dialog import OutputsDialog


class DataOut(QObject):
    """At most one output of each kind; where each one went last stays in the dialog.

    An output starts with the first picture, because only the model knows the labels: `wanted` are
    those of the command line. `refused` says why one of them could not be started, and `failed`
    why one ended by itself. `signals_needed` is emitted where one began that has nothing to send
    while the signals are off.
    """

    refused = pyqtSignal(str)
    failed = pyqtSignal(str)
    signals_needed = pyqtSignal()
    _broke = pyqtSignal(str, str)

    def __init__(self, parent: QWidget, session: LiveSession, wanted: Mapping[str, str]) -> None:
        super().__init__(parent)
        self._parent, self._session = parent, session
        self._wanted, self._places = dict(wanted), dict(wanted)
        self._outputs = {name: AttachedOutput(session, name) for name in output_kinds()}
        self._dialog: OutputsDialog | None = None
        self._broke.connect(self._end_broken)

    @property
    def is_on(self) -> bool:
        """Whether at least one output of the window is running."""
        return any(output.is_on for output in self._outputs.values())

    @property
    def dialog(self) -> OutputsDialog | None:
        """The dialog of the outputs; None until it is shown for the first time."""
        return self._dialog

    def switch(self, name: str, where: str | None, *, is_given: bool = False) -> str:
        """Start an output in place of the one of its kind, or end it with None.

        Returns what went wrong, empty where nothing did. A file is replaced only where the command
        line gave its name (`is_given`).
        """
        self._wanted.pop(name, None)
        self._outputs[name].end()
        if where is None:
            return ""
        self._places[name] = where
        pipeline = self._session.pipeline
        try:
            if output_kinds()[name].writes_file and Path(where).exists() and not is_given:
                return tr("{path}: is there already; choose another name", path=where)
            check_outputs({name: where})
            if pipeline is None:
                self._wanted[name] = where
                return ""
            labels = pipeline.labels
            make_painter = partial(FramePainter, labels)
            opening = Opening(
                where,
                labels,
                make_painter,
                is_live=True,
                with_signals=pipeline.with_signals,
                markers_in=self._session.markers,
            )
            sink = open_output(name, opening)
        except FerLiveError as error:
            return str(error)
        self._outputs[name].begin(sink, lambda error: self._broke.emit(name, str(error)))
        if output_kinds()[name].needs_signals and not pipeline.with_signals:
            self.signals_needed.emit()
        return ""

    def start_wanted(self) -> None:
        """Start what waited for the model; call once its first result is there."""
        for name, where in list(self._wanted.items()):
            if trouble := self.switch(name, where, is_given=True):
                self.refused.emit(trouble)

    def status(self, name: str) -> str | None:
        """How an output does: empty while it waits for the model, None where it is off."""
        if name in self._wanted:
            return ""
        worker = self._outputs[name].worker
        if worker is None:
            return None
        counts = tr(
            "{written} sent, {dropped} dropped",
            written=worker.written,
            dropped=worker.dropped_in_all,
        )
        return "; ".join(filter(None, (counts, worker.described)))

    def show_dialog(self) -> None:
        """Open the dialog, or bring it to the front."""
        if self._dialog is None:
            self._dialog = OutputsDialog(self._parent, self._places, self.switch, self.status)
        self._dialog.show()
        self._dialog.raise_()

    def end(self) -> None:
        """End every output that runs; what waits is written on other threads."""
        for name, output in self._outputs.items():
            if output.is_on:
                self.switch(name, None)

    def wait(self) -> None:
        """Block until every output that ended is closed."""
        for output in self._outputs.values():
            output.wait()

    def _end_broken(self, name: str, message: str) -> None:
        self.switch(name, None)
        self.failed.emit(message)
