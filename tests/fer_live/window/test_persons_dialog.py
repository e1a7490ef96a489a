"""Persons of a recording, merged and taken apart by hand, or told by appearance."""

import csv
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtCore import Qt

from fer_live.errors import OutputError
from fer_live.recording.persons import Persons, load_persons
from fer_live.recording.recorder import Recording
from fer_live.window.dialogs import persons_dialog
from fer_live.window.dialogs.persons_dialog import PersonsDialog
from fer_live.window.review.review_page import ReviewPage
from tests.helpers.recordings import recorded_demo


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return recorded_demo(tmp_path_factory.mktemp("demo"), every=15)


@pytest.fixture
def recording(master: Recording, own_home: Path) -> Recording:
    return Recording.open(shutil.copytree(master.folder, own_home / "recordings" / master.name))


@pytest.fixture
def dialog(qtbot, recording: Recording) -> PersonsDialog:
    dialog = PersonsDialog(recording)
    qtbot.addWidget(dialog, before_close_func=lambda d: d.done(0))
    dialog.show()
    qtbot.waitUntil(lambda: len(dialog._icons) == 4, timeout=60_000)
    return dialog


def shown(dialog: PersonsDialog) -> list[tuple[str, int]]:
    """The persons in the list, and how many faces stand below each."""
    items = map(dialog.tree.topLevelItem, range(dialog.tree.topLevelItemCount()))
    return [(" ".join(item.text(0).split()[:2]), item.childCount()) for item in items]


def choose(dialog: PersonsDialog, *persons: int) -> None:
    dialog.tree.clearSelection()
    for number in persons:
        dialog.tree.topLevelItem(number).setSelected(True)


def press(qtbot, button) -> None:
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_faces_are_merged_taken_apart_and_every_step_is_undone(
    qtbot, dialog: PersonsDialog, recording: Recording
):
    assert [n for _, n in shown(dialog)] == [0, 0, 0, 0]
    assert not any(b.isEnabled() for b in (dialog.merge, dialog.split, dialog.undo))
    assert not dialog.tree.topLevelItem(0).icon(0).isNull()
    choose(dialog, 0)
    assert not dialog.merge.isEnabled(), "one face alone cannot be merged"
    choose(dialog, 0, 2)
    press(qtbot, dialog.merge)
    assert shown(dialog) == [("person 1", 2), ("person 2", 0), ("person 4", 0)]
    assert load_persons(recording.folder) == Persons(groups=((1, 3),))
    choose(dialog, 1, 2)
    press(qtbot, dialog.merge)
    dialog.tree.topLevelItem(1).child(1).setSelected(True)
    press(qtbot, dialog.split)
    assert shown(dialog) == [("person 1", 2), ("person 2", 0), ("person 4", 0)]
    press(qtbot, dialog.undo)
    assert load_persons(recording.folder) == Persons(groups=((1, 3), (2, 4)))
    press(qtbot, dialog.undo)
    press(qtbot, dialog.undo)
    assert [n for _, n in shown(dialog)] == [0, 0, 0, 0]
    assert not dialog.undo.isEnabled()
    assert load_persons(recording.folder) == Persons()


@pytest.mark.parametrize("agrees", [True, False])
def test_appearance_is_compared_only_where_the_person_agrees(
    qtbot, dialog: PersonsDialog, recording: Recording, monkeypatch, agrees: bool
):
    asked: list[str] = []

    def answer(parent, title, question, details, yes) -> bool:
        asked.append(details)
        return agrees

    monkeypatch.setattr(persons_dialog, "confirm", answer)
    press(qtbot, dialog.group)
    assert "biometric" in asked[0]
    if agrees:
        qtbot.waitUntil(lambda: dialog.undo.isEnabled(), timeout=60_000)
        assert shown(dialog) == [("person 1", 2), ("person 2", 2)]
        assert dialog._news.text() == "persons: 2"
    else:
        assert load_persons(recording.folder) is None
        assert dialog.group.isEnabled()


def test_closing_ends_a_comparison(qtbot, dialog: PersonsDialog, recording: Recording, monkeypatch):
    begun, ended = threading.Event(), threading.Event()

    def compare(video, rows, stopped):
        begun.set()
        while not stopped():
            pass
        ended.set()

    monkeypatch.setattr(persons_dialog, "group_faces", compare)
    dialog.group_by_appearance()
    assert begun.wait(10)
    dialog.reject()
    assert ended.is_set()
    assert load_persons(recording.folder) is None


def test_a_painted_picture_is_grouped_by_hand_alone(qtbot, recording: Recording):
    painted = replace(recording, about=recording.about.model_copy(update={"with_overlay": True}))
    dialog = PersonsDialog(painted)
    qtbot.addWidget(dialog, before_close_func=lambda d: d.done(0))
    assert not dialog.group.isEnabled()
    assert "painted" in dialog.group.toolTip()


def test_a_disk_that_refuses_is_told_and_nothing_changes(qtbot, dialog: PersonsDialog, monkeypatch):
    def refuse(folder, persons):
        raise OutputError("persons.json: cannot write: no space left")

    monkeypatch.setattr(persons_dialog, "save_persons", refuse)
    choose(dialog, 0, 2)
    press(qtbot, dialog.merge)
    assert "no space left" in dialog._news.text()
    assert len(shown(dialog)) == 4
    assert not dialog.undo.isEnabled()


def test_rows_are_saved_with_the_persons(qtbot, dialog: PersonsDialog, tmp_path: Path):
    choose(dialog, 0, 2)
    press(qtbot, dialog.merge)
    dialog.save_rows(tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open() as file:
        assert {row["person"] for row in csv.DictReader(file)} == {"1", "2", "4"}
    dialog.save_rows(tmp_path / "rows.txt")
    assert "rows.txt" in dialog._news.text()


def refuse_to_load():
    raise AssertionError


def test_the_review_shows_the_persons_numbers(qtbot, recording: Recording):
    page = ReviewPage(refuse_to_load)
    qtbot.addWidget(page, before_close_func=lambda p: p.stop())
    page.show()
    page.refresh()
    page.seek(6.0)
    assert {face.track_id for face in page.pane.view._result.faces} == {3, 4}
    page.show_persons()
    dialog = page.findChild(PersonsDialog)
    choose(dialog, 0, 2)
    press(qtbot, dialog.merge)
    dialog.accept()
    assert page.playback.position_s == pytest.approx(6.0)
    assert {face.track_id for face in page.pane.view._result.faces} == {1, 4}


def test_nothing_that_compares_faces_is_loaded_before_somebody_asks():
    code = (
        "import sys, fer_live.window.review.review_page, fer_live.analyze.run; print(*sys.modules)"
    )
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "fer_live.window.review.review_page" in loaded
    assert "fer_live.vision.descriptor" not in loaded
