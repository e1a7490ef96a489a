"""`analyze` over many short clips, beside decoding and detection alone, and killed while it works.

    python -m benchmarks.many_clips [--clips FOLDER] [--n 200] [--pairs 3] [--kills 10]

Cuts the demo clip, and the videos of a folder, into N parts of two seconds in a temporary folder.
Then, in turns, over all cores in processes of one thread each: decoding and finding faces by the
short-range model in every frame, the same by the app's own choice of detectors, and `analyze`.
Medians of ratios within one round are printed: of the time from the first frame to the last, of
that of the whole command, and of the processors' time. The last one hardly depends on what else a
machine does. At last the rows after ten kills (SIGKILL, at random moments, seed 0) are compared
with those of a run that nobody disturbed.
"""

import argparse
import json
import multiprocessing
import multiprocessing.util
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median

import cv2

from fer_live.base.cores import usable_cores
from fer_live.model.assets import asset
from fer_live.sources.choice import DEMO_CLIP
from fer_live.sources.clip import ClipSource
from fer_live.vision.detector import FaceDetector

PART_S = 2.0
SEED = 0
FFMPEG = ("ffmpeg", "-nostdin", "-v", "error")


def cut_clips(folder: Path | None, n: int, into: Path) -> list[Path]:
    """N parts of two seconds, of each clip as many as its share of the whole time, evenly apart."""
    clips = [asset(DEMO_CLIP)]
    if folder is not None:
        clips += sorted(file for file in folder.rglob("*.m*") if file.suffix in (".mp4", ".mov"))
    lengths_s = []
    for clip in clips:
        source = ClipSource(clip)
        last_s = 0.0
        while (frame := source.read()) is not None:
            last_s = frame.captured_at_s
        source.close()
        lengths_s.append(max(last_s - PART_S, 0.1))
    parts = []
    for index in range(n):
        at_s = (index + 0.5) / n * sum(lengths_s)
        for clip, length_s in zip(clips, lengths_s, strict=True):  # noqa: B007
            if at_s < length_s:
                break
            at_s -= length_s
        part = into / f"{index:03d}.mp4"
        encode = ["-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "20"]
        subprocess.run(
            [*FFMPEG, "-ss", str(at_s), "-t", str(PART_S), "-i", str(clip), *encode, str(part)],
            check=True,
        )
        parts.append(part)
    return parts


def detect(mode: str, clips: list[str]) -> None:
    """Decode and look for faces over all cores; prints the seconds from the first frame on."""
    n_cores = usable_cores()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_cores, context, _load, (mode,)) as pool:
        spans = list(pool.map(_detect_in, clips))
    print(max(end for _, end in spans) - min(begin for begin, _ in spans))


_detector: FaceDetector


def _load(mode: str) -> None:
    global _detector
    cv2.setNumThreads(1)
    _detector = FaceDetector(mode)  # type: ignore[arg-type]
    multiprocessing.util.Finalize(None, _detector.close, exitpriority=1)


def _detect_in(clip: str) -> tuple[float, float]:
    begin_s = time.monotonic()
    source = ClipSource(clip, 1)
    _detector.reset()
    while (frame := source.read()) is not None:
        _detector.detect(frame.image_bgr, frame.captured_at_s)
    source.close()
    return begin_s, time.monotonic()


def timed(command: list[str]) -> tuple[str, float, float]:
    """What a command prints last, its seconds, and those of the processors."""
    began_s = time.monotonic()
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{command[:5]}: ended with {status}")
    seconds = time.monotonic() - began_s
    return printed.splitlines()[-1], seconds, usage.ru_utime + usage.ru_stime


def analyze_command(clips: list[str], out: Path) -> list[str]:
    """The command of a study."""
    command = [sys.executable, "-m", "fer_live", "analyze", *clips, "--out", str(out), "--json"]
    return [*command, "--provider", "cpu"]


def forget(out: Path) -> None:
    """So that the next run reads everything."""
    for file in (out, Path(f"{out}.sources.json")):
        file.unlink(missing_ok=True)


def compare(clips: list[str], out: Path, pairs: int) -> None:
    """Print the ratios of `analyze` to either kind of detection."""
    ratios: dict[tuple[str, str], list[float]] = {}
    for _ in range(pairs):
        forget(out)
        figures = {}
        for mode in ("short", "auto"):
            command = [sys.executable, "-m", "benchmarks.many_clips", "--detect", mode, *clips]
            printed, *rest = timed(command)
            figures[mode] = (float(printed), *rest)
        printed, *rest = timed(analyze_command(clips, out))
        summary = json.loads(printed)
        whole = (summary["wall_s"], *rest)
        for mode, alone in figures.items():
            for what, mine, theirs in zip(("reading", "command", "cpu"), whole, alone, strict=True):
                ratios.setdefault((mode, what), []).append(mine / theirs)
        print(f"{summary['frames']} frames, {summary['faces']} faces, {whole}, {figures}")
    for (mode, what), values in ratios.items():
        each = ", ".join(f"{value:.2f}" for value in values)
        print(
            f"analyze beside decoding and {mode} detection, {what}: {median(values):.2f} ({each})"
        )


def kill_and_go_on(clips: list[str], whole: Path, kills: int) -> None:
    """Kill the command at random moments; its rows must be those of `whole` in the end."""
    choose, out = random.Random(SEED), whole.with_name("killed.csv")
    command = analyze_command(clips, out)
    forget(whole)
    timed(analyze_command(clips, whole))
    for n_read in sorted(choose.randrange(len(clips) - 2) for _ in range(kills)):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and n_parts(out) < n_read:
            time.sleep(0.01)
        with suppress(subprocess.TimeoutExpired):
            process.wait(choose.uniform(0, 0.5))
        process.send_signal(signal.SIGKILL)
        print(f"ended by {process.wait()} with {n_parts(out)} of {len(clips)} clips read")
    timed(command)
    is_same = out.read_bytes() == whole.read_bytes()
    print(f"killed {kills} times: {'the same rows' if is_same else 'OTHER ROWS'}")


def n_parts(out: Path) -> int:
    """How many clips are read and wait for the others."""
    return len(list(out.with_name(f"{out.name}.parts").glob("*.json")))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=Path, metavar="FOLDER")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--detect", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.detect:
        mode, *names = arguments.detect
        detect(mode, names)
        return
    with tempfile.TemporaryDirectory() as folder:
        clips = [str(clip) for clip in cut_clips(arguments.clips, arguments.n, Path(folder))]
        compare(clips, Path(folder) / "rows.csv", arguments.pairs)
        if arguments.kills:
            kill_and_go_on(clips, Path(folder) / "rows.csv", arguments.kills)


if __name__ == "__main__":
    main()
