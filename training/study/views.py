"""A picture of what augmentation does: weak and strong views of a few faces."""

from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor

from fer_live.datatypes import UInt8Array
from training.config import TrainConfig
from training.data.augment import augmentation
from training.models.resnet import standardized

_WEAK, _STRONG = 4, 7


def draw_views(config: TrainConfig, faces: UInt8Array, seed: int, out: Path) -> None:
    """Draw a face of the first and one of the second quarter, each with its views.

    Every face has two lines: the views as they are made, and as a network that standardizes its
    images gets them, black and white at two deviations from the mean.

    Args:
        config: Whose `weak` and `strong` make the views.
        faces: (N, S, S) uint8, at least one.
        seed: Of the views.
        out: The picture's file; its suffix says of which kind.
    """
    torch.manual_seed(seed)
    rows = [len(faces) // 8, 3 * len(faces) // 8]  # in the demo, where one portrait stands alone
    chosen = torch.from_numpy(faces[rows])[:, None].float() / 255
    titles = ["as it is", *["weak"] * _WEAK, *["strong"] * _STRONG]
    figure = Figure(figsize=(1.1 * len(titles), 2.3 * len(chosen)), layout="constrained")
    grid = figure.subplots(2 * len(chosen), len(titles), squeeze=False)
    for index, face in enumerate(chosen):
        views = views_of(face, config)
        shown = ((standardized(2 * views - 1) + 2) / 4).clamp(0, 1)
        for line, images in enumerate((views, shown)):
            for axes, image, title in zip(grid[2 * index + line], images, titles, strict=True):
                axes.imshow(image[0].numpy(), cmap="gray", vmin=0, vmax=1)
                axes.axis("off")
                if line == 0:
                    axes.set_title(title, fontsize="small")
    figure.savefig(out, dpi=80)


def views_of(face: Tensor, config: TrainConfig) -> Tensor:
    """Make the views of a face (1, S, S) in [0, 1]: itself, weak, strong ones, (V, 1, S, S)."""
    weak = augmentation(config.weak)(face.expand(_WEAK, -1, -1, -1).contiguous())
    strong = augmentation(config.strong)(face.expand(_STRONG, -1, -1, -1).contiguous())
    return torch.cat([face[None], weak, strong])
