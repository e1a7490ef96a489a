"""Processes of their own that find torch loaded: each is forked from one that did nothing else.

Where a system cannot fork, they are started anew.
"""

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

LOADED = [
    "export.build",
    "torch._dynamo",  # which the first optimizer loads
    "torch.onnx._internal.exporter._compat",  # and this the first export
    "training.personalize.run",
    "training.study.worker",
]
TIMEOUT_S = 240


def fork_context() -> BaseContext:
    """What `multiprocessing` starts such processes with."""
    has_fork = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if has_fork else "spawn")
    if has_fork:
        context.set_forkserver_preload(LOADED)
    return context


def start_forked(said: Path, code: str, *arguments: object, **environment: str) -> BaseProcess:
    """As `python -c CODE ARGUMENTS`; what it prints is in the files SAID.out and SAID.err."""
    argv = ["-c", *map(str, arguments)]
    given = (str(said), code, argv, {**os.environ, **environment})
    process = fork_context().Process(target=_run, args=given)  # type: ignore[attr-defined]
    process.start()
    return process


def end_forked(process: BaseProcess, said: Path) -> subprocess.CompletedProcess[str]:
    """Wait for the end of what `start_forked` began; its exit code, and what it printed."""
    return end_all([process], [said])[0]


def end_all(
    processes: Sequence[BaseProcess], said: Sequence[Path]
) -> list[subprocess.CompletedProcess[str]]:
    """Wait until all have ended, or one has failed, and end those that are left then."""
    until_s = time.monotonic() + TIMEOUT_S
    while any(one.is_alive() for one in processes) and not any(one.exitcode for one in processes):
        if time.monotonic() > until_s:
            break
        time.sleep(0.01)
    for process in processes:
        if process.is_alive():
            process.kill()
        process.join()
    texts = [[path.with_suffix(suffix).read_text() for suffix in (".out", ".err")] for path in said]
    return [
        subprocess.CompletedProcess([], one.exitcode or 0, *text)
        for one, text in zip(processes, texts, strict=True)
    ]


def _run(said: str, code: str, argv: list[str], environment: dict[str, str]) -> None:
    for stream, suffix in ((sys.stdout, ".out"), (sys.stderr, ".err")):
        with Path(said).with_suffix(suffix).open("wb") as file:
            os.dup2(file.fileno(), stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = argv
    # Else Python would complain at the end of the locks that a killed process left.
    multiprocessing.set_start_method(None, force=True)  # type: ignore[arg-type]
    exec(compile(code, "-c", "exec"), {"__name__": "__main__"})
