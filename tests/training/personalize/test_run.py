import dataclasses
import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import fer_live.personal.gate as gate
import training.personalize.gradient as gradient_module
from export.build import build_models
from fer_live.errors import DataError, InputError, PrecisionError, RefusedError
from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL
from fer_live.personal.evidence import Evidence
from fer_live.personal.models import (
    card,
    find_model,
    install_model,
    list_models,
    remove_model,
    resolve_model,
)
from fer_live.personal.personalize import start_of_profile
from fer_live.personal.proof import FACES_FILE, Preference, load_proof, save_proof
from fer_live.vision.answers import AnswerConfig
from fer_live.vision.classifier import ExpressionClassifier
from tests.helpers.commands import fails
from tests.helpers.here import run_here
from tests.helpers.retraining import small_config, write_crops
from training.models.checkpoint import load_model, save_model
from training.personalize.gradient import PLAN_FILE, RUN_FOLDERS
from training.personalize.reader import variants_of
from training.personalize.retrain import _PERSONAL_CARD
from training.personalize.run import ABOUT_FILE
from training.personalize.run import personalize as personalize_with
from training.personalize.task import PersonalizeOptions

personalize = partial(personalize_with, build_models=build_models)


def placeholders(*_: object) -> list[tuple[str, bytes, None]]:
    """Where nothing opens the exported files; to make them takes seconds."""
    return [(precision, precision.encode(), None) for precision in ("fp32", "int8")]


without_export = partial(personalize_with, build_models=placeholders)

PROVEN = Evidence(8, 0.4, 0.8, (0.1, 0.6), 3, 6)
AGAINST = Evidence(8, 0.5, 0.5, (-0.1, 0.1), 4, 4)


def takes(folder: Path, n: int, labels: tuple[str, ...] = ("happiness", "anger", "fear")) -> Path:
    """`n` takes of each label, a crop each, which only their brightness tells apart."""
    for level, label in enumerate(labels):
        write_crops(folder / label, n, level=70 * level, seed=level)
    return folder


def options_of(tmp_path: Path, start: Path | None, **more: object) -> PersonalizeOptions:
    asked = PersonalizeOptions((), None, start, tmp_path / "run", config=small_config())
    return dataclasses.replace(asked, **more)


def test_without_labels_the_person_decides_and_the_model_is_installed_whole(
    start: Path, tmp_path: Path
):
    clips = write_crops(tmp_path / "clips", 30)
    options = options_of(tmp_path, start, clips=(clips,))
    stages: list[str] = []
    said: list[str] = []
    retrained = personalize(
        options, on_progress=lambda stage, *_: stages.append(stage), tell=said.append
    )
    proof, figures = retrained.proof, retrained.figures
    assert list(dict.fromkeys(stages)) == ["faces", "calibrate", "export"]
    assert any("gradient steps: left out; whether they add could not be told" in s for s in said)
    assert figures["used"] == {"labeled": 0, "unlabeled": 30, "left_out": 0}
    assert (figures["proven"], figures["installed"], proof.gain) == (False, False, None)
    assert Path(figures["model"]) == options.out / CPU_MODEL
    with pytest.raises(RefusedError):
        install_model(options.out)
    with pytest.raises(InputError, match="finished retraining"):
        personalize(options)
    preferred = Preference(n_shown=20, n_new=15, n_old=3)
    save_proof(options.out, proof.model_copy(update={"preference": preferred}))
    model = install_model(options.out, "me")
    assert [m.name for m in list_models()] == ["shipped", "me"]
    assert sorted(path.name for path in model.folder.iterdir()) == sorted(  # type: ignore[union-attr]
        (CPU_MODEL, GPU_MODEL, CHECKPOINT)
    )
    told = model.manifest().training["personalized"]
    assert card(model)["card"][-1] == "The start's card."
    assert (told["n_unlabeled"], told["n_clips"], told["closed_form"]) == (30, 30, True)
    assert ExpressionClassifier(resolve_model("me")).name == "me"
    with pytest.raises(InputError, match="is installed"):
        install_model(options.out, "me")
    with pytest.raises(InputError, match="cannot be"):
        install_model(options.out, "../me")
    remove_model(find_model("me"))
    assert [m.name for m in list_models()] == ["shipped"]
    with pytest.raises(InputError, match="stays"):
        remove_model(find_model("shipped"))


def test_one_image_of_each_expression_and_no_clip_is_enough(tmp_path: Path):
    """From the shipped model, whose exported files only get another classifier."""
    labeled = takes(tmp_path / "me", 1)
    retrained = personalize(options_of(tmp_path, None, labeled=labeled))
    assert retrained.figures["used"] == {"labeled": 3, "unlabeled": 0, "left_out": 0}
    assert retrained.figures["before"] is None
    network, manifest = load_model(tmp_path / "run")
    assert manifest.training["personalized"]["from"] == "the shipped model"
    exported = ExpressionClassifier(tmp_path / "run" / GPU_MODEL, "cpu", AnswerConfig(readings=1))
    faces = np.random.default_rng(3).integers(0, 256, (8, 48, 48), dtype=np.uint8)
    from training.measure.evaluate import read_faces

    assert np.abs(exported.classify(faces) - read_faces(network, manifest, faces)).max() < 1e-3
    assert variants_of(tmp_path / "run" / CHECKPOINT, manifest) == tmp_path / "run"
    again = options_of(
        tmp_path, tmp_path / "run" / CHECKPOINT, labeled=labeled, out=tmp_path / "again"
    )
    assert personalize(again).model is not None, "calibrated again, from itself"
    with pytest.raises(RefusedError):
        install_model(tmp_path / "run")
    assert install_model(tmp_path / "run", "ann", anyway=True).has_checkpoint
    lines: list[str] = []
    start_of_profile("ann", lines.append)
    assert lines == ["goes on from the last calibration of ann"]


def test_takes_are_left_out_in_turn_and_gradient_steps_have_to_add(
    start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    labeled = takes(tmp_path / "me", 2)
    clips = write_crops(tmp_path / "clips", 5)
    monkeypatch.setattr(gradient_module, "_compared", lambda *_: AGAINST)
    monkeypatch.setattr(gate, "gather_evidence", lambda *_: PROVEN)
    said: list[str] = []
    options = options_of(tmp_path, start, labeled=labeled, clips=(clips,))
    retrained = without_export(options, tell=said.append)
    assert retrained.figures["gradient_steps"] == 0
    assert any("gradient steps: about 1 minute to see whether they add" in line for line in said)
    assert any("left out; 8 takes were read right in 50% without and 50% with" in s for s in said)
    assert not any((options.out / name).exists() for name in (*RUN_FOLDERS, PLAN_FILE, FACES_FILE))

    monkeypatch.setattr(gradient_module, "_compared", lambda *_: PROVEN)
    kept = dataclasses.replace(options, out=tmp_path / "kept")
    retrained = personalize(kept, tell=said.append)
    assert retrained.figures["gradient_steps"] == 4 and retrained.figures["proven"]
    network, manifest = load_model(kept.out)
    told = manifest.training["personalized"]
    assert told["gradient_steps"] == 4 and not told["closed_form"]
    assert manifest.card == "\n\n".join((_PERSONAL_CARD, "---", "The start's card."))
    before, _ = load_model(start)
    weights = before.state_dict()
    moved = [n for n, w in network.state_dict().items() if not np.allclose(w, weights[n])]
    assert len(moved) > 2, "more than the classifier"
    install_model(kept.out, "ann")
    opened = start_of_profile("ann", said.append)
    assert opened.statistics.n == manifest.embedding.n, "it can be calibrated again"  # type: ignore[union-attr]


def test_steps_are_left_out_where_the_time_does_not_allow_them(start: Path, tmp_path: Path):
    labeled = takes(tmp_path / "me", 2)
    for minutes, says in ((0.0, "left out; as you asked"), (0.001, "--minutes allows 0.001")):
        said: list[str] = []
        options = options_of(
            tmp_path, start, labeled=labeled, minutes=minutes, out=tmp_path / str(minutes)
        )
        without_export(options, tell=said.append)
        assert any(says in line for line in said), said


def test_what_the_takes_speak_against_is_not_written(
    start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(gate, "gather_evidence", lambda *_: AGAINST)
    options = options_of(tmp_path, start, labeled=takes(tmp_path / "me", 1))
    retrained = personalize(options)
    assert retrained.model is None and retrained.figures["model"] is None
    assert sorted(path.name for path in options.out.iterdir()) == [ABOUT_FILE, "proof.json"]
    with pytest.raises(RefusedError):
        install_model(options.out, anyway=True)


def test_where_int8_reads_otherwise_the_model_keeps_fractions(start: Path, tmp_path: Path):
    def coarse(*_: object):
        yield placeholders()[0]
        raise PrecisionError("another label on 18% of the faces")

    said: list[str] = []
    options = options_of(tmp_path, start, labeled=takes(tmp_path / "me", 1))
    retrained = personalize_with(options, coarse, tell=said.append)
    assert retrained.model is not None
    assert (options.out / CPU_MODEL).read_bytes() == (options.out / GPU_MODEL).read_bytes()
    assert any("keeps fractions on every processor" in line for line in said)


def test_what_was_asked_for_may_change_until_faces_are_found(start: Path, tmp_path: Path):
    clips = write_crops(tmp_path / "clips", 21)
    options = options_of(tmp_path, start, clips=(clips,))

    def stop(stage: str, *_: object) -> None:
        if stage == "calibrate":
            raise KeyboardInterrupt

    with pytest.raises(DataError, match="no such folder"):
        personalize(dataclasses.replace(options, clips=(tmp_path / "none",)))
    with pytest.raises(KeyboardInterrupt):
        personalize(options, on_progress=stop)
    other = write_crops(tmp_path / "other", 2)
    with pytest.raises(InputError, match="from other clips"):
        personalize(dataclasses.replace(options, clips=(other,)))
    write_crops(clips / "captured meanwhile", 5)
    (clips / "000.png").unlink()
    assert without_export(options).figures["n_unlabeled"] == 21, "those found before"


def test_a_start_without_statistics_is_refused_unless_it_is_a_persons_own(
    start: Path, tmp_path: Path
):
    network, manifest = load_model(start)
    labeled = takes(tmp_path / "me", 1)
    for training, name in (({}, "plain"), ({"personalized": {}}, "own")):
        update = {"embedding": None, "training": training}
        save_model(tmp_path / f"{name}.safetensors", network, manifest.model_copy(update=update))
    with pytest.raises(InputError, match="add them with fer-train embedding"):
        personalize(options_of(tmp_path, tmp_path / "plain.safetensors", labeled=labeled))
    said: list[str] = []
    options = options_of(tmp_path, tmp_path / "own.safetensors", labeled=labeled)
    assert personalize(options, tell=said.append).model is not None
    assert any("this time from the shipped model" in line for line in said)
    told = load_model(options.out)[1].training["personalized"]
    assert told["from"] == "the shipped model"


def test_takes_nobody_reviewed_are_not_learned(start: Path, tmp_path: Path):
    labeled = takes(tmp_path / "me", 1)
    shutil.copytree(labeled / "anger", labeled / ".unreviewed" / "anger")
    options = options_of(tmp_path, start, labeled=labeled, clips=(labeled,), minutes=0.0)
    figures = without_export(options).figures
    assert figures["used"] == {"labeled": 3, "unlabeled": 0, "left_out": 0}, "each once"


def test_it_says_what_came_of_it(run_cli, tmp_path: Path):
    labeled, answer = takes(tmp_path / "me", 1), tmp_path / "a.json"
    command = ("fer-train", "personalize", "--labeled", labeled, "--json", answer)
    done = run_cli(*command, "--out", tmp_path / "run")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(answer.read_text())
    assert set(told) >= {
        *("before", "after", "interval", "proven", "used", "model", "installed"),
        *("skipped", "passes", "verdict", "n_labeled", "n_unlabeled", "wall_s"),
    }
    assert ExpressionClassifier(Path(told["model"])).manifest.training["personalized"]
    assert "classifier: fitted to 3 labeled faces" in done.stdout
    assert load_proof(tmp_path / "run").gain is None


def test_mistakes_are_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    few = write_crops(tmp_path / "few", 3)
    wrong = tmp_path / "labeled"
    write_crops(wrong / "bliss", 2)
    arguments = ("fer-train", "personalize", "--out", tmp_path / "run")
    for more, expected in (
        (["--clips", tmp_path / "none"], "no such folder"),
        ([], "nothing to learn from"),
        (["--clips", few, "--labeled", wrong], "no label of this model"),
        (["--clips", few, "--track", "me"], "CLIP:NUMBER"),
        (["--clips", few, "--minutes", "-1"], "not a number, 0 to"),
    ):
        fails(run_here(capfd, *arguments, *more), 2, expected)
        for file in (ABOUT_FILE, FACES_FILE):
            (tmp_path / "run" / file).unlink(missing_ok=True)
