"""The way from a person's pictures to a model of theirs, and back."""

import io
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import fer_live.personal.gate as gate
from fer_live.base.settings import load_settings
from fer_live.commands.cli import build_parser
from fer_live.errors import DataError, InputError, OutputError
from fer_live.model.assets import CPU_MODEL, GPU_MODEL, asset
from fer_live.model.head import among_common
from fer_live.model.manifest import EXPRESSIONS
from fer_live.personal.clips import list_clips
from fer_live.personal.evidence import Evidence
from fer_live.personal.model_folder import restore_replaced, write_model_folder
from fer_live.personal.models import InstalledModel, find_model, list_models, models_folder
from fer_live.personal.retraining import arguments_for
from fer_live.sources.clip import ClipSource
from fer_live.vision.classifier import ExpressionClassifier
from tests.helpers.cameras import SyntheticCamera
from tests.helpers.commands import fails

JSON_KEYS = {"before", "after", "interval", "proven", "used", "model", "installed"}

PROVEN = Evidence(8, 0.4, 0.8, (0.1, 0.6), 3, 6)
AGAINST = Evidence(8, 0.5, 0.5, (-0.1, 0.1), 4, 4)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def person(folder: Path, labels: tuple[str, ...], n: int = 1, seed: int = 0) -> Path:
    """Crops of 48 pixels; what is in them does not matter here."""
    generator = np.random.default_rng(seed)
    for label in labels:
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(n):
            noise = generator.integers(0, 256, (12, 12)).astype(np.uint8)
            crop = cv2.resize(noise, (48, 48), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(folder / label / f"{number}.png"), crop)
    return folder


def call(*words: object) -> int:
    arguments = build_parser().parse_args(["personalize", *map(str, words)])
    return int(arguments.run(arguments))


def with_evidence(monkeypatch: pytest.MonkeyPatch, evidence: Evidence) -> None:
    monkeypatch.setattr(gate, "gather_evidence", lambda *_: evidence)


def test_one_image_of_each_expression_is_enough_for_a_model(tmp_path: Path, capsys):
    labeled, answer = person(tmp_path / "me", EXPRESSIONS), tmp_path / "a.json"
    assert call("--labeled", labeled, "--json", answer, "--out", tmp_path / "out") == 0
    told = json.loads(answer.read_text())
    assert set(told) >= JSON_KEYS
    assert told["proven"] is False and told["installed"] is False and told["before"] is None
    assert told["used"] == {"labeled": 8, "unlabeled": 0, "left_out": 0}
    model = ExpressionClassifier(Path(told["model"]), "cpu")
    story = model.manifest.training["personalized"]
    assert story["closed_form"] and story["n_labeled"] == 8
    assert model.manifest.card.startswith("**Calibrated to one person.**")
    fp32 = ExpressionClassifier(tmp_path / "out" / GPU_MODEL, "cpu")
    assert fp32.manifest == model.manifest
    faces = np.random.default_rng(3).integers(0, 256, (32, 48, 48), dtype=np.uint8)
    assert np.abs(fp32.classify(faces) - model.classify(faces)).mean() < 0.05
    said = capsys.readouterr().out
    assert "classifier: fitted to 8 labeled faces" in said and "not proven" in said
    assert list_models() == [InstalledModel("shipped", None)], "nothing is installed unasked"
    assert load_settings()[0].model is None


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (("neutral",), "classifier: left as it is"),
        (("happiness", "anger"), "classifier: fitted to 2 labeled faces: happiness, anger"),
    ],
)
def test_any_amount_is_taken(tmp_path: Path, capsys, labels: tuple[str, ...], says: str):
    assert call("--labeled", person(tmp_path / "me", labels)) == 0
    assert says in capsys.readouterr().out


def test_clips_without_a_label_are_taken(tmp_path: Path, capsys):
    clips = person(tmp_path / "clips", ("any",), n=15)
    (clips / "any" / "broken.png").write_text("no picture")
    assert call("--clips", clips, "--json", tmp_path / "a.json") == 0
    told = json.loads((tmp_path / "a.json").read_text())
    assert told["used"] == {"labeled": 0, "unlabeled": 15, "left_out": 1}
    assert "not used: " in capsys.readouterr().out


def test_what_the_takes_speak_against_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    with_evidence(monkeypatch, AGAINST)
    labeled, answer = person(tmp_path / "me", EXPRESSIONS), tmp_path / "a.json"
    out = tmp_path / "out"
    assert call("--labeled", labeled, "--install", "--out", out, "--json", answer) == 3
    told = json.loads(answer.read_text())
    assert (told["model"], told["installed"], told["proven"]) == (None, False, False)
    assert not out.exists() and len(list_models()) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and "read right 4 of 8 times before and 4 after" in lines[0]
    assert "nothing was changed" in lines[0]


def test_installed_it_is_in_use_goes_on_from_itself_and_can_be_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    with_evidence(monkeypatch, PROVEN)
    labeled, answer = person(tmp_path / "me", EXPRESSIONS), tmp_path / "a.json"
    assert call("--labeled", labeled, "--install", "--name", "ann", "--json", answer) == 0
    told = json.loads(answer.read_text())
    assert told["proven"] and told["installed"]
    ann = find_model("ann")
    assert load_settings()[0].model == str(ann.folder) == str(Path(told["model"]).parent)
    assert not ann.has_checkpoint and ann.checkpoint == asset("fer_live.safetensors")
    assert "--from" not in arguments_for(ann), "a retraining starts from the shipped model"
    capsys.readouterr()
    assert call("--labeled", labeled, "--install", "--name", "ann") == 0
    assert "goes on from the last calibration of ann" in capsys.readouterr().out
    arguments = build_parser().parse_args(["models", "use", "shipped"])
    assert arguments.run(arguments) == 0
    assert load_settings()[0].model is None


def test_a_newer_shipped_model_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    labeled = person(tmp_path / "me", EXPRESSIONS)
    assert call("--labeled", labeled, "--install", "--name", "ann") == 0
    assert not find_model("ann").has_newer_base()
    monkeypatch.setattr("fer_live.personal.models.shipped_sha256", lambda: "another")
    assert find_model("ann").has_newer_base()
    listing = build_parser().parse_args(["models", "list"])
    assert listing.run(listing) == 0
    assert "a newer shipped model is there" in capsys.readouterr().out
    assert call("--labeled", labeled, "--name", "ann") == 0
    assert "this time from the newer one" in capsys.readouterr().out


def test_an_own_expression_comes_last_stays_and_can_be_forgotten(tmp_path: Path, capsys):
    labeled = person(tmp_path / "me", ("neutral", "wink left"), n=2)
    answer, ann = tmp_path / "a.json", ("--install", "--name", "ann")
    assert call("--labeled", labeled, "--own", "wink left", "--json", answer, *ann) == 0
    told = json.loads(answer.read_text())
    assert tuple(told["labels"]) == (*EXPRESSIONS, "wink left")
    assert told["own"]["wink left"]["n_takes"] == 2 and told["before"] is not None
    assert told["own"]["wink left"].keys() >= {"recall", "false_alarms", "against"}
    model = ExpressionClassifier(Path(told["model"]), "cpu")
    assert model.manifest.own_labels == ("wink left",)
    assert model.manifest.metrics["own"] == told["own"]
    wink = cv2.imread(str(labeled / "wink left" / "0.png"), cv2.IMREAD_GRAYSCALE)
    probs, heat_maps = model.classify_with_heat_maps(wink[None])
    assert model.labels[int(probs.argmax())] == "wink left" and heat_maps is not None
    said = capsys.readouterr().out
    assert "wink left: fitted to 2 faces, told from your takes" in said
    assert "wink left: read in " in said and "takes left out" in said
    # Its folder is one of a label now; what has no takes this time stays as it is.
    more = person(tmp_path / "more", ("neutral", "concentrating"), n=2, seed=1)
    assert call("--labeled", more, "--own", "concentrating", "--json", answer, *ann) == 0
    assert "wink left: kept as it was" in capsys.readouterr().out
    told = json.loads(answer.read_text())
    assert told["labels"][8:] == ["wink left", "concentrating"]
    both = ExpressionClassifier(find_model("ann").folder, "cpu")
    assert both.manifest.metrics["own"].keys() == {"wink left", "concentrating"}
    assert both.manifest.embedding is not None and len(both.manifest.embedding.class_means) == 8
    before = among_common(both.classify(wink[None]), 8)
    capsys.readouterr()
    assert call("--forget", "wink left", "--json", answer, *ann) == 0
    said = capsys.readouterr().out
    assert "wink left: forgotten" in said and "proven" not in said
    assert json.loads(answer.read_text())["labels"][8:] == ["concentrating"]
    left = ExpressionClassifier(find_model("ann").folder, "cpu")
    assert left.manifest.training == both.manifest.training
    assert left.manifest.metrics["own"].keys() == {"concentrating"}
    for figures in (left.manifest.metrics, both.manifest.metrics):
        assert figures["on_takes_left_out"]["n_takes"] == 2, "what was measured stays"
    np.testing.assert_allclose(among_common(left.classify(wink[None]), 8), before, atol=1e-6)


def test_an_own_expression_alone_is_learnt_and_leaves_the_eight(tmp_path: Path, capsys):
    labeled = person(tmp_path / "me", ("wink left",), n=1)
    assert call("--labeled", labeled, "--own", "wink left", "--out", tmp_path / "out") == 0
    said = capsys.readouterr().out
    assert "it will answer at rest too; add takes of your face at rest, in neutral/" in said
    assert "not measured; it takes two takes" in said
    old, new = (ExpressionClassifier(p, "cpu") for p in (asset(CPU_MODEL), tmp_path / "out"))
    faces = np.random.default_rng(3).integers(0, 256, (16, 48, 48), dtype=np.uint8)
    np.testing.assert_allclose(among_common(new.classify(faces), 8), old.classify(faces), atol=1e-5)
    assert new.manifest.crop == old.manifest.crop


def test_takes_that_speak_against_the_eight_leave_them_and_not_the_own_expression(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    with_evidence(monkeypatch, AGAINST)
    labeled, answer = person(tmp_path / "me", (*EXPRESSIONS, "wink left")), tmp_path / "a.json"
    own = ("--own", "wink left", "--out", tmp_path / "out", "--json", answer)
    assert call("--labeled", labeled, *own) == 0
    told = json.loads(answer.read_text())
    assert (told["proven"], told["common_kept"]) == (False, True)
    assert "so the other expressions stay as they were" in capsys.readouterr().out
    old, new = (ExpressionClassifier(p, "cpu") for p in (asset(CPU_MODEL), tmp_path / "out"))
    faces = np.random.default_rng(3).integers(0, 256, (16, 48, 48), dtype=np.uint8)
    np.testing.assert_allclose(among_common(new.classify(faces), 8), old.classify(faces), atol=1e-5)
    assert "on_takes_left_out" not in new.manifest.metrics, "those figures are of another model"


def test_a_kill_between_the_two_renames_loses_nothing(home: Path):
    folder = models_folder() / "ann"
    write_model_folder(folder, {CPU_MODEL: b"old", GPU_MODEL: b"old"})
    folder.rename(folder.with_name(".replaced-ann"))  # killed here
    restore_replaced(models_folder())
    assert (folder / CPU_MODEL).read_bytes() == b"old"
    write_model_folder(folder, {CPU_MODEL: b"new", GPU_MODEL: b"new"})
    assert (folder / GPU_MODEL).read_bytes() == b"new"
    assert [path.name for path in models_folder().iterdir()] == ["ann"]
    shutil.copytree(folder, folder.with_name(".replaced-ann"))  # killed before the last step
    restore_replaced(models_folder())
    assert [path.name for path in models_folder().iterdir()] == ["ann"]


def test_a_disk_that_refuses_leaves_the_old_model(home: Path, monkeypatch: pytest.MonkeyPatch):
    folder = models_folder() / "ann"
    write_model_folder(folder, {CPU_MODEL: b"old"})

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OutputError, match="the disk is full"):
        patch.setattr(os, "fsync", refuse)
        write_model_folder(folder, {CPU_MODEL: b"new"})
    assert (folder / CPU_MODEL).read_bytes() == b"old"
    assert [path.name for path in models_folder().iterdir()] == ["ann"]


@pytest.mark.parametrize(
    ("words", "error", "says"),
    [
        (("--labeled", "missing"), InputError, "missing: no such"),
        (("--clips", "missing"), InputError, "missing: no such"),
        (("--source", "missing.mp4"), InputError, "missing.mp4: no such"),
        (("--labeled", "wrong"), DataError, "glee is no label of this model; .* by --own$"),
        (
            ("--labeled", "wrong", "--own", "wink"),
            InputError,
            "--own wink: no takes of it in wrong",
        ),
        (("--own", "wink"), InputError, "--own wink: add --labeled DIR"),
        (("--labeled", "wrong", "--own", "a/b"), InputError, "cannot be the name of an expression"),
        (("--labeled", "wrong", "--own", "Anger"), InputError, "is an expression already"),
        (("--labeled", "wrong", "--forget", "wink"), InputError, "in this profile; it knows none"),
        (("--labeled", "empty"), DataError, "no folder of a label in it"),
        (("--labeled", "faceless"), DataError, "no face to learn from; the first: "),
        (("--labeled", "wrong", "--name", "a/b"), InputError, "cannot be a model's name"),
        (("--labeled", "wrong", "--name", "shipped"), InputError, "cannot be a model's name"),
        (("--labeled", "wrong", "--json", "a.txt"), InputError, "unknown kind"),
        (("--labeled", "wrong", "--out", "faceless"), InputError, "holds other things"),
    ],
)
def test_mistakes_are_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words, error: type[Exception], says: str
):
    monkeypatch.chdir(tmp_path)
    person(Path("wrong"), ("glee",))
    Path("empty").mkdir()
    Path("faceless/anger").mkdir(parents=True)
    cv2.imwrite("faceless/anger/grey.png", np.full((60, 120), 128, np.uint8))
    with pytest.raises(error, match=says) as caught:
        call(*words)
    assert "\n" not in str(caught.value)


def test_a_camera_is_captured_with_consent_and_learnt_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    frames = []
    clip = ClipSource(asset("demo.mp4"))
    while len(frames) < 60 and (frame := clip.read()) is not None:
        frames.append(frame.image_bgr)
    clip.close()
    monkeypatch.setattr("fer_live.commands.personalize._COUNTDOWN_S", 0)
    monkeypatch.setattr(
        "fer_live.sources.camera.CameraSource", lambda _: SyntheticCamera(frames, 60)
    )
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(InputError, match="nobody here to be asked"):
        call("--camera", 0)
    assert list_clips() == []
    capsys.readouterr()
    assert call("--camera", 0, "--agree") == 0
    said = capsys.readouterr()
    assert "Make all sorts of faces" in said.err and "alignment: " in said.out
    assert len(list_clips()) == 1, "kept as a clip, and deleted as one"


def test_it_runs_where_torch_cannot_be_imported(run_cli, tmp_path: Path, home: Path):
    """And its answer is one JSON object with a model that the toolkit and the app take."""
    shadow = tmp_path / "shadow"
    for name in ("torch", "safetensors", "kornia"):
        (shadow / name).mkdir(parents=True)
        (shadow / name / "__init__.py").write_text("raise ImportError('not installed')\n")
    root = Path(__file__).parents[3]
    answer = tmp_path / "a.json"
    done = run_cli(
        *("fer-live", "personalize", "--json", answer),
        *("--labeled", person(tmp_path / "me", EXPRESSIONS, n=2)),
        FER_LIVE_HOME=str(home),
        PYTHONPATH=f"{shadow}:{root}",
    )
    assert done.returncode in (0, 3), done.stderr
    told = json.loads(answer.read_text())
    assert told["n_takes"] == 16 and told["interval"] is not None
    fails(run_cli("fer-live", "personalize", "--clips", tmp_path / "none"), 2, "no such file")
