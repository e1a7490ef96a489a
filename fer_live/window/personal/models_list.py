"""The list of models: the shipped one and one's own, each used, moved or removed with a click."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QGridLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.personal.about_model import made_on, score
from fer_live.personal.models import (
    SHIPPED,
    InstalledModel,
    lies_in,
    list_own_folders,
    remove_model,
)
from fer_live.personal.profile_file import PROFILE_SUFFIX, export_profile, import_profile
from fer_live.window.background import Background
from fer_live.window.file_dialogs import ask_to_open, ask_to_save
from fer_live.window.personal.model_dialog import ModelDialog
from fer_live.window.personal.model_words import name_of
from fer_live.window.translated import Translated

_MODEL = Qt.ItemDataRole.UserRole


class ModelsList(Translated, QWidget):
    """Lists the installed models; the one chosen goes to `change` as the setting `model`.

    `remake_wanted` brings the name of a profile that is to be made again from what is kept of the
    person.
    """

    remake_wanted = pyqtSignal(str)

    def __init__(
        self, settings: Callable[[], Settings], change: Callable[[dict[str, object]], None]
    ) -> None:
        super().__init__()
        self._settings, self._change = settings, change
        self._background = Background(self)
        self._newer: frozenset[str] = frozenset()
        self._title, self._note = QLabel(), QLabel()
        self._note.setWordWrap(True)
        self.list = QListWidget()
        self.list.setMaximumHeight(120)
        self.list.currentItemChanged.connect(lambda *_: self._enable())
        self.list.itemActivated.connect(lambda _: self._use())
        self._make_buttons()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self._title, self.list, self._note):
            column.addWidget(widget)
        column.addLayout(self._buttons)
        column.addStretch()
        self.translate()

    def _make_buttons(self) -> None:
        self.use_button, self.card_button = QPushButton(), QPushButton()
        self.remove_button, self.remake_button = QPushButton(), QPushButton()
        self.export_button, self.import_button = QPushButton(), QPushButton()
        self._buttons = QGridLayout()
        for number, (button, do) in enumerate(
            (
                (self.use_button, self._use),
                (self.card_button, self._show_card),
                (self.remove_button, self._remove),
                (self.remake_button, self._remake),
                (self.export_button, self._ask_where_to_export),
                (self.import_button, self._ask_what_to_import),
            )
        ):
            button.clicked.connect(do)
            self._buttons.addWidget(button, number // 3, number % 3)
        self._buttons.setColumnStretch(3, 1)

    def refresh(self) -> None:
        """List the models that are installed, the one in use marked; what their files say of
        themselves follows, read on another thread."""
        chosen = self._chosen()
        self.list.clear()
        for model in _all_models():
            item = QListWidgetItem(self._line(model, ""))
            item.setData(_MODEL, model)
            self.list.addItem(item)
            if chosen == model:
                self.list.setCurrentItem(item)
        if self.list.currentItem() is None:
            self.list.setCurrentRow(0)
        self._enable()
        self._background.run(_facts, self._show_facts)

    def stop(self) -> None:
        """Wait until the files are read."""
        self._background.wait()

    def _line(self, model: InstalledModel, fact: str) -> str:
        in_use = self._settings().model == (model.folder and str(model.folder))
        return ("● " if in_use else "   ") + name_of(model) + (f": {fact}" if fact else "")

    def _show_facts(self, result: object) -> None:
        if not isinstance(result, dict):
            return
        self._newer = frozenset(name for name, fact in result.items() if fact.has_newer_base)
        for row in range(self.list.count()):
            item = self.list.item(row)
            model = None if item is None else item.data(_MODEL)
            if item is not None and model is not None and model.name in result:
                item.setText(self._line(model, result[model.name].text))
        self._enable()

    def _chosen(self) -> InstalledModel | None:
        item = self.list.currentItem()
        return None if item is None else item.data(_MODEL)

    def _enable(self) -> None:
        model = self._chosen()
        in_use = model is not None and self._settings().model == (
            model.folder and str(model.folder)
        )
        self.use_button.setEnabled(model is not None and not in_use)
        self.card_button.setEnabled(model is not None)
        is_own = model is not None and model.folder is not None
        self.remove_button.setEnabled(is_own)
        self.export_button.setEnabled(is_own)
        is_old = model is not None and model.name in self._newer
        self.remake_button.setEnabled(is_own)
        self._note.setVisible(is_old)
        self._note.setText(
            tr(
                "The app has come with a newer model since this one was made. It goes on working; "
                "made again, it gains from the newer one."
            )
        )

    def _use(self) -> None:
        model = self._chosen()
        if model is not None:
            self._change({"model": model.folder and str(model.folder)})
            self.refresh()

    def _show_card(self) -> None:
        model = self._chosen()
        if model is None:
            return
        try:
            ModelDialog(self, model).show()
        except FerLiveError as error:
            QMessageBox.warning(self, name_of(model), str(error))

    def _remake(self) -> None:
        model = self._chosen()
        if model is not None:
            self.remake_wanted.emit(model.name)

    def _ask_where_to_export(self) -> None:
        model = self._chosen()
        if model is None:
            return
        proposed = str(Path.home() / f"{model.name}{PROFILE_SUFFIX}")
        file = ask_to_save(self, tr("Export"), proposed, f"*{PROFILE_SUFFIX}")
        if file:
            self._try(lambda: export_profile(model, Path(file)))

    def _ask_what_to_import(self) -> None:
        file = ask_to_open(self, tr("Import"), f"*{PROFILE_SUFFIX}")
        if file:
            self._try(lambda: import_profile(Path(file)))

    def _try(self, do: Callable[[], object]) -> None:
        try:
            do()
        except FerLiveError as error:
            QMessageBox.warning(self, tr("Models"), str(error))
        self.refresh()

    def _remove(self) -> None:
        model = self._chosen()
        if model is None or model.folder is None:
            return
        question = tr("Remove the model {name} from the disk?", name=model.name)
        answer = QMessageBox.question(self, tr("Remove"), question)
        if answer != QMessageBox.StandardButton.Yes:
            return
        if lies_in(self._settings().model, [model.folder]):
            self._change({"model": None})
        self._try(lambda: remove_model(model))

    def translate(self) -> None:
        self._title.setText(tr("<b>Models</b>"))
        self.list.setAccessibleName(tr("Models"))
        self.use_button.setText(tr("&Use"))
        self.card_button.setText(tr("De&tails…"))
        self.remove_button.setText(tr("Re&move…"))
        self.remake_button.setText(tr("Make a&gain"))
        self.remake_button.setToolTip(tr("From the clips and takes that are kept"))
        self.export_button.setText(tr("E&xport…"))
        self.import_button.setText(tr("Im&port…"))
        self.refresh()


@dataclass(frozen=True, slots=True)
class _Fact:
    text: str
    has_newer_base: bool


def _all_models() -> list[InstalledModel]:
    """The shipped one first; also those that cannot be read, which can be removed."""
    return [InstalledModel(SHIPPED, None), *list_own_folders()]


def _facts() -> dict[str, _Fact]:
    """What each model says of itself, by name."""
    facts = {}
    for model in _all_models():
        try:
            manifest = model.manifest()
            newer = model.has_newer_base()
        except FerLiveError:
            facts[model.name] = _Fact(tr("cannot be read"), has_newer_base=False)
            continue
        when, told = made_on(manifest), score(manifest)
        parts = [tr("made {when}", when=when) if when else "", told]
        personalized = manifest.training.get("personalized")
        if isinstance(personalized, dict) and personalized.get("closed_form"):
            is_proven = personalized.get("verdict") == "proven"
            parts.append(tr("proven") if is_proven else tr("not proven"))
        parts.append(tr("older base") if newer else "")
        facts[model.name] = _Fact(", ".join(filter(None, parts)), newer)
    return facts
