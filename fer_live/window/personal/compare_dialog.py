"""Asks face by face, and blind, which of two models reads a person better."""

import contextlib
import zlib
from pathlib import Path

import cv2
import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QImage, QKeyEvent, QPixmap
from PyQt6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from fer_live.base.translation import tr, tr_label
from fer_live.errors import FerLiveError
from fer_live.personal.proof import (
    COMPARED_FILE,
    MIN_COMPARED,
    Proof,
    load_compared,
    load_proof,
    save_proof,
    tally,
)
from fer_live.window.translated import Translated, as_sentence

_MAX_ASKED = 30
_SHOWN_SIDE = 240
_NEW, _OLD, _NEITHER = 1, 0, -1


class CompareDialog(Translated, QDialog):
    """Shows the faces of RUN_DIR/compared.npz, each with the labels of both models beside it.

    Which model stands on the left is drawn by lot for each face, so that nothing tells them apart.
    After the last face the choice is saved in RUN_DIR/proof.json; where the dialog is closed
    before, nothing changes. The dialog is accepted where the new model is preferred.
    """

    def __init__(self, run_dir: Path, parent: QWidget | None = None):
        super().__init__(parent)
        self._run_dir = run_dir
        faces, before, after, self._labels = load_compared(run_dir)
        n_asked = min(len(faces), _MAX_ASKED)
        self._faces = faces[:n_asked]
        self._answers = np.stack([before.argmax(axis=1), after.argmax(axis=1)], axis=1)[:n_asked]
        seed = zlib.crc32(run_dir.name.encode())
        self._left_is_new = np.random.default_rng(seed).random(n_asked) < 0.5
        self._choices: list[int] = []
        self._proof: Proof | None = None
        self._picture, self._question, self._count = QLabel(), QLabel(), QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._picture.setMinimumSize(_SHOWN_SIDE, _SHOWN_SIDE)
        self._question.setWordWrap(True)
        self._question.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._left, self._right, self._neither = QPushButton(), QPushButton(), QPushButton()
        for button, side in ((self._left, 0), (self._right, 1), (self._neither, None)):
            button.setAutoDefault(False)
            button.setMinimumHeight(36)
            button.clicked.connect(lambda _, side=side: self._answer(side))
        self._done = QPushButton()
        self._done.clicked.connect(self._finish)
        self._done.hide()
        both = QHBoxLayout()
        both.addWidget(self._left, 1)
        both.addWidget(self._right, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(self._question)
        column.addWidget(self._picture, 1)
        column.addLayout(both)
        column.addWidget(self._neither)
        column.addWidget(self._done)
        column.addWidget(self._count)
        self.setMinimumWidth(420)
        self._show()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  # Qt's name
        buttons = {"1": self._left, "2": self._right, "0": self._neither}
        button = buttons.get(event.text()) if event is not None else None
        if event is not None and event.isAutoRepeat():
            return  # one answer a key press
        if button is not None and button.isVisible():
            button.click()
        else:
            super().keyPressEvent(event)

    def translate(self) -> None:
        self._show()

    def _answer(self, side: int | None) -> None:
        new_side = 0 if self._left_is_new[len(self._choices)] else 1
        choice = _NEITHER if side is None else _NEW if side == new_side else _OLD
        self._choices.append(choice)
        if len(self._choices) == len(self._faces):
            try:
                self._save()
            except FerLiveError as error:
                self._choices.pop()  # the last one can be given again
                self._count.setText(str(error))
                return
        self._show()

    def _save(self) -> None:
        preference = tally(np.array(self._choices, dtype=np.int8))
        proof = load_proof(self._run_dir).model_copy(update={"preference": preference})
        save_proof(self._run_dir, proof)
        self._proof = proof
        with contextlib.suppress(OSError):  # no face is kept without need
            (self._run_dir / COMPARED_FILE).unlink()

    def _finish(self) -> None:
        self.accept() if self._proof is not None and self._proof.passes else self.reject()

    def _show(self) -> None:
        """Show the next face, or after the last one the verdict."""
        self.setWindowTitle(tr("Which reads your face better?"))
        number, proof = len(self._choices), self._proof
        if proof is not None:
            for widget in (self._left, self._right, self._neither, self._picture):
                widget.hide()
            self._question.setText(as_sentence(proof.verdict()))
            self._count.setText("")
            self._done.setText(tr("Install the new model") if proof.passes else tr("Close"))
            self._done.show()
            return
        self._question.setText(tr("Which word fits this face better?"))
        self._picture.setPixmap(_pixmap(self._faces[number]))
        old, new = (tr_label(self._labels[label]) for label in self._answers[number])
        words = (new, old) if self._left_is_new[number] else (old, new)
        for button, key, word in zip((self._left, self._right), "12", words, strict=True):
            button.setText(f"{key}  {word}")
        self._neither.setText("0  " + tr("neither, or hard to say"))
        self._count.setText(
            tr("{number} of {n}", number=number + 1, n=max(len(self._faces), MIN_COMPARED))
        )


def _pixmap(face: np.ndarray) -> QPixmap:
    shown = cv2.resize(face, (_SHOWN_SIDE, _SHOWN_SIDE), interpolation=cv2.INTER_CUBIC)
    gray = QImage.Format.Format_Grayscale8
    image = QImage(shown.tobytes(), _SHOWN_SIDE, _SHOWN_SIDE, _SHOWN_SIDE, gray)
    return QPixmap.fromImage(image.copy())
