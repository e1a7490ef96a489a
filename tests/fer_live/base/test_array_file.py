import io
from pathlib import Path

import numpy as np
import pytest

from fer_live.base.array_file import ArrayFault, load_array, load_arrays


def claiming(shape: str) -> bytes:
    """A .npy file of three bytes whose header says another shape."""
    content = io.BytesIO()
    np.save(content, np.arange(3, dtype=np.uint8))
    whole = content.getvalue()
    old = b"(3,), }"
    return whole.replace(old.ljust(len(shape) + 3), f"{shape}, }}".encode(), 1)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", claiming("(999999999999,)"), b"PK\3\4"])
def test_a_broken_array_is_one_kind_of_error(tmp_path: Path, content: bytes):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ArrayFault):
        load_array(tmp_path / "a.npy", "u", 1)
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ArrayFault):
        load_arrays(tmp_path / "a.npz", {"a": ("u", 1)})


def test_another_array_is_refused(tmp_path: Path):
    np.save(tmp_path / "a.npy", np.zeros((2, 2)))
    assert load_array(tmp_path / "a.npy", "f", 2).shape == (2, 2)
    for kinds, n_axes in (("u", 2), ("f", 1)):
        with pytest.raises(ArrayFault):
            load_array(tmp_path / "a.npy", kinds, n_axes)
