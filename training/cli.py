"""`fer-train`: the commands of the training toolkit."""

import argparse
import json
from pathlib import Path

from fer_live.console import ArgumentParser, check_output_file, require_packages, run_command
from fer_live.errors import FerLiveError

SPLITS = ("Training", "PublicTest", "PrivateTest")
LABEL_RULES = ("ferplus-argmax", "ferplus-majority", "fer2013")


def main() -> None:
    """Entry point of `fer-train`."""
    arguments = _parser().parse_args()

    def command() -> int:
        require_packages("train", "torch", "kornia", "safetensors", "tomlkit")
        return int(arguments.run(arguments))

    run_command("fer-train", command)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="fer-train", description="Train and evaluate expression models.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    fit = commands.add_parser("fit", help="train a model by a config")
    fit.add_argument("--config", type=Path, required=True, metavar="FILE.toml")
    fit.add_argument("--out", type=Path, required=True, metavar="RUN_DIR")
    fit.add_argument("--data", metavar="KIND:DIR", help="instead of the config's data.source")
    fit.add_argument("--resume", action="store_true", help="go on where the run in --out stopped")
    fit.set_defaults(run=_fit)

    evaluate = commands.add_parser("evaluate", help="measure a model on a data set")
    evaluate.add_argument("model", type=Path, help=".onnx, .safetensors or a run folder")
    evaluate.add_argument("--data", required=True, metavar="fer2013:DIR|folder:DIR")
    evaluate.add_argument("--split", choices=SPLITS)
    evaluate.add_argument("--labels", choices=LABEL_RULES)
    evaluate.add_argument("--detect", action="store_true", help="find and crop the faces first")
    evaluate.add_argument(
        "--classes",
        choices=("all", "present"),
        help="folder: the labels that the model may choose among (default: all)",
    )
    evaluate.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    evaluate.set_defaults(run=_evaluate)

    config = commands.add_parser("config", help="print every field of a config with its default")
    config.set_defaults(run=_config)

    framing = commands.add_parser("framing", help="measure where faces lie in a data set's images")
    framing.add_argument("--data", required=True, metavar="fer2013:DIR")
    framing.set_defaults(run=_framing)
    return parser


def _fit(arguments: argparse.Namespace) -> int:
    from training.config import load_config
    from training.train import fit

    config = load_config(arguments.config)
    if arguments.data:
        data = config.data.model_copy(update={"source": arguments.data})
        config = config.model_copy(update={"data": data})
    try:
        metrics = fit(config, arguments.out, resume=arguments.resume)
    except KeyboardInterrupt:
        raise FerLiveError("interrupted; --resume goes on from the last checkpoint") from None
    for name, figures in metrics.items():
        print(f"{name}: accuracy {figures['accuracy']:.4f}, macro-F1 {figures['macro_f1']:.4f}")
    print(f"model: {arguments.out / 'model.safetensors'}")
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from fer_live.atomic_file import write_atomically
    from training.evaluate import evaluate, summary

    if arguments.json:
        check_output_file(arguments.json, (".json",))
    report = evaluate(
        arguments.model,
        arguments.data,
        split=arguments.split,
        rule=arguments.labels,
        detect=arguments.detect,
        classes=arguments.classes,
    )
    print(summary(report))
    if arguments.json:
        write_atomically(arguments.json, json.dumps(report, indent=2).encode() + b"\n")
    return 0


def _config(_: argparse.Namespace) -> int:
    from training.config import TrainConfig, config_to_toml

    print(config_to_toml(TrainConfig()), end="")
    return 0


def _framing(arguments: argparse.Namespace) -> int:
    from training.framing import measure_framing

    print(json.dumps(measure_framing(arguments.data), indent=2))
    return 0


if __name__ == "__main__":
    main()
