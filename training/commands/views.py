"""Draw weak and strong views of faces, as a config makes them and as its network gets them."""

import argparse
from pathlib import Path

from fer_live.base.console import check_output_file
from fer_live.model.assets import asset

HELP = "draw weak and strong views of faces"


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE.toml", help="a config, or a grid"
    )
    parser.add_argument(
        "--clips", type=Path, metavar="DIR", help="clips with the faces (default: the demo's)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png")


def run(arguments: argparse.Namespace) -> int:
    from training.data.image_files import load_clip, load_clips
    from training.study.cells import any_config
    from training.study.views import draw_views

    check_output_file(arguments.out, (".png", ".jpg", ".svg"))
    config = any_config(arguments.config)
    side = config.model.input_side
    if arguments.clips is None:
        faces = load_clip(asset("demo.mp4"), side)
    else:
        faces = load_clips(arguments.clips, side).images
    draw_views(config, faces, arguments.seed, arguments.out)
    print(arguments.out)
    return 0
