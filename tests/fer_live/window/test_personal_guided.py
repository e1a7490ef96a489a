from pathlib import Path

from fer_live.errors import InputError
from fer_live.model.manifest import EXPRESSIONS
from fer_live.personal.clips import list_takes, takes_folder
from fer_live.personal.takes import unreviewed_folder
from fer_live.window.personal.guided_dialog import GuidedDialog
from tests.helpers.window import CONSENTED, open_demo_window


def test_a_guided_session_keeps_what_was_reviewed(qtbot):
    window = open_demo_window(qtbot)
    assert window.pipeline is not None
    dialog = GuidedDialog(
        window, window.session, window.pipeline, CONSENTED, take_s=0.8, countdown_s=0.1
    )
    dialog.show()
    assert "nothing happens" in dialog._asked.text()
    for label in EXPRESSIONS[1:]:  # all but neutral are skipped
        dialog._remaining = [step for step in dialog._remaining if step.label != label]
    for take in (1, 2):
        assert dialog.step is not None
        assert (dialog.step.label, dialog.step.take) == ("neutral", take)
        dialog.record_button.click()
        qtbot.waitUntil(lambda: dialog.keep_button.isVisible(), timeout=30_000)
        qtbot.waitUntil(lambda: not dialog._picture.pixmap().isNull(), timeout=10_000)
        if take == 1:
            dialog.again_button.click()
            assert list(unreviewed_folder().iterdir()) == [], "the first try is gone"
            dialog.record_button.click()
            qtbot.waitUntil(lambda: dialog.keep_button.isVisible(), timeout=30_000)
        dialog.keep_button.click()
    assert "Thank you" in dialog._asked.text()
    takes = list_takes()
    assert [take.folder.parent for take in takes] == [takes_folder() / "neutral"] * 2
    assert sorted(take.name[-6:] for take in takes) == ["take 1", "take 2"]
    assert dialog.close_button.isVisible() and not dialog.skip_button.isVisible()
    dialog.close_button.click()
    assert not dialog.isVisible()


def test_closing_a_guided_session_discards_what_nobody_reviewed(qtbot):
    window = open_demo_window(qtbot)
    assert window.pipeline is not None
    dialog = GuidedDialog(
        window, window.session, window.pipeline, CONSENTED, take_s=0.5, countdown_s=0.1
    )
    dialog.show()
    dialog.record_button.click()
    qtbot.waitUntil(lambda: dialog.keep_button.isVisible(), timeout=30_000)
    assert len(list(unreviewed_folder().iterdir())) == 1
    dialog.close()
    assert list(unreviewed_folder().iterdir()) == []
    assert list_takes() == []


def test_a_take_that_cannot_be_read_is_told_and_asked_for_again(qtbot, monkeypatch):
    window = open_demo_window(qtbot)
    assert window.pipeline is not None
    dialog = GuidedDialog(
        window, window.session, window.pipeline, CONSENTED, take_s=0.5, countdown_s=0.1
    )
    dialog.show()

    def unreadable(folder: Path) -> None:
        raise InputError("cannot be read")

    monkeypatch.setattr("fer_live.window.personal.guided_dialog.Recording.open", unreadable)
    dialog.record_button.click()
    qtbot.waitUntil(lambda: dialog.again_button.isVisible(), timeout=30_000)
    assert dialog._hint.text() == "cannot be read"
    dialog.done(0)
