from pathlib import Path

import pytest

from tests.helpers.retraining import write_start


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A small network with random weights, as a checkpoint."""
    return write_start(tmp_path / "start.safetensors")
