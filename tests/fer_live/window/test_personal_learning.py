import sys
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QMessageBox

from fer_live.personal.retraining import (
    Retraining,
    _arguments_file,
    finished_run,
    settle,
    unfinished_run,
)
from fer_live.window.main_window import MainWindow
from fer_live.window.notices import Notice
from fer_live.window.personal.learning_panel import LearningPanel
from tests.helpers.window import CONSENTED, open_demo_window

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


@pytest.fixture
def fake(tmp_path: Path):
    script = tmp_path / "fake.py"
    script.write_text(FAKE)
    return lambda mode: (sys.executable, str(script), mode)


def panel_with(qtbot, command) -> LearningPanel:
    panel = LearningPanel(lambda: CONSENTED, command)
    qtbot.addWidget(panel, before_close_func=lambda p: p.stop())
    panel.set_n_clips(1)
    panel.show()
    return panel


def test_a_retraining_shows_how_far_it_is_and_what_came_of_it(qtbot, fake):
    panel = panel_with(qtbot, fake("done"))
    assert not panel.bar.isVisible()
    panel.begin_button.click()
    qtbot.waitUntil(lambda: panel.choose_button.isVisible(), timeout=60_000)
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
    qtbot.waitUntil(lambda: panel.bar.value() >= 800, timeout=60_000)
    assert "Learning" in panel.message
    assert "0:01 left" in panel.message
    panel.cancel_button.click()
    qtbot.waitUntil(lambda: panel.resume_button.isVisible(), timeout=60_000)
    assert "Cancelled" in panel.message
    assert unfinished_run() is not None
    again = panel_with(qtbot, fake("hang"))
    assert again.resume_button.isVisible(), "the next start offers it"
    again.resume_button.click()
    qtbot.waitUntil(lambda: again.choose_button.isVisible(), timeout=60_000)
    assert unfinished_run() is None


def test_a_refused_retraining_says_why_and_cannot_be_installed(qtbot, fake):
    panel = panel_with(qtbot, fake("refused"))
    panel.begin_button.click()
    qtbot.waitUntil(lambda: "nothing to choose by" in panel.message, timeout=60_000)
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
    qtbot.waitUntil(lambda: panel.choose_button.isVisible(), timeout=60_000)
    assert "--track" not in begun[0]
    assert begun[1][-2:] == ["--track", "largest"]


def test_the_next_start_says_that_a_retraining_was_interrupted(
    qtbot, own_home: Path, monkeypatch: pytest.MonkeyPatch
):
    run_dir = own_home / "retraining" / "one"
    run_dir.mkdir(parents=True)
    _arguments_file(run_dir).write_text("[]")
    said: list[Notice] = []
    monkeypatch.setattr(MainWindow, "say", lambda window, notice: said.append(notice))
    window = open_demo_window(qtbot)
    assert "retraining was interrupted" in said[0].text
    assert window.personal.learning.resume_button.isVisibleTo(window.personal)
