from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from fer_live.errors import OutputError
from fer_live.model.manifest import EXPRESSIONS
from fer_live.personal.proof import COMPARED_FILE, Proof, load_proof, save_proof
from fer_live.window.personal.compare_dialog import CompareDialog, compare_run


def write_compared(run_dir: Path, n: int) -> None:
    run_dir.mkdir(parents=True)
    faces = np.random.default_rng(0).integers(0, 255, (n, 48, 48)).astype(np.uint8)
    before = np.eye(8, dtype=np.float32)[np.zeros(n, int)]
    after = np.eye(8, dtype=np.float32)[np.ones(n, int)]
    names = np.array(EXPRESSIONS)
    np.savez(run_dir / COMPARED_FILE, faces=faces, before=before, after=after, labels=names)
    save_proof(run_dir, Proof(n_differing=n))


def answered(run_dir: Path, monkeypatch, answer) -> bool:
    """Run the dialog on a retraining's faces; `answer` gets it in place of a person."""

    def exec_(dialog: CompareDialog) -> int:
        dialog.show()
        answer(dialog)
        return dialog.result()

    monkeypatch.setattr(CompareDialog, "exec", exec_)
    return compare_run(run_dir)


@pytest.mark.parametrize(("word", "passes"), [("happiness", True), ("neutral", False)])
def test_the_choice_is_blind_and_counted(
    qtbot, tmp_path: Path, word: str, passes: bool, monkeypatch
):
    run_dir = tmp_path / "run"
    write_compared(run_dir, 24)
    sides = []

    def answer(dialog: CompareDialog) -> None:
        qtbot.addWidget(dialog)
        for number in range(24):
            assert f"{number + 1} of 24" in dialog._count.text()
            left = word in dialog._left.text()
            sides.append(left)
            assert left != (word in dialog._right.text())
            qtbot.keyClick(
                dialog, Qt.Key.Key_0 if number == 5 else Qt.Key.Key_1 if left else Qt.Key.Key_2
            )
        dialog._done.click()

    assert answered(run_dir, monkeypatch, answer) is passes
    assert 4 < sum(sides) < 20, "which is which changes"
    proof = load_proof(run_dir)
    assert proof.preference is not None
    assert (proof.preference.n_shown, proof.passes) == (24, passes)
    assert (proof.preference.n_new, proof.preference.n_old) == ((23, 0) if passes else (0, 23))
    assert not (run_dir / COMPARED_FILE).exists(), "no face is kept without need"


def test_a_choice_that_is_broken_off_changes_nothing(qtbot, tmp_path: Path, monkeypatch):
    write_compared(tmp_path / "run", 24)

    def answer(dialog: CompareDialog) -> None:
        qtbot.addWidget(dialog)
        qtbot.keyClick(dialog, Qt.Key.Key_1)
        dialog.reject()

    assert not answered(tmp_path / "run", monkeypatch, answer)
    assert load_proof(tmp_path / "run") == Proof(n_differing=24)


def test_a_choice_that_cannot_be_written_can_be_given_again(qtbot, tmp_path: Path, monkeypatch):
    write_compared(tmp_path / "run", 24)

    def full(*_: object) -> None:
        raise OutputError("the disk is full")

    def answer(dialog: CompareDialog) -> None:
        qtbot.addWidget(dialog)
        with monkeypatch.context() as patch:
            patch.setattr("fer_live.window.personal.compare_dialog.save_proof", full)
            for _ in range(24):
                qtbot.keyClick(dialog, Qt.Key.Key_1)
            assert dialog._count.text() == "the disk is full"
        qtbot.keyClick(dialog, Qt.Key.Key_1)

    answered(tmp_path / "run", monkeypatch, answer)
    assert load_proof(tmp_path / "run").preference is not None
