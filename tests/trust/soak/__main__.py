"""The command; `python -m tests.trust.soak --help`."""

import json
import os
import subprocess
import sys
import tempfile

from tests.trust.trials import Outcome, main_of

FRAMES = {"stand_ins": 250_000, "real": 2_500}
PROCESSES = 4
_EVERY = {"stand_ins": 500, "real": 50}
MAX_GROWTH_MB = 10.0
MAX_GAP_MS = 2_000.0
"""The longest time for which the window may not come round to its timers."""
_FRAMES_A_SECOND_AT_LEAST = 10


def soak(kind: str, n_frames: int, every: int | None = None) -> Outcome:
    """One process of so many frames, with a step every `every` of them; None: as usual."""
    every = every or _EVERY[kind]
    with tempfile.TemporaryDirectory() as folder:
        places = {"FER_LIVE_HOME": f"{folder}/home", "QT_QPA_PLATFORM": "offscreen"}
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.trust.soak.loop",
                kind,
                str(n_frames),
                str(every),
                folder,
            ],
            capture_output=True,
            text=True,
            env={**os.environ, **places},
            timeout=120 + n_frames / _FRAMES_A_SECOND_AT_LEAST,
        )
    if done.returncode or not done.stdout.strip():
        return Outcome(failures=(f"code {done.returncode}: {done.stderr.strip()[-300:]}",))
    told = json.loads(done.stdout.splitlines()[-1])
    return Outcome(told["frames"], tuple(_failures(told)), figures=_figures(told))


def _failures(told: dict) -> list[str]:  # type: ignore[type-arg]
    failures = list(told["faults"])
    if told["unaccounted"]:
        failures.append(f"{told['unaccounted']} frames and rows are not accounted for")
    if (told["growth_mb"] or 0) >= MAX_GROWTH_MB:
        failures.append(f"memory grew by {told['growth_mb']:.1f} MB")
    if (told["descriptors"] or 0) > 0:
        opened = ", ".join(told["opened_since"])
        failures.append(f"{told['descriptors']:+g} descriptors, in the end also of {opened}")
    if (told["threads"] or 0) > 0:
        failures.append(f"{told['threads']:+g} threads")
    if told["gui_gap_ms"]["max"] > MAX_GAP_MS:
        failures.append(f"timers were late by {told['gui_gap_ms']['max']:.0f} ms")
    return failures


def _figures(told: dict) -> dict[str, float]:  # type: ignore[type-arg]
    figures = {
        "growth_mb": told["growth_mb"],
        "in_use_mb": told["in_use_mb"],
        "descriptors": told["descriptors"],
        "threads": told["threads"],
        "unaccounted": told["unaccounted"],
        "gap_ms": told["gui_gap_ms"]["max"],
        "us_a_frame": round(1e6 * told["seconds"] / told["frames"]),
    }
    return {name: float(value) for name, value in figures.items() if value is not None}


def main() -> int:
    """0 where nothing grew and nothing was lost."""
    about = "a million frames through the window; nothing grows, every frame is accounted for"
    kinds = {kind: (lambda _, kind=kind: soak(kind, FRAMES[kind])) for kind in FRAMES}
    return main_of("soak", about, kinds, count=PROCESSES)


if __name__ == "__main__":
    sys.exit(main())
