"""Every parser of the three commands, with those below it."""

import argparse
from collections.abc import Iterator

from export.cli import build_parser as export_parser
from fer_live.commands.cli import build_parser as live_parser
from training.cli import build_parser as train_parser

ROOTS = (live_parser, train_parser, export_parser)


def all_parsers() -> list[argparse.ArgumentParser]:
    """The parsers of fer-live, fer-train and fer-export, each before those below it."""
    return [parser for root in ROOTS for parser in _with_those_below(root())]


def _with_those_below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from _with_those_below(below)
