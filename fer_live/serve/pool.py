"""Pipelines that read uploads side by side, each on one thread at a time."""

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from fer_live.base.memory import give_memory_back, keep_large_blocks_apart
from fer_live.serve.limits import Limits
from fer_live.serve.reading import Cancelled, Reading, read_upload
from fer_live.serve.refusal import Refusal, busy
from fer_live.serve.uploads import Upload
from fer_live.vision.pipeline import Pipeline

_ENDS_WITHIN_S = 5.0


class PipelinePool:
    """`limits.parallel` pipelines, and a bounded number of uploads that wait for one.

    What is read in C is not under the interpreter's lock, so threads use all cores; a process each
    would load the models as often.

    Args:
        load: Makes a pipeline.
        limits: How many, and for how long an upload may wait and be read.
    """

    def __init__(self, load: Callable[[], Pipeline], limits: Limits) -> None:
        keep_large_blocks_apart()
        self._limits = limits
        self._pipelines = [load() for _ in range(limits.parallel)]
        self._free: queue.SimpleQueue[Pipeline] = queue.SimpleQueue()
        for pipeline in self._pipelines:
            self._free.put(pipeline)
        self._threads = ThreadPoolExecutor(limits.parallel, thread_name_prefix="reading")
        self._turns = asyncio.Semaphore(limits.parallel)
        self._ending = threading.Event()
        self.n_inside = 0
        """How many uploads are being read, wait, or are on their way."""
        self.n_reading = 0
        """How many of them are being read."""

    @property
    def first(self) -> Pipeline:
        """One of the pipelines, which are all alike, to be asked about its model."""
        return self._pipelines[0]

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[None]:
        """A place among those that are read and wait; `Refusal` 503 where all are taken."""
        n_places = self._limits.parallel + self._limits.max_waiting
        if self._ending.is_set() or self.n_inside >= n_places:
            raise busy(self._retry_after_s())
        self.n_inside += 1
        try:
            yield
        finally:
            self.n_inside -= 1

    async def read(self, upload: Upload, every: int, cancelled: threading.Event) -> Reading:
        """Read an upload once it is its turn. Raises `Refusal`, 503 where that does not come."""
        try:
            async with asyncio.timeout(self._limits.max_seconds):
                await self._turns.acquire()
        except TimeoutError:
            raise busy(self._retry_after_s()) from None
        self.n_reading += 1
        work = self._threads.submit(self._read, upload, every, cancelled)
        try:
            # The upload must outlive its reading, so this waits for the thread even when cancelled.
            return await asyncio.shield(asyncio.wrap_future(work))
        except asyncio.CancelledError:
            cancelled.set()
            await asyncio.wait([asyncio.wrap_future(work)])
            raise
        finally:
            self.n_reading -= 1
            self._turns.release()

    def end(self) -> None:
        """Let nobody in, and have those that are read stop at their next frame."""
        self._ending.set()

    def close(self) -> bool:
        """Free the networks once no thread uses them; False where one is stuck in a decoder."""
        self.end()
        self._threads.shutdown(wait=False, cancel_futures=True)
        for _ in self._pipelines:
            try:
                self._free.get(timeout=_ENDS_WITHIN_S).close()
            except queue.Empty:
                return False
        return True

    def _read(self, upload: Upload, every: int, cancelled: threading.Event) -> Reading:
        pipeline = self._free.get()
        try:
            return read_upload(
                upload,
                every,
                pipeline,
                self._limits,
                lambda: cancelled.is_set() or self._ending.is_set(),
            )
        except Cancelled:
            raise Refusal(503, "the service is ending; send it again later") from None
        finally:
            self._free.put(pipeline)
            give_memory_back()

    def _retry_after_s(self) -> int:
        return 1 + self.n_inside // max(self._limits.parallel, 1)
