"""Whether two data sets are the same images and labels."""

from dataclasses import replace

import numpy as np
import pytest

from training.data.identity import DataIdentity, identity_of, identity_of_choice
from training.data.labeled_images import FaceImages, LabeledImages


def data(n: int = 40) -> LabeledImages:
    faces = np.random.default_rng(0).integers(0, 256, (n, 8, 8)).astype(np.uint8)
    faces[:, :4] //= 1 + np.arange(n, dtype=np.uint8)[:, None, None] % 7
    ids = np.array([f"row {number}" for number in range(n)])
    return LabeledImages("made up", ("a", "b"), faces, np.arange(n) % 2, ids)


def test_another_processor_reads_the_same_images():
    """Resizing rounds otherwise there, by one gray level in some pixels."""
    ours = data()
    rounded = ours.images ^ np.random.default_rng(1).integers(0, 2, ours.images.shape, np.uint8)
    assert identity_of(ours).is_that_of(identity_of(ours.with_images(rounded)))


@pytest.mark.parametrize(
    "change",
    [
        {"images": data().images[::-1]},
        {"labels": 1 - data().labels},
        {"ids": data().ids[::-1]},
        {"classes": ("a", "c")},
        {"votes": np.full((40, 2), 0.5, np.float32)},
    ],
)
def test_other_images_labels_or_names_are_another_data_set(change: dict[str, object]):
    assert not identity_of(data()).is_that_of(identity_of(replace(data(), **change)))
    assert not identity_of(data()).is_that_of(identity_of(data(39)))


def test_one_replaced_image_is_found():
    faces = data().images.copy()
    faces[17] = 255 - faces[17]
    assert not identity_of(data()).is_that_of(identity_of(data().with_images(faces)))


def test_another_choice_of_the_same_images_is_another_data_set():
    parts = [identity_of(data()), identity_of(FaceImages("x", data(5).images, data(5).ids))]
    first, second = np.arange(10), np.arange(1, 11)
    assert identity_of_choice(parts, [first]).is_that_of(identity_of_choice(parts, [first]))
    assert not identity_of_choice(parts, [first]).is_that_of(identity_of_choice(parts, [second]))


def test_what_is_no_identity_is_that_of_nothing():
    assert not DataIdentity(names="x", grays="?").is_that_of(DataIdentity(names="y", grays="?"))
    ours = identity_of(data())
    assert not ours.is_that_of(ours.model_copy(update={"grays": "no such text"}))
