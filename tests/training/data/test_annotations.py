from pathlib import Path

import numpy as np
import pytest
import torch

from fer_live.errors import DataError, InputError
from fer_live.model.manifest import EXPRESSIONS
from training.config import TrainConfig, parse_config
from training.data.annotations import (
    Annotations,
    AnnotationsAbout,
    load_annotations,
    mean_of,
    save_annotations,
)
from training.data.batches import Batches
from training.data.face_pool import FacePool, fingerprints
from training.data.sources import TrainingData, load_training_data
from training.methods import METHODS

SIDE = 48
NO_AUGMENTATION = {"flip": 0.0, "rotate_degrees": 0.0, "translate": 0.0, "scale": 0.0}


def stored(
    path: Path, kind: str, faces: np.ndarray, values: np.ndarray, names: tuple[str, ...] = ()
) -> str:
    prints = np.frombuffer(b"".join(fingerprints(faces)), np.uint8).reshape(-1, 16)
    about = AnnotationsAbout(kind=kind, side=SIDE, names=names, source={"made": "up"})
    save_annotations(path, Annotations(about, prints, values))
    return str(path)


def configured(folder: Path, method: str = "dta_snl", **tables: object) -> TrainConfig:
    quiet = {
        "weak": NO_AUGMENTATION,
        "strong": NO_AUGMENTATION
        | {
            **dict.fromkeys(
                (
                    "perspective",
                    "tone",
                    "equalize",
                    "posterize",
                    "sharpness",
                    "shadow",
                    "blur",
                    "erase",
                ),
                0.0,
            )
        },
    }
    return parse_config(
        {
            "run": {"method": method},
            "data": {"source": f"fer2013:{folder}", "labeled_share": 0.5},
            "schedule": {"batch_size": 8, "unlabeled_batch_size": 12},
            **quiet,
            **tables,
        },
        "here",
    )


def loaded(config: TrainConfig) -> TrainingData:
    return load_training_data(config.data, SIDE, 0)


def batches_of(config: TrainConfig, data: TrainingData) -> Batches:
    method = METHODS[config.run.method](config.options, len(EXPRESSIONS))
    return Batches(config, data, method, torch.device("cpu"))


def pixels(faces: torch.Tensor) -> np.ndarray:
    return ((faces[:, 0] + 1) / 2 * 255).round().to(torch.uint8).numpy()


def test_a_face_is_found_again_by_its_pixels(tmp_path: Path):
    faces = np.random.default_rng(0).integers(0, 255, (5, SIDE, SIDE)).astype(np.uint8)
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    path = stored(tmp_path / "l.safetensors", "landmarks", faces[[4, 0, 2]], values, ("a", "b"))
    found = load_annotations(Path(path), "landmarks", SIDE)
    assert found.about.names == ("a", "b") and found.about.source == {"made": "up"}
    pool = FacePool([(faces, np.arange(5))])
    assert found.rows_of(pool).tolist() == [1, -1, 2, -1, 0]
    np.testing.assert_array_equal(found.values, values)


def test_the_mean_of_a_face_is_over_those_that_have_it(tmp_path: Path):
    faces = np.random.default_rng(0).integers(0, 255, (3, SIDE, SIDE)).astype(np.uint8)
    rows = {"one": ([0, 1], [[1.0], [2.0]]), "two": ([1, 2], [[4.0], [9.0]])}
    both = []
    for name, (which, values) in rows.items():
        path = tmp_path / f"{name}.safetensors"
        stored(path, "answers", faces[which], np.array(values, np.float16))
        both.append(load_annotations(path, "answers", SIDE))
    mean = mean_of(both)
    places = mean.rows_of(FacePool([(faces, np.arange(3))]))
    assert mean.values[places].tolist() == [[1.0], [3.0], [9.0]]


def test_what_does_not_fit_is_refused(tmp_path: Path):
    faces = np.zeros((1, SIDE, SIDE), np.uint8)
    path = Path(stored(tmp_path / "c.safetensors", "crops", faces, faces))
    with pytest.raises(InputError, match="holds crops"):
        load_annotations(path, "answers", SIDE)
    with pytest.raises(InputError, match=r"faces of 48 pixels.*is 64"):
        load_annotations(path, "crops", 64)
    with pytest.raises(InputError, match="no such file"):
        load_annotations(tmp_path / "none", "crops", SIDE)
    (tmp_path / "broken").write_bytes(path.read_bytes()[:40])
    with pytest.raises(DataError, match="not a file of annotations"):
        load_annotations(tmp_path / "broken", "crops", SIDE)
    odd = path.read_bytes().replace(b'"U8"', b'"F8_E5M2"', 2)
    assert odd != path.read_bytes()
    size = int.from_bytes(odd[:8], "little") + len(odd) - path.stat().st_size
    (tmp_path / "odd").write_bytes(size.to_bytes(8, "little") + odd[8:])
    with pytest.raises(DataError, match="not a file of annotations"):
        load_annotations(tmp_path / "odd", "crops", SIDE)


@pytest.mark.parametrize(("share", "n_crops"), [(0.0, 0), (1.0, 4)])
def test_crops_take_the_place_of_the_faces_that_have_one(
    learnable_tree: Path, tmp_path: Path, share: float, n_crops: int
):
    config = configured(learnable_tree)
    data = loaded(config)
    labeled = data.labeled.faces.all()
    with_crop = labeled[:4]
    path = stored(tmp_path / "c.safetensors", "crops", with_crop, 255 - with_crop)
    config = configured(learnable_tree, annotations={"crops": path, "crops_share": share})
    batches = batches_of(config, data)
    seen = {face.tobytes() for step in range(6) for face in pixels(batches(step)[0].labeled)}
    assert sum(face.tobytes() in seen for face in 255 - with_crop) == n_crops
    assert sum(face.tobytes() in seen for face in with_crop) == 4 - n_crops
    assert all(face.tobytes() in seen for face in labeled[4:])


def test_measures_and_answers_follow_their_faces(learnable_tree: Path, tmp_path: Path):
    """Row by row, and NaN where a face has none; labels are mixed with the answers."""
    config = configured(learnable_tree)
    data = loaded(config)
    faces = np.concatenate([data.labeled.faces.all(), data.unlabeled.all()])[1:]
    brightness = faces.mean(axis=(1, 2), keepdims=False)[:, None].astype(np.float32)
    answers = np.random.default_rng(0).dirichlet(np.ones(8), len(faces)).astype(np.float32)
    config = configured(
        learnable_tree,
        annotations={
            "landmarks": stored(
                tmp_path / "l.safetensors", "landmarks", faces, brightness, ("brightness",)
            ),
            "landmarks_weight": 0.25,
            "answers": [stored(tmp_path / "a.safetensors", "answers", faces, answers, EXPRESSIONS)],
            "answers_weight": 0.75,
        },
        options={"stored_answers": True},
    )
    batches = batches_of(config, data)
    assert batches.n_landmarks == 1
    answer_of = {face.tobytes(): answer for face, answer in zip(faces, answers, strict=True)}
    first = data.labeled.faces.all()[0].tobytes()
    n_first = 0
    for step in range(6):
        batch, _ = batches(step)
        assert batch.weak == () and batch.landmarks.weight == 0.25
        for face, (measure,), target in zip(
            pixels(batch.labeled), batch.landmarks.labeled.tolist(), batch.targets, strict=True
        ):
            if face.tobytes() == first:
                n_first += 1
                assert np.isnan(measure) and target.max() == 1
                continue
            assert measure == pytest.approx(face.mean(), abs=1e-3)
            label = (target - 0.75 * torch.from_numpy(answer_of[face.tobytes()])).numpy()
            assert sorted(label.round(5).tolist()) == [0.0] * 7 + [0.25]
        for face, (measure,), answer in zip(
            pixels(batch.strong), batch.landmarks.unlabeled.tolist(), batch.answers, strict=True
        ):
            assert measure == pytest.approx(face.mean(), abs=1e-3)
            np.testing.assert_allclose(answer, answer_of[face.tobytes()], atol=1e-6)
    assert n_first == 1, "six steps of eight are one pass"


def test_answers_of_other_labels_are_refused(learnable_tree: Path, tmp_path: Path):
    faces = np.zeros((1, SIDE, SIDE), np.uint8)
    path = stored(tmp_path / "a.safetensors", "answers", faces, np.ones((1, 2)), ("yes", "no"))
    config = configured(learnable_tree, annotations={"answers": [path]})
    with pytest.raises(InputError, match="of the labels yes, no, and the data has neutral"):
        batches_of(config, loaded(config))


def test_a_method_without_that_term_refuses_landmarks(learnable_tree: Path, tmp_path: Path):
    faces = np.zeros((1, SIDE, SIDE), np.uint8)
    path = stored(tmp_path / "l.safetensors", "landmarks", faces, np.ones((1, 1)), ("one",))
    config = configured(learnable_tree, "fixmatch", annotations={"landmarks": path})
    with pytest.raises(InputError, match="fixmatch learns no landmarks"):
        batches_of(config, loaded(config))


def test_stored_answers_need_a_file(learnable_tree: Path):
    config = configured(learnable_tree, options={"stored_answers": True})
    with pytest.raises(InputError, match=r"annotations\.answers"):
        batches_of(config, loaded(config))


def test_a_face_whose_answer_is_needed_and_lacks_is_refused(learnable_tree: Path, tmp_path: Path):
    """A loss without it is not a number, and so is a held-out face's place in a histogram."""
    tables: dict[str, object] = {
        "data": {"source": f"fer2013:{learnable_tree}", "labeled_share": 0.5, "heldout_share": 0.5},
        "options": {
            "stored_answers": True,
            "threshold_source": "heldout",
            "ruled_out": "heldout",
        },
    }
    data = loaded(configured(learnable_tree, **tables))
    unlabeled, heldout = data.unlabeled.all(), data.heldout.faces.all()
    assert len(heldout) > 1

    def answered(faces: np.ndarray, n_empty: int = 0, **schedule: object) -> Batches:
        answers = np.full((len(faces), 8), 0.125, np.float32)
        answers[:n_empty] = np.nan
        path = stored(tmp_path / "a.safetensors", "answers", faces, answers, EXPRESSIONS)
        sizes = {"batch_size": 8, "unlabeled_batch_size": 12, **schedule}
        config = configured(
            learnable_tree, **tables, annotations={"answers": [path]}, schedule=sizes
        )
        return batches_of(config, data)

    # Held-out faces are unlabeled ones too.
    held = {face.tobytes() for face in heldout}
    is_held = np.array([face.tobytes() in held for face in unlabeled])
    ours, others = unlabeled[is_held], unlabeled[~is_held]
    answered(unlabeled)
    n_un, n_held = len(unlabeled), len(heldout)
    assert n_held == len(ours) < n_un
    for faces, n_empty, says in (
        (others, 0, f"{n_held} of {n_un} unlabeled faces and {n_held} of {n_held} held-out faces"),
        (np.concatenate([ours, others[1:]]), 0, f"for 1 of {n_un} unlabeled faces, which"),
        (np.concatenate([others, ours]), 2, f"for 2 of {n_un} unlabeled faces, which"),
    ):
        with pytest.raises(InputError, match=r"^annotations\.answers: .*" + says):
            answered(faces, n_empty)
    with pytest.raises(InputError, match=f"for {n_held} of {n_un} unlabeled faces, which"):
        answered(others, heldout_until=0.0)  # then no step looks at one that is held out
