"""Draw weak and strong views of faces, as a config makes them and as its network gets them."""

import argparse
from pathlib import Path

from fer_live.base.console import check_output_file, seed
from fer_live.base.home import keep_fonts_here
from fer_live.model.assets import asset
from fer_live.plain_text import say

HELP = "draw weak and strong views of faces"
EXAMPLES = (
    "fer-train views --config released.toml --out views.png",
    "fer-train views --config grid.toml --clips clips/ --seed 3 --out views.png",
)


def declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE.toml", help="take a config, or a grid"
    )
    parser.add_argument(
        "--clips",
        type=Path,
        metavar="DIR",
        help="take the faces of these clips (default: the demo's)",
    )
    parser.add_argument("--seed", type=seed, default=0, help="draw with this seed (default: 0)")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE.png", help="write the picture to this file"
    )


def run(arguments: argparse.Namespace) -> int:
    from training.data.image_files import load_clip, load_clips
    from training.study.cells import any_config

    keep_fonts_here()
    from training.study.views import draw_views

    check_output_file(arguments.out, (".png", ".jpg", ".svg"))
    config = any_config(arguments.config)
    side = config.model.input_side
    if arguments.clips is None:
        faces = load_clip(asset("demo.mp4"), side)
    else:
        faces = load_clips(arguments.clips, side).images
    draw_views(config, faces, arguments.seed, arguments.out)
    say(arguments.out)
    return 0
