"""`fer-export`: a run folder or checkpoint becomes one ONNX file."""

import argparse
from pathlib import Path

from fer_live.console import ArgumentParser, check_output_file, require_packages, run_command
from fer_live.errors import InputError

_N_CALIBRATION = 512
_N_PARITY = 256


def main() -> None:
    """Entry point of `fer-export`."""
    arguments = _parser().parse_args()
    run_command("fer-export", lambda: _export(arguments))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="fer-export", description="Export a checkpoint to ONNX.")
    parser.add_argument("checkpoint", type=Path, metavar="RUN_DIR_OR_CHECKPOINT")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.onnx")
    parser.add_argument("--precision", choices=("fp32", "fp16", "int8"), default="fp32")
    parser.add_argument(
        "--calibration",
        metavar="fer2013:DIR|folder:DIR",
        help="int8 needs it: training images that set the range of each activation",
    )
    parser.add_argument(
        "--batch",
        type=int,
        metavar="N",
        help="always N faces at once, for what compiles a model for one shape (else any number)",
    )
    return parser


def _export(arguments: argparse.Namespace) -> int:
    require_packages("export", "torch", "onnx", "onnxscript")
    check_output_file(arguments.out, (".onnx",))
    if arguments.precision == "int8" and not arguments.calibration:
        raise InputError("--precision int8 needs --calibration fer2013:DIR or folder:DIR")

    if arguments.batch is not None and not 1 <= arguments.batch <= _N_PARITY:
        raise InputError(f"--batch {arguments.batch}: 1 to {_N_PARITY}")

    import numpy as np
    import onnx

    from export.quantize import to_fp16, to_int8
    from export.to_onnx import DeployedNet, add_manifest, serialize, to_onnx
    from export.verify import compare, require_agreement, require_fp32_parity
    from fer_live.atomic_file import write_atomically
    from training.checkpoint import load_model
    from training.data.sources import load_calibration_faces

    network, manifest = load_model(arguments.checkpoint)
    side = manifest.input_side
    generator = np.random.default_rng(0)
    faces = generator.integers(0, 256, (_N_PARITY, side, side), dtype=np.uint8)
    calibration = None
    if arguments.calibration:
        sample = load_calibration_faces(arguments.calibration, side, _N_CALIBRATION + _N_PARITY)
        # Every third face is held out: the quantized model is compared on faces it was not set by.
        held_out = np.arange(len(sample)) % 3 == 2
        calibration = sample[~held_out]
        faces = sample[held_out] if held_out.any() else sample
    deployed = DeployedNet(network, manifest.temperature).eval()
    model = to_onnx(network, manifest, arguments.batch)
    parity = compare(deployed, model, faces)
    require_fp32_parity(parity)
    if arguments.precision != "fp32":
        if arguments.precision == "int8" and calibration is not None:
            model = to_int8(model, calibration)
        else:
            model = to_fp16(model)
        add_manifest(model, manifest)
        onnx.checker.check_model(model)
        parity = compare(deployed, model, faces)
        if arguments.calibration:
            require_agreement(parity)
    content = serialize(model)
    write_atomically(arguments.out, content)
    print(
        f"{arguments.out}: {arguments.precision}, {len(content) / 1e6:.1f} MB; on "
        f"{parity.n_faces} faces the largest difference from torch is {parity.max_difference:.2g}, "
        f"the same label on {parity.agreement:.1%}"
    )
    return 0


if __name__ == "__main__":
    main()
