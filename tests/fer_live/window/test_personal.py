import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QMessageBox, QTextBrowser

from fer_live.base.settings import Settings, load_settings, save_settings
from fer_live.errors import InputError, OutputError
from fer_live.model.manifest import EXPRESSIONS
from fer_live.personal.clips import list_clips, list_takes, summarize, takes_folder
from fer_live.personal.models import find_model, list_models
from fer_live.personal.proof import COMPARED_FILE, Proof, load_proof, save_proof
from fer_live.personal.retraining import (
    Retraining,
    _arguments_file,
    finished_run,
    settle,
    unfinished_run,
)
from fer_live.personal.takes import unreviewed_folder
from fer_live.session.meter import Meter
from fer_live.sources.choice import Demo
from fer_live.window.app import load_pipeline
from fer_live.window.main_window import MainWindow
from fer_live.window.personal.compare_dialog import CompareDialog
from fer_live.window.personal.guided_dialog import GuidedDialog
from fer_live.window.personal.learning_panel import LearningPanel
from fer_live.window.personal.personal_page import PersonalPage

ON_CPU = Settings(provider="cpu", capture_accepted_on="2026-11-25")

FAKE = """
import json, sys, time
from pathlib import Path
run_dir = Path(sys.argv[sys.argv.index("--out") + 1])
resumed = (run_dir / "begun").exists()
(run_dir / "begun").touch()
for k in range(5):
    print(json.dumps({"stage": "learn", "done": k / 5, "left_s": 5 - k}), flush=True)
mode = sys.argv[1]
if mode == "hang" and not resumed:
    time.sleep(60)
if mode == "mistake":
    print("fer-train: a.mp4: several people at once; add --track a.mp4:N", file=sys.stderr)
    sys.exit(2)
proof = {"n_differing": 25 if mode != "refused" else 3}
(run_dir / "proof.json").write_text(json.dumps(proof))
sys.exit(3 if mode == "refused" else 0)
"""


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def fake(tmp_path: Path):
    script = tmp_path / "fake.py"
    script.write_text(FAKE)
    return lambda mode: (sys.executable, str(script), mode)


def open_window(qtbot, settings: Settings = ON_CPU) -> MainWindow:
    save_settings(settings)
    window = MainWindow(Demo(), settings, load_pipeline, Meter(0.0))
    qtbot.addWidget(window, before_close_func=lambda w: w.stop())
    window.show()
    qtbot.waitUntil(lambda: bool(window.live._faces), timeout=60_000)
    return window


def test_a_clip_is_captured_with_a_visible_mark(qtbot, monkeypatch):
    window = open_window(qtbot)
    window.set_capturing(True)
    assert window._capture.isChecked()
    qtbot.waitUntil(lambda: "capturing" in window.live.view._lines[0], timeout=20_000)
    qtbot.waitUntil(lambda: window.capturing._recorder.n_kept > 5, timeout=30_000)
    window._pause.trigger()
    assert "paused" in window.capturing.mark
    kept = window.capturing._recorder.n_kept
    captured = window._meter.processed
    qtbot.waitUntil(lambda: window._meter.processed > captured + 20, timeout=30_000)
    assert window.capturing._recorder.n_kept <= kept + 1
    window._pause.trigger()
    qtbot.waitUntil(lambda: window.capturing._recorder.n_kept > kept + 1, timeout=30_000)
    window.set_capturing(False)
    assert not window._capture.isChecked()
    assert window.capturing.mark == ""
    qtbot.waitUntil(lambda: not window.capturing.is_closing, timeout=20_000)
    (clip,) = list_clips()
    assert summarize(clip).n_frames > 5

    page = window.personal
    window._tabs.setCurrentWidget(page)
    qtbot.waitUntil(lambda: page.clips.list.topLevelItemCount() == 1, timeout=20_000)
    assert page.learning.begin_button.isVisible()
    page.clips.list.selectAll()
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answers.pop(0))
    qtbot.mouseClick(page.clips.delete_button, Qt.MouseButton.LeftButton)
    assert list_clips() == [clip], "the answer was no"
    qtbot.mouseClick(page.clips.delete_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.clips.list.topLevelItemCount() == 0, timeout=20_000)
    assert list_clips() == []
    assert clip.name in page._said.text()


def test_consent_is_asked_once_and_without_it_nothing_is_captured(qtbot, monkeypatch):
    asked: list[str] = []
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]

    def question(parent, title, text, *buttons):
        asked.append(text)
        return answers.pop(0)

    monkeypatch.setattr(QMessageBox, "question", question)
    window = open_window(qtbot, Settings(provider="cpu"))
    window.set_capturing(True)
    assert not window.capturing.is_on
    window.set_capturing(True)
    assert window.capturing.is_on
    window.set_capturing(False)
    window.set_capturing(True)
    assert window.capturing.is_on
    window.set_capturing(False)
    assert len(asked) == 2
    assert "Nothing is sent" in asked[0]
    assert load_settings()[0].capture_accepted_on


def test_a_guided_session_keeps_what_was_reviewed(qtbot):
    window = open_window(qtbot)
    assert window.pipeline is not None
    dialog = GuidedDialog(
        window, window._session, window.pipeline, ON_CPU, take_s=0.8, countdown_s=0.1
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
    window = open_window(qtbot)
    assert window.pipeline is not None
    dialog = GuidedDialog(
        window, window._session, window.pipeline, ON_CPU, take_s=0.5, countdown_s=0.1
    )
    dialog.show()
    dialog.record_button.click()
    qtbot.waitUntil(lambda: dialog.keep_button.isVisible(), timeout=30_000)
    assert len(list(unreviewed_folder().iterdir())) == 1
    dialog.close()
    assert list(unreviewed_folder().iterdir()) == []
    assert list_takes() == []


def test_a_take_that_cannot_be_read_is_told_and_asked_for_again(qtbot, monkeypatch):
    window = open_window(qtbot)
    assert window.pipeline is not None
    dialog = GuidedDialog(
        window, window._session, window.pipeline, ON_CPU, take_s=0.5, countdown_s=0.1
    )
    dialog.show()

    def unreadable(folder: Path) -> None:
        raise InputError("cannot be read")

    monkeypatch.setattr("fer_live.window.personal.guided_dialog.Recording.open", unreadable)
    dialog.record_button.click()
    qtbot.waitUntil(lambda: dialog.again_button.isVisible(), timeout=30_000)
    assert dialog._hint.text() == "cannot be read"
    dialog.done(0)


def test_deleting_the_clip_that_is_captured_ends_it_with_a_word(qtbot):
    window = open_window(qtbot)
    said: list[str] = []
    window.capturing.ended.connect(said.append)
    window.set_capturing(True)
    qtbot.waitUntil(lambda: len(list_clips()) == 1, timeout=30_000)
    list_clips()[0].delete()
    qtbot.waitUntil(lambda: bool(said), timeout=30_000)
    assert said == ["the clip that was being captured was deleted"]
    assert not window.capturing.is_on
    assert list_clips() == []


def write_compared(run_dir: Path, n: int) -> None:
    run_dir.mkdir(parents=True)
    faces = np.random.default_rng(0).integers(0, 255, (n, 48, 48)).astype(np.uint8)
    before = np.eye(8, dtype=np.float32)[np.zeros(n, int)]
    after = np.eye(8, dtype=np.float32)[np.ones(n, int)]
    names = np.array(EXPRESSIONS)
    np.savez(run_dir / COMPARED_FILE, faces=faces, before=before, after=after, labels=names)
    save_proof(run_dir, Proof(n_differing=n))


@pytest.mark.parametrize(("word", "passes"), [("happiness", True), ("neutral", False)])
def test_the_choice_is_blind_and_counted(qtbot, tmp_path: Path, word: str, passes: bool):
    run_dir = tmp_path / "run"
    write_compared(run_dir, 24)
    dialog = CompareDialog(run_dir)
    qtbot.addWidget(dialog)
    dialog.show()
    sides = []
    for number in range(24):
        assert f"{number + 1} of 24" in dialog._count.text()
        left = word in dialog._left.text()
        sides.append(left)
        assert left != (word in dialog._right.text())
        qtbot.keyClick(
            dialog, Qt.Key.Key_0 if number == 5 else Qt.Key.Key_1 if left else Qt.Key.Key_2
        )
    assert 4 < sum(sides) < 20, "which is which changes"
    proof = load_proof(run_dir)
    assert proof.preference is not None
    assert (proof.preference.n_shown, proof.passes) == (24, passes)
    assert (proof.preference.n_new, proof.preference.n_old) == ((23, 0) if passes else (0, 23))
    dialog._done.click()
    assert dialog.result() == int(passes)


def test_a_choice_that_is_broken_off_changes_nothing(qtbot, tmp_path: Path):
    write_compared(tmp_path / "run", 24)
    dialog = CompareDialog(tmp_path / "run")
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.keyClick(dialog, Qt.Key.Key_1)
    dialog.reject()
    assert load_proof(tmp_path / "run") == Proof(n_differing=24)


def test_a_choice_that_cannot_be_written_can_be_given_again(qtbot, tmp_path: Path, monkeypatch):
    write_compared(tmp_path / "run", 24)
    dialog = CompareDialog(tmp_path / "run")
    qtbot.addWidget(dialog)
    dialog.show()

    def full(*_: object) -> None:
        raise OutputError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("fer_live.window.personal.compare_dialog.save_proof", full)
        for _ in range(24):
            qtbot.keyClick(dialog, Qt.Key.Key_1)
        assert dialog._count.text() == "the disk is full"
    qtbot.keyClick(dialog, Qt.Key.Key_1)
    assert load_proof(tmp_path / "run").preference is not None


def panel_with(qtbot, command) -> LearningPanel:
    panel = LearningPanel(lambda: ON_CPU, command)
    qtbot.addWidget(panel, before_close_func=lambda p: p.stop())
    panel.set_n_clips(1)
    panel.show()
    return panel


def test_a_retraining_shows_how_far_it_is_and_what_came_of_it(qtbot, fake):
    panel = panel_with(qtbot, fake("done"))
    assert not panel.bar.isVisible()
    panel.begin_button.click()
    qtbot.waitUntil(lambda: panel.choose_button.isVisible(), timeout=20_000)
    assert "25 faces to choose by" in panel.message
    assert not panel.install_button.isVisible()
    assert unfinished_run() is None
    later = panel_with(qtbot, fake("done"))
    assert later.choose_button.isVisible(), "the next start remembers it"
    run_dir = finished_run()
    assert run_dir is not None
    settle(run_dir)
    assert finished_run() is None


def test_a_retraining_is_cancelled_and_gone_on_with(qtbot, fake):
    panel = panel_with(qtbot, fake("hang"))
    panel.begin_button.click()
    qtbot.waitUntil(lambda: panel.bar.value() >= 800, timeout=20_000)
    assert "learning" in panel.message
    assert "0:01 left" in panel.message
    panel.cancel_button.click()
    qtbot.waitUntil(lambda: panel.resume_button.isVisible(), timeout=20_000)
    assert "Cancelled" in panel.message
    assert unfinished_run() is not None
    again = panel_with(qtbot, fake("hang"))
    assert again.resume_button.isVisible(), "the next start offers it"
    again.resume_button.click()
    qtbot.waitUntil(lambda: again.choose_button.isVisible(), timeout=20_000)
    assert unfinished_run() is None


def test_a_refused_retraining_says_why_and_cannot_be_installed(qtbot, fake):
    panel = panel_with(qtbot, fake("refused"))
    panel.begin_button.click()
    qtbot.waitUntil(lambda: "nothing to choose by" in panel.message, timeout=20_000)
    assert not panel.install_button.isVisible()
    assert not panel.choose_button.isVisible()


def test_whose_face_is_asked_where_several_are_in_a_clip(qtbot, fake, monkeypatch):
    commands = [fake("mistake"), fake("done")]
    panel = panel_with(qtbot, commands[0])
    begun: list[list[str]] = []
    start = Retraining.start.__func__  # type: ignore[attr-defined]

    def started(cls, arguments, command):
        begun.append(list(arguments))
        return start(cls, arguments, commands[len(begun) - 1])

    monkeypatch.setattr(Retraining, "start", classmethod(started))
    monkeypatch.setattr(QMessageBox, "exec", lambda box: 0)
    monkeypatch.setattr(
        QMessageBox,
        "clickedButton",
        lambda box: next(b for b in box.buttons() if "largest" in b.text()),
    )
    panel.begin_button.click()
    qtbot.waitUntil(lambda: panel.choose_button.isVisible(), timeout=20_000)
    assert "--track" not in begun[0]
    assert begun[1][-2:] == ["--track", "largest"]


def install_copy_of_the_shipped(home: Path, name: str) -> Path:
    from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL, asset

    folder = home / "models" / name
    folder.mkdir(parents=True)
    for variant in (CPU_MODEL, GPU_MODEL, CHECKPOINT):
        (folder / variant).write_bytes(asset(variant).read_bytes())
    return folder


def test_a_running_window_takes_the_model_that_was_chosen_elsewhere(qtbot, run_cli, own_home: Path):
    folder = install_copy_of_the_shipped(own_home, "me")
    window = open_window(qtbot)
    assert [model.name for model in list_models()] == ["shipped", "me"]
    used = run_cli("fer-live", "models", "use", "me")
    assert used.returncode == 0, used.stderr
    assert "* me" in run_cli("fer-live", "models", "list").stdout
    qtbot.waitUntil(
        lambda: window.pipeline is not None and window.pipeline.classifier.name == "me",
        timeout=60_000,
    )
    removed = run_cli("fer-live", "models", "remove", "me")
    assert removed.returncode == 0, removed.stderr
    assert not folder.exists()
    qtbot.waitUntil(
        lambda: window.pipeline.classifier.name == "fer_live_int8.onnx",  # type: ignore[union-attr]
        timeout=60_000,
    )
    assert json.loads((own_home / "settings.json").read_text())["model"] is None


def test_the_next_start_says_that_a_retraining_was_interrupted(qtbot, own_home: Path):
    run_dir = own_home / "retraining" / "one"
    run_dir.mkdir(parents=True)
    _arguments_file(run_dir).write_text("[]")
    window = open_window(qtbot)
    assert "retraining was interrupted" in window.live._toast
    assert window.personal.learning.resume_button.isVisibleTo(window.personal)


def test_models_are_used_and_removed_with_one_click(qtbot, own_home: Path, monkeypatch):
    folder = install_copy_of_the_shipped(own_home, "me")
    settings = [ON_CPU]

    def change(changes: dict[str, object]) -> None:
        settings[0] = settings[0].but(**changes)

    page = PersonalPage(lambda: settings[0], change)
    qtbot.addWidget(page, before_close_func=lambda p: p.stop())
    page.show()
    page.refresh()
    qtbot.waitUntil(lambda: page.clips._empty.isVisible(), timeout=20_000)
    assert "Capture" in page.learning.message
    page.models.list.setCurrentRow(1)
    page.models.use_button.click()
    assert settings[0].model == str(folder)
    assert page.models.list.item(1).text().startswith("●")
    page.models.list.setCurrentRow(0)
    page.models.use_button.click()
    assert settings[0].model is None
    page.models.card_button.click()
    page_of_card = page.models.findChild(QTextBrowser)
    assert page_of_card is not None
    assert find_model("shipped").manifest().training["data"] in page_of_card.toPlainText()
    page.models.list.setCurrentRow(1)
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    page.models.remove_button.click()
    assert page.models.list.count() == 1
    assert not folder.exists()
