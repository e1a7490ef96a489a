"""Every program of examples/ runs; the demo clip stands in for a camera."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import cv2
import nbformat
import pytest
from nbclient import NotebookClient

from tests.helpers.documentation import ROOT
from training.methods import METHODS
from training.methods.method import Method

EXAMPLES = ROOT / "examples"
RUN_ELSEWHERE = {f"receive_{kind}.py" for kind in ("osc", "websocket", "lsl")}
"""By test_outputs.py, which sends to them: data_out.md shows them."""

RUN_HERE = {
    *("photo.py", "webcam.py", "table.py", "qt_window.py", "new_method.py"),
    "expressions.ipynb",
}


def run(example: str, *arguments: object, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / example, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_example_is_left_out():
    assert {file.name for file in EXAMPLES.iterdir() if file.is_file()} == RUN_HERE | RUN_ELSEWHERE


def test_a_photo(demo_frames, tmp_path: Path):
    cv2.imwrite(str(tmp_path / "photo.jpg"), demo_frames[0])
    told = run("photo.py", "photo.jpg", cwd=tmp_path).splitlines()
    assert told[0].startswith("face at ") and ": happiness, " in told[0]
    assert sum(float(line.split()[1]) for line in told[1:]) == pytest.approx(1, abs=0.01)


def test_a_webcam_loop(demo_clip: Path, tmp_path: Path):
    told = run("webcam.py", demo_clip, cwd=tmp_path).splitlines()
    assert "face 1: happiness" in told[0]
    assert "face 2: neutral" in told[1]


def test_a_table(run_cli, demo_clip: Path, tmp_path: Path):
    run_cli("fer-live", "analyze", demo_clip, "--every", 10, "--out", tmp_path / "faces.csv")
    told = run("table.py", "faces.csv", cwd=tmp_path)
    assert "happiness  neutral" in told and "p_contempt" in told


def test_a_small_window(demo_clip: Path, qtbot):
    names = runpy.run_path(str(EXAMPLES / "qt_window.py"))
    with names["Pipeline"].load() as pipeline:
        window = names["Window"](str(demo_clip), pipeline)
        qtbot.addWidget(window)
        before = window.pixmap().toImage()
        qtbot.waitUntil(lambda: window.index >= 3, timeout=60_000)
        picture = window.pixmap().toImage()
        window.close()
    assert before.isNull() and (picture.width(), picture.height()) == (640, 480)
    image = cv2.VideoCapture(str(demo_clip)).read()[1]
    # The box and its text are drawn into it.
    orange = sum(
        picture.pixelColor(x, y).getRgb()[:3] == (255, 165, 0)
        for x in range(image.shape[1])
        for y in range(0, image.shape[0], 4)
    )
    assert orange > 20


def test_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), *sys.path]))
    book = nbformat.read(EXAMPLES / "expressions.ipynb", as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] for cell in code), "a stored picture could show a face"
    NotebookClient(book, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    made = [kind for cell in code for output in cell.outputs for kind in output.get("data", {})]
    assert "image/png" in made and made.count("text/html") == 2


CONFIG = """
[run]
method = "mean_teacher"
[data]
source = "fer2013:{folder}"
labeled_share = 0.5
[model]
width = 8
blocks = 1
[schedule]
passes = 2
batch_size = 16
unlabeled_batch_size = 16
[options]
lambda_u = 5.0
"""


def test_a_new_method(
    learnable_tree: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    """In this process, where torch may be loaded already; its line is taken back afterwards."""
    monkeypatch.setitem(METHODS, "mean_teacher", Method)
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(folder=learnable_tree.as_posix()))
    for command in (
        ["fit", "--config", str(config), "--out", str(tmp_path / "run")],
        ["config", "--method", "mean_teacher"],
    ):
        monkeypatch.setattr(sys, "argv", ["new_method.py", *command])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(str(EXAMPLES / "new_method.py"), run_name="__main__")
        assert end.value.code == 0
    assert METHODS["mean_teacher"].__name__ == "MeanTeacher"
    assert (tmp_path / "run/metrics.json").is_file()
    printed = capsys.readouterr().out
    assert "# weight of the consistency term (default: 10.0)\nlambda_u = 10.0" in printed
