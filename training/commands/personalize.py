"""Teach a model one person's face: in closed form, then by gradient where that proves to add."""

import argparse
from pathlib import Path

from fer_live.base.console import real, require_packages
from fer_live.errors import FerLiveError, RefusedError
from fer_live.plain_text import say
from training.commands.figures import check_json, declare_json, write_json

HELP = "teach a model one person's face"
EXAMPLES = (
    "fer-train personalize --clips clips/ --labeled takes/ --out runs/me",
    "fer-train personalize --labeled takes/ --minutes 2 --out runs/me",
)

_MINUTES = 5.0


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--clips",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="learn from clips or images of the person, without labels",
    )
    parser.add_argument(
        "--labeled", type=Path, metavar="DIR", help="learn from DIR/<label>/ of clips or images"
    )
    parser.add_argument(
        "--from",
        type=Path,
        dest="start",
        metavar="CHECKPOINT",
        help="begin with this model (default: the shipped one)",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="RUN_DIR", help="write the run to this folder"
    )
    parser.add_argument(
        "--minutes",
        type=real(0, 1e7),
        default=_MINUTES,
        metavar="M",
        help="let gradient steps take so long at most (default: 5); about how many they take is "
        "said before",
    )
    parser.add_argument(
        "--closed-form-only",
        action="store_true",
        help="take no gradient steps; the same as --minutes 0",
    )
    parser.add_argument(
        "--track",
        nargs="+",
        default=[],
        metavar="WHOSE",
        help="say whose face is meant where several people are in a clip: largest, all, a face's "
        "number, or CLIP:NUMBER",
    )
    parser.add_argument(
        "--person",
        default="me",
        metavar="NAME",
        help="say whose face it is (default: me); fer-live clips delete --everything NAME then "
        "deletes the model too, once it is installed",
    )
    declare_json(parser)
    parser.add_argument(
        "--progress", action="store_true", help="print one JSON object per line, for programs"
    )


def run(arguments: argparse.Namespace) -> int:
    require_packages("export", "onnxscript")
    check_json(arguments.json)
    from export.build import build_models
    from fer_live.personal.answer import refusal, result
    from training.personalize.progress import show_bar, tell_program
    from training.personalize.run import personalize
    from training.personalize.task import PersonalizeOptions

    options = PersonalizeOptions(
        tuple(arguments.clips),
        arguments.labeled,
        arguments.start,
        arguments.out,
        tuple(arguments.track),
        minutes=0.0 if arguments.closed_form_only else arguments.minutes,
        person=arguments.person,
    )
    try:
        with (tell_program if arguments.progress else show_bar)() as report:
            retrained = personalize(options, build_models, report, _tell)
    except KeyboardInterrupt:
        raise FerLiveError("interrupted; the same command resumes it") from None
    write_json(arguments.json, dict(retrained.figures))
    if retrained.model is None:
        raise RefusedError(refusal(retrained.evidence))
    say(result(retrained.evidence), retrained.model, _how_to_install(arguments.out))
    return 0


def _tell(line: str) -> None:
    say(line)


def _how_to_install(out: Path) -> str:
    return f"not in use; to install it: fer-live models install {out}"
