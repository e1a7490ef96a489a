import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from fer_live.base.cores import usable_cores

ROOT = Path(__file__).parents[3]
COUNT = "from fer_live.base.cores import usable_cores; print(usable_cores())"


def test_a_process_that_may_use_one_core_counts_one():
    process = psutil.Process()
    if not hasattr(process, "cpu_affinity"):
        pytest.skip("this system binds no process to cores")
    allowed = process.cpu_affinity()
    try:
        process.cpu_affinity(allowed[:1])
        counted = subprocess.run([sys.executable, "-c", COUNT], capture_output=True, check=True)
    finally:
        process.cpu_affinity(allowed)
    assert int(counted.stdout) == 1


def test_no_more_than_the_machine_has():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


@pytest.mark.parametrize("package", ["fer_live", "training", "export", "benchmarks"])
def test_cores_are_counted_here_alone(package: str):
    for path in (ROOT / package).rglob("*.py"):
        assert path.name == "cores.py" or "cpu_count" not in path.read_text(), path
