from pathlib import Path

import numpy as np
import pytest

from fer_live.model.manifest import EXPRESSIONS, CropGeometry, Manifest
from fer_live.personal.proof import Compared, load_compared, save_compared
from training.data.labeled_images import LabeledImages
from training.personalize.collect import PersonFaces
from training.personalize.faces import PersonData, load_faces, save_faces

MANIFEST = Manifest(labels=EXPRESSIONS, input_side=48, crop=CropGeometry())


def faces(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 255, (n, 48, 48)).astype(np.uint8)


@pytest.mark.parametrize("takes", [[], ["anger/take 1", "anger/take 2", "fear/take 1"]])
def test_the_faces_of_a_person_come_back_from_their_file(tmp_path: Path, takes: list[str]):
    n = len(takes)
    unlabeled = PersonFaces(
        faces(4), np.array(["0/a", "0/b", "1/a", "1/a"]), np.arange(4) / 5, np.arange(4)
    )
    labeled = LabeledImages(
        "takes", EXPRESSIONS, faces(n), np.arange(n), np.array(takes, dtype=np.str_)
    )
    save_faces(tmp_path / "faces.npz", PersonData(unlabeled, labeled, ("x.mp4: no face",)))
    with np.load(tmp_path / "faces.npz") as stored:
        assert list(stored) == [
            *("images", "files", "times_s", "tracks", "skipped"),
            *("labeled", "classes", "takes"),
        ]
    person = load_faces(tmp_path / "faces.npz", MANIFEST)
    np.testing.assert_array_equal(person.unlabeled.images, unlabeled.images)
    assert person.unlabeled.files.tolist() == unlabeled.files.tolist()
    np.testing.assert_array_equal(person.labeled.images, labeled.images)
    assert person.labeled.labels.tolist() == list(range(n))
    assert (person.takes.tolist(), person.skipped) == (takes, ("x.mp4: no face",))
    first = person.is_first_take
    assert (None if first is None else first.tolist()) == ([True, False, True] if takes else None)
    assert len(person.training) == (2 if takes else 0), "second takes are kept for the proof"


def test_faces_to_choose_by_come_back_from_their_file(tmp_path: Path):
    probs = np.random.default_rng(0).random((2, 8)).astype(np.float32)
    save_compared(tmp_path, Compared(faces(2), probs, probs[::-1], EXPRESSIONS))
    compared = load_compared(tmp_path)
    np.testing.assert_array_equal(compared.faces, faces(2))
    np.testing.assert_array_equal(compared.after, probs[::-1])
    assert compared.labels == EXPRESSIONS
