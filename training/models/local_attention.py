"""Local attention enhancement (LAE) and random feature-map dropout (FMD).

Reconstructed from the abstract of arXiv 2601.05556; the closest published design is the
multi-attention dropping of TransFER (Xue et al., ICCV 2021).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.distributed import rand_rows

_REDUCTION = 4


class SpatialAttention(nn.Module):
    """K attention branches over a feature map F (B, D, h, w); F * mean_k A_k comes out.

    Branch k is a 1x1 convolution D -> D / 4, ReLU, a 3x3 convolution -> 1 and a softmax over all
    places, times their number: the map A_k (B, 1, h, w) has mean 1, so that it moves weight between
    places and cannot vanish. It begins even. F is not added, as in two re-implementations of
    TransFER. In training, with probability `drop_probability` an image loses one A_k, chosen
    uniformly, and the mean is over the others; evaluation drops nothing.
    """

    def __init__(self, channels: int, n_branches: int, drop_probability: float) -> None:
        super().__init__()
        hidden = max(channels // _REDUCTION, 1) * n_branches
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.look = nn.Conv2d(hidden, n_branches, 3, padding=1, groups=n_branches)
        nn.init.kaiming_normal_(self.reduce.weight, mode="fan_in", nonlinearity="relu")
        for parameter in (self.reduce.bias, self.look.weight, self.look.bias):
            assert parameter is not None
            nn.init.zeros_(parameter)
        self.n_branches = n_branches
        self.drop_probability = drop_probability

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the attended features (B, D, h, w), and the attention (B, h, w) in 0..1."""
        looks = self.look(torch.relu(self.reduce(features))).float()  # (B, K, h, w)
        maps = looks.flatten(2).softmax(dim=2).view_as(looks) * looks[0, 0].numel()
        if self.training and self.drop_probability > 0 and self.n_branches > 1:
            kept = _kept(len(maps), self.n_branches, self.drop_probability, maps.device)
            maps = maps * (kept * self.n_branches / kept.sum(dim=1, keepdim=True))[:, :, None, None]
        attention = maps.mean(dim=1, keepdim=True)
        shown = attention / attention.amax(dim=(2, 3), keepdim=True)
        return features * attention.to(features.dtype), shown.squeeze(1)


class LocalAttention(nn.Module):
    """K attention branches over a feature map F (B, D, h, w) >= 0; F + max_k(F * A_k) comes out.

    Branch k is a 1x1 convolution D -> D / 4, ReLU, a 3x3 convolution -> 1 and a sigmoid: the map
    A_k (B, 1, h, w). In training, with probability `drop_probability` an image loses one attended
    map F * A_k, chosen uniformly, so that no one region decides alone; evaluation drops nothing.

    The released checkpoint has it, and nothing new should: adding F lets every A_k go to 0, from
    where no gradient brings it back, and in that checkpoint they did (before the sigmoid -38 on
    average).
    """

    def __init__(self, channels: int, n_branches: int, drop_probability: float) -> None:
        super().__init__()
        hidden = max(channels // _REDUCTION, 1) * n_branches
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.look = nn.Conv2d(hidden, n_branches, 3, padding=1, groups=n_branches)
        self.n_branches = n_branches
        self.drop_probability = drop_probability

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the enhanced features (B, D, h, w), and the attention (B, h, w) in 0..1."""
        maps = torch.sigmoid(self.look(torch.relu(self.reduce(features))))  # (B, K, h, w)
        if self.training and self.drop_probability > 0:
            kept = _kept(len(maps), self.n_branches, self.drop_probability, maps.device)
            maps = maps * kept[:, :, None, None]
        # F >= 0, so max_k(F * A_k) is F * max_k A_k: one product instead of K.
        attention = maps.amax(dim=1, keepdim=True)
        return features + features * attention, attention.squeeze(1)


def _kept(n: int, n_branches: int, drop_probability: float, device: torch.device) -> Tensor:
    """Draw which maps are kept: (n, K) of 1, with a 0 in the column that an image loses."""
    chance = rand_rows(n, 2, device)
    loses = chance[:, :1] < drop_probability
    branch = (chance[:, 1] * n_branches).long().clamp_max(n_branches - 1)
    return 1 - F.one_hot(branch, n_branches) * loses.long()
