"""Asks before something that matters, with buttons that say what they do."""

from PyQt6.QtWidgets import QMessageBox, QWidget


def confirm(parent: QWidget, title: str, question: str, details: str, yes: str) -> bool:
    """Whether the person chose `yes`; Enter and Escape mean no."""
    box = QMessageBox(parent)
    box.setWindowTitle(title)
    box.setText(question)
    box.setInformativeText(details)
    accept = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.exec()
    return box.clickedButton() is accept
