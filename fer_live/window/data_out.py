"""Data out: the outputs that are on in this window, from the command line or the dialog."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QWidget

from fer_live.base.home import documents, made
from fer_live.base.translation import tr
from fer_live.errors import FerLiveError, InputError
from fer_live.outputs.kind import Opening, OutputKind
from fer_live.outputs.registry import check_output, missing_extra, output_kinds
from fer_live.painting.annotated_video import FramePainter
from fer_live.session.shared_output import LiveSource, SharedOutput
from fer_live.window.dialogs.output_card import OutputState
from fer_live.window.dialogs.outputs_dialog import OutputsDialog


class DataOut(QObject):
    """At most one output of each kind; where each one went last stays in the dialog.

    `sources` gives the live sources, the chosen one first; an output takes all of them, or the
    chosen one where it has room for one alone. It starts with the first picture, because only the
    model knows the labels: `wanted` are those of the command line. `refused` says why one of them
    could not be started, and `failed` why one ended by itself while nobody saw the dialog.
    `signals_needed` is emitted where one began that has nothing to send while the signals are off.
    """

    refused = pyqtSignal(str)
    failed = pyqtSignal(str)
    signals_needed = pyqtSignal()
    _broke = pyqtSignal(str, object)
    _tested = pyqtSignal(object, str)

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
            name: SharedOutput(kind.sharing, partial(self._tell_broken, name), name)
            for name, kind in output_kinds().items()
        }
        self._dialog: OutputsDialog | None = None
        self._trouble: dict[str, tuple[str, str]] = {}
        self._broke.connect(self._end_broken)
        self._tested.connect(self._answer_test)

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

        Returns what went wrong, empty where nothing did; the output's card says it too. A file is
        replaced only where the command line gave its name (`is_given`).
        """
        self._wanted.pop(name, None)
        self._outputs[name].end()
        self._trouble[name] = ("", "")
        if where is None:
            return ""
        self._places[name] = where
        try:
            self._begin(name, where, is_given=is_given)
        except FerLiveError as error:
            self._trouble[name] = (str(error), "")
        return self._trouble[name][0]

    def _begin(self, name: str, where: str, *, is_given: bool) -> None:
        kind, sources = output_kinds()[name], self._sources()
        loaded = [source.session.pipeline for source in sources if source.session.pipeline]
        if kind.writes_file:
            path = Path(where)
            if path.exists() and not is_given:
                raise InputError(tr("{path}: is there already; choose another name", path=path))
            if path.parent == documents():
                made(path.parent)
        check_output(kind, where)
        if not loaded:
            self._wanted[name] = where
            return
        pipeline = loaded[0]
        opening = Opening(
            where,
            pipeline.labels,
            partial(FramePainter, pipeline.labels),
            is_live=True,
            with_signals=pipeline.with_signals,
            markers_in=sources[0].session.markers,
        )
        self._outputs[name].begin(
            sources, lambda source: kind.open(replace(opening, source=source))
        )
        if kind.needs_signals and not pipeline.with_signals:
            self.signals_needed.emit()

    def start_wanted(self) -> None:
        """Start what waited for the model; call once its first result is there."""
        for name, where in list(self._wanted.items()):
            if trouble := self.switch(name, where, is_given=True):
                self.refused.emit(f"{output_kinds()[name].option}: {trouble}")

    def add(self, source: LiveSource) -> None:
        """Let every output that is on take in one more source; says why where one cannot."""
        for name, output in self._outputs.items():
            try:
                output.add(source)
            except FerLiveError as error:
                self._end_broken(name, error)

    def remove(self, source: LiveSource) -> None:
        """Let every output go on without this source; one that had no other ends."""
        for output in self._outputs.values():
            output.remove(source)

    def state(self, name: str) -> OutputState:
        """How an output does."""
        trouble, details = self._trouble.get(name, ("", ""))
        if name in self._wanted:
            return OutputState(is_on=True, is_waiting=True)
        workers = self._outputs[name].workers
        if not workers:
            obstacle = obstacle_of(output_kinds()[name])
            return OutputState(trouble=trouble, details=details, obstacle=obstacle)
        counts = tr(
            "{written} sent, {dropped} dropped",
            written=sum(worker.written for worker in workers),
            dropped=sum(worker.dropped_in_all for worker in workers),
        )
        described = dict.fromkeys(worker.described for worker in workers)
        return OutputState(
            is_on=True,
            counts="; ".join(filter(None, (counts, *described))),
            last_message=workers[0].last_message,
            address=workers[0].address_to_copy,
            page=workers[0].page_address,
        )

    def test(self, name: str, then: Callable[[str], None]) -> None:
        """Let an output that runs send a test, of several sources that of the first; `then` gets
        what happened, on the GUI thread."""
        workers = self._outputs[name].workers
        if workers:
            workers[0].test(lambda answer: self._tested.emit(then, answer))

    def show_dialog(self) -> None:
        """Open the dialog, or bring it to the front."""
        if self._dialog is None:
            self._dialog = OutputsDialog(
                self._parent, self._places, switch=self.switch, state=self.state, test=self.test
            )
        self._dialog.refresh()
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
        self._broke.emit(name, error)

    def _end_broken(self, name: str, error: Exception) -> None:
        """Its card says why; so does a message of the window where nobody sees the card."""
        self.switch(name, None)
        title = tr(output_kinds()[name].title)
        if isinstance(error, FerLiveError):
            self._trouble[name] = (str(error), "")
        else:  # in the words of a library, which are for whoever mends it
            words = tr("it stopped because of an error in FER Live; switch it on again")
            self._trouble[name] = (words, f"{type(error).__name__}: {error}")
        if self._dialog is not None and self._dialog.isVisible():
            self._dialog.refresh()
        else:
            self.failed.emit(f"{title}: {self._trouble[name][0]}")

    def _answer_test(self, then: Callable[[str], None], answer: str) -> None:
        # A method, not a lambda: Qt forgets it with this object.
        then(answer)


def obstacle_of(kind: OutputKind) -> str:
    """Why an output cannot be switched on here, and what to do; empty where it can."""
    extra = missing_extra(kind)
    if not extra:
        return kind.trouble()
    return tr(
        "It needs a package that is not installed. In the project's folder: pip install "
        "'.[{extra}]', then start FER Live again",
        extra=extra,
    )
