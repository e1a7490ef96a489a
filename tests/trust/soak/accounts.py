"""What became of every frame, and what a process needs meanwhile."""

import ctypes
import gc
import os
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import av
import psutil

from fer_live.session.live import LiveSession
from fer_live.session.meter import SourceMeter
from tests.helpers.descriptors import open_descriptors
from tests.trust.counted import CountedWorker

SETTLED_AFTER = 50_000
"""Frames; what a process needs from there on is compared with what it needs in the end."""
_OF_EACH_END = 5


@dataclass
class Accounts:
    """Adds up what has ended, so that nothing needs to be kept of it."""

    unaccounted: int = 0
    faults: list[str] = field(default_factory=list)
    written: int = 0
    dropped: int = 0

    def settle_outputs(self) -> None:
        """Count the outputs that have ended."""
        for worker in [one for one in CountedWorker.all if one.has_ended]:
            CountedWorker.all.remove(worker)
            self.written += worker.written
            self.dropped += worker.dropped
            self._expect(f"{worker.name}", worker.offered, worker.written + worker.dropped)

    def settle_source(self, name: str, meter: SourceMeter, session: LiveSession) -> None:
        """Count a session that has ended."""
        read = meter.processed + meter.failed
        self._expect(f"{name}: frames", meter.captured, read + session.n_dropped)
        if meter.failed:
            self.faults.append(f"{name}: {meter.failed} frames failed")

    def settle_rows(self, path: Path, n_faces: int) -> None:
        """Compare the rows of a finished file with the faces that were written."""
        with path.open("rb") as file:
            n_rows = sum(1 for _ in file) - path.name.endswith(".csv")
        self._expect(path.name, n_faces, n_rows)

    def settle_recording(self, folder: Path, n_frames: int, n_faces: int) -> None:
        """Compare a recording with what was written to it."""
        with (folder / "faces.jsonl").open("rb") as rows:
            self._expect(f"rows of {folder.name}", n_faces, sum(1 for _ in rows))
        with av.open(str(folder / "video.mkv")) as video:
            packets = sum(1 for packet in video.demux(video=0) if packet.size)
        self._expect(f"pictures of {folder.name}", n_frames, packets)

    def _expect(self, what: str, came: int, told: int) -> None:
        if came != told:
            self.unaccounted += abs(came - told)
            self.faults.append(f"{what}: {came} came, {told} are told of")


class _Heap(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def _in_use_mb() -> float:
    """0 where the C library does not tell."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except (AttributeError, OSError, TypeError):
        return 0.0
    ask.restype = _Heap
    heap = ask()
    return float(heap.uordblks + heap.hblkhd) / 2**20


@dataclass
class Needs:
    """What a process needed, at the same step of every round."""

    frames: list[int] = field(default_factory=list)
    rss_mb: list[float] = field(default_factory=list)
    opened: list[Counter[str]] = field(default_factory=list)
    """What the descriptors lead to; sockets and the like by their kind alone."""
    threads: list[int] = field(default_factory=list)
    in_use_mb: list[float] = field(default_factory=list)
    """What the C heap has handed out; the rest of the memory is its fragments."""

    def note(self, n_frames: int) -> None:
        """Look now, after `n_frames`."""
        gc.collect()
        process = psutil.Process(os.getpid())
        self.frames.append(n_frames)
        self.rss_mb.append(process.memory_info().rss / 2**20)
        self.opened.append(Counter(place.split(":")[0] for _, place in open_descriptors()))
        self.threads.append(threading.active_count())
        self.in_use_mb.append(_in_use_mb())
        memory = f"{self.rss_mb[-1]:.1f} MB, of the heap {self.in_use_mb[-1]:.1f} MB in use"
        others = f"{self.descriptors[-1]} descriptors, {self.threads[-1]} threads"
        print(f"{n_frames} frames, {memory}, {others}", file=sys.stderr, flush=True)

    @property
    def descriptors(self) -> list[int]:
        """How many are open at each step."""
        return [opened.total() for opened in self.opened]

    @property
    def opened_since(self) -> list[str]:
        """What is open in the end and was not when the process had settled."""
        settled = [
            opened
            for frames, opened in zip(self.frames, self.opened, strict=True)
            if frames >= SETTLED_AFTER
        ]
        return list((settled[-1] - settled[0]).elements()) if settled else []

    def growth(self, values: list[float] | list[int]) -> float | None:
        """By how much the last ones exceed the first ones that count; None where they are few."""
        settled = [
            value
            for frames, value in zip(self.frames, values, strict=True)
            if frames >= SETTLED_AFTER
        ]
        if len(settled) < 2 * _OF_EACH_END:
            return None
        return median(settled[-_OF_EACH_END:]) - median(settled[:_OF_EACH_END])
