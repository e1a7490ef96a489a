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


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("letter", [0x110000, 0xFFFFFFFF, 0xD800, 0xDFFF])
def test_letters_that_do_not_exist_are_no_text(tmp_path: Path, letter: int, order: str):
    """Python ends with a `SystemError` where it is to make a text of some of them."""
    letters = np.array([[65, 66], [67, letter]], f"{order}u4")
    np.save(tmp_path / "a.npy", letters.view(f"{order}U2").reshape(2))
    with pytest.raises(ArrayFault, match="letters that do not exist"):
        load_array(tmp_path / "a.npy", "U", 1)
    np.savez(tmp_path / "a.npz", a=np.load(tmp_path / "a.npy"))
    with pytest.raises(ArrayFault, match="letters that do not exist"):
        load_arrays(tmp_path / "a.npz", {"a": ("U", 1)})


@pytest.mark.parametrize("order", "<>")
def test_text_in_any_byte_order_is_read(tmp_path: Path, order: str):
    for array in (np.array(["ab", "가🙂"]), np.array([], "U3"), np.array(["x"] * 4)[::2]):
        np.save(tmp_path / "a.npy", array.astype(array.dtype.newbyteorder(order)))
        assert load_array(tmp_path / "a.npy", "U", 1).tolist() == array.tolist()
    np.save(tmp_path / "a.npy", np.array("3", f"{order}U1"))
    assert load_array(tmp_path / "a.npy", "U", 0).item() == "3"
