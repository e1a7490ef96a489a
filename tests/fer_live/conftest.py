"""What the tests of several rooms share."""

import time
from pathlib import Path

import pytest


@pytest.fixture
def lsl_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A stream of this test alone, looked for on this machine alone."""
    config = tmp_path / "lsl_api.cfg"
    config.write_text("[multicast]\nResolveScope = machine\n[log]\nlevel = -3\n")
    monkeypatch.setenv("LSLAPICFG", str(config))
    return f"FER Live {tmp_path.name} {time.monotonic_ns()}"
