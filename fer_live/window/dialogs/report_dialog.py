"""Asks what a report is to have in it, before it is written."""

from PyQt6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from fer_live.base.translation import tr


class ReportDialog(QDialog):
    """`with_pictures` is off at first: pictures show who was recorded."""

    def __init__(self, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Report"))
        about = QLabel(
            tr(
                "The report is one page that opens in a browser, also without a network: curves, "
                "shares, episodes, what followed what, and your notes."
            )
        )
        self.pictures = QCheckBox(tr("With pictures of the faces"))
        self.warning = QLabel(
            tr(
                "Pictures show who was recorded. Give such a report only to people whom those in "
                "it agreed to."
            )
        )
        for label in (about, self.warning):
            label.setWordWrap(True)
        self.pictures.setAccessibleDescription(self.warning.text())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.save = buttons.addButton(tr("Save…"), QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (about, self.pictures, self.warning, buttons):
            layout.addWidget(widget)
        self.setMinimumWidth(420)

    @property
    def with_pictures(self) -> bool:
        """Whether pictures of the faces are wanted."""
        return self.pictures.isChecked()
