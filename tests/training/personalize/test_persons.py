import json

import numpy as np
import pytest

from fer_live.errors import DataError
from fer_live.model.manifest import EXPRESSIONS
from training.data.labeled_images import LabeledImages
from training.personalize.persons import LOOKS, Look, make_persons


def test_simulated_persons_are_disjoint_and_reproducible():
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


def test_too_few_images_for_persons_are_refused():
    images = np.random.default_rng(0).integers(0, 255, (80, 8, 8)).astype(np.uint8)
    data = LabeledImages("x", EXPRESSIONS, images, np.arange(80) % 8, np.arange(80).astype(str))
    with pytest.raises(DataError, match="80 images are too few to make 3 simulated persons"):
        make_persons(data, labeled_a_class=1, n_unlabeled=12, n_tested=8)
