"""The three kinds of annotations, made from the demo's portraits and learnt from."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from fer_live.errors import DataError, InputError
from fer_live.model.manifest import CropGeometry
from fer_live.vision.alignment import align_face
from fer_live.vision.detector import FaceDetector
from fer_live.vision.landmarker import FaceLandmarker
from tests.helpers.commands import fails
from tests.helpers.here import run_here
from training.annotations.landmarks import MEASURES, measures_of
from training.cli import main
from training.config import TrainConfig, load_config, parse_config
from training.data.annotations import (
    Annotations,
    AnnotationsAbout,
    load_annotations,
    save_annotations,
)
from training.data.face_pool import FacePool
from training.data.sources import load_training_data
from training.loop.train import fit
from training.models.checkpoint import load_model, read_safetensors

N_PORTRAITS = 4
WIDER = 1.3


@pytest.fixture(scope="module")
def portraits(demo_frames: list[np.ndarray]) -> list[np.ndarray]:
    """Crops of 112 pixels of different moments, gray, of WIDER times the app's side."""
    usual = CropGeometry()
    wide = usual.model_copy(
        update={
            "eye_distance": usual.eye_distance / WIDER,
            "eye_mouth_distance": usual.eye_mouth_distance / WIDER,
        }
    )
    frames = demo_frames[10 : 10 + 8 * N_PORTRAITS : 8]
    with FaceDetector("short") as detector:
        found = [detector.detect(frame, 0.0)[0] for frame in frames]
    return [align_face(frame, face, 112, wide) for frame, face in zip(frames, found, strict=True)]


@pytest.fixture
def config_file(learnable_tree: Path, portraits: list[np.ndarray], tmp_path: Path) -> Path:
    folder = tmp_path / "faces"
    folder.mkdir()
    for number, face in enumerate(portraits):
        cv2.imwrite(str(folder / f"{number}.png"), face)
    path = tmp_path / "config.toml"
    path.write_text(
        f"""
[run]
method = "dta_snl"
[data]
source = "fer2013:{learnable_tree.as_posix()}"
labeled_share = 0.5
heldout_share = 0.2
unlabeled = ["images:{folder.as_posix()}"]
[model]
width = 8
blocks = 1
[schedule]
passes = 1
batch_size = 8
unlabeled_batch_size = 8
"""
    )
    return path


def loaded(config_file: Path, **tables: object) -> TrainConfig:
    import tomllib

    return parse_config(tomllib.loads(config_file.read_text()) | tables, "here")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["fer-train", *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        main()
    return int(done.value.code or 0)


def test_crops_are_cut_as_the_app_does(
    config_file: Path,
    portraits: list[np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """Portraits are found and cut closer; the noise beside them keeps its own crop."""
    out = tmp_path / "crops.safetensors"
    assert run(monkeypatch, "annotate", "crops", "--config", config_file, "--out", out) == 0
    assert f"crops of {N_PORTRAITS} of 100 faces" in capsys.readouterr().out
    crops = load_annotations(out, "crops", 48)
    data = load_training_data(loaded(config_file).data, 48, 0)
    rows = crops.rows_of(data.unlabeled)
    assert (rows[:-N_PORTRAITS] == -1).all() and sorted(rows[-N_PORTRAITS:]) == list(range(4))
    for face, row in zip(portraits, rows[-N_PORTRAITS:], strict=True):
        margin = 112 - 112 / WIDER
        left, top = (
            round(margin * place) for place in (CropGeometry().center_x, CropGeometry().center_y)
        )
        side = round(112 / WIDER)
        inner, outer = (
            cv2.resize(part, (48, 48), interpolation=cv2.INTER_AREA).astype(float)
            for part in (face[top : top + side, left : left + side], face)
        )
        likeness = [
            np.corrcoef(image.ravel(), crops.values[row].ravel())[0, 1] for image in (inner, outer)
        ]
        assert likeness[0] > 0.9 > likeness[1] + 0.05


def test_landmarks_are_the_same_for_a_mirror_image(portraits: list[np.ndarray]):
    with FaceLandmarker() as landmarker:
        for face in portraits:
            mirrored = np.ascontiguousarray(face[:, ::-1])
            straight, turned = (measures_of(landmarker.measure(f)) for f in (face, mirrored))
            assert straight.shape == (len(MEASURES),)
            # MediaPipe itself is not quite symmetric.
            assert np.abs(straight - turned).max() < 0.25
            assert np.abs(straight - turned).mean() < 0.05


def test_landmarks_see_a_head_that_is_turned(portraits: list[np.ndarray]):
    """Narrowed as by a turn, its one side farther away."""
    face = portraits[0]
    corners = np.array([[0, 0], [112, 0], [112, 112], [0, 112]], np.float32)
    away = np.array([[0, 0], [80, 20], [80, 92], [0, 112]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, away)
    turned = cv2.warpPerspective(face, matrix, (112, 112), borderMode=cv2.BORDER_REPLICATE)
    with FaceLandmarker() as landmarker:
        ahead, aside = (measures_of(landmarker.measure(f)) for f in (face, turned))
    place = MEASURES.index("turned aside")
    assert aside[place] > ahead[place] + 0.05


def test_landmarks_are_learnt_and_left_out_of_the_model(
    config_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "landmarks.safetensors"
    assert run(monkeypatch, "annotate", "landmarks", "--config", config_file, "--out", out) == 0
    stored = load_annotations(out, "landmarks", 48)
    assert stored.about.names == MEASURES
    spread = stored.values.std(axis=0)
    assert np.abs(stored.values.mean(axis=0)).max() < 1e-3
    assert (np.abs(spread - 1) < 1e-3).sum() > 40, "some do not move in so few portraits"

    with_it = loaded(config_file, annotations={"landmarks": str(out)})
    fit(with_it, tmp_path / "with", resume=False, show_progress=False)
    fit(loaded(config_file), tmp_path / "without", resume=False, show_progress=False)
    kept, _ = read_safetensors(tmp_path / "with/resume.safetensors")
    before = kept["student/auxiliary.weight"]
    assert before.shape == (len(MEASURES), 64)
    final, _ = read_safetensors(tmp_path / "with/model.safetensors")
    assert not any("auxiliary" in name for name in final)
    other, _ = load_model(tmp_path / "without")
    same = other.state_dict()
    assert final.keys() == same.keys() and not torch.equal(
        final["stem.1.bias"], same["stem.1.bias"]
    )
    again = loaded(
        config_file,
        annotations={"landmarks": str(out)},
        schedule={
            "start_from": str(tmp_path / "with"),
            "steps": 1,
            "batch_size": 8,
            "unlabeled_batch_size": 8,
        },
    )
    fit(again, tmp_path / "again", resume=False, show_progress=False)


def test_answers_are_those_of_the_teacher(
    config_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Every face that is trained on has one, those held out too: the mean of it and its mirror."""
    config = loaded(config_file)
    fit(config, tmp_path / "teacher", resume=False, show_progress=False)
    out = tmp_path / "answers.safetensors"
    arguments = ("annotate", "answers", "--config", config_file, "--out", out)
    assert run(monkeypatch, *arguments, "--teacher", tmp_path / "teacher", "--copies", 0) == 0
    answers = load_annotations(out, "answers", 48)
    data = load_training_data(config.data, 48, 0)
    faces = FacePool([]) + data.labeled.faces + data.unlabeled
    rows = answers.rows_of(faces)
    assert len(data.heldout) and (rows >= 0).all()
    network, manifest = load_model(tmp_path / "teacher")
    assert answers.about.names == manifest.labels
    images = torch.from_numpy(faces.all()).unsqueeze(1).float() / 127.5 - 1
    with torch.inference_mode():
        expected = (network(images).softmax(1) + network(images.flip(3)).softmax(1)) / 2
    np.testing.assert_allclose(answers.values[rows], expected, atol=0.02)  # in bf16, perhaps

    without = tmp_path / "without.safetensors"
    arguments = (*arguments[:-1], without, "--without-heldout")
    assert run(monkeypatch, *arguments, "--teacher", tmp_path / "teacher", "--copies", 0) == 0
    answered = load_annotations(without, "answers", 48)
    assert (answered.rows_of(FacePool([]) + data.heldout.faces) == -1).all()
    assert (answered.rows_of(FacePool([]) + data.labeled.faces) >= 0).all()

    student = loaded(
        config_file,
        annotations={"answers": [str(out)]},
        options={
            "stored_answers": True,
            "threshold_source": "heldout",
            "ruled_out": "heldout",
            "soft_labels": True,
            "tau_min": 0.0,
        },
    )
    fit(student, tmp_path / "student", resume=False, show_progress=False)
    lines = (tmp_path / "student/log.jsonl").read_text().splitlines()
    assert len(set(json.loads(lines[-1])["thresholds"])) >= 1
    with pytest.MonkeyPatch.context() as patch:
        assert run(patch, *arguments) == 2


def test_annotations_of_no_face_are_neither_written_nor_taken(
    learnable_tree: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """The app's detector finds no face in made-up patterns."""
    config = tmp_path / "c.toml"
    data = f'[data]\nsource = "fer2013:{learnable_tree.as_posix()}"\n'
    config.write_text(
        data + "[model]\nwidth = 8\nblocks = 1\n[schedule]\nsteps = 1\nbatch_size = 8\n"
    )
    crops = tmp_path / "crops.safetensors"
    done = run_here(capfd, "fer-train", "annotate", "crops", "--config", config, "--out", crops)
    fails(done, 2, "crops of none of 96 faces")
    assert not crops.exists()
    prints = np.zeros((1, 16), np.uint8)
    about = AnnotationsAbout(kind="crops", side=48)
    save_annotations(crops, Annotations(about, prints, np.zeros((1, 48, 48), np.uint8)))
    with pytest.raises(InputError, match="of none of the faces that this config trains on"):
        fit(load_config(config, [f"annotations.crops={crops}"]), tmp_path / "run", resume=False)
    save_annotations(crops, Annotations(about, prints[:0], np.zeros((0, 48, 48), np.uint8)))
    with pytest.raises(DataError, match="no face in it; make it anew"):
        fit(load_config(config, [f"annotations.crops={crops}"]), tmp_path / "run", resume=False)
