import json
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from export.build import build_models
from fer_live.errors import DataError, InputError, RefusedError
from fer_live.model.assets import CHECKPOINT, CPU_MODEL, GPU_MODEL
from fer_live.model.manifest import EXPRESSIONS, CropGeometry, Manifest
from fer_live.personal.models import (
    card,
    find_model,
    install_model,
    list_models,
    remove_model,
    resolve_model,
)
from fer_live.personal.proof import (
    FACES_FILE,
    LabelGain,
    Preference,
    Proof,
    load_proof,
    save_proof,
)
from fer_live.vision.classifier import ExpressionClassifier
from training.config import TrainConfig, load_config, parse_config
from training.methods.method import Batch
from training.methods.personal import Personal, PersonalOptions
from training.models.checkpoint import architecture, build_network, load_model, save_model
from training.models.config import ModelConfig
from training.personalize.collect import PersonFaces, TrackChoice, collect_faces
from training.personalize.persons import LOOKS, Look, make_persons
from training.personalize.prove import differing, flicker, label_gain
from training.personalize.retrain import (
    _PERSONAL_CARD,
    CONFIG,
    averaged,
    retrain,
    with_norms_of,
)
from training.personalize.run import ABOUT_FILE
from training.personalize.run import personalize as personalize_with
from training.personalize.task import PersonalizeOptions

personalize = partial(personalize_with, build_models=build_models)

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A small network with random weights, as a checkpoint."""
    torch.manual_seed(0)
    config = ModelConfig(width=8, blocks=1)
    manifest = Manifest(
        labels=EXPRESSIONS,
        input_side=48,
        crop=CropGeometry(),
        architecture=architecture(config),
        card="The start's card.",
    )
    path = tmp_path / "start.safetensors"
    save_model(path, build_network(config, len(EXPRESSIONS)), manifest)
    return path


def small_config(**options: object) -> TrainConfig:
    schedule = {"steps": 4, "batch_size": 4, "unlabeled_batch_size": 8, "learning_rate": 0.01}
    run = {"method": "personal", "device": "cpu", "precision": "fp32"}
    return parse_config({"run": run, "schedule": schedule, "options": options}, "test")


def write_crops(folder: Path, n: int, *, level: int = 0, seed: int = 0) -> Path:
    folder.mkdir(parents=True)
    generator = np.random.default_rng(seed)
    for index in range(n):
        image = generator.integers(level, level + 60, (48, 48)).astype(np.uint8)
        cv2.imwrite(str(folder / f"{index:03}.png"), image)
    return folder


def test_at_its_start_the_anchor_pulls_nowhere():
    torch.manual_seed(1)
    network = build_network(ModelConfig(width=8, blocks=1, dropout=0.0), 8).eval()
    method = Personal(PersonalOptions(lambda_u=0, lambda_n=0, pull=10.0), 8)
    method.begin(network)
    network.train()
    faces = torch.rand(6, 1, 48, 48) * 2 - 1
    batch = Batch(faces[:0], torch.empty(0, 8), (faces,), faces)
    result = method.step(network, network, batch, 0.0)
    result.loss.backward()  # type: ignore[no-untyped-call]
    assert result.loss.item() == pytest.approx(0, abs=1e-5)
    largest = max(float(p.grad.abs().max()) for p in network.parameters() if p.grad is not None)
    assert largest < 1e-4
    moved = torch.rand(6, 1, 48, 48)
    batch = Batch(faces[:0], torch.empty(0, 8), (faces,), moved)
    assert method.step(network, network, batch, 0.0).loss.item() > 1e-4


def test_frozen_norms_keep_their_statistics_and_others_move():
    for freeze in (True, False):
        torch.manual_seed(1)
        network = build_network(ModelConfig(width=8, blocks=1), 8)
        method = Personal(PersonalOptions(freeze_norms=freeze), 8)
        method.begin(network)
        network.train()
        before = network.state_dict()["stem.1.running_mean"].clone()
        faces = torch.rand(6, 1, 48, 48)
        method.step(network, network, Batch(faces, torch.eye(8)[:6], (faces,), faces), 0.0)
        after = network.state_dict()["stem.1.running_mean"]
        assert torch.equal(before, after) == freeze


@pytest.mark.parametrize(("stages", "moving"), [(1, ("stem.", "stages.0.")), (4, ("",))])
def test_only_the_first_stages_learn_where_that_is_asked_for(stages: int, moving: tuple[str, ...]):
    torch.manual_seed(1)
    network = build_network(ModelConfig(width=8, blocks=1), 8)
    method = Personal(PersonalOptions(learning_stages=stages), 8)
    method.begin(network)
    before = {name: value.clone() for name, value in network.named_parameters()}
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=0)
    faces = torch.rand(6, 1, 48, 48)
    result = method.step(network, network, Batch(faces, torch.eye(8)[:6], (faces,), faces), 0.0)
    result.loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    moved = {n for n, value in network.named_parameters() if not torch.equal(value, before[n])}
    assert moved == {name for name in before if name.startswith(moving)}


def test_thresholds_are_the_manifests_and_stay_without_labels():
    taus = (0.8, 0.85, 0.9, 0.95, 0.8, 0.81, 0.82, 0.83)
    method = Personal(PersonalOptions(thresholds=taus), 8)
    network = build_network(ModelConfig(width=8, blocks=1), 8)
    method.begin(network)
    faces = torch.rand(4, 1, 48, 48)
    method.step(network, network, Batch(faces[:0], torch.empty(0, 8), (faces,), faces), 0.0)
    assert method.thresholds(0.0).tolist() == pytest.approx(taus)
    assert Personal(PersonalOptions(), 8).thresholds(3.0).tolist() == pytest.approx([0.8] * 8)


def test_norms_move_by_the_share_asked_for(start: Path):
    network, _ = load_model(start)
    faces = np.full((10, 48, 48), 200, np.uint8)
    name = "stem.1.running_mean"
    none, half, whole = (
        with_norms_of(network, faces, share).state_dict()[name] for share in (0, 0.5, 1)
    )
    assert torch.equal(none, network.state_dict()[name])
    torch.testing.assert_close(half, (none + whole) / 2)
    assert not torch.allclose(none, whole)
    assert torch.equal(averaged(network, network, 0.5).state_dict()[name], none)


def test_a_gain_is_bounded_over_takes_not_faces():
    """One take that improves in each of its hundred faces is one observation, not a hundred."""
    before = np.zeros(102, dtype=bool)
    after = np.r_[np.ones(100, dtype=bool), False, False]
    takes = np.array(["a"] * 100 + ["b", "c"])
    gain = label_gain(before, after, takes)
    assert (gain.n_faces, gain.n_takes) == (102, 3)
    assert gain.after == pytest.approx(100 / 102)
    assert gain.lower == 0, "a third of all draws of three takes has no a"
    assert not Proof(gain=gain).passes
    each = label_gain(before[:40], after[:40], np.arange(40).astype(str))
    assert each.lower == each.upper == 1
    assert Proof(gain=each).passes
    assert not Proof(gain=label_gain(after[:40], before[:40], np.arange(40).astype(str))).passes


def test_flicker_counts_switches_a_minute_of_each_face_alone():
    probs = np.eye(2, dtype=np.float32)[[0, 1, 0, 1, 0]]
    still = np.eye(2, dtype=np.float32)[[0, 0, 0, 1, 1]]
    faces = PersonFaces(
        np.zeros((5, 1, 1), np.uint8),
        np.array(["a", "a", "a", "b", "b"]),
        np.array([0.0, 5, 10, 0, 10]),
        np.array([1, 1, 1, 1, 1]),
    )
    found = flicker(probs, still, faces)
    assert found is not None
    assert (found.before, found.after) == (9.0, 0.0), "three switches in twenty seconds"
    rows = differing(probs, still, 2)
    assert rows.tolist() == [1, 4]


def test_a_person_chooses_among_twenty_faces_at_least():
    assert not Proof(n_differing=19).may_ask
    asked = Proof(n_differing=20)
    assert asked.may_ask
    assert not asked.passes
    for new, old, passes in ((11, 9, True), (10, 10, False), (3, 0, True)):
        preferred = Preference(n_shown=20, n_new=new, n_old=old)
        assert asked.model_copy(update={"preference": preferred}).passes is passes


def test_whose_face_is_asked_where_several_are_there():
    choice = TrackChoice.parse(["largest", "a b.mp4:2"])
    assert (choice.of("x/a b.mp4"), choice.of("c.mp4")) == ("2", "largest")
    with pytest.raises(InputError, match="CLIP:NUMBER"):
        TrackChoice.parse(["me"])


def test_faces_of_a_clip_keep_their_distance_in_time(tmp_path: Path, demo_clip: Path):
    (tmp_path / "demo.mp4").write_bytes(demo_clip.read_bytes())
    (tmp_path / "broken.mp4").write_bytes(b"nothing")
    choice = TrackChoice.parse(["largest"])
    faces = collect_faces(tmp_path, 48, CropGeometry(), choice)
    assert set(faces.files) == {"demo.mp4"}
    assert faces.images.shape[1:] == (48, 48)
    assert np.diff(faces.times_s).min() >= 0.19
    assert any("broken.mp4" in line for line in faces.skipped)


def test_small_square_images_are_crops_and_unreadable_ones_are_named(tmp_path: Path):
    folder = write_crops(tmp_path / "crops", 3)
    (folder / "x.png").write_bytes(b"no image")
    faces = collect_faces(folder, 48, CropGeometry(), TrackChoice())
    assert len(faces) == 3
    image = cv2.imread(str(folder / "000.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(faces.images[0], image)
    assert len(faces.skipped) == 1
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="no clip and no image"):
        collect_faces(empty, 48, CropGeometry(), TrackChoice())


def test_an_interrupted_retraining_ends_in_the_same_weights(start: Path, tmp_path: Path):
    faces = np.random.default_rng(0).integers(0, 255, (24, 48, 48)).astype(np.uint8)
    config = small_config()
    frequent = config.run.model_copy(update={"checkpoint_every_s": 1e-9})
    config = config.model_copy(update={"run": frequent})
    whole, _ = retrain(start, faces, None, tmp_path / "whole", config=config)

    class Killed(Exception):
        pass

    def kill(done: int, of: int) -> None:
        if done == 2:
            raise Killed

    with pytest.raises(Killed):
        retrain(start, faces, None, tmp_path / "parts", config=config, on_step=kill)
    resumed: list[int] = []
    again, made = retrain(
        start,
        faces,
        None,
        tmp_path / "parts",
        config=config,
        on_step=lambda done, of: resumed.append(done),
    )
    assert resumed == [3, 4]
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=0, atol=0, msg=name)
    assert made.training["personalized"]["n_unlabeled"] == 24


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


def test_simulated_persons_are_disjoint_and_reproducible():
    from training.data.labeled_images import LabeledImages

    generator = np.random.default_rng(0)
    images = generator.integers(0, 255, (80, 48, 48)).astype(np.uint8)
    images[1] = images[0]  # a copy stays beside its original or is left out with it
    labels = np.arange(80) % 8
    data = LabeledImages("x", EXPRESSIONS, images, labels, np.arange(80).astype(str))
    sizes = {"labeled_a_class": 1, "n_unlabeled": 6, "n_tested": 8}
    persons, rest = make_persons(data, **sizes)  # type: ignore[arg-type]
    ids = [set(part.ids) for p in persons for part in (p.labeled, p.unlabeled, p.tested)]
    assert [len(i) for i in ids] == [8, 6, 8] * len(LOOKS)
    assert len(set().union(*ids)) + len(rest) == 80, "no image twice"
    again, _ = make_persons(data, **sizes)  # type: ignore[arg-type]
    np.testing.assert_array_equal(again[1].tested.images, persons[1].tested.images)
    np.testing.assert_array_equal(Look("none").apply(images), images)
    assert json.dumps([look.name for look in LOOKS])


def test_gains_are_told_with_their_bounds():
    gain = LabelGain(n_faces=50, n_takes=8, before=0.6, after=0.7, lower=0.02, upper=0.18)
    assert "+2.0% and +18.0%" in Proof(gain=gain).verdict()


def test_few_takes_prove_nothing_by_themselves():
    """One take that gets better is above 0 however it is drawn."""
    few = LabelGain(n_faces=9, n_takes=2, before=0.5, after=0.6, lower=0.05, upper=0.15)
    proof = Proof(gain=few, n_differing=30)
    assert not proof.passes and proof.may_ask
    assert "too few takes" in proof.verdict() and "30 faces to choose by" in proof.verdict()
    liked = proof.model_copy(update={"preference": Preference(n_shown=20, n_new=15, n_old=3)})
    assert liked.passes and not liked.may_ask
    worse = few.model_copy(update={"lower": -0.1})
    assert not Proof(gain=worse, n_differing=30).may_ask
    many = few.model_copy(update={"n_takes": 6})
    assert Proof(gain=many).passes
