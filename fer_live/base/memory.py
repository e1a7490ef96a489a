"""Gives memory that was freed back to the system."""

import ctypes
from collections.abc import Callable
from functools import cache


def give_memory_back() -> None:
    """Return what is free in the C heap, which glibc would keep; nothing where there is no glibc.

    Takes 2 to 4 milliseconds. Frames and short arrays come and go between what lives longer, so a
    heap ends up full of holes: the window grew by 44 MB in ten minutes without this, and the
    service by 69 over 900 clips, while what was in use stayed the same.
    """
    if trim := _trim():
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    """glibc's `malloc_trim`; None where the C library has none."""
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, TypeError, AttributeError):  # Windows has no library of that name
        return None
    return trim
