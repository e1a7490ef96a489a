"""Data out: the outputs that are on in this window, from the command line or the dialog."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QWidget

from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.outputs.kind import Opening
from fer_live.outputs.registry import check_outputs, open_output, output_kinds
from fer_live.painting.annotated_video import FramePainter
from fer_live.session.shared_output import LiveSource, SharedOutput
from fer_live.window.dialogs.outputs_dialog import OutputsDialog


class DataOut(QObject):
    """At most one output of each kind; where each one went last stays in the dialog.

    `sources` gives the live sources, the chosen one first; an output takes all of them, or the
    chosen one where it has room for one alone. It starts with the first picture, because only the
    model knows the labels: `wanted` are those of the command line. `refused` says why one of them
    could not be started, and `failed` why one ended by itself. `signals_needed` is emitted where
    one began that has nothing to send while the signals are off.
    """

    refused = pyqtSignal(str)
    failed = pyqtSignal(str)
    signals_needed = pyqtSignal()
    _broke = pyqtSignal(str, str)

    def __init__(
        self,
        parent: QWidget,
        sources: Callable[[], Sequence[LiveSource]],
        wanted: Mapping[str, str],
    ) -> None:
        super().__init__(parent)
        self._parent, self._sources = parent, sources
        self._wanted, self._places = dict(wanted), dict(wanted)
        self._outputs = {
            name: SharedOutput(kind.sharing, partial(self._tell_broken, name))
            for name, kind in output_kinds().items()
        }
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
        sources = self._sources()
        loaded = [source.session.pipeline for source in sources if source.session.pipeline]
        try:
            if output_kinds()[name].writes_file and Path(where).exists() and not is_given:
                return tr("{path}: is there already; choose another name", path=where)
            check_outputs({name: where})
            if not loaded:
                self._wanted[name] = where
                return ""
            pipeline = loaded[0]
            labels = pipeline.labels
            make_painter = partial(FramePainter, labels)
            opening = Opening(
                where, labels, make_painter, is_live=True, with_signals=pipeline.with_signals
            )
            self._outputs[name].begin(
                sources, lambda source: open_output(name, replace(opening, source=source))
            )
        except FerLiveError as error:
            return str(error)
        if output_kinds()[name].needs_signals and not pipeline.with_signals:
            self.signals_needed.emit()
        return ""

    def start_wanted(self) -> None:
        """Start what waited for the model; call once its first result is there."""
        for name, where in list(self._wanted.items()):
            if trouble := self.switch(name, where, is_given=True):
                self.refused.emit(trouble)

    def add(self, source: LiveSource) -> None:
        """Let every output that is on take in one more source; says why where one cannot."""
        for name, output in self._outputs.items():
            try:
                output.add(source)
            except FerLiveError as error:
                self._end_broken(name, str(error))

    def remove(self, source: LiveSource) -> None:
        """Let every output go on without this source; one that had no other ends."""
        for output in self._outputs.values():
            output.remove(source)

    def status(self, name: str) -> str | None:
        """How an output does: empty while it waits for the model, None where it is off."""
        if name in self._wanted:
            return ""
        workers = self._outputs[name].workers
        if not workers:
            return None
        counts = tr(
            "{written} sent, {dropped} dropped",
            written=sum(worker.written for worker in workers),
            dropped=sum(worker.dropped_in_all for worker in workers),
        )
        described = dict.fromkeys(worker.described for worker in workers)
        return "; ".join(filter(None, (counts, *described)))

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

    def _tell_broken(self, name: str, error: Exception) -> None:
        """On the thread of the output that broke."""
        self._broke.emit(name, str(error))

    def _end_broken(self, name: str, message: str) -> None:
        self.switch(name, None)
        self.failed.emit(message)
