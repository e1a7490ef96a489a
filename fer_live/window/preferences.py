"""The settings of this window: those that hold now, those that are kept, and the language."""

from collections.abc import Callable, Mapping

from PyQt6.QtCore import QEvent, QLibraryInfo, QLocale, QObject, QTimer, QTranslator, pyqtSignal
from PyQt6.QtWidgets import QApplication, QWidget

from fer_live.base.settings import Settings, change_settings, load_settings, settings_changed_ns
from fer_live.base.translation import set_language
from fer_live.errors import FerLiveError
from fer_live.window.dialogs.settings_dialog import SettingsDialog
from fer_live.window.notices import failed, warned
from fer_live.window.style import show_theme

_LOOK_EVERY_MS = 500


class Preferences(QObject):
    """Owns the settings, their file, their dialog, and the language.

    `now` holds in this window; `kept` is what the next start finds. They differ by what the command
    line said (`for_now`), until that is changed here. With `saves`, every change is written to
    the file, and a model that another process wrote there is taken over: then `model_taken` is
    emitted. `changed` brings every change as a dictionary of field names and values, and `said`
    a line for the person.
    """

    changed = pyqtSignal(object)
    model_taken = pyqtSignal()
    said = pyqtSignal(object)

    def __init__(
        self, parent: QWidget, kept: Settings, for_now: Mapping[str, object], *, saves: bool
    ) -> None:
        super().__init__(parent)
        self.kept, self.now = kept, kept.but(**for_now)
        self._saves = saves
        self._parent = parent
        self._dialog: SettingsDialog | None = None
        self._qt_translator = QTranslator(self)
        self._speak(kept.language)
        show_theme(self.now.theme)
        self._file_changed_ns = settings_changed_ns()
        if saves:
            timer = QTimer(self)
            timer.timeout.connect(self._take_model_from_disk)
            timer.start(_LOOK_EVERY_MS)

    @property
    def dialog(self) -> SettingsDialog | None:
        """The dialog of the settings; None until it is shown for the first time."""
        return self._dialog

    def change(self, changes: dict[str, object]) -> None:
        """Let these settings hold from now on, and keep them."""
        self.now = self.now.but(**changes)
        self.keep(changes)
        if "theme" in changes:
            show_theme(self.now.theme)
        if "language" in changes:
            self._speak(self.now.language)
            for window in QApplication.topLevelWidgets():
                QApplication.sendEvent(window, QEvent(QEvent.Type.LanguageChange))
        self.changed.emit(changes)
        self._refresh_dialog()

    def put_back(self, changes: dict[str, object]) -> None:
        """Undo a change that could not be carried out; `changed` is not emitted."""
        self.now = self.now.but(**changes)
        self.keep(changes)
        self._refresh_dialog()

    def switch_timeline(self, name: str, on: bool) -> None:
        """Keep how timelines are shown: `name` is lines, lanes or episodes."""
        self.change({f"timeline_{name}": on})

    def use_for_now(self, changes: dict[str, object]) -> None:
        """Let these settings hold in this window alone; the file and the dialog stay."""
        self.now = self.now.but(**changes)

    def keep(self, changes: dict[str, object]) -> None:
        """Write these settings to the file for the next start."""
        if self._saves and "model" not in changes:
            self._take_model_from_disk()  # or what was chosen elsewhere would be written over
        self.kept = self.kept.but(**changes)
        if not self._saves:
            return
        try:
            change_settings(changes, instead=self.kept)
            self._file_changed_ns = settings_changed_ns()
        except FerLiveError as error:
            self.said.emit(failed(str(error)))

    def show_dialog(self, is_camera: Callable[[], bool]) -> None:
        """Open the settings, or bring them to the front; `is_camera` tells of the source."""
        if self._dialog is None:
            self._dialog = SettingsDialog(self._parent, self.now, self.change, is_camera)
        self._refresh_dialog()
        self._dialog.show()
        self._dialog.raise_()

    def _refresh_dialog(self) -> None:
        if self._dialog is not None:
            self._dialog.show_settings(self.now)

    def _take_model_from_disk(self) -> None:
        """`fer-live models use`, run beside this window, changes the settings file."""
        try:
            changed_ns = settings_changed_ns()
            if changed_ns == self._file_changed_ns:
                return
            self._file_changed_ns = changed_ns
            stored, trouble = load_settings()
        except FerLiveError:  # a drive that went away: the settings stay as they are
            return
        if trouble:
            self.said.emit(warned(trouble))
        elif stored.model != self.kept.model:
            self.change({"model": stored.model})
            self.model_taken.emit()

    def _speak(self, language: str) -> None:
        code = QLocale.system().name()[:2] if language == "system" else language
        set_language(code)
        application = QApplication.instance()
        assert application is not None
        application.removeTranslator(self._qt_translator)
        folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
        if self._qt_translator.load(f"qtbase_{code}", folder):
            application.installTranslator(self._qt_translator)
