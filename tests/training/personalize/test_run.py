import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from export.build import build_models
from fer_live.errors import DataError, InputError, RefusedError
from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL
from fer_live.personal.models import (
    card,
    find_model,
    install_model,
    list_models,
    remove_model,
    resolve_model,
)
from fer_live.personal.proof import FACES_FILE, Preference, load_proof, save_proof
from fer_live.vision.classifier import ExpressionClassifier
from tests.helpers.retraining import small_config, write_crops
from training.config import load_config
from training.models.checkpoint import load_model
from training.personalize.retrain import _PERSONAL_CARD, CONFIG
from training.personalize.run import ABOUT_FILE
from training.personalize.run import personalize as personalize_with
from training.personalize.task import PersonalizeOptions

personalize = partial(personalize_with, build_models=build_models)

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_without_labels_the_person_decides_and_the_model_is_installed_whole(
    start: Path, tmp_path: Path
):
    clips = write_crops(tmp_path / "clips", 30)
    options = PersonalizeOptions((clips,), None, start, tmp_path / "run", config=small_config())
    stages: list[str] = []
    proof, figures = personalize(options, on_progress=lambda stage, done: stages.append(stage))
    assert list(dict.fromkeys(stages)) == ["faces", "learn", "prove", "export"]
    assert (figures["n_unlabeled"], figures["n_labeled"], proof.gain) == (30, 0, None)
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
    assert model.manifest().card == "\n\n".join((_PERSONAL_CARD, "---", "The start's card."))
    assert card(model)["card"][-1] == "The start's card."
    assert (told["n_unlabeled"], told["n_clips"]) == (30, 30)
    assert ExpressionClassifier(resolve_model("me")).name == "me"
    with pytest.raises(InputError, match="is installed"):
        install_model(options.out, "me")
    with pytest.raises(InputError, match="cannot be"):
        install_model(options.out, "../me")
    remove_model(find_model("me"))
    assert [m.name for m in list_models()] == ["shipped"]
    with pytest.raises(InputError, match="stays"):
        remove_model(find_model("shipped"))


def test_second_takes_are_never_trained_on(start: Path, tmp_path: Path):
    clips = write_crops(tmp_path / "clips", 30)
    write_crops(clips / "now take 2", 7, seed=5)
    write_crops(clips / ".unreviewed", 7, seed=6)
    for level, label in enumerate(("happiness", "anger")):
        for take in (1, 2):
            write_crops(
                tmp_path / "takes" / label / f"now take {take}", 5, level=80 * level, seed=take
            )
    options = PersonalizeOptions(
        (clips,), tmp_path / "takes", start, tmp_path / "run", config=small_config()
    )
    proof, figures = personalize(options)
    assert proof.gain is not None
    assert (proof.gain.n_faces, figures["n_labeled"]) == (10, 20)
    _, manifest = load_model(options.out)
    assert manifest.training["personalized"]["n_labeled"] == 10, "the first takes alone"
    assert figures["n_unlabeled"] == 30, "no second take, and none that nobody reviewed"
    shutil.rmtree(tmp_path / "takes" / "happiness" / "now take 1")
    shutil.rmtree(tmp_path / "takes" / "anger" / "now take 1")
    again = PersonalizeOptions(
        (clips,), tmp_path / "takes", start, tmp_path / "again", config=small_config()
    )
    _, figures = personalize(again)
    assert load_model(again.out)[1].training["personalized"]["n_labeled"] == 0


def test_what_was_asked_for_may_change_until_faces_are_found(start: Path, tmp_path: Path):
    few, enough = write_crops(tmp_path / "few", 3), write_crops(tmp_path / "enough", 21)
    out = tmp_path / "run"
    with pytest.raises(DataError, match="at least 20"):
        personalize(PersonalizeOptions((few,), None, start, out, config=small_config()))
    options = PersonalizeOptions((enough,), None, start, out, config=small_config())

    def stop(stage: str, done: float) -> None:
        if stage == "learn":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        personalize(options, on_progress=stop)
    with pytest.raises(InputError, match="from other clips"):
        personalize(PersonalizeOptions((few,), None, start, out, config=small_config()))
    write_crops(enough / "captured meanwhile", 5)
    (enough / "000.png").unlink()
    _, figures = personalize(options)
    assert figures["n_unlabeled"] == 21, "those found before"


def test_twenty_faces_are_enough_for_the_settings_that_ship(start: Path, tmp_path: Path):
    clips = write_crops(tmp_path / "clips", 20)
    config = load_config(CONFIG)
    short = config.model_copy(update={"schedule": config.schedule.model_copy(update={"steps": 2})})
    _, figures = personalize(
        PersonalizeOptions((clips,), None, start, tmp_path / "r", config=short)
    )
    assert figures["n_unlabeled"] == 20


def test_labels_without_takes_are_proven_in_halves(start: Path, tmp_path: Path):
    clips = write_crops(tmp_path / "clips", 30)
    for level, label in enumerate(("happiness", "anger")):
        write_crops(tmp_path / "labeled" / label, 6, level=80 * level, seed=level)
    options = PersonalizeOptions(
        (clips,), tmp_path / "labeled", start, tmp_path / "run", config=small_config()
    )
    proof, _ = personalize(options)
    assert proof.gain is not None
    assert (proof.gain.n_faces, proof.gain.n_takes) == (12, 12)
    _, manifest = load_model(options.out)
    assert manifest.training["personalized"]["n_labeled"] == 12, "the model itself learns all"
    assert load_proof(options.out) == proof


def test_mistakes_are_one_line(run_cli: Run, tmp_path: Path):
    few = write_crops(tmp_path / "few", 3)
    wrong = tmp_path / "labeled"
    write_crops(wrong / "bliss", 2)
    arguments = ["fer-train", "personalize", "--out", tmp_path / "run", "--clips"]
    for more, expected in (
        ([tmp_path / "none"], "no such folder"),
        ([few], "at least 20"),
        ([few, "--labeled", wrong], "no label of this model"),
        ([few, "--track", "me"], "CLIP:NUMBER"),
    ):
        done = run_cli(*arguments, *more)
        assert (done.returncode, expected in done.stderr) == (2, True), done.stderr
        assert "Traceback" not in done.stderr
        for file in (ABOUT_FILE, FACES_FILE):
            (tmp_path / "run" / file).unlink(missing_ok=True)
