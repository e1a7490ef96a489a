"""How much later the self-contained app shows its first picture than the environment does:
`python -m benchmarks.first_picture PROGRAM`, with PROGRAM such as dist/fer-live-*/fer-live.

Both show the demo clip without a screen, in turns, after one of each that counts for nothing, so
that a busy or a slow machine changes both. Each time is that of `--stats`, from the start of the
process to the first painted picture with a result.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median


def first_picture_s(*program: str) -> float:
    """Seconds from the start of the process to its first picture."""
    with tempfile.TemporaryDirectory() as folder:
        stats = Path(folder) / "stats.json"
        settings = {"FER_LIVE_HOME": folder, "QT_QPA_PLATFORM": "offscreen"}
        subprocess.run(
            [*program, "--demo", "--duration", "5", "--stats", str(stats)],
            check=True,
            env=os.environ | settings,
        )
        return float(json.loads(stats.read_text())["first_overlay_s"])


def main() -> None:
    """Measure and print the pairs and their median ratio."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program", help="the self-contained app's program")
    parser.add_argument("--pairs", type=int, default=7)
    arguments = parser.parse_args()
    here = (sys.executable, "-m", "fer_live")
    first_picture_s(*here), first_picture_s(arguments.program)
    ratios = []
    for _ in range(arguments.pairs):
        environment_s, app_s = first_picture_s(*here), first_picture_s(arguments.program)
        ratios.append(app_s / environment_s)
        print(f"environment {environment_s:.2f} s, app {app_s:.2f} s, {ratios[-1]:.2f} times")
    print(f"median of {arguments.pairs} pairs: {median(ratios):.2f} times as long")


if __name__ == "__main__":
    main()
