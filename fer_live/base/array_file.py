"""Arrays that were kept in a file, read so that no file can harm: whatever is wrong with it is one
kind of error."""

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

import numpy as np
from numpy.lib.format import read_array_header_1_0, read_array_header_2_0, read_magic
from numpy.typing import NDArray

from fer_live.base.regular_file import open_regular

_MAX_BYTES = 1 << 29
_MIN_BYTES = 1 << 12
"""An array without elements still has a shape."""


class ArrayFault(ValueError):
    """A file that holds other arrays than it should, or none."""


def load_array(file: Path, kinds: str, n_axes: int) -> NDArray[Any]:
    """The array in a .npy file.

    Args:
        file: The file.
        kinds: What its elements may be, as `dtype.kind` calls it: "iu" are whole numbers.
        n_axes: How many axes it has.

    Raises:
        ArrayFault: It cannot be read, is larger than its file, or is another array.
    """
    # A header that claims more than the file holds is found without the memory.
    return _checked(np.array(map_array(file)), file.name, kinds, n_axes)


def map_array(file: Path) -> NDArray[Any]:
    """The array in a .npy file, of which only what is looked at is read.

    Raises:
        ArrayFault: It cannot be read, or is larger than its file.
    """
    try:
        with open_regular(file) as opened:
            _check_head(opened, file.stat().st_size)
        mapped: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # noqa: BLE001  # numpy raises a dozen kinds for a broken file
        raise ArrayFault(f"{file.name}: {_first_line(error)}") from None
    return mapped


def load_arrays(file: Path, wanted: Mapping[str, tuple[str, int]]) -> dict[str, NDArray[Any]]:
    """The arrays of a .npz file: name -> kinds and number of axes, as `load_array` has them.

    Raises:
        ArrayFault: It cannot be read, or holds others; half a gigabyte is the most that it may.
    """
    try:
        with open_regular(file, _MAX_BYTES) as opened:
            with ZipFile(opened) as archive:
                sizes = [info.file_size for info in archive.infolist()]
                if sum(sizes) > _MAX_BYTES:
                    raise ArrayFault(f"more than {_MAX_BYTES:,} bytes")
                for name in wanted:
                    with archive.open(f"{name}.npy") as member:
                        _check_head(member, archive.getinfo(f"{name}.npy").file_size)
            opened.seek(0)
            with np.load(opened, allow_pickle=False) as told:
                arrays = {name: told[name] for name in wanted}
    except Exception as error:  # noqa: BLE001  # as above, and zipfile adds its own
        raise ArrayFault(f"{file.name}: {_first_line(error)}") from None
    return {name: _checked(arrays[name], name, *wanted[name]) for name in wanted}


def _check_head(opened: IO[bytes], n_bytes: int) -> None:
    """Raise `ValueError` where an array claims more elements than a file of so many bytes has.

    Elements without a byte, and axes of no length, would claim any number of them.
    """
    major, _ = read_magic(opened)
    read_head = read_array_header_1_0 if major == 1 else read_array_header_2_0
    shape, _, dtype = read_head(opened)
    if dtype.hasobject or dtype.itemsize == 0:
        raise ValueError("elements that are no numbers and no text")
    if math.prod(max(length, 1) for length in shape) * dtype.itemsize > max(n_bytes, _MIN_BYTES):
        raise ValueError("claims more than it has")


def _checked(array: Any, name: str, kinds: str, n_axes: int) -> NDArray[Any]:
    if not isinstance(array, np.ndarray) or array.dtype.kind not in kinds or array.ndim != n_axes:
        raise ArrayFault(f"{name}: not {n_axes} axes of {kinds}")
    if array.dtype.kind == "U" and not _is_text(array):
        raise ArrayFault(f"{name}: letters that do not exist")
    return array


def _is_text(array: NDArray[Any]) -> bool:
    """Whether Python can make texts of it: NumPy keeps any number of 32 bits as a letter."""
    letters = np.ascontiguousarray(array).reshape(-1).view(array.dtype.byteorder + "u4")
    return not ((letters > sys.maxunicode) | ((letters >= 0xD800) & (letters < 0xE000))).any()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
