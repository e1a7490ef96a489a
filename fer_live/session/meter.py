"""Counts and times of a running session, in memory that does not grow."""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil

_FIRST_SAMPLES, _SAMPLES = 256, 65_536
_MEMORY_SETTLED_AFTER_S = 10.0


class Samples:
    """The latest 65,536 values; percentiles of those."""

    def __init__(self) -> None:
        self._values = np.zeros(_FIRST_SAMPLES, np.float32)
        self._count = 0

    def add(self, value: float) -> None:
        """Take in one value; the oldest gives way."""
        if self._count == len(self._values) < _SAMPLES:  # a source of a moment needs little
            self._values = np.concatenate([self._values, np.zeros_like(self._values)])
        self._values[self._count % _SAMPLES] = value
        self._count += 1

    def percentiles(self, **shares: float) -> dict[str, float | None]:
        """`percentiles(p50=50)` -> {"p50": ...}; None for each where there is no value."""
        values = self._values[: min(self._count, _SAMPLES)]
        if len(values) == 0:
            return dict.fromkeys(shares)
        return {
            name: round(float(np.percentile(values, share)), 3) for name, share in shares.items()
        }


class FrameCounts:
    """What became of frames. Each method may be called from any thread.

    `captured` = `processed` + `dropped` + `failed`, once the session has ended.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.captured = self.processed = self.painted = self.failed = self.faces = 0
        self.latency_ms = Samples()

    def count_captured(self) -> None:
        """Count a frame that came from the source."""
        with self._lock:
            self.captured += 1

    def count_processed(self, n_faces: int) -> None:
        """A frame was read, with this many faces."""
        with self._lock:
            self.processed += 1
            self.faces += n_faces

    def count_failed(self) -> None:
        """Count a frame whose reading raised an error."""
        with self._lock:
            self.failed += 1

    def count_painted(self, captured_at_s: float) -> None:
        """A result was painted; `captured_at_s` on the monotonic clock."""
        now_s = time.monotonic()
        with self._lock:
            self.painted += 1
            self.latency_ms.add((now_s - captured_at_s) * 1000)

    def counts(self) -> dict[str, Any]:
        """The counts and times as `--stats` writes them."""
        with self._lock:
            return {
                "captured": self.captured,
                "processed": self.processed,
                "painted": self.painted,
                "dropped": self.captured - self.processed - self.failed,
                "failed": self.failed,
                "faces": self.faces,
                "latency_ms": self.latency_ms.percentiles(p50=50, p95=95),
            }


class SourceMeter(FrameCounts):
    """What became of the frames of one source, `name`; each also counts for the whole session."""

    def __init__(self, name: str, whole: FrameCounts) -> None:
        super().__init__()
        self.name = name
        self._whole = whole

    def count_captured(self) -> None:
        super().count_captured()
        self._whole.count_captured()

    def count_processed(self, n_faces: int) -> None:
        super().count_processed(n_faces)
        self._whole.count_processed(n_faces)

    def count_failed(self) -> None:
        super().count_failed()
        self._whole.count_failed()

    def count_painted(self, captured_at_s: float) -> None:
        super().count_painted(captured_at_s)
        self._whole.count_painted(captured_at_s)


class Meter(FrameCounts):
    """What the sources of a session count together, and what the process needs.

    Memory counts from ten seconds after the first result, when caches are filled; before that, from
    the first result. `first_overlay_s` counts from `started_s` (monotonic clock), by default from
    now.
    """

    def __init__(self, started_s: float | None = None) -> None:
        super().__init__()
        self._process = psutil.Process(os.getpid())
        self._started_s = time.monotonic() if started_s is None else started_s
        self._first_painted_s: float | None = None
        self._memory_settled = False
        self._rss_start_mb = self._rss_mb()
        self._sources: list[SourceMeter] = []
        self.gui_gap_ms = Samples()

    def of_source(self, name: str) -> SourceMeter:
        """The meter of one more source; what it counts is counted here too."""
        source = SourceMeter(name, self)
        self._sources.append(source)
        return source

    def count_painted(self, captured_at_s: float) -> None:
        super().count_painted(captured_at_s)
        now_s = time.monotonic()
        with self._lock:
            if self._first_painted_s is None:
                self._first_painted_s = now_s
                self._rss_start_mb = self._rss_mb()
            elif (
                not self._memory_settled and now_s - self._first_painted_s > _MEMORY_SETTLED_AFTER_S
            ):
                self._memory_settled = True
                self._rss_start_mb = self._rss_mb()

    def add_gui_gap(self, gap_ms: float) -> None:
        """The GUI thread came round again after this long."""
        with self._lock:
            self.gui_gap_ms.add(gap_ms)

    def summary(self) -> dict[str, Any]:
        """The session's figures, as `--stats` writes them; `sources` has those of each source."""
        counts = self.counts()
        with self._lock:
            first = self._first_painted_s
            return counts | {
                "gui_gap_ms": self.gui_gap_ms.percentiles(p50=50, p99_9=99.9, max=100),
                "first_overlay_s": None if first is None else round(first - self._started_s, 3),
                "cpu_s": round(time.process_time(), 2),
                "rss_mb_start": self._rss_start_mb,
                "rss_mb_end": self._rss_mb(),
                "sources": [{"source": one.name, **one.counts()} for one in self._sources],
            }

    @staticmethod
    def process_start_s() -> float:
        """When this process was started, on the monotonic clock."""
        if sys.platform != "linux":
            return time.monotonic() - (time.time() - float(psutil.Process().create_time()))
        # psutil adds the time of the boot, which Linux tells in whole seconds.
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
        return time.monotonic() - age_s

    def _rss_mb(self) -> float:
        return round(float(self._process.memory_info().rss) / 2**20, 1)
