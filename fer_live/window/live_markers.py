"""Markers in the window: made by keys, heard from other programs, shown on the timeline."""

from collections.abc import Mapping

from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QWidget

from fer_live.base.settings import MarkerKey
from fer_live.base.translation import tr
from fer_live.datatypes import Marker
from fer_live.errors import InputError
from fer_live.outputs.markers import MarkedSpan, MarkedSpans, clean_text, parse_marker
from fer_live.recording.history import KEPT_S
from fer_live.session.marker_board import MarkerBoard
from fer_live.session.marker_inputs import MarkerInput, check_marker_input, open_marker_inputs
from fer_live.window.dialogs.markers_dialog import MarkersDialog
from fer_live.window.live_page import LivePage
from fer_live.window.notices import warned
from fer_live.window.preferences import Preferences

_SHOWN_FOR_S = KEPT_S
_SHOWN = 300
_RECENT = 20


class LiveMarkers(QObject):
    """Joins the board of markers with the live page's bar and timeline, and the ways in.

    What a digit means is kept in the settings; the ways in are open for as long as this window is.
    `refused` says why a way in of the command line could not be opened, `said` brings a line for
    the person.
    """

    refused = pyqtSignal(str)
    said = pyqtSignal(object)
    _came = pyqtSignal(object)
    _flooded = pyqtSignal(str, int)

    def __init__(
        self, parent: QWidget, board: MarkerBoard, page: LivePage, preferences: Preferences
    ) -> None:
        super().__init__(parent)
        self._parent, self._board, self._page, self._preferences = parent, board, page, preferences
        self._inputs: dict[str, MarkerInput] = {}
        self._places: dict[str, str] = {}
        self._dialog: MarkersDialog | None = None
        self._spans = MarkedSpans()
        self._shown: list[MarkedSpan] = []
        # Markers come on any thread; the board bounds how many there can be.
        self._came.connect(self._show)
        self._flooded.connect(self._tell_flood)
        self._tell = self._came.emit
        board.subscribe(self._tell)
        board.on_flood = self._flooded.emit
        bar = page.marker_bar
        bar.marked.connect(self._mark_typed)
        bar.key_pressed.connect(self._mark_by_key)
        bar.ended.connect(lambda name, at_s: self._board.add(f"end:{name}", "key", at_s))
        bar.keys_wanted.connect(self.show_dialog)
        preferences.changed.connect(lambda _: self._refresh_bar())
        self._refresh_bar()

    def listen(self, wanted: Mapping[str, str]) -> None:
        """Open the ways in that the command line named."""
        for name, where in wanted.items():
            if trouble := self.switch(name, where):
                self.refused.emit(f"--marker-{name}: {trouble}")

    def switch(self, name: str, where: str | None) -> str:
        """Open a way in, or close it with None; returns what went wrong, empty where nothing."""
        if (before := self._inputs.pop(name, None)) is not None:
            before.close()
        if where is None:
            return ""
        self._places[name] = where
        try:
            check_marker_input(name, where)
            (self._inputs[name],) = open_marker_inputs({name: where}, self._board)
        except InputError as error:
            return str(error)
        return ""

    def status(self, name: str) -> str | None:
        """How a way in does; None where it is closed."""
        opened = self._inputs.get(name)
        return None if opened is None else opened.described

    @property
    def dialog(self) -> MarkersDialog | None:
        """The dialog of keys and ways in; None until it is shown for the first time."""
        return self._dialog

    def show_dialog(self) -> None:
        """Open the dialog of keys and ways in, or bring it to the front."""
        if self._dialog is None:
            self._dialog = MarkersDialog(self._parent, self._places, self.switch, self.status)
            self._dialog.keys_changed.connect(self._keep_keys)
        self._dialog.show_keys(self._preferences.now.marker_keys)
        self._dialog.show()
        self._dialog.raise_()

    def end(self) -> None:
        """Close every way in."""
        self._board.unsubscribe(self._tell)
        self._board.on_flood = lambda _origin, _n: None
        for name in list(self._inputs):
            self.switch(name, None)

    def _mark_typed(self, text: str, at_s: float) -> None:
        self._mark(text or tr("mark"), at_s)
        _, name = parse_marker(text)
        if name:
            settings = self._preferences.now
            others = [other for other in settings.recent_markers if other != name]
            changes: dict[str, object] = {"recent_markers": (name, *others)[:_RECENT]}
            self._preferences.use_for_now(changes)
            self._preferences.keep(changes)  # `change` would set up the whole window anew
            self._refresh_bar()

    def _mark_by_key(self, digit: int, at_s: float) -> None:
        keys = self._preferences.now.marker_keys
        if not 1 <= digit <= len(keys) or not keys[digit - 1].text:
            return
        key = keys[digit - 1]
        if not key.is_interval:
            self._mark(key.text, at_s)
            return
        is_open = clean_text(key.text) in {marker.text for marker in self._board.begun}
        self._mark(f"{'end' if is_open else 'begin'}:{key.text}", at_s)

    def _mark(self, text: str, at_s: float) -> None:
        marker = self._board.add(text, "key", at_s)
        if marker is None:
            return
        lines = {
            "moment": tr("marked: {text}", text=marker.text),
            "begin": tr("begins: {text}", text=marker.text),
            "end": tr("ends: {text}", text=marker.text),
        }
        self._page.marker_bar.tell(lines[marker.kind])

    def _show(self, marker: Marker) -> None:
        span = self._spans.add(marker)
        if span is None:
            return
        oldest_s = marker.time_s - _SHOWN_FOR_S
        self._shown = [
            other
            for other in self._shown
            if (other.to_s is None or other.to_s > oldest_s)
            and (other.text, other.from_s) != (span.text, span.from_s)
        ]
        self._shown = [*self._shown, span][-_SHOWN:]
        self._page.show_marks(self._shown)
        self._refresh_bar()

    def _refresh_bar(self) -> None:
        settings = self._preferences.now
        begun = [marker.text for marker in self._board.begun]
        self._page.marker_bar.show_choices(settings.marker_keys, begun, settings.recent_markers)

    def _keep_keys(self, keys: tuple[MarkerKey, ...]) -> None:
        self._preferences.change({"marker_keys": keys})

    def _tell_flood(self, origin: str, n: int) -> None:
        line = tr("Too many markers at once from {origin}: {n} left out", origin=origin, n=n)
        self.said.emit(warned(line))
