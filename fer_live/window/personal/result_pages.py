"""The end of a calibration: what came of it, and the person's word on it."""

from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from fer_live.base.translation import tr
from fer_live.errors import FerLiveError
from fer_live.personal.proof import Preference
from fer_live.personal.verdict import choice_in_plain_words, in_plain_words, own_in_plain_words
from fer_live.window.personal.calibrate_view import CalibrateView, Choice
from fer_live.window.personal.calibration_work import install
from fer_live.window.personal.compare_dialog import CompareDialog

if TYPE_CHECKING:
    from fer_live.personal.personalize import Personalized

_MIN_TO_CHOOSE = 5
"""Faces on which the two models must differ, for a choice between them to say something."""


class ResultPages(QObject):
    """Shows a result, and uses it where the person says so.

    `used` brings the folder of the model to use from now on, None for the shipped one, and whose
    it is. `more_wanted` asks for single expressions, `closed` for the end.
    """

    used = pyqtSignal(object, str)
    more_wanted = pyqtSignal()
    closed = pyqtSignal()

    def __init__(self, parent: QObject, view: CalibrateView) -> None:
        super().__init__(parent)
        self._view, self._person = view, ""
        self._made: Personalized | None = None

    def show(self, result: "Personalized | FerLiveError", person: str) -> None:
        """Say what came of it: a `Personalized`, or the error it failed by."""
        self._person = person
        self._view.show_preview()
        if isinstance(result, FerLiveError):
            self._view.say(tr("That did not work"), str(result))
            self._view.offer(self._more(), self._close())
            return
        self._made = result
        words = " ".join([in_plain_words(result.evidence), *own_in_plain_words(result.own)])
        if result.is_refused:
            self._view.say(tr("Not better"), words)
            self._view.offer(self._more(), self._close())
        elif result.common_kept:
            kept = tr("The other expressions are read as before; your own are added.")
            self._view.say(tr("Ready"), " ".join([kept, *own_in_plain_words(result.own)]))
            self._view.offer(self._to_use(), self._more(), self._close())
        elif result.evidence.verdict == "proven":
            self._view.say(tr("Better"), words)
            self._view.offer(self._to_use(), self._to_compare(), self._close())
        else:
            self._ask_the_person(words, len(result.compared.faces))

    def _ask_the_person(self, words: str, n_differing: int) -> None:
        if n_differing >= _MIN_TO_CHOOSE:
            decide = tr("Compare the two on {n} pictures, and decide.", n=n_differing)
            self._view.say(tr("Ready"), f"{words} {decide}")
            self._view.offer(self._to_compare(), self._to_use(), self._more())
            return
        alike = tr("The two read nearly all pictures alike: {n} differ.", n=n_differing)
        self._view.say(tr("Ready"), f"{words} {alike}")
        self._view.offer(self._to_use(), self._more(), self._close())

    def _to_use(self) -> Choice:
        return Choice(tr("&Use it"), self._use)

    def _to_compare(self) -> Choice:
        return Choice(tr("Co&mpare"), self._compare)

    def _more(self) -> Choice:
        return Choice(tr("&Single expressions"), self.more_wanted.emit)

    def _close(self) -> Choice:
        return Choice(tr("C&lose"), self.closed.emit)

    def _compare(self) -> None:
        assert self._made is not None
        dialog = CompareDialog(self._made.compared, _weigh, self._view)
        if dialog.exec():
            self._use()
        elif dialog.preference is not None:
            words = choice_in_plain_words(dialog.preference)
            self._view.say(tr("Nothing was changed"), words)
            self._view.offer(self._more(), self._to_use(), self._close())

    def _use(self) -> None:
        assert self._made is not None
        try:
            folder = install(self._made, self._person)
        except FerLiveError as error:
            self._view.hint.setText(str(error))
            return
        self.used.emit(folder, self._person)
        self._view.say(
            tr("Your model is in use: {name}", name=self._person),
            tr("One click leads back to the model that came with the app."),
        )
        self._view.offer(self._close(), self._more(), Choice(tr("U&ndo"), self._undo))

    def _undo(self) -> None:
        self.used.emit(None, self._person)
        self._view.say(tr("The model that came with the app is in use again"))
        self._view.offer(self._close(), self._to_use())


def _weigh(preference: Preference) -> tuple[str, bool]:
    return choice_in_plain_words(preference), preference.n_new > preference.n_old
