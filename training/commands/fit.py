"""Train a model by a config."""

import argparse
from pathlib import Path

from fer_live.errors import FerLiveError

HELP = "train a model by a config"


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE.toml")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN_DIR")
    parser.add_argument("--data", metavar="KIND:DIR", help="instead of the config's data.source")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="TABLE.FIELD=VALUE",
        help="instead of the config's; may be given several times",
    )
    parser.add_argument("--resume", action="store_true", help="resume the run in --out")


def run(arguments: argparse.Namespace) -> int:
    from training.config import load_config
    from training.loop.train import fit

    config = load_config(arguments.config, arguments.set)
    if arguments.data:
        data = config.data.model_copy(update={"source": arguments.data})
        config = config.model_copy(update={"data": data})
    try:
        metrics = fit(config, arguments.out, resume=arguments.resume)
    except KeyboardInterrupt:
        raise FerLiveError("interrupted; --resume resumes it from the last checkpoint") from None
    for name, figures in metrics.items():
        print(f"{name}: accuracy {figures['accuracy']:.4f}, macro-F1 {figures['macro_f1']:.4f}")
    print(f"model: {arguments.out / 'model.safetensors'}")
    return 0
