from pathlib import Path

import numpy as np
import pytest

from fer_live.errors import DataError
from fer_live.model.manifest import EXPRESSIONS
from fer_live.personal.calibration import Material
from fer_live.personal.own_faces import OwnFaces, crops_alone
from fer_live.personal.proof import Compared, load_compared, save_compared
from training.personalize.faces import load_faces, save_faces


def faces(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 255, (n, 48, 48)).astype(np.uint8)


@pytest.mark.parametrize("takes", [[], ["anger/take 1", "anger/take 2", "fear/take 1"]])
def test_the_faces_of_a_person_come_back_from_their_file(tmp_path: Path, takes: list[str]):
    n = len(takes)
    clip = crops_alone(faces(4), np.array(["a", "b", "c", "c"]))
    clip = OwnFaces(clip.crops, clip.patches, clip.takes, np.arange(4) / 5, ("x.mp4: no face",))
    labeled = crops_alone(faces(n), np.array(takes, dtype=np.str_))
    save_faces(tmp_path / "faces.npz", Material(clip, labeled, np.arange(n)))
    person = load_faces(tmp_path / "faces.npz")
    for found, before in ((person.unlabeled, clip), (person.labeled, labeled)):
        for field in ("crops", "patches", "takes", "times_s"):
            np.testing.assert_array_equal(getattr(found, field), getattr(before, field))
        assert found.skipped == before.skipped
    assert person.labels.tolist() == list(range(n))


def test_faces_to_choose_by_come_back_from_their_file(tmp_path: Path):
    probs = np.random.default_rng(0).random((2, 8)).astype(np.float32)
    save_compared(tmp_path, Compared(faces(2), probs, probs[::-1], EXPRESSIONS))
    compared = load_compared(tmp_path)
    np.testing.assert_array_equal(compared.faces, faces(2))
    np.testing.assert_array_equal(compared.after, probs[::-1])
    assert compared.labels == EXPRESSIONS


@pytest.mark.parametrize("n_left", [0, 100, -1, -100])
def test_a_damaged_file_of_faces_is_one_line(tmp_path: Path, n_left: int):
    file, clip = tmp_path / "faces.npz", crops_alone(faces(4), np.array(["a", "b", "c", "c"]))
    save_faces(file, Material(clip, clip, np.arange(4)))
    file.write_bytes(file.read_bytes()[:n_left])
    with pytest.raises(
        DataError, match=r"faces\.npz: is damaged; delete it, and the faces are found again"
    ):
        load_faces(file)
