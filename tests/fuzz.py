"""Opens thousands of spoilt files; none may crash, hang, raise what is no error of ours, or leave a
descriptor open.

python -m tests.fuzz --count 10000             every kind, over all cores (`make fuzz`)
"""

import argparse
import io
import itertools
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from fer_live.errors import SourceError, TruncatedError
from fer_live.sources.open import open_source
from tests.helpers.descriptors import open_descriptors

_WIDTH, _HEIGHT, _N_PICTURES = 64, 48, 5
_VIDEOS = {"mp4": "libx264", "mkv": "libx264", "avi": "mpeg4", "ts": "libx264", "webm": "libvpx"}
_IMAGES = {"gif": "GIF", "jpeg": "JPEG", "png": "PNG", "tiff": "TIFF", "webp": "WEBP"}
KINDS = (*_VIDEOS, *_IMAGES)
_MAX_S = 10.0
_MAX_FRAMES = 200
_MAX_BYTES = 4 << 30
_FILES_PER_WORKER = 250


def whole_file(kind: str) -> bytes:
    """A small file of this kind that is in order."""
    x = np.linspace(0, 255, _WIDTH)[None, :, None].repeat(_HEIGHT, 0).repeat(3, 2)
    pictures = [np.roll(x, 9 * k, axis=1).astype(np.uint8) for k in range(_N_PICTURES)]
    file = io.BytesIO()
    if kind in _IMAGES:
        first, *rest = map(Image.fromarray, pictures)
        several = {"save_all": True, "append_images": rest, "duration": 50}
        first.save(file, _IMAGES[kind], **(several if kind in ("gif", "webp") else {}))
        return file.getvalue()
    container = {"ts": "mpegts", "mkv": "matroska"}.get(kind, kind)
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream(_VIDEOS[kind], rate=25)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def spoilt(content: bytes, choose: random.Random) -> bytes:
    """One to four things done to a file that happen to files."""
    spoilt_content = bytearray(content)
    for _ in range(choose.randint(1, 4)):
        n = len(spoilt_content)
        if n < 8:
            break
        at, length = choose.randrange(n), choose.randint(1, max(n // 4, 1))
        match choose.choice(("flip", "flip", "flip", "cut", "zero", "noise", "insert", "lose")):
            case "flip":
                for _ in range(choose.randint(1, 12)):
                    spoilt_content[choose.randrange(n)] ^= 1 << choose.randrange(8)
            case "cut":
                del spoilt_content[at:]
            case "zero":
                spoilt_content[at : at + length] = bytes(len(spoilt_content[at : at + length]))
            case "noise":
                part = len(spoilt_content[at : at + length])
                spoilt_content[at : at + length] = choose.randbytes(part)
            case "insert":
                spoilt_content[at:at] = choose.randbytes(min(length, 64))
            case "lose":
                del spoilt_content[at : at + length]
    return bytes(spoilt_content)


def read(path: Path) -> None:
    """Read a file as far as it goes; raises what is no error of ours."""
    try:
        with closing(open_source(str(path), n_threads=1)) as source:
            for frame in itertools.islice(iter(source.read, None), _MAX_FRAMES):
                assert frame.image_bgr.ndim == 3
    except (SourceError, TruncatedError) as error:
        assert len(str(error).splitlines()) == 1, error


def work(kind: str, first: int, count: int) -> None:
    """Read `count` spoilt files in this process; ends with a traceback at the first that fails.

    The number of the file at work stands on stdout, for a process that crashes says nothing more.
    """
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_BYTES, _MAX_BYTES))

    def too_slow(*_: object) -> None:
        raise TimeoutError(f"no end after {_MAX_S} s")

    signal.signal(signal.SIGALRM, too_slow)
    whole = whole_file(kind)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(whole)
        read(path)
        before = open_descriptors()
        for number in range(first, first + count):
            print(number, flush=True)
            path.write_bytes(spoilt(whole, random.Random(f"{kind} {number}")))
            signal.setitimer(signal.ITIMER_REAL, _MAX_S)
            read(path)
            signal.setitimer(signal.ITIMER_REAL, 0)
        left = open_descriptors() - before
    assert not left, f"descriptors left open: {sorted(left)}"


def failures(count: int, seconds: float = 1e9) -> tuple[int, list[str]]:
    """Read `count` spoilt files of every kind, each in one of many processes; how many were read in
    the time, and what failed."""
    until_s = time.monotonic() + seconds
    starts = range(0, count, _FILES_PER_WORKER)
    tasks = [(kind, first) for first in starts for kind in KINDS]

    def run(task: tuple[str, int]) -> tuple[int, str]:
        kind, first = task
        n = min(_FILES_PER_WORKER, count - first)
        if time.monotonic() > until_s:
            return 0, ""
        command = [sys.executable, "-m", "tests.fuzz", "--work", kind, str(first), str(n)]
        limit_s = 60 + n * 0.5
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s)
        except subprocess.TimeoutExpired as late:
            return 0, f"{kind} {_last(late.stdout or b'')}: hangs"
        if done.returncode == 0 and not done.stderr:
            return n, ""
        last_lines = done.stderr.strip().splitlines()[-3:]
        return 0, f"{kind} {_last(done.stdout)}: code {done.returncode}, {last_lines}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(run, tasks))
    return sum(n for n, _ in results), [failure for _, failure in results if failure]


def _last(stdout: str | bytes) -> str:
    text = stdout.decode() if isinstance(stdout, bytes) else stdout
    return (text.split() or ["?"])[-1]


def main() -> int:
    """0 where nothing failed."""
    parser = argparse.ArgumentParser(description="opens thousands of spoilt files")
    parser.add_argument("--count", type=int, default=10_000, help="of each kind")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no more after these")
    parser.add_argument("--work", nargs=3, metavar=("KIND", "FIRST", "COUNT"))
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work[0], int(arguments.work[1]), int(arguments.work[2]))
        return 0
    n_read, failed = failures(arguments.count, arguments.seconds)
    print(f"{n_read} spoilt files of {len(KINDS)} kinds read, {len(failed)} failures")
    print("\n".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
