"""A calibration as a person goes through it, on the demo in place of a camera."""

from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage, QPainter

import fer_live.personal.gate as gate
from fer_live.base.settings import Settings, load_settings
from fer_live.errors import InputError
from fer_live.model.manifest import EXPRESSIONS
from fer_live.personal.clips import list_clips, list_takes, takes_folder
from fer_live.personal.evidence import Evidence
from fer_live.personal.models import find_model, list_models
from fer_live.personal.proof import Preference
from fer_live.personal.takes import unreviewed_folder
from fer_live.window.main_window import MainWindow
from fer_live.window.personal.calibrate_dialog import CalibrateDialog
from fer_live.window.personal.example_face import has_example, paint_example
from fer_live.window.personal.prompts import how_to_show
from fer_live.window.personal.round_pages import Timing
from tests.helpers.window import CONSENTED, ON_CPU, open_demo_window

QUICK = Timing(all_faces_s=1.5, take_s=0.5, countdown_s=0.1)
AGAINST = Evidence(8, 0.5, 0.5, (-0.1, 0.1), 4, 4)


def opened(qtbot, timing: Timing = QUICK) -> tuple[MainWindow, CalibrateDialog]:
    window = open_demo_window(qtbot)
    assert window.pipeline is not None
    dialog = CalibrateDialog(window, window.session, window.pipeline, CONSENTED, timing)
    # The window passes its pictures on to the dialog that it opened.
    window.calibrating._dialog = dialog
    dialog.used.connect(window.calibrating._use)
    dialog.show()
    return window, dialog


def press(qtbot, dialog: CalibrateDialog, text: str) -> None:
    """Press the button of this text, once it is offered."""

    def offered():
        return [
            button
            for button in dialog.view.buttons
            if button.isVisible() and button.text().replace("&", "") == text
        ]

    qtbot.waitUntil(lambda: bool(offered()), timeout=60_000)
    offered()[0].click()


def only_neutral(dialog: CalibrateDialog, monkeypatch: pytest.MonkeyPatch) -> None:
    from fer_live.personal.takes import next_round

    monkeypatch.setattr(
        "fer_live.window.personal.round_pages.next_round",
        lambda labels, person: next_round(labels[:2], person),
    )


def test_ten_seconds_without_a_label_end_in_a_model_of_ones_own(qtbot):
    window, dialog = opened(qtbot)
    dialog.view.person.setCurrentText("Ada")
    press(qtbot, dialog, "Begin")
    qtbot.waitUntil(lambda: dialog.view.preview.is_recording, timeout=60_000)
    assert not dialog.view.buttons[0].isDefault(), "Enter must not break it off"
    press(qtbot, dialog, "Calibrate")
    qtbot.waitUntil(lambda: "s so far" in dialog.view.hint.text(), timeout=60_000)
    press(qtbot, dialog, "Use it")
    qtbot.waitUntil(
        lambda: window.pipeline is not None and window.pipeline.classifier.name == "Ada",
        timeout=60_000,
    )
    assert load_settings()[0].person == "Ada"
    assert len(list_clips("Ada")) == 1 and list_clips("me") == []
    press(qtbot, dialog, "Undo")
    assert load_settings()[0].model is None
    press(qtbot, dialog, "Close")
    assert not dialog.isVisible()


def test_single_expressions_are_checked_before_they_are_kept(qtbot, monkeypatch):
    _, dialog = opened(qtbot)
    only_neutral(dialog, monkeypatch)
    press(qtbot, dialog, "Single expressions")
    press(qtbot, dialog, "Begin")
    qtbot.waitUntil(lambda: len(dialog.view.check.boxes) == 2, timeout=60_000)
    assert len(list(unreviewed_folder().iterdir())) == 2
    assert "neutral" in dialog.view.check.boxes[0].text()
    dialog.view.check.boxes[1].setChecked(False)
    press(qtbot, dialog, "Record the others again")
    qtbot.waitUntil(lambda: len(dialog.view.check.boxes) == 1, timeout=60_000)
    assert "happi" in dialog.view.check.boxes[0].text()
    press(qtbot, dialog, "Keep the checked")
    assert [take.folder.parent for take in list_takes()] == [
        takes_folder() / "happiness",
        takes_folder() / "neutral",
    ]
    press(qtbot, dialog, "Once more")
    press(qtbot, dialog, "Begin")
    press(qtbot, dialog, "Keep the checked")
    names = sorted(take.name[-6:] for take in list_takes())
    assert names == ["take 1", "take 1", "take 2", "take 2"]
    dialog.done(0)


def test_what_is_asked_for_is_named_drawn_and_told_and_nothing_jumps(qtbot, monkeypatch):
    _, dialog = opened(qtbot, Timing(take_s=1.0, countdown_s=1.0))
    only_neutral(dialog, monkeypatch)
    press(qtbot, dialog, "Single expressions")
    assert "seconds in all" in dialog.view.hint.text(), "how long it takes"
    places = set()
    press(qtbot, dialog, "Begin")
    preview = dialog.view.preview
    qtbot.waitUntil(lambda: preview.countdown > 0, timeout=60_000)
    assert dialog.view.title.text() == "Look as you do when nothing happens (neutral)"
    assert dialog.view.hint.text().startswith("Face at rest, mouth closed.")
    assert preview.example == "neutral"
    assert not any(button.isDefault() for button in dialog.view.buttons), "Enter loses nothing"
    button = dialog.view.buttons[0]
    places.add((preview.geometry().getRect(), (button.x(), button.y())))
    qtbot.waitUntil(lambda: preview.is_recording, timeout=60_000)
    assert preview.example == "neutral"
    places.add((preview.geometry().getRect(), (button.x(), button.y())))
    qtbot.waitUntil(lambda: preview.example == "happiness", timeout=60_000)
    places.add((preview.geometry().getRect(), (button.x(), button.y())))
    assert len(places) == 1, f"it jumped: {places}"
    dialog.done(0)


def test_every_expression_has_a_word_on_how_to_show_it_and_a_drawing_of_its_own():
    drawn = set()
    for label in EXPRESSIONS:
        assert how_to_show(label)
        image = QImage(80, 80, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        paint_example(painter, QRectF(0, 0, 80, 80), label)
        painter.end()
        drawn.add(image.constBits().asstring(image.sizeInBytes()))
    assert len(drawn) == len(EXPRESSIONS)
    assert how_to_show("wink") == ""
    assert not has_example("wink"), "of one's own nobody knows how it looks"


def test_a_pause_and_a_skip_lose_nothing(qtbot, monkeypatch):
    _, dialog = opened(qtbot, Timing(1.0, 0.5, 5.0))
    only_neutral(dialog, monkeypatch)
    press(qtbot, dialog, "Single expressions")
    press(qtbot, dialog, "Begin")
    qtbot.waitUntil(lambda: dialog.view.preview.countdown > 0, timeout=60_000)
    press(qtbot, dialog, "Pause")
    assert not dialog.is_recording and dialog.view.preview.countdown == 0
    press(qtbot, dialog, "Go on")
    assert "neutral" in dialog.view.title.text()
    press(qtbot, dialog, "Skip this one")
    assert "happi" in dialog.view.title.text()
    dialog.done(0)
    assert list_takes() == [] and not unreviewed_folder().exists()


def test_closing_it_deletes_what_nobody_checked(qtbot, monkeypatch):
    _, dialog = opened(qtbot)
    only_neutral(dialog, monkeypatch)
    press(qtbot, dialog, "Single expressions")
    press(qtbot, dialog, "Begin")
    qtbot.waitUntil(lambda: len(dialog.view.check.boxes) == 2, timeout=60_000)
    dialog.close()
    assert list(unreviewed_folder().iterdir()) == []
    assert list_takes() == []


def test_a_clip_that_was_broken_off_is_deleted(qtbot):
    _, dialog = opened(qtbot, Timing(60.0, 0.5, 0.1))
    press(qtbot, dialog, "Begin")
    qtbot.waitUntil(lambda: len(list_clips()) == 1, timeout=60_000)
    press(qtbot, dialog, "Cancel")
    assert list_clips() == []
    dialog.done(0)


def test_what_the_takes_speak_against_is_not_offered(qtbot, monkeypatch):
    monkeypatch.setattr(gate, "gather_evidence", lambda *_: AGAINST)
    _, dialog = opened(qtbot)
    press(qtbot, dialog, "Begin")
    press(qtbot, dialog, "Calibrate")
    qtbot.waitUntil(lambda: dialog.view.title.text() == "Not better", timeout=60_000)
    assert "4 were read right before and 4 after. Nothing was changed" in dialog.view.hint.text()
    assert "Use it" not in [b.text().replace("&", "") for b in dialog.view.buttons if b.isVisible()]
    assert len(list_models()) == 1
    dialog.done(0)


def test_the_choice_between_the_two_decides(qtbot, monkeypatch):
    made = []

    class Asked:
        preference = Preference(n_shown=6, n_new=1, n_old=4)

        def __init__(self, compared, conclude, parent):
            made.append(conclude(self.preference))

        def exec(self) -> int:
            return int(made[-1][1])

    monkeypatch.setattr("fer_live.window.personal.result_pages.CompareDialog", Asked)
    monkeypatch.setattr("fer_live.window.personal.result_pages._MIN_TO_CHOOSE", 0)
    _, dialog = opened(qtbot)
    press(qtbot, dialog, "Begin")
    press(qtbot, dialog, "Calibrate")
    press(qtbot, dialog, "Compare")
    assert dialog.view.title.text() == "Nothing was changed"
    assert len(list_models()) == 1
    Asked.preference = Preference(n_shown=6, n_new=5, n_old=1)
    press(qtbot, dialog, "Use it")
    assert find_model("me").folder is not None
    dialog.done(0)


@pytest.mark.parametrize("name", ["", "../out", "shipped"])
def test_a_name_that_cannot_be_one_is_told(qtbot, name: str):
    _, dialog = opened(qtbot)
    dialog.view.person.setCurrentText(name)
    press(qtbot, dialog, "Begin")
    assert "cannot be a model's name" in dialog.view.hint.text()
    assert not dialog.is_recording
    dialog.done(0)


def test_a_recording_that_cannot_be_read_is_told_and_made_again(qtbot, monkeypatch):
    _, dialog = opened(qtbot)

    def unreadable(folder: Path) -> None:
        raise InputError("cannot be read")

    with monkeypatch.context() as patch:
        patch.setattr("fer_live.window.personal.take_recorder.Recording.open", unreadable)
        press(qtbot, dialog, "Begin")
        qtbot.waitUntil(lambda: dialog.view.hint.text() == "cannot be read", timeout=60_000)
    press(qtbot, dialog, "Again")
    assert dialog.is_recording
    dialog.done(0)


def test_the_first_start_offers_it(qtbot, monkeypatch):
    monkeypatch.setattr("fer_live.window.personal.calibrating.ask_for_consent", lambda *_: True)
    from fer_live.personal.models import load_pipeline
    from fer_live.session.meter import Meter
    from fer_live.sources.choice import Demo
    from fer_live.sources.several import NamedSource

    window = MainWindow([NamedSource(Demo())], ON_CPU, load_pipeline, Meter(0.0), ask_first=True)
    qtbot.addWidget(window, before_close_func=lambda _: window.stop())
    window.show()
    window.pages._first_start._calibrate.click()
    qtbot.waitUntil(lambda: window.calibrating._dialog is not None, timeout=60_000)
    assert window.preferences.now.notice_accepted_on
    dialog = window.calibrating._dialog
    assert dialog is not None
    dialog.done(0)
    assert window.calibrating._dialog is None


def test_a_profile_is_made_again_from_what_is_kept(qtbot):
    window, dialog = opened(qtbot)
    press(qtbot, dialog, "Begin")
    press(qtbot, dialog, "Calibrate")
    press(qtbot, dialog, "Use it")
    press(qtbot, dialog, "Close")
    window.calibrating._dialog = None
    window.pages.turn_to("personal")
    models = window.later.personal.models
    qtbot.waitUntil(lambda: "made 20" in models.list.item(1).text(), timeout=60_000)
    models.list.setCurrentRow(1)
    models.remake_button.click()
    again = window.calibrating._dialog
    assert again is not None
    press(qtbot, again, "Use it")
    again.done(0)
    assert Settings.model_validate(load_settings()[0]).model == str(find_model("me").folder)
    assert np.all([clip.about.source == "calibration" for clip in list_clips()])


def test_an_expression_of_ones_own_is_asked_for_learnt_and_shown(qtbot, monkeypatch):
    from PyQt6.QtWidgets import QInputDialog

    window, dialog = opened(qtbot)
    row = window.later.personal.own
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("wink left", True))
    row.add_button.click()
    assert "wink left" in row._names.text()
    row.add("happiness")
    assert "is an expression already" in window.later.personal._said.text()
    from fer_live.personal.takes import next_round

    monkeypatch.setattr(
        "fer_live.window.personal.round_pages.next_round",
        lambda labels, person: next_round((labels[0], labels[-1]), person),
    )
    press(qtbot, dialog, "Single expressions")
    press(qtbot, dialog, "Begin")
    press(qtbot, dialog, "Keep the checked")
    press(qtbot, dialog, "Calibrate")
    press(qtbot, dialog, "Use it")
    qtbot.waitUntil(
        lambda: window.pipeline is not None and window.pipeline.labels[-1] == "wink left",
        timeout=60_000,
    )
    assert dialog.isVisible(), "the other labels end what records, not this"
    dialog.done(0)
    monkeypatch.setattr("fer_live.window.personal.own_expressions_row.confirm", lambda *_: True)
    row.remove("wink left")
    assert "none" in row._names.text() and not (takes_folder() / "wink left").exists()
