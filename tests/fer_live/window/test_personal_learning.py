import sys
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QMessageBox

from fer_live.personal.retraining import (
    Outcome,
    Retraining,
    _arguments_file,
    finished_run,
    settle,
    unfinished_run,
)
from fer_live.window.main_window import MainWindow
from fer_live.window.notices import Notice
from fer_live.window.personal.learning_panel import (
    LearningPanel,
    end_in_plain_words,
    left_in_plain_words,
)
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
if mode == "broken":
    print("fer-train: the exported model gives another label on 18% of the faces", file=sys.stderr)
    sys.exit(1)
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
    assert "less than a minute left" in panel.message
    assert "so far" in panel.message
    assert "Other programs slow it down" in panel.message
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


def test_a_retraining_that_breaks_says_so_in_a_users_words_and_is_no_interruption(qtbot, fake):
    panel = panel_with(qtbot, fake("broken"))
    panel.begin_button.click()
    qtbot.waitUntil(lambda: "ended with an error" in panel.message, timeout=60_000)
    assert "exported model" not in panel.message, "a developer's sentence"
    assert "Report a problem" in panel.message, "what to do next"
    assert "18%" in panel._text.toolTip(), "for whoever helps"
    assert not panel.resume_button.isVisible(), "it would break again"
    assert panel.begin_button.isVisible()
    assert unfinished_run() is None, "later starts must not call it interrupted"


def test_one_that_could_not_begin_was_not_interrupted(qtbot):
    panel = panel_with(qtbot, ("/no/such/program",))
    panel.begin_button.click()
    assert "cannot be started" in panel.message
    assert unfinished_run() is None


def test_what_was_interrupted_can_be_discarded_and_is_told_no_more(qtbot, own_home: Path, fake):
    run_dir = own_home / "retraining" / "one"
    run_dir.mkdir(parents=True)
    _arguments_file(run_dir).write_text("[]")
    panel = panel_with(qtbot, fake("done"))
    panel.discard_button.click()
    assert not panel.resume_button.isVisible()
    assert not panel.discard_button.isVisible()
    assert unfinished_run() is None
    assert not run_dir.exists()


@pytest.mark.parametrize(
    ("left_s", "says"),
    [
        (0.0, "less than a minute left"),
        (44.0, "less than a minute left"),
        (50.0, "about 1 minute left"),
        (89.0, "about 1 minute left"),
        (91.0, "about 2 minutes left"),
        (1221.0, "about 20 minutes left"),
    ],
)
def test_time_left_is_about_and_in_minutes(left_s: float, says: str):
    assert left_in_plain_words(left_s) == says


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (Outcome(-9, ""), "It was stopped"),
        (Outcome(2, "a.mp4: no face in it; use another"), "a.mp4: no face"),
        (Outcome(2, ""), "It ended with an error"),
        (Outcome(1, "Traceback"), "It ended with an error"),
    ],
)
def test_every_end_has_words_for_a_user(outcome: Outcome, says: str):
    assert end_in_plain_words(outcome).startswith(says)


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
    assert window.later.personal.learning.resume_button.isVisibleTo(window.later.personal)
