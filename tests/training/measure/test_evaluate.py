import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.errors import DataError, InputError, ModelError
from fer_live.model.assets import asset
from fer_live.model.manifest import EXPRESSIONS
from tests.helpers.commands import fails
from tests.helpers.here import run_here
from tests.helpers.models import save_own_model
from training.cli import main
from training.measure.evaluate import evaluate

MODEL = asset("fer_live_int8.onnx")


@pytest.fixture
def photos(tmp_path: Path, demo_frames: list[np.ndarray]) -> Path:
    """Two whole pictures with one face each, and one with none."""
    for name, image in (
        ("happiness/a.png", demo_frames[20]),
        ("neutral/b.jpg", demo_frames[100]),
        ("neutral/gray.png", np.full((90, 90, 3), 120, np.uint8)),
    ):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
    return tmp_path / "photos"


def test_a_folder_with_detection_counts_a_missed_face_as_wrong(photos: Path):
    report = evaluate(MODEL, f"folder:{photos}", detect=True)
    assert (report["n"], report["n_undetected"]) == (3, 1)
    assert report["recall"]["happiness"] == 1.0
    assert report["recall"]["neutral"] <= 0.5
    assert sum(map(sum, report["confusion"])) == 2


@pytest.mark.parametrize("model", ["fer_live_int8.onnx", "fer_live.safetensors"])
def test_pictures_without_any_face_are_all_wrong(tmp_path: Path, model: str):
    for label in ("happiness", "neutral"):
        (tmp_path / label).mkdir()
        cv2.imwrite(str(tmp_path / label / "gray.png"), np.full((90, 90, 3), 120, np.uint8))
    report = evaluate(asset(model), f"folder:{tmp_path}", detect=True)
    assert (report["n"], report["n_undetected"], report["accuracy"]) == (2, 2, 0)


def test_without_detection_every_image_is_a_crop(photos: Path):
    report = evaluate(MODEL, f"folder:{photos}")
    assert (report["n"], report["n_undetected"]) == (3, 0)


def test_present_classes_only(photos: Path):
    report = evaluate(MODEL, f"folder:{photos}", classes="present")
    columns = np.array(report["confusion"]).sum(axis=0)
    present = [report["labels"].index(name) for name in ("happiness", "neutral")]
    assert columns.sum() == columns[present].sum() == 3


def test_the_command_writes_its_figures(
    photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    out = tmp_path / "figures.json"
    arguments = ("evaluate", MODEL, "--data", f"folder:{photos}", "--detect", "--json", out)
    done = run_here(capfd, "fer-train", *arguments)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(out.read_text())) == {
        *("n", "n_undetected", "accuracy", "balanced_accuracy", "macro_f1", "ece", "recall"),
        *("confusion", "labels", "model", "data", "split", "rule", "recall_interval"),
        *("readings", "prior"),
    }


def test_a_folder_is_read_by_content_and_what_cannot_be_read_is_named(
    run_cli, photos: Path, tmp_path: Path
):
    (photos / "happiness/a.png").rename(photos / "happiness/a.jfif")
    (photos / "happiness/broken.jpg").write_text("hello")
    (photos / "neutral/._b.jpg").write_bytes(b"\x00\x05\x16\x07")
    (photos / "neutral/notes.txt").write_text("hello")
    out = tmp_path / "figures.json"
    done = run_cli("fer-train", "evaluate", MODEL, "--data", f"folder:{photos}", "--json", out)
    fails(done, 1, "broken.jpg: not an image")
    figures = json.loads(out.read_text())
    assert figures["n"] == 3
    assert len(figures["unreadable"]) == 1


def test_a_folder_of_which_nothing_can_be_read_is_the_users_mistake(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    (tmp_path / "photos/happiness").mkdir(parents=True)
    (tmp_path / "photos/happiness/broken.jpg").write_text("hello")
    arguments = ("evaluate", MODEL, "--data", f"folder:{tmp_path / 'photos'}")
    done = run_here(capfd, "fer-train", *arguments)
    fails(done, 2, "none of its images can be read", "broken.jpg")


def test_a_checkpoint_and_its_export_agree_on_a_data_set(learnable_tree: Path):
    data = f"fer2013:{learnable_tree}"
    options = {"split": "PublicTest", "rule": "ferplus-argmax"}
    torch_report = evaluate(asset("fer_live.safetensors"), data, **options)  # type: ignore[arg-type]
    onnx_report = evaluate(asset("fer_live_fp32.onnx"), data, **options)  # type: ignore[arg-type]
    assert torch_report["n"] == 32
    assert torch_report["confusion"] == onnx_report["confusion"]
    assert torch_report["ece"] == pytest.approx(onnx_report["ece"], abs=1e-4)


@pytest.mark.parametrize("name", ["fer_live_int8.onnx", "fer_live_fp32.onnx"])
def test_a_model_with_own_expressions_is_measured_without_them(
    learnable_tree: Path, tmp_path: Path, name: str
):
    """Also where it reads nothing but its own: it then chooses among the eight as it did before."""
    own = save_own_model(tmp_path / "own.onnx", ("wink left",), logit=20, variant=name)
    report, expected = (
        evaluate(path, f"fer2013:{learnable_tree}", split="PublicTest", rule="ferplus-argmax")
        for path in (own, asset(name))
    )
    assert report["labels"] == expected["labels"] and len(report["labels"]) == 8
    for figure in ("n", "accuracy", "confusion", "recall"):
        assert report[figure] == expected[figure]
    assert report["ece"] == pytest.approx(expected["ece"], abs=1e-4)


def test_an_unknown_label_is_named(photos: Path, capfd: pytest.CaptureFixture[str]):
    (photos / "joy").mkdir()  # empty, it is no class
    arguments = ("fer-train", "evaluate", MODEL, "--data", f"folder:{photos}")
    assert run_here(capfd, *arguments).returncode == 0
    shutil.copy(photos / "happiness/a.png", photos / "joy")
    fails(run_here(capfd, *arguments), 2, "'joy' is not a label of this model")


def test_a_short_row_is_named(learnable_tree: Path, capfd: pytest.CaptureFixture[str]):
    lines = (learnable_tree / "fer2013.csv").read_text().splitlines()
    lines[5] = lines[5][:100]
    (learnable_tree / "fer2013.csv").write_text("\n".join(lines))
    done = run_here(
        capfd,
        *("fer-train", "evaluate", MODEL, "--data", f"fer2013:{learnable_tree}"),
        *("--split", "PublicTest", "--labels", "ferplus-argmax"),
    )
    fails(done, 2, "line 6")


@pytest.mark.parametrize(
    ("data", "options", "error", "says"),
    [
        ("fer2013:{}", {}, InputError, "fer2013 needs --split .* and --labels"),
        ("folder:{}", {"split": "Training"}, InputError, "folder has no parts"),
        ("photos:{}", {}, DataError, "not a data set"),
        ("folder:{}/none", {}, DataError, "no such folder"),
        ("folder:{}", {}, DataError, "no image in it"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, data: str, options, error, says: str):
    with pytest.raises(error, match=says):
        evaluate(MODEL, data.format(tmp_path), **options)


def test_a_model_of_another_kind_is_refused(photos: Path):
    with pytest.raises(ModelError, match="not a model"):
        evaluate(photos / "happiness/a.png", f"folder:{photos}")


@pytest.mark.parametrize(
    ("model", "floor"), [("fer_live_fp32.onnx", 0.80), ("fer_live_int8.onnx", 0.795)]
)
def test_the_shipped_models_read_faces_they_never_saw(
    public_test_faces: Path, model: str, floor: float
):
    """The first 800 rows' accuracy has a standard error of 1.3 %."""
    report = evaluate(
        asset(model), f"fer2013:{public_test_faces}", split="PublicTest", rule="ferplus-argmax"
    )
    assert report["n"] == 794
    assert report["accuracy"] >= floor


def labeled_crops(folder: Path, labels: tuple[str, ...]) -> str:
    random = np.random.default_rng(0)
    for label in labels:
        (folder / label).mkdir(parents=True)
        for number in range(4):
            face = random.integers(0, 256, (48, 48), dtype=np.uint8)
            cv2.imwrite(str(folder / label / f"{number}.png"), face)
    return f"folder:{folder}"


MEASURES = ("calibrate", "embedding", "priors", "calmness", "robustness", "compare")


def measured(
    command: str, model: Path, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> int:
    """Run a command that measures a checkpoint; returns its exit code."""
    models = [model, MODEL] if command == "compare" else [model]
    out = ["--out", tmp_path / "out.safetensors"]
    written = out if command in ("calibrate", "embedding", "priors") else []
    arguments = ["fer-train", command, *models, "--data", data, *written]
    monkeypatch.setattr("sys.argv", [str(argument) for argument in arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("command", MEASURES)
def test_a_folder_of_crops_is_measured_by_every_command(
    command: str,
    small_models: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """As the examples in their help say; of random faces too few may be read right."""
    data = labeled_crops(tmp_path / "crops", EXPRESSIONS)
    code = measured(command, small_models[0], data, tmp_path, monkeypatch)
    told = capsys.readouterr().err
    assert code == 0 or (command == "calmness" and "none to cut" in told), told


@pytest.mark.parametrize("command", MEASURES)
def test_labels_that_the_model_lacks_end_every_measurement_in_a_line(
    command: str,
    small_models: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    data = labeled_crops(tmp_path / "crops", ("neutral", "boredom"))
    assert measured(command, small_models[0], data, tmp_path, monkeypatch) == 2
    told = capsys.readouterr().err
    assert "boredom" in told.splitlines()[-1] and "Traceback" not in told
    assert not (tmp_path / "out.safetensors").exists()
