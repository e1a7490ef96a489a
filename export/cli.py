"""`fer-export`: a run folder or checkpoint becomes one ONNX file."""

import argparse
from pathlib import Path

from fer_live.base.console import (
    ArgumentParser,
    check_output_file,
    require_packages,
    run_command,
    whole,
)
from fer_live.errors import InputError
from fer_live.plain_text import say


def main() -> None:
    """Entry point of `fer-export`."""
    arguments = build_parser().parse_args()
    run_command("fer-export", lambda: _export(arguments))


def build_parser() -> ArgumentParser:
    """The whole command line."""
    parser = ArgumentParser(
        prog="fer-export",
        description="Makes one ONNX file of a checkpoint, and checks that it reads faces as the "
        "network does before anything is written.",
        examples=(
            "fer-export runs/first --out model.onnx",
            "fer-export runs/first --precision int8 --calibration folder:faces/ --out int8.onnx",
        ),
    )
    parser.add_argument(
        "checkpoint",
        type=Path,
        metavar="RUN_DIR_OR_CHECKPOINT",
        help="a run folder of fer-train, or a .safetensors file",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.onnx", help="write the model to this file"
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16", "int8"),
        default="fp32",
        help="compute in single or half precision, or in 8 bits (default: fp32)",
    )
    parser.add_argument(
        "--calibration",
        metavar="fer2013:DIR|folder:DIR",
        help="set the range of each activation by these training images; int8 needs it",
    )
    parser.add_argument(
        "--batch",
        type=whole(1, 256),
        metavar="N",
        help="take always N faces at once, for runtimes that compile a model for one shape "
        "(default: any number)",
    )
    return parser


def _export(arguments: argparse.Namespace) -> int:
    require_packages("export", "torch", "onnxscript")
    check_output_file(arguments.out, (".onnx",))
    if arguments.precision == "int8" and not arguments.calibration:
        raise InputError("--precision int8 needs --calibration fer2013:DIR or folder:DIR")

    from export.build import N_CALIBRATION, N_PARITY, build_models
    from fer_live.base.atomic_file import write_atomically
    from training.data.sources import load_calibration_faces
    from training.models.checkpoint import load_model

    network, manifest = load_model(arguments.checkpoint)
    faces = None
    if arguments.calibration:
        n = N_CALIBRATION + N_PARITY
        faces = load_calibration_faces(arguments.calibration, manifest.input_side, n)
    models = build_models(network, manifest, (arguments.precision,), faces, arguments.batch)
    ((_, content, parity),) = models
    write_atomically(arguments.out, content)
    say(
        f"{arguments.out}: {arguments.precision}, {len(content) / 1e6:.1f} MB; on "
        f"{parity.n_faces} faces the largest difference from torch is {parity.max_difference:.2g}, "
        f"the same label on {parity.agreement:.1%}"
    )
    return 0


if __name__ == "__main__":
    main()
