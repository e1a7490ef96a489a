"""The list of models: the shipped one and one's own, each used or removed with one click."""

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from fer_live.base.settings import Settings
from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.personal.models import (
    SHIPPED,
    InstalledModel,
    card_as_markdown,
    list_models,
    remove_model,
)
from fer_live.window.translated import Translated

_MODEL = Qt.ItemDataRole.UserRole


class ModelsList(Translated, QWidget):
    """Lists the installed models; the one chosen goes to `change` as the setting `model`."""

    def __init__(
        self, settings: Callable[[], Settings], change: Callable[[dict[str, object]], None]
    ) -> None:
        super().__init__()
        self._settings, self._change = settings, change
        self._title = QLabel()
        self.list = QListWidget()
        self.list.setMaximumHeight(120)
        self.list.currentItemChanged.connect(lambda *_: self._enable())
        self.list.itemActivated.connect(lambda _: self._use())
        self.use_button, self.card_button = QPushButton(), QPushButton()
        self.remove_button = QPushButton()
        self.use_button.clicked.connect(self._use)
        self.card_button.clicked.connect(self._show_card)
        self.remove_button.clicked.connect(self._remove)
        buttons = QHBoxLayout()
        for button in (self.use_button, self.card_button, self.remove_button):
            buttons.addWidget(button)
        buttons.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._title)
        column.addWidget(self.list)
        column.addLayout(buttons)
        column.addStretch()
        self.translate()

    def refresh(self) -> None:
        """List the models that are installed, the one in use marked."""
        chosen = self._chosen()
        self.list.clear()
        for model in list_models():
            name = tr("the one that came with the app") if model.name == SHIPPED else model.name
            in_use = self._settings().model == (model.folder and str(model.folder))
            item = QListWidgetItem(("● " if in_use else "   ") + name)
            item.setData(_MODEL, model)
            self.list.addItem(item)
            if chosen == model:
                self.list.setCurrentItem(item)
        if self.list.currentItem() is None:
            self.list.setCurrentRow(0)
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
        self.remove_button.setEnabled(model is not None and model.folder is not None)

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
            text = card_as_markdown(model)
        except FerLiveError as error:
            QMessageBox.warning(self, model.name, str(error))
            return
        dialog = QDialog(self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(tr("What this model was made from"))
        dialog.resize(820, 640)
        page = QTextBrowser()
        page.setOpenLinks(False)  # nothing here goes to the network
        page.setMarkdown(text)
        QVBoxLayout(dialog).addWidget(page)
        dialog.show()

    def _remove(self) -> None:
        model = self._chosen()
        if model is None or model.folder is None:
            return
        question = tr("Remove the model {name} from the disk?", name=model.name)
        answer = QMessageBox.question(self, tr("Remove"), question)
        if answer != QMessageBox.StandardButton.Yes:
            return
        if self._settings().model == str(model.folder):
            self._change({"model": None})
        try:
            remove_model(model)
        except FerLiveError as error:
            QMessageBox.warning(self, tr("Remove"), str(error))
        self.refresh()

    def translate(self) -> None:
        self._title.setText(tr("<b>Models</b>"))
        self.list.setAccessibleName(tr("Models"))
        self.use_button.setText(tr("&Use"))
        self.card_button.setText(tr("De&tails…"))
        self.remove_button.setText(tr("Re&move…"))
        self.refresh()
