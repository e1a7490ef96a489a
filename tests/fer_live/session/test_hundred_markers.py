"""The short form of `python -m benchmarks.markers`, in the whole app."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.markers import measure


def test_a_hundred_markers_from_three_channels_are_in_every_output(
    tmp_path: Path, lsl_name: str, monkeypatch: pytest.MonkeyPatch
):
    """The key is pressed in the tests of the window; the figures are in docs/markers.md."""
    measured = measure(tmp_path, 34, with_keys=False)
    assert set(measured.missing.values()) == {0}
    assert len(measured.missing) == 3 * 5
    for channel, late in measured.late_ms.items():
        assert len(late) == 34, channel
        assert -5 < np.median(late) < 20, channel
    assert np.median(np.abs(measured.frame_utc_ms)) < 5
    assert len(measured.frame_utc_ms) > 30
