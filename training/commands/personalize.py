"""Retrain a model on one's own clips, and prove that it got better."""

import argparse
from pathlib import Path

from fer_live.base.console import require_packages
from fer_live.errors import FerLiveError, RefusedError
from training.commands.figures import check_json, declare_json, write_json

HELP = "retrain a model on one's own clips"


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clips",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="of clips or images of the person, without labels",
    )
    parser.add_argument(
        "--labeled", type=Path, metavar="DIR", help="DIR/<label>/ of clips or images of the person"
    )
    parser.add_argument(
        "--from",
        type=Path,
        dest="start",
        metavar="CHECKPOINT",
        help="the model to begin with (default: the shipped one)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="RUN_DIR")
    parser.add_argument(
        "--track",
        nargs="+",
        default=[],
        metavar="WHOSE",
        help="where several people are in a clip: largest, all, a face's number, or CLIP:NUMBER",
    )
    declare_json(parser)
    parser.add_argument(
        "--progress", action="store_true", help="one JSON object per line on stdout, for programs"
    )


def run(arguments: argparse.Namespace) -> int:
    require_packages("export", "onnxscript")
    check_json(arguments.json)
    from export.build import build_models
    from training.personalize.progress import show_bar, tell_program
    from training.personalize.run import personalize
    from training.personalize.task import PersonalizeOptions

    options = PersonalizeOptions(
        tuple(arguments.clips),
        arguments.labeled,
        arguments.start,
        arguments.out,
        tuple(arguments.track),
    )
    try:
        with (tell_program if arguments.progress else show_bar)() as report:
            proof, figures = personalize(options, build_models, report)
    except KeyboardInterrupt:
        raise FerLiveError("interrupted; the same command resumes it") from None
    write_json(arguments.json, figures)
    install = f"fer-live models install {arguments.out}"
    if proof.passes:
        print(f"{proof.verdict()}\nto install it: {install}")
        return 0
    if proof.may_ask:
        print(f"{proof.verdict()}\nto choose, and to install it if you prefer it: {install}")
        return 0
    raise RefusedError(f"{arguments.out}: {proof.verdict()}; it should not be installed")
