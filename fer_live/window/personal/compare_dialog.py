"""Asks face by face, and blind, which of two models reads a person better."""

import contextlib
import zlib
from collections.abc import Callable
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
    Compared,
    Preference,
    load_compared,
    load_proof,
    save_proof,
    tally,
)
from fer_live.window.translated import Translated, as_sentence

_MAX_ASKED = 30
_SHOWN_SIDE = 240
_NEW, _OLD, _NEITHER = 1, 0, -1


Conclude = Callable[[Preference], tuple[str, bool]]
"""What the person chose -> a sentence on it, and whether the new model is preferred. May raise
`FerLiveError`; then the last answer can be given again."""


class CompareDialog(Translated, QDialog):
    """Shows faces that two models read differently, each with the labels of both beside it.

    Which model stands on the left is drawn by lot for each face, so that nothing tells them apart.
    After the last face `conclude` is asked what came of it; where the dialog is closed before,
    nothing changes, and `preference` stays None. The dialog is accepted where the new model is
    preferred.
    """

    def __init__(self, compared: Compared, conclude: Conclude, parent: QWidget | None = None):
        super().__init__(parent)
        self.preference: Preference | None = None
        self._conclude = conclude
        self._verdict, self._is_better = "", False
        faces, before, after, self._labels = compared
        n_asked = min(len(faces), _MAX_ASKED)
        self._faces = faces[:n_asked]
        self._answers = np.stack([before.argmax(axis=1), after.argmax(axis=1)], axis=1)[:n_asked]
        seed = zlib.crc32(faces.tobytes())
        self._left_is_new = np.random.default_rng(seed).random(n_asked) < 0.5
        self._choices: list[int] = []
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
        self._verdict, self._is_better = self._conclude(preference)
        self.preference = preference

    def _finish(self) -> None:
        self.accept() if self._is_better else self.reject()

    def _show(self) -> None:
        """Show the next face, or after the last one the verdict."""
        self.setWindowTitle(tr("Which reads your face better?"))
        number = len(self._choices)
        if self.preference is not None:
            for widget in (self._left, self._right, self._neither, self._picture):
                widget.hide()
            self._question.setText(as_sentence(self._verdict))
            self._count.setText("")
            self._done.setText(tr("Use the new model") if self._is_better else tr("Close"))
            self._done.show()
            return
        self._question.setText(tr("Which word fits this face better?"))
        self._picture.setPixmap(_pixmap(self._faces[number]))
        old, new = (tr_label(self._labels[label]) for label in self._answers[number])
        words = (new, old) if self._left_is_new[number] else (old, new)
        for button, key, word in zip((self._left, self._right), "12", words, strict=True):
            button.setText(f"{key}  {word}")
        self._neither.setText("0  " + tr("neither, or hard to say"))
        self._count.setText(tr("{number} of {n}", number=number + 1, n=len(self._faces)))


def compare_run(run_dir: Path, parent: QWidget | None = None) -> bool:
    """Let the person choose on the faces of RUN_DIR/compared.npz, and save the choice in its
    `proof.json`; whether the new model is preferred. Raises `InputError`."""

    def conclude(preference: Preference) -> tuple[str, bool]:
        proof = load_proof(run_dir).model_copy(update={"preference": preference})
        save_proof(run_dir, proof)
        with contextlib.suppress(OSError):  # no face is kept without need
            (run_dir / COMPARED_FILE).unlink()
        return proof.verdict(), proof.passes

    return bool(CompareDialog(load_compared(run_dir), conclude, parent).exec())


def _pixmap(face: np.ndarray) -> QPixmap:
    shown = cv2.resize(face, (_SHOWN_SIDE, _SHOWN_SIDE), interpolation=cv2.INTER_CUBIC)
    gray = QImage.Format.Format_Grayscale8
    image = QImage(shown.tobytes(), _SHOWN_SIDE, _SHOWN_SIDE, _SHOWN_SIDE, gray)
    return QPixmap.fromImage(image.copy())
