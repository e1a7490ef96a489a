"""How commands that measure name their data, and how commands print and write their figures.

What was not given on the command line comes from the environment variables FER_TRAIN_DATA,
FER_TRAIN_SPLIT and FER_TRAIN_LABELS. The three belong together: split and labels of the environment
are those of its data set, so they do not count where --data names another one.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_live.base.atomic_file import write_atomically
from fer_live.base.console import check_output_file
from fer_live.errors import InputError
from fer_live.plain_text import say
from fer_live.vision.answers import DEFAULT_ANSWERS, AnswerConfig

LABEL_RULES = ("ferplus-argmax", "ferplus-majority", "fer2013")

DATA_VARIABLE = "FER_TRAIN_DATA"
SPLIT_VARIABLE = "FER_TRAIN_SPLIT"
LABELS_VARIABLE = "FER_TRAIN_LABELS"


@dataclass(frozen=True, slots=True)
class DataChoice:
    """The images that a command measures on.

    `data` is the data set as KIND:DIR, `split` its part, `rule` its label rule, `without` a
    split.json of images to leave out; None where it was not given.
    """

    data: str
    split: str | None
    rule: str | None
    without: Path | None = None


def declare_data(parser: argparse.ArgumentParser) -> None:
    """Declare --data, --split and --labels, as every measuring command has them."""
    parser.add_argument(
        "--data",
        metavar="KIND:DIR",
        help="measure on this data set; KIND is fer2013, raf-db, affectnet or folder (default: "
        f"${DATA_VARIABLE})",
    )
    parser.add_argument(
        "--split",
        help="take this part; fer2013: Training, PublicTest or PrivateTest; raf-db: train or "
        f"test; affectnet: training or validation (default: ${SPLIT_VARIABLE}, unless --data is "
        "given)",
    )
    parser.add_argument(
        "--labels",
        choices=LABEL_RULES,
        help="take the labels by this rule; fer2013 only (default: "
        f"${LABELS_VARIABLE}, unless --data is given)",
    )


def declare_without(parser: argparse.ArgumentParser) -> None:
    """Declare --without, of the commands that can leave out the images that chose settings."""
    parser.add_argument(
        "--without", type=Path, metavar="FILE.json", help="leave out the images of this split.json"
    )


def declare_answers(parser: argparse.ArgumentParser) -> None:
    """Declare --readings and --prior, of the commands that read with a finished model."""
    parser.add_argument(
        "--readings",
        type=int,
        choices=(1, 2),
        default=DEFAULT_ANSWERS.readings,
        help="read each face once, or twice: as it is and mirrored, as the app does (default: 2)",
    )
    parser.add_argument(
        "--prior",
        default=DEFAULT_ANSWERS.prior,
        metavar="NAME",
        help=f"answer by this prior of the model (default: {DEFAULT_ANSWERS.prior})",
    )


def answers_of(arguments: argparse.Namespace) -> AnswerConfig:
    """What --readings and --prior say."""
    return AnswerConfig(arguments.readings, arguments.prior)


def declare_json(parser: argparse.ArgumentParser) -> None:
    """Declare --json, the file that the figures are written to."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to this file")


def named_data(data: str | None) -> str:
    """The data set of --data, or of the environment; `InputError` where neither names one."""
    named = os.environ.get(DATA_VARIABLE, "") if data is None else data
    if data is None and not named:
        raise InputError(
            f"no data set is named; give --data KIND:DIR, or set {DATA_VARIABLE}, and "
            f"{SPLIT_VARIABLE} and {LABELS_VARIABLE} where the data set needs them"
        )
    return named


def chosen_data(arguments: argparse.Namespace) -> DataChoice:
    """The images that the arguments and the environment name together.

    Where --data is given, only what is given beside it counts, because split and labels of the
    environment are those of another data set.
    """
    split, rule = arguments.split, arguments.labels
    if arguments.data is None:
        split = split or os.environ.get(SPLIT_VARIABLE) or None
        rule = rule or os.environ.get(LABELS_VARIABLE) or None
        if rule is not None and rule not in LABEL_RULES:
            raise InputError(
                f"{LABELS_VARIABLE}={rule}: no such label rule; choose {', '.join(LABEL_RULES)}"
            )
    return DataChoice(named_data(arguments.data), split, rule, getattr(arguments, "without", None))


def check_json(path: Path | None) -> None:
    """Refuse a --json file that cannot be written, before any work."""
    if path is not None:
        check_output_file(path, (".json",))


def check_measuring(arguments: argparse.Namespace) -> DataChoice:
    """Check what every measuring command is given, before anything slow; returns the data."""
    check_json(arguments.json)
    return chosen_data(arguments)


def tell_figures(arguments: argparse.Namespace, figures: dict[str, Any], text: str) -> int:
    """Print figures as `text`, and write them where --json says; returns the exit code."""
    say(*text.rstrip("\n").split("\n"))
    write_json(arguments.json, figures)
    return 0


def write_json(path: Path | None, figures: dict[str, Any]) -> None:
    """Write figures where --json says; nothing where it was not given."""
    if path is not None:
        write_atomically(path, json.dumps(figures, indent=2).encode() + b"\n")


def tell_unreadable(figures: Iterable[dict[str, Any]]) -> int:
    """Name each image that figures could not count; returns the exit code, 1 where there is one."""
    lines = dict.fromkeys(line for each in figures for line in each.get("unreadable", ()))
    for line in lines:
        say(f"fer-train: {line}", to=sys.stderr)
    return 1 if lines else 0
