"""`fer-live summarize`: rows of many sources summed up by participants, conditions, markers."""

import argparse
import json
import sys
from pathlib import Path

from fer_live.base.console import (
    ArgumentParser,
    check_output_file,
    positive,
    require_packages,
    seed,
)
from fer_live.base.home import keep_fonts_here
from fer_live.commands.options import refuse_all_options
from fer_live.plain_text import say

_OUTPUT_SUFFIXES = (".csv", ".html")


def add(commands: "argparse._SubParsersAction[ArgumentParser]") -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "summarize",
        help="sum up rows by groups, with intervals",
        description="Sums up the rows of many files by participant, condition or marker: shares "
        "of time, episodes and switches, with bootstrap intervals over participants, or over what "
        "one recording shows.",
        examples=(
            "fer-live summarize rows.csv --by source",
            "fer-live summarize rows/ --batch study.csv --by participant,condition --out page.html",
        ),
    )
    _add_rows(parser)
    _add_sums(parser)
    parser.set_defaults(run=run)


def _add_rows(parser: ArgumentParser) -> None:
    """Declare what is summed up, and by what."""
    parser.add_argument(
        "rows",
        nargs="+",
        type=Path,
        metavar="ROWS",
        help="a CSV, JSONL or Parquet file that analyze or an output wrote, or a folder of them",
    )
    parser.add_argument(
        "--by",
        default="",
        metavar="COLUMN,...",
        help="group the rows by these: participant, condition, marker, source, track_id, file or "
        "any other column of the rows (default: one group)",
    )
    parser.add_argument(
        "--batch",
        type=Path,
        metavar="FILE.csv",
        help="say who and what each source shows: columns source, participant, condition, from, to",
    )
    parser.add_argument(
        "--markers",
        type=Path,
        metavar="FILE.csv",
        help="name intervals: columns source, marker, from, to",
    )
    parser.add_argument(
        "--agree", nargs=2, metavar=("A", "B"), help="compare two files of rows, or two sources"
    )


def _add_sums(parser: ArgumentParser) -> None:
    """Declare how it is summed up, and where that is written."""
    parser.add_argument(
        "--close",
        type=positive,
        default=0.25,
        metavar="S",
        help="bridge gaps in an episode up to this many seconds (default: 0.25)",
    )
    parser.add_argument(
        "--max-gap",
        type=positive,
        default=1.0,
        metavar="S",
        help="count a row for at most so many seconds (default: 1)",
    )
    parser.add_argument(
        "--seed", type=seed, default=0, help="draw the bootstrap with this seed (default: 0)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.csv|.html",
        help="write the figures, or a page; may be given twice, for both",
    )
    parser.add_argument(
        "--json", action="store_true", help="end stdout with one JSON object of all figures"
    )


def run(arguments: argparse.Namespace) -> int:
    """Read the rows, sum them up, write what was asked for."""
    refuse_all_options(arguments, "summarize takes: fer-live summarize ROWS... --by COLUMN,...")
    require_packages("studies", "pandas")
    for path in arguments.out:
        check_output_file(path, _OUTPUT_SUFFIXES)
    from fer_live.base.atomic_file import write_atomically
    from fer_live.studies.study import StudyFiles, read_study
    from fer_live.studies.summary import SummaryOptions
    from fer_live.studies.written import as_csv, as_lines, as_object

    names = [name.strip() for name in arguments.by.split(",")]
    options = SummaryOptions(
        by=tuple(dict.fromkeys(filter(None, names))),
        close_s=arguments.close,
        max_gap_s=arguments.max_gap,
        seed=arguments.seed,
    )
    files = StudyFiles(arguments.rows, arguments.batch, arguments.markers)
    study, agreement = read_study(files, options, arguments.agree)
    for path in arguments.out:
        if path.suffix.lower() == ".csv":
            write_atomically(path, as_csv(study, agreement).encode())
        else:
            keep_fonts_here()
            from fer_live.studies.page import as_page  # matplotlib takes a second to import

            write_atomically(path, as_page(study, agreement).encode())
    if arguments.json:
        say(json.dumps(as_object(study, agreement), ensure_ascii=False))
    elif lines := list(as_lines(study)):
        say(*lines)
    else:
        say("fer-live: no face was found; there is nothing to sum up", to=sys.stderr)
    return 0
