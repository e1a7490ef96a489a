"""Run methods x budgets x seeds, or what is missing of them."""

import argparse
from pathlib import Path

from fer_live.base.console import whole
from fer_live.errors import FerLiveError, InputError
from fer_live.plain_text import say

HELP = "run methods x budgets x seeds, or what is missing"
EXAMPLES = (
    "fer-train grid --config grid.toml --out results/ --list",
    "fer-train grid --config grid.toml --out results/ --only fixmatch/0.1/1",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE.toml", help="run this grid"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="write the results to this folder"
    )
    parser.add_argument(
        "--runs", type=Path, metavar="DIR", help="make the run folders there (default: OUT/runs)"
    )
    parser.add_argument(
        "--jobs", type=whole(1, 1024), default=1, metavar="N", help="run so many cells at once"
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ROW[/BUDGET[/SEED]]",
        help="run these cells alone; may be given several times",
    )
    parser.add_argument("--list", action="store_true", help="list the cells and run nothing")
    parser.add_argument(
        "--data", metavar="KIND:DIR", help="train on this, and not on the config's data.source"
    )


def run(arguments: argparse.Namespace) -> int:
    from training.study.grid import list_cells, run_grid

    if arguments.list:
        for cell, finished in list_cells(arguments.config, arguments.out, arguments.only):
            say(f"{cell.address}\t{'finished' if finished else 'missing'}")
        return 0
    if arguments.jobs < 1:
        raise InputError(f"--jobs {arguments.jobs}: at least 1")
    runs = arguments.runs or arguments.out / "runs"
    try:
        n_failed = run_grid(
            arguments.config,
            arguments.out,
            runs,
            jobs=arguments.jobs,
            data=arguments.data,
            only=arguments.only,
        )
    except KeyboardInterrupt:
        raise FerLiveError(
            "interrupted; the same command resumes it from the last checkpoints"
        ) from None
    if n_failed:
        raise FerLiveError(f"{n_failed} cells failed, the others are in {arguments.out}")
    return 0
