"""The list of clips: in a user's words, in their language, and each can be played."""

import shutil
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QMessageBox

from fer_live.base.translation import set_language
from fer_live.personal.clips import clips_folder, summarize, takes_folder
from fer_live.recording.recorder import Recording
from fer_live.window.personal.clip_dialog import ClipDialog
from fer_live.window.personal.clip_words import title_of
from fer_live.window.personal.clips_list import ClipsList
from tests.helpers.recordings import recorded_demo
from tests.helpers.window import CONSENTED


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded_demo(tmp_path_factory.mktemp("recorded"), every=15).folder


@pytest.fixture
def clip_and_take(demo: Path, own_home: Path) -> tuple[Recording, Recording]:
    clip = clips_folder() / demo.name
    take = takes_folder() / "anger" / f"{demo.name} take 2"
    for place in (clip, take):
        shutil.copytree(demo, place)
    return Recording.open(clip), Recording.open(take)


@pytest.fixture
def shown(qtbot, clip_and_take) -> ClipsList:
    clips = ClipsList(lambda: CONSENTED)
    qtbot.addWidget(clips, before_close_func=lambda c: c.stop())
    clips.show()
    clips.refresh()
    qtbot.waitUntil(lambda: clips.list.topLevelItemCount() == 2, timeout=60_000)
    return clips


def test_a_take_is_called_by_its_expression_in_the_language_spoken(clip_and_take):
    clip, take = clip_and_take
    assert title_of(summarize(take)) == "anger, take 2"
    assert title_of(summarize(clip)) == "camera 0"
    about = clip.about.model_copy(update={"source": "calibration"})
    assert title_of(summarize(Recording(clip.folder, about))) == "All sorts of faces"
    try:
        set_language("ko")
        assert title_of(summarize(take)).startswith("화남")
    finally:
        set_language("en")


def test_the_list_shows_no_path(shown):
    texts = [shown.list.topLevelItem(row).text(0) for row in range(2)]
    assert all("/" not in text.partition("(")[0] for text in texts), texts
    assert texts[1].startswith("anger, take 2 (")
    assert "anger/" in shown.list.topLevelItem(1).toolTip(0), "by which commands call it"


def test_a_clip_is_played_and_closes_its_file(qtbot, shown):
    assert not shown.play_button.isEnabled(), "nothing is chosen"
    shown.list.topLevelItem(1).setSelected(True)
    shown.play_button.click()
    dialog = shown.findChild(ClipDialog)
    assert dialog is not None
    assert dialog.windowTitle().startswith("anger, take 2")
    assert not dialog.preview._picture.isNull()
    began = dialog.slider.value()
    qtbot.waitUntil(lambda: dialog.slider.value() > began + 200, timeout=10_000)
    dialog.play.click()
    at = dialog.slider.value()
    qtbot.wait(100)
    assert dialog.slider.value() == at, "paused"
    dialog.slider.setValue(dialog.slider.maximum())
    now, length = dialog.clock.text().split(" / ")
    assert now == length
    dialog.reject()
    assert not dialog._timer.isActive()


def test_a_clip_that_cannot_be_decoded_says_so(qtbot, shown, clip_and_take):
    said: list[str] = []
    shown.said.connect(said.append)
    clip_and_take[1].video.write_bytes(b"no video")
    shown.list.itemActivated.emit(shown.list.topLevelItem(1), 0)
    assert len(said) == 1
    assert all(not dialog.isVisible() for dialog in shown.findChildren(ClipDialog))


def test_what_cannot_be_read_is_told_and_deleted_with_all(qtbot, shown, clip_and_take, monkeypatch):
    clip, take = clip_and_take
    (clip.folder / "recording.json").write_text("{")
    shown.refresh()
    qtbot.waitUntil(lambda: shown.list.topLevelItemCount() == 1, timeout=60_000)
    assert "1 cannot be read" in shown._used.text()
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    (link := clips_folder() / "link").symlink_to(take.folder)
    shown.delete_all_button.click()
    assert clip.folder.is_dir() and take.folder.is_dir(), "it is told before anything is deleted"
    link.unlink()
    (shown.list.topLevelItem(0)).setSelected(True)
    shown.delete_button.click()
    qtbot.waitUntil(lambda: shown.list.topLevelItemCount() == 0, timeout=60_000)
    assert clip.folder.is_dir() and not take.folder.exists()
    assert shown.delete_all_button.isEnabled()
    shown.delete_all_button.click()
    assert not clip.folder.exists()
    qtbot.waitUntil(lambda: not shown.delete_all_button.isEnabled(), timeout=60_000)
    assert "cannot be read" not in shown._used.text()
