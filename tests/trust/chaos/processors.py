"""How long something would have taken on processors that no other process uses."""

import time
from pathlib import Path


def alone_s(passed_s: float) -> float:
    """The seconds since this process began, without those in which its threads waited for a
    processor, and no fewer than it has used."""
    tasks = Path("/proc/self/task").glob("*/schedstat")
    waited_s = sum(int(task.read_text().split()[1]) for task in tasks) / 1e9
    return max(time.process_time(), passed_s - waited_s)
