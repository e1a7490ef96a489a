"""What the three commands share: one-line errors, exit codes, and checks of their arguments."""

import argparse
import importlib.util
import io
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from fer_live.base.atomic_file import link_target, max_name_bytes, refuse_second_writer
from fer_live.base.system_libraries import install_line, package_of_failed_import
from fer_live.base.translation import tr
from fer_live.errors import FerLiveError, InputError
from fer_live.plain_text import plain_line, say


class ArgumentParser(argparse.ArgumentParser):
    """argparse that says what is wrong in one line, and accepts no abbreviations.

    `examples` are whole command lines; they stand at the end of the help.
    """

    def __init__(self, *args: object, examples: Sequence[str] = (), **kwargs: object) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **kwargs})  # type: ignore[arg-type]
        self.register("type", Path, _named_path)
        self.examples = tuple(examples)

    def format_help(self) -> str:
        lines = [f"\nexamples:\n  {self.examples[0]}\n"] if self.examples else []
        return "".join([super().format_help(), *lines, *(f"  {x}\n" for x in self.examples[1:])])

    def error(self, message: str) -> NoReturn:
        self.exit(2, plain_line(f"{self.prog}: {message} (see {self.prog} --help)") + "\n")


def _named_path(text: str) -> Path:
    """Parse an argument that is a path; an empty one, as of a variable that is not set, is none."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty; name a file or a folder")
    return Path(text)


def run_command(prog: str, command: Callable[[], int]) -> NoReturn:
    """Run a command and end the process with its exit code; errors become one line on stderr.

    Nobody but its owner may write what it makes, whatever the umask was.
    """
    os.umask(os.umask(0o022) | 0o022)
    _prepare_streams()
    try:
        code = command()
        sys.stdout.flush()
    except FerLiveError as error:
        say(f"{prog}: {error}", to=sys.stderr)
        code = error.exit_code
    except ImportError as error:
        packages = package_of_failed_import(error)
        if not packages:
            raise
        say(f"{prog}: {install_line(packages)}", to=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        say(f"{prog}: interrupted", to=sys.stderr)
        code = 1
    except BrokenPipeError:
        # The reader of our stdout went away (`| head`); nobody is left to be told.
        _discard_stdout()
        code = 1
    except OSError as error:
        say(f"{prog}: {error.filename or 'output'}: {error.strerror or error}", to=sys.stderr)
        _discard_stdout()
        code = 1
    sys.exit(code)


def _prepare_streams() -> None:
    """Let nothing that is printed end a command in a traceback.

    A stream that whoever started it has closed takes its lines and shows nobody; else the next
    file that is opened would take its place. A letter that standard output cannot write is
    escaped, as on standard error.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            stand_in = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, stand_in)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _discard_stdout() -> None:
    """What is still in its buffer cannot be written, and Python would say so on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_output_file(path: Path, suffixes: tuple[str, ...]) -> Path:
    """An output path that can be written: its kind known, its folder there. Raises `InputError`."""
    if path.suffix.lower() not in suffixes:
        kind = f"unknown kind {path.suffix!r}" if path.suffix else "no file extension"
        raise InputError(f"{path}: {kind}; end it in {' or '.join(suffixes)}")
    if len(os.fsencode(path.name)) > max_name_bytes(path.parent):
        raise InputError(tr("{path}: its name is too long; choose a shorter one", path=path))
    path = link_target(path)
    if path.is_dir():
        raise InputError(tr("{path}: is a folder; name a file", path=path))
    if not path.parent.is_dir():
        raise InputError(
            tr(
                "{path}: its folder {folder} does not exist; make it first",
                path=path,
                folder=path.parent,
            )
        )
    if path.exists() and not os.access(path, os.W_OK):
        # Replacing it would succeed all the same, and undo what its owner protected.
        raise InputError(tr("{path}: is write-protected; name another file", path=path))
    if not os.access(path.parent, os.W_OK):
        raise InputError(
            tr("{path}: no permission to write in {folder}", path=path, folder=path.parent)
        )
    refuse_second_writer(path)
    return path


def natural(text: str) -> int:
    """Parse an argument that counts from 0, for example the number of a camera."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number; they count from 0")
    return int(text)


def whole(least: int, most: int) -> Callable[[str], int]:
    """A parser of arguments that are whole numbers from `least` to `most`."""

    def parse(text: str) -> int:
        digits = text.removeprefix("-")
        is_whole = digits.isdecimal() and len(digits) <= len(str(most))
        if not (is_whole and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, {least} to {most}")
        return int(text)

    return parse


seed = whole(0, 2**32 - 1)
"""Parses the seed of random draws, as numpy and PyTorch take it."""


def real(least: float, most: float) -> Callable[[str], float]:
    """A parser of arguments that are numbers from `least` to `most`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number, {least:g} to {most:g}")
        return value

    return parse


def positive(text: str) -> float:
    """Parse an argument of seconds or minutes, which must be above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e7:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def is_installed(name: str) -> bool:
    """Whether a module of this name could be imported; it is not."""
    return importlib.util.find_spec(name) is not None


def require_packages(extra: str, *names: str) -> None:
    """Raise `InputError` with the install command where an optional package is missing."""
    missing = [name for name in names if not is_installed(name)]
    if missing:
        raise InputError(
            tr(
                "needs {packages}; in the project's folder: pip install '.[{extra}]'",
                packages=", ".join(missing),
                extra=extra,
            )
        )
