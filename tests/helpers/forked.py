"""Processes of their own that find torch loaded: each is forked from one that did nothing else.

Where a system cannot fork, they are started anew.
"""

import multiprocessing
import os
import subprocess
import sys
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


def forked() -> BaseContext:
    """Where processes come from."""
    has_fork = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if has_fork else "spawn")
    if has_fork:
        context.set_forkserver_preload(LOADED)
    return context


def start_forked(said: Path, code: str, *arguments: object, **environment: str) -> BaseProcess:
    """As `python -c CODE ARGUMENTS`; what it prints is in the files SAID.out and SAID.err."""
    argv = ["-c", *map(str, arguments)]
    given = (str(said), code, argv, {**os.environ, **environment})
    process = forked().Process(target=_run, args=given)  # type: ignore[attr-defined]
    process.start()
    return process


def end_forked(process: BaseProcess, said: Path) -> subprocess.CompletedProcess[str]:
    """Wait for the end of what `start_forked` began; its exit code, and what it printed."""
    process.join(TIMEOUT_S)
    if process.is_alive():
        process.kill()
        process.join()
        raise TimeoutError(f"a process did not end within {TIMEOUT_S} s")
    out, err = (said.with_suffix(suffix).read_text() for suffix in (".out", ".err"))
    code = process.exitcode
    assert code is not None
    return subprocess.CompletedProcess([], code, out, err)


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
