from pathlib import Path

import pytest

from training.data.fer2013 import Fer2013, load_fer2013


@pytest.fixture(scope="session")
def real_faces(shared_data: Path) -> Fer2013:
    """All of FER2013, which takes long to read; to be read only."""
    return load_fer2013(shared_data)
