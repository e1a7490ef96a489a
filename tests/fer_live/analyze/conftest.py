"""What the tests of `analyze` share."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from fer_live.analyze import parallel
from fer_live.analyze.reading import ReadOptions


class _Here(Executor):
    """Does at once what a pool of processes is given."""

    def __init__(self, n_workers: int, context: object, begin: object, of_all: tuple[Any, ...]):
        self._of_all = of_all

    def submit(self, read_part: Callable[..., None], /, *of_part: Any) -> "Future[None]":
        read_options: ReadOptions = self._of_all[0]
        if parallel._pipeline is None:
            parallel._read_options, parallel._stop, parallel._done = self._of_all
            parallel._pipeline = read_options.load_pipeline()
        future: Future[None] = Future()
        future.set_result(read_part(*of_part))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if parallel._pipeline is not None:
            parallel._pipeline.close()
            parallel._pipeline = None


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches are read here, part by part: for what does not depend on who reads them."""
    monkeypatch.setattr(parallel, "ProcessPoolExecutor", _Here)
