"""Store what is known of the faces that a config trains on beside their labels.

crops: the faces as the app would cut them. landmarks: measures by MediaPipe's Face Landmarker,
which the network then learns as well. answers: what a teacher answers to each face. The file is
named in the table [annotations] of a config.
"""

import argparse
from pathlib import Path

from fer_live.base.console import check_output_file, whole
from fer_live.errors import DataError, InputError
from fer_live.plain_text import say

HELP = "store crops, landmarks or a teacher's answers to the faces of a config"
EXAMPLES = (
    "fer-train annotate landmarks --config released.toml --out landmarks.safetensors",
    "fer-train annotate answers --config student.toml --teacher runs/large --out soft.safetensors",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "kind", choices=("crops", "landmarks", "answers"), help="what is stored of each face"
    )
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE.toml", help="take this config's faces"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.safetensors", help="write to this file"
    )
    parser.add_argument(
        "--teacher",
        type=Path,
        metavar="MODEL",
        help="answers: the model that is asked, .safetensors or a run folder",
    )
    parser.add_argument(
        "--copies",
        type=whole(0, 1000),
        default=2,
        metavar="N",
        help="answers: read so many weakly augmented copies beside each face (default: 2)",
    )
    parser.add_argument(
        "--without-heldout",
        action="store_true",
        help="answers: of no face whose label the config holds out, for a teacher that learnt it",
    )


def run(arguments: argparse.Namespace) -> int:
    check_output_file(arguments.out, (".safetensors",))
    if (arguments.kind == "answers") != (arguments.teacher is not None):
        raise InputError("--teacher MODEL goes with answers, and answers need it")
    if arguments.without_heldout and arguments.kind != "answers":
        raise InputError("--without-heldout goes with answers")
    from training.annotations.answers import store_answers
    from training.annotations.crops import cut_as_the_app_does
    from training.annotations.landmarks import measure_landmarks
    from training.config import load_config
    from training.data.annotations import save_annotations

    config = load_config(arguments.config)
    if arguments.kind == "answers":
        measured = store_answers(
            arguments.teacher,
            config,
            copies=arguments.copies,
            with_heldout=not arguments.without_heldout,
        )
    elif arguments.kind == "crops":
        measured = cut_as_the_app_does(config)
    else:
        measured = measure_landmarks(config)
    n_found = len(measured.annotations.values)
    if n_found == 0:
        raise DataError(
            f"{config.data.source}: {arguments.kind} of none of {measured.n_faces} faces, because "
            "the app's detector finds none in them; nothing is written"
            if arguments.kind != "answers"
            else f"{config.data.source}: no face to answer; nothing is written"
        )
    save_annotations(arguments.out, measured.annotations)
    say(f"{arguments.kind} of {n_found} of {measured.n_faces} faces: {arguments.out}")
    return 0
