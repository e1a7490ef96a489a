"""Compare how a model reads groups of people, on faces without expression labels.

DIR is laid out as FairFace's audit part: fairface.csv with the columns set, name, age, gender and
group, and the face crops in audit/NAME.jpg. The groups are the annotators' impressions.
"""

import argparse
from pathlib import Path

from training.commands.figures import (
    answers_of,
    check_json,
    declare_answers,
    declare_json,
    tell_figures,
)

HELP = "compare how a model reads groups of people, without labels"
EXAMPLES = (
    "fer-train audit model.onnx --faces fairface/",
    "fer-train audit runs/first --faces fairface/ --json audit.json",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, help="a model: .onnx, .safetensors or a run folder")
    parser.add_argument(
        "--faces", type=Path, required=True, metavar="DIR", help="read the faces of this folder"
    )
    declare_answers(parser)
    declare_json(parser)


def run(arguments: argparse.Namespace) -> int:
    check_json(arguments.json)
    from training.measure.audit import audit, to_markdown

    figures = audit(arguments.model, arguments.faces, answers_of(arguments))
    return tell_figures(arguments, figures, to_markdown(figures))
