import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fer_live.errors import InputError
from tests.helpers.commands import fails
from tests.helpers.here import run_here
from training.cli import COMMANDS, main
from training.commands import calibrate, calmness, compare, evaluate, persons, robustness
from training.commands.figures import (
    DATA_VARIABLE,
    LABELS_VARIABLE,
    SPLIT_VARIABLE,
    DataChoice,
    chosen_data,
    declare_data,
    named_data,
)

MEASURING = (evaluate, compare, robustness, calmness, calibrate, persons)


@pytest.fixture(autouse=True)
def no_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (DATA_VARIABLE, SPLIT_VARIABLE, LABELS_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def choose(*arguments: str) -> DataChoice:
    parser = argparse.ArgumentParser()
    declare_data(parser)
    return chosen_data(parser.parse_args(arguments))


FER2013 = {
    DATA_VARIABLE: "fer2013:fer",
    SPLIT_VARIABLE: "PublicTest",
    LABELS_VARIABLE: "ferplus-argmax",
}


@pytest.mark.parametrize(
    ("environment", "arguments", "expected"),
    [
        ({}, ["--data", "folder:a"], DataChoice("folder:a", None, None)),
        (FER2013, [], DataChoice("fer2013:fer", "PublicTest", "ferplus-argmax")),
        (
            FER2013,
            ["--split", "PrivateTest"],
            DataChoice("fer2013:fer", "PrivateTest", "ferplus-argmax"),
        ),
        (
            FER2013,
            ["--labels", "fer2013"],
            DataChoice("fer2013:fer", "PublicTest", "fer2013"),
        ),
        # The split and labels of the environment are those of its own data set.
        (FER2013, ["--data", "folder:a"], DataChoice("folder:a", None, None)),
        (
            FER2013,
            ["--data", "raf-db:a", "--split", "test"],
            DataChoice("raf-db:a", "test", None),
        ),
        (FER2013 | {LABELS_VARIABLE: ""}, [], DataChoice("fer2013:fer", "PublicTest", None)),
        ({DATA_VARIABLE: "folder:a"}, [], DataChoice("folder:a", None, None)),
    ],
)
def test_what_is_not_given_comes_from_the_environment(
    environment: dict[str, str],
    arguments: list[str],
    expected: DataChoice,
    monkeypatch: pytest.MonkeyPatch,
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert choose(*arguments) == expected


def test_no_data_set_at_all_is_told_with_both_ways_to_name_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    with pytest.raises(InputError, match=f"--data KIND:DIR, or set {DATA_VARIABLE}"):
        choose()
    with pytest.raises(InputError, match=DATA_VARIABLE):
        named_data(None)
    arguments = ("split", "--share", "0.5", "--out", tmp_path / "split.json")
    done = run_here(capfd, "fer-train", *arguments)
    fails(done, 2, "--data KIND:DIR", DATA_VARIABLE)


def test_labels_of_the_environment_are_checked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(DATA_VARIABLE, "fer2013:fer")
    monkeypatch.setenv(LABELS_VARIABLE, "votes")
    with pytest.raises(InputError, match=f"{LABELS_VARIABLE}=votes: no such label rule"):
        choose()


@pytest.mark.parametrize("command", MEASURING)
def test_every_measuring_command_names_its_data_in_one_way(command):
    parser = argparse.ArgumentParser()
    command.declare(parser)
    told = parser.format_help()
    assert all(option in told for option in ("--data", "--split", "--labels", "--json"))
    assert all(name in told for name in FER2013), "the defaults are said"


def test_commands_run_on_the_data_set_of_the_environment(
    small_models: list[Path], learnable_tree: Path, tmp_path: Path, capsys, monkeypatch
):
    monkeypatch.setenv(DATA_VARIABLE, f"fer2013:{learnable_tree}")
    monkeypatch.setenv(SPLIT_VARIABLE, "PublicTest")
    monkeypatch.setenv(LABELS_VARIABLE, "ferplus-argmax")
    out = tmp_path / "figures.json"
    for command in ("evaluate", "compare"):
        arguments = ["fer-train", command, str(small_models[0]), "--json", str(out)]
        monkeypatch.setattr("sys.argv", arguments)
        with pytest.raises(SystemExit) as exit_:
            main()
        assert exit_.value.code == 0
        figures = json.loads(out.read_text())
        report = figures if command == "evaluate" else figures[str(small_models[0])]
        assert (report["n"], report["split"]) == (32, "PublicTest")
        assert report["rule"] == "ferplus-argmax"
        assert "32 images" in capsys.readouterr().out


def test_a_json_file_that_cannot_be_written_is_refused_before_any_work(
    run_cli, small_models: list[Path], tmp_path: Path
):
    done = run_cli(
        *("fer-train", "evaluate", small_models[0], "--data", "folder:nowhere"),
        *("--json", tmp_path / "figures.txt"),
    )
    fails(done, 2, "figures.txt", ".json")


def test_help_lists_every_command_and_imports_no_torch():
    code = (
        "import sys; sys.argv = ['fer-train', '--help']\n"
        "from training.cli import main\n"
        "try: main()\n"
        "except SystemExit: print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False", done.stderr
    for command in COMMANDS:
        assert command.__name__.rpartition(".")[2] in done.stdout
