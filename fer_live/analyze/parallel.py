"""Many files over all cores, for `fer-live analyze`; an interrupted batch goes on where it was.

Beside the output grows OUT.parts/, with two files a finished part (a clip, or some hundred images):
HASH.jsonl, its rows, and HASH.json, what was counted. The hash is of the files and of all that
decides about their rows. The folder is deleted once the output is whole; `finished.py` keeps what a
later run needs of it.
"""

import hashlib
import json
import multiprocessing
import multiprocessing.util
import os
import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import asdict, astuple, dataclass, field, replace
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import cv2
from tqdm import tqdm

from fer_live.analyze.jobs import Job
from fer_live.analyze.reading import ReadOptions, read_source
from fer_live.analyze.study_rows import rows_of
from fer_live.base.atomic_file import write_atomically, writing
from fer_live.base.cores import usable_cores
from fer_live.base.parse import parse_json
from fer_live.base.regular_file import open_text, read_whole
from fer_live.datatypes import FrameResult
from fer_live.errors import InputError, SourceError, TruncatedError
from fer_live.outputs.face_rows import Row
from fer_live.outputs.jsonl_file import JsonlFile
from fer_live.sources.content import kind_of
from fer_live.sources.open import local_path, open_source
from fer_live.vision.pipeline import Pipeline

_MAX_IMAGES_PER_PART = 200
_MIN_IMAGES_PER_PART = 50
_PARTS_OF_IMAGES = 8
"""Not by the machine's cores: an interrupted batch must find its parts on any machine."""
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    """What one process reads in one go, and the hash that names its files."""

    jobs: tuple[Job, ...]
    key: str


@dataclass(slots=True)
class Counts:
    """What was read so far, and by what; `broken` has a line for each source that broke."""

    frames: int = 0
    frames_with_face: int = 0
    faces: int = 0
    detectors: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    labels: tuple[str, ...] = ()
    own_labels: tuple[str, ...] = ()
    model: str = ""
    provider: str = ""
    warning: str = ""
    began_s: float = 0.0
    """When the reading began, on the machine's monotonic clock, which all processes share."""

    def add(self, result: FrameResult) -> None:
        """Add one frame and its faces to the counts."""
        self.frames += 1
        self.frames_with_face += bool(result.faces)
        self.faces += len(result.faces)
        self.detectors[result.detector] += 1

    def join(self, other: "Counts") -> None:
        """Add what another part of the batch counted."""
        self.frames += other.frames
        self.frames_with_face += other.frames_with_face
        self.faces += other.faces
        self.detectors += other.detectors
        self.broken += other.broken
        self.model, self.provider = other.model, other.provider


def parts_of(jobs: Sequence[Job], settings: dict[str, Any]) -> list[Part]:
    """A part a clip, and one for some hundred images in a row, fewer where cores would idle."""
    groups: list[list[Job]] = []
    images = {job.name for job in jobs if _is_image(job.name)}
    evenly = sum(job.name in images for job in jobs) // _PARTS_OF_IMAGES
    images_per_part = min(max(evenly, _MIN_IMAGES_PER_PART), _MAX_IMAGES_PER_PART)
    for job in jobs:
        last = groups[-1] if groups else []
        joins = job.name in images and last and last[0].name in images
        if joins and len(last) < images_per_part:
            last.append(job)
        else:
            groups.append([job])
    return [Part(tuple(group), _key(group, settings)) for group in groups]


def read_parts(
    parts: Sequence[Part], folder: Path, read_options: ReadOptions, n_frames: int | None
) -> Iterator[tuple[Counts, Iterator[Row]]]:
    """Read what is missing over all cores; yields every part's counts and rows, in order.

    `n_frames`, where known, is for the progress bar alone. Raises what the first part to fail
    raised, and on Ctrl-C `KeyboardInterrupt`; the finished parts stay in `folder`.
    """
    with writing(folder):
        folder.mkdir(exist_ok=True)
    context = multiprocessing.get_context("spawn")
    stop, done = context.Event(), context.Value("q", 0)
    missing = [part for part in parts if not counts_file(folder, part).is_file()]
    n_cores = usable_cores()
    n_workers = max(min(n_cores, len(missing)), 1)
    # Each process decodes on its share of the cores; more threads would only wait for one another.
    read_options = replace(read_options, decoder_threads=max(n_cores // n_workers, 1))
    with (
        ProcessPoolExecutor(n_workers, context, _begin_worker, (read_options, stop, done)) as pool,
        tqdm(total=n_frames, unit="frame", desc="reading", disable=None) as progress,
    ):
        try:
            futures = {part.key: pool.submit(_read_part, part, folder) for part in missing}
            for part in parts:
                if part.key in futures:
                    _wait(futures[part.key], list(futures.values()), progress, done)
                counts = _load_counts(folder, part)
                if part.key not in futures:
                    progress.update(counts.frames)
                yield counts, _rows(folder, part)
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def forget_parts(folder: Path) -> None:
    """Delete what only an interrupted batch needs."""
    shutil.rmtree(folder, ignore_errors=True)


def _wait(
    future: "Future[None]",
    others: Sequence["Future[None]"],
    progress: "tqdm[Any]",
    done: "Synchronized[int]",
) -> None:
    """Until `future` is done; the first of all that fails ends the waiting with its error."""
    while not future.done():
        wait([future], timeout=_POLL_S)
        failed = [other for other in others if other.done() and other.exception()]
        if failed:
            failed[0].result()
        with done.get_lock():
            new, done.value = done.value, 0
        progress.update(new)
    future.result()


def _is_image(name: str) -> bool:
    path = local_path(name)
    try:
        return path is not None and kind_of(path) == "image"
    except SourceError:  # said when it is read
        return False


def _key(jobs: Sequence[Job], settings: dict[str, Any]) -> str:
    files = [
        (*map(str, astuple(job)), *_state_of(local_path(job.name) or Path(job.name)))
        for job in jobs
    ]
    content = json.dumps([files, settings], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _state_of(path: Path) -> tuple[int, int]:
    """What changes when a file does: its size and the time of its last change."""
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def counts_file(folder: Path, part: Part) -> Path:
    """Where it is told what was counted in a part."""
    return folder / f"{part.key}.json"


def _load_counts(folder: Path, part: Part) -> Counts:
    file = counts_file(folder, part)
    try:
        fields = parse_json(read_whole(file))
        of_labels = {name: tuple(fields[name]) for name in ("labels", "own_labels")}
        return Counts(**fields | of_labels | {"detectors": Counter(fields["detectors"])})
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{file}: not what analyze has written; delete its folder") from None


def rows_file(folder: Path, part: Part) -> Path:
    """Where the rows of a part are."""
    return folder / f"{part.key}.jsonl"


def _rows(folder: Path, part: Part) -> Iterator[Row]:
    with open_text(rows_file(folder, part)) as file:
        for line in file:
            try:
                yield parse_json(line)
            except ValueError:
                where = rows_file(folder, part)
                raise InputError(
                    f"{where}: not what analyze has written; delete its folder"
                ) from None


# In the workers.

_read_options: ReadOptions
_pipeline: Pipeline | None = None
_stop: Event
_done: "Synchronized[int]"


def _begin_worker(read_options: ReadOptions, stop: Event, done: "Synchronized[int]") -> None:
    global _read_options, _stop, _done
    _read_options, _stop, _done = read_options, stop, done
    # As with the decoder: the processes share out the cores, and threads in them would wait.
    cv2.setNumThreads(read_options.decoder_threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides, by `stop`
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that was killed tells nothing. Who went on would wait for ever for another part, and
    write the same files as the next run."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "in a worker"
    parent.join()
    os._exit(1)


def _read_part(part: Part, folder: Path) -> None:
    global _pipeline
    if _pipeline is None:
        _pipeline = _read_options.load_pipeline()
        # Not atexit: MediaPipe's own thread has ended by then.
        multiprocessing.util.Finalize(None, _pipeline.close, exitpriority=1)
    pipeline, classifier = _pipeline, _pipeline.classifier
    counts = Counts(
        labels=pipeline.labels,
        own_labels=pipeline.own_labels,
        model=classifier.name,
        provider=classifier.provider,
        warning=classifier.warning,
        began_s=time.monotonic(),
    )
    rows = JsonlFile(rows_file(folder, part), pipeline.labels, signals=pipeline.with_signals)
    for job in part.jobs:
        try:
            source = open_source(job.name, _read_options.decoder_threads)
            for result in read_source(source, job, _read_options, pipeline):
                if _stop.is_set():
                    rows.abandon().unlink(missing_ok=True)
                    return
                rows.append(rows_of(job, result, pipeline, _read_options))
                counts.add(result)
                with _done.get_lock():
                    _done.value += 1
        except (SourceError, TruncatedError) as error:
            counts.broken.append(str(error))
    rows.close()
    content = json.dumps({**asdict(counts), "detectors": dict(counts.detectors)})
    write_atomically(counts_file(folder, part), content.encode())
