"""A network that answers what is written in its images, for objectives worked out by hand."""

import torch
from torch import Tensor

from training.models.resnet import ExpressionNet, NetworkOutput


class Scripted(ExpressionNet):
    """A network whose logits for an image are written in the image: pixels [0, 0, :C].

    With `n_measures` L, its auxiliary outputs are written there too: pixels [0, 1, :L]. All of it
    is multiplied by the parameter `scale`, which is 1.
    """

    def __init__(self, n_classes: int, n_measures: int = 0) -> None:
        super().__init__(n_classes, width=8)
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.n_classes, self.n_measures = n_classes, n_measures

    def read(self, faces: Tensor) -> NetworkOutput:
        logits = self.scale * faces[:, 0, 0, : self.n_classes]
        measures = self.scale * faces[:, 0, 1, : self.n_measures] if self.n_measures else None
        return NetworkOutput(logits, faces[:, 0, 0, :], None, auxiliary=measures)


def faces_with(probs: list[list[float]], measures: list[list[float]] | None = None) -> Tensor:
    """Faces for which `Scripted` gives these probabilities, and these measures."""
    faces = torch.zeros(len(probs), 1, 8, 8)
    faces[:, 0, 0, : len(probs[0])] = torch.tensor(probs).log()
    if measures is not None:
        faces[:, 0, 1, : len(measures[0])] = torch.tensor(measures)
    return faces
