"""The three commands in this process, where the start of another would tell nothing more."""

import importlib
import logging
import os
import signal
import subprocess
import sys
from unittest.mock import patch

import pytest

_MODULES = {
    "fer-live": "fer_live.commands.cli",
    "fer-train": "training.cli",
    "fer-export": "export.cli",
}


def run_here(
    capfd: pytest.CaptureFixture[str], program: str, *arguments: object
) -> subprocess.CompletedProcess[str]:
    """Run a command as the fixture `run_cli` does, and put back what it sets for its process."""
    words = [program, *map(str, arguments)]
    main = importlib.import_module(_MODULES[program]).main
    before = signal.getsignal(signal.SIGTERM), os.umask(0o022)
    os.umask(before[1])
    levels = {name: log.level for name, log in _loggers().items()}
    capfd.readouterr()
    try:
        with (
            patch.object(sys, "argv", words),
            patch.dict(os.environ),
            # pytest's own keep warnings from stderr, where a person would see them.
            patch.object(logging.root, "handlers", []),
            pytest.raises(SystemExit) as ended,
        ):
            main()
    finally:
        signal.signal(signal.SIGTERM, before[0])
        os.umask(before[1])
        for name, log in _loggers().items():
            log.setLevel(levels.get(name, logging.NOTSET))
    said = capfd.readouterr()
    return subprocess.CompletedProcess(words, int(ended.value.code or 0), said.out, said.err)


def _loggers() -> dict[str, logging.Logger]:
    known = logging.root.manager.loggerDict
    return {name: log for name, log in known.items() if isinstance(log, logging.Logger)}
