import numpy as np

from fer_live.model.assets import asset
from fer_live.vision.cover import COVER_MODEL, COVER_SIDE, CoverReader


def test_no_face_any_number_and_one_of_one_gray():
    reader = CoverReader()
    assert reader.read(np.zeros((0, COVER_SIDE, COVER_SIDE), np.uint8)).shape == (0, 2)
    faces = np.random.default_rng(0).integers(0, 256, (5, COVER_SIDE, COVER_SIDE), dtype=np.uint8)
    faces[2] = 90
    together = reader.read(faces)
    assert together.shape == (5, 2)
    assert np.isfinite(together).all() and (together >= 0).all() and (together <= 1).all()
    alone = np.concatenate([reader.read(face[None]) for face in faces])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_light_changes_nothing():
    """The network sees what differs from the mean, in its own spread."""
    face = np.random.default_rng(1).integers(60, 120, (1, COVER_SIDE, COVER_SIDE), dtype=np.uint8)
    reader = CoverReader()
    np.testing.assert_allclose(reader.read(face), reader.read(2 * face), atol=0.02)


def test_the_network_is_small():
    assert asset(COVER_MODEL).stat().st_size < 100_000
