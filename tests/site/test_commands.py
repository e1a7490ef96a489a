"""Every command of every page: run by a test, read by the program's own parser, or excused.

Blocks marked `sh` are run, here or by the test that `RUN_BY` names. All other commands are given to
the parser of their program, which knows every option and value but no file.
"""

import argparse
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from export.cli import build_parser as export_parser
from fer_live.commands.cli import build_parser as live_parser
from tests.helpers.documentation import ROOT, Shown, blocks, commands, shown_commands
from training.cli import build_parser as train_parser

PARSERS: dict[str, Callable[[], argparse.ArgumentParser]] = {
    "fer-live": live_parser,
    "fer-train": train_parser,
    "fer-export": export_parser,
}

RUN_BY = {
    "docs/persons.md": "tests/fer_live/analyze/test_persons.py",
    "docs/several_cameras.md": "tests/fer_live/commands/test_several_cameras_docs.py",
    "docs/serve.md": "tests/fer_live/serve/test_docs.py",
    "docs/studies.md": "tests/fer_live/analyze/test_batches.py",
    "docs/summarize.md": "tests/fer_live/studies/test_summarize.py",
}
"""Pages whose marked blocks have a test of their own, because they need data of their own."""

EXCUSED = {
    "sudo": "changes the system",
    "rm": "removes what `make desktop` put there, see test_desktop",
    ".": "enters a virtual environment, in a shell alone",
    "docker": "no Docker; `benchmarks.without_docker` runs the steps of its file",
    "export": "sets variables for the commands below it; test_evaluate.py measures with them",
    "cell=$(sed": "reads the number of a task of an array, which a cluster's Slurm sets",
    "head=$(scontrol": "asks a cluster's Slurm",
}
"""Beginnings of commands that no test runs and no parser of ours reads, with the reason."""


def marks_run_by(page: str) -> set[str]:
    """The marks of the blocks of a page whose commands its own test takes."""
    text = (ROOT / RUN_BY[page]).read_text() if page in RUN_BY else ""
    name = Path(page).name
    here = rf'(?:"{name}"|PAGE)' if f'PAGE = "{name}"' in text else f'"{name}"'
    return set(re.findall(rf'commands\({here}, "([\w ]+)"\)', text))


ALL = shown_commands()
SHOWN = [shown for shown in ALL if shown.mark not in marks_run_by(shown.where)]


def test_there_are_commands_on_the_pages():
    assert len(ALL) > 200
    assert {"README.md", "docs/install.md", "docs/training.md"} < {shown.where for shown in ALL}


@pytest.mark.parametrize("page", sorted(RUN_BY))
def test_a_page_that_is_run_elsewhere_is_named_there(page: str):
    assert "sh" in marks_run_by(page)


def test_every_command_is_one_that_its_program_knows():
    """All at once, so that one run names every command that is wrong."""
    wrong = {f"{shown.where}: {shown.line}": why for shown in SHOWN if (why := trouble(shown))}
    assert wrong == {}


def test_every_excuse_is_needed():
    assert set(EXCUSED) - {shown.words[0] for shown in SHOWN} == set()


def trouble(shown: Shown) -> str:
    """Why this command cannot be right; empty where it can."""
    words = [word for word in shown.words if word != "srun"]
    if words[0] in EXCUSED:
        return ""
    program, *rest = words
    if program in ("(cd", "sha256sum"):
        return "" if shown.mark == "sh" else "mark its block as sh, so that it is run"
    if program == "torchrun":
        return trouble_of("fer-train", rest[rest.index("training.cli") + 1 :], shown.mark)
    if program in PARSERS:
        return trouble_of(program, rest, shown.mark)
    if program == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), flags=re.M)
        return "" if rest[0] in targets else f"no target {rest[0]}"
    if program == "pip":
        return trouble_of_pip(rest)
    if program in ("python", "python3", "py"):
        return trouble_of_python(rest)
    return "neither run, nor read, nor excused"


def trouble_of(program: str, words: list[str], mark: str) -> str:
    if mark == "inline":
        return trouble_of_part(program, words)
    words = [word for word in words if word not in (">", "|")]
    try:
        PARSERS[program]().parse_args(words)
    except SystemExit as end:
        return "" if end.code == 0 else "its parser refuses it"
    return ""


def trouble_of_part(program: str, words: list[str]) -> str:
    """Within a line of text often only a part of a command stands: look at names of commands and
    options alone."""
    parser = PARSERS[program]()
    for word in words:
        known = parser._option_string_actions
        if word.startswith("--") and word.partition("=")[0] not in known:
            return f"no option {word}"
        below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        if below and not word.startswith("-"):
            if word not in below[0].choices:
                return "" if word.isupper() else f"no command {word}"
            parser = below[0].choices[word]
    return ""


def trouble_of_pip(words: list[str]) -> str:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    named = [one for word in words for one in re.findall(r"(?:^\.|^fer-live)\[(.+)\]$", word)]
    unknown = {extra for one in named for extra in one.split(",")} - extras.keys()
    return f"no extra {unknown}" if unknown else ""


def trouble_of_python(words: list[str]) -> str:
    if words[0] == "-m":
        module = words[1]
        known = module in ("venv", "pip") or importlib.util.find_spec(module) is not None
        return "" if known else f"no module {module}"
    if words[0] == "-c":
        return ""
    return "" if (ROOT / words[0]).is_file() else f"no file {words[0]}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, demo_clip: Path) -> Path:
    """A folder with what the commands name, and the project's folders beside it."""
    where = tmp_path_factory.mktemp("pages")
    shutil.copy(demo_clip, where / "clip.mp4")
    _, image = cv2.VideoCapture(str(demo_clip)).read()
    (where / "photos").mkdir()
    for name in ("photo.jpg", "photos/one.jpg", "photos/two.png"):
        cv2.imwrite(str(where / name), image)
    for name in ("assets", "docs", "examples", "training"):
        (where / name).symlink_to(ROOT / name)
    programs = where / "bin"
    programs.mkdir()
    for name, module in (("fer-live", "fer_live"), ("fer-train", "training.cli")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        program.chmod(0o755)
    return where


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as a person does, in that folder, with what the app keeps below it."""
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    python_path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        env={
            **os.environ,
            "PATH": path,
            "PYTHONPATH": python_path,
            "FER_LIVE_HOME": str(folder / "home"),
        },
        check=False,
    )


RUN_HERE = dict.fromkeys(
    shown.line for shown in ALL if shown.mark == "sh" and shown.where not in RUN_BY
)
"""Each line once, on however many pages it stands."""


@pytest.mark.parametrize("line", RUN_HERE)
def test_a_command_that_is_marked_to_be_run_does_what_it_says(line: str, folder: Path):
    done = shell(line, folder)
    assert done.returncode == 0, (line, done.stdout[-300:], done.stderr[-600:])
    words = shlex.split(line)
    if "--list" in words:
        assert len(done.stdout.splitlines()) > 70
        return
    for option in ("--out", "--video", "--report"):
        if option in words:
            assert (folder / words[words.index(option) + 1]).stat().st_size > 0, option


@pytest.mark.parametrize("page", ["python.md", "signals.md", "../README.md", "../README.ko.md"])
def test_the_python_of_a_page_runs(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder)
    scripts = blocks(page, "python")
    assert scripts
    for script in scripts:
        image: np.ndarray = cv2.imread("photo.jpg")
        names: dict[str, object] = {"image": image}
        exec(compile(script, page, "exec"), names)
        assert len(names["result"].faces) == 1  # type: ignore[attr-defined]


def test_the_rows_of_the_documentation_are_read_by_pandas(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    shell("fer-live analyze clip.mp4 --every 20 --out faces.csv", folder)
    monkeypatch.chdir(folder)
    (script,) = blocks("data_out.md", "python")
    exec(compile(script, "data_out.md", "exec"), {})
    assert "happiness" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["../README.md", "first_minutes.md", "window.md"])
def test_a_page_in_korean_shows_the_commands_of_the_english_one(name: str):
    """Comments are in Korean; words that are typed are the same."""
    korean = "../README.ko.md" if name == "../README.md" else f"ko/{name}"
    for mark in ("", "sh"):
        typed = [shlex.split(line, comments=True) for line in commands(name, mark)]
        assert [shlex.split(line, comments=True) for line in commands(korean, mark)] == typed
    assert commands(name, "")
