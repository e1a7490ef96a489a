"""A large block that is freed is no longer held by the process."""

import subprocess
import sys

import pytest

_HOLES = """
import numpy as np, psutil
from fer_live.base.memory import give_memory_back, keep_large_blocks_apart
{first}
rss = psutil.Process().memory_info
np.ones(8 * 2**20, np.uint8)  # from now on glibc takes blocks up to this size from the heap
before = rss().rss
frames, pins = [], []
for _ in range(40):
    frames.append(np.ones(2**20, np.uint8))
    pins.append(bytes(50_000))
del frames
{last}
print((rss().rss - before) / 2**20)
"""


def _kept_mb(first: str, last: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _HOLES.format(first=first, last=last)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told how to keep its heap")
@pytest.mark.parametrize(
    ("first", "last"), [("keep_large_blocks_apart()", ""), ("", "give_memory_back()")]
)
def test_what_was_freed_goes_back_to_the_system(first: str, last: str) -> None:
    assert _kept_mb("", "") > 30, "40 MB were in use, and what lives longer lies between"
    assert _kept_mb(first, last) < 5, "2 MB are still in use"
