"""Every option has a sentence, every command a description and examples that parse."""

import argparse
import re
import shlex

import pytest

from tests.helpers.parsers import ROOTS, all_parsers

PARSERS = all_parsers()
BY_NAME = {parser.prog: parser for parser in PARSERS}
ACTIONS_OF_A_COMMAND = re.compile(r"fer-live (clips|models) \w+")


def options_of(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [one for one in parser._actions if not isinstance(one, argparse._SubParsersAction)]


def test_the_walk_finds_every_command():
    assert len(PARSERS) > 40
    assert {"fer-live analyze", "fer-live models import", "fer-train fit", "fer-export"} <= set(
        BY_NAME
    )


@pytest.mark.parametrize("parser", PARSERS, ids=list(BY_NAME))
def test_every_option_has_a_sentence(parser):
    for option in options_of(parser):
        name = "/".join(option.option_strings) or option.dest
        words = re.sub(r"\(default[^)]*\)", "", option.help or "").split()
        assert len(words) >= 3, f"{parser.prog} {name}: {option.help!r}"
        assert words[0] not in ("of", "that", "with", "where", "default:"), (
            f"{parser.prog} {name}: {option.help!r} is no sentence without the option's name"
        )


@pytest.mark.parametrize("parser", PARSERS, ids=list(BY_NAME))
def test_every_command_says_what_it_does_and_shows_two_examples(parser):
    assert len((parser.description or "").split()) >= 3, f"{parser.prog}: no description"
    if ACTIONS_OF_A_COMMAND.fullmatch(parser.prog):
        return  # its command has the examples
    assert len(parser.examples) == 2, f"{parser.prog}: {len(parser.examples)} examples"
    for example in parser.examples:
        assert f"\n  {example}\n" in parser.format_help()


@pytest.mark.parametrize(
    "example", [(parser.prog, line) for parser in PARSERS for line in parser.examples], ids=str
)
def test_every_example_is_understood(example):
    prog, line = example
    words = [word for word in shlex.split(line) if not re.match(r"[A-Z_]+=", word)]
    roots = {root().prog: root() for root in ROOTS}
    arguments = roots[words[0]].parse_args(words[1:])
    assert shlex.join(words).startswith(prog), f"{line}: is no example of {prog}"
    assert arguments is not None


def test_no_number_on_a_command_line_is_without_limits():
    """One out of range would end in whatever the code that reads it first says."""
    numbers = [
        f"{parser.prog} {action.option_strings[-1]}"
        for parser in all_parsers()
        for action in parser._actions
        if action.type in (int, float) and not action.choices
    ]
    assert numbers == []
