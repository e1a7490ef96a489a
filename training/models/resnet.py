"""ResNets for small gray faces: (B, 1, S, S) -> a map of S / 8 a side -> logits (B, C).

After He et al., "Deep Residual Learning for Image Recognition" (2015), with two changes for faces
of 48 pixels. The stem halves the side, because a 7x7 with pooling would leave 12 pixels: either
two 3x3 convolutions of which the second strides ("deep stem", He et al., "Bag of Tricks", 2018), or
2x2 pixels as four channels and one convolution ("unshuffle", 2.5 times as fast on a CPU at width
16).
The last stage keeps its resolution, so that 48 pixels end in a 6x6 map, on which "local" still
means something.
"""

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.distributed import rand_rows
from training.models.local_attention import LocalAttention, SpatialAttention

Stem = Literal["deep", "unshuffle"]
AttentionForm = Literal["gate", "softmax"]

_EVALUATION_BATCH = 512
_MIN_VARIANCE = 1e-3
"""Variance of an image in [-1, 1] below which there is nothing but noise to enlarge."""
_STAGE_STRIDES = (1, 2, 2, 1)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: (B, I, h, w) -> (B, O, h / stride, w / stride)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        out = torch.relu(self.norm1(self.conv1(x)))
        out = self.norm2(self.conv2(out))
        return torch.relu(out + self.shortcut(x))


class NetworkOutput(NamedTuple):
    """What a network computes from B faces.

    `logits` (B, C); `embedding` (B, D), the pooled features; `attention` (B, h, w) in 0..1, None
    where the network has none; `features` (B, D, h, w), the last feature map, None where nobody
    needs it; `auxiliary` (B, K), further measures of the face, None outside training and where the
    network has none.
    """

    logits: Tensor
    embedding: Tensor
    attention: Tensor | None
    features: Tensor | None = None
    auxiliary: Tensor | None = None


class ExpressionNet(nn.Module):
    """The classifier: gray faces scaled to [-1, 1], (B, 1, S, S) float -> logits (B, C).

    Four stages of `blocks` residual blocks each: 2 make a ResNet-18, 1 a ResNet-10.
    `standardize` takes each image to mean 0 and standard deviation 1 before anything else, so that
    light and contrast cannot matter. `attention_branches` 0 leaves local attention out, which sits
    behind stage `attention_stage` of 4; `attention_form` is `LocalAttention` ("gate") or
    `SpatialAttention` ("softmax"); `feature_map_dropout` is the probability that an image loses one
    attended map in training. `auxiliary_outputs` K measures of the face are predicted beside the
    expression, in training alone.
    """

    def __init__(
        self,
        n_classes: int,
        width: int = 32,
        dropout: float = 0.2,
        *,
        blocks: int = 2,
        stem: Stem = "deep",
        standardize: bool = False,
        attention_branches: int = 0,
        attention_stage: int = 4,
        attention_form: AttentionForm = "gate",
        feature_map_dropout: float = 0.0,
        auxiliary_outputs: int = 0,
    ) -> None:
        super().__init__()
        self.standardize = standardize
        self._norms_frozen = False
        self.stem = _stem(stem, width)
        stages: list[nn.Module] = []
        channels = width
        for index, stride in enumerate(_STAGE_STRIDES):
            out_channels = width * 2**index
            stages.append(BasicBlock(channels, out_channels, stride))
            stages += [BasicBlock(out_channels, out_channels, 1) for _ in range(blocks - 1)]
            channels = out_channels
        self.stages = nn.Sequential(*stages)
        self.attention: LocalAttention | SpatialAttention | None = None
        self.attention_after = len(stages) * attention_stage // len(_STAGE_STRIDES)
        if attention_branches:
            attended = width * 2 ** (attention_stage - 1)
            form = LocalAttention if attention_form == "gate" else SpatialAttention
            self.attention = form(attended, attention_branches, feature_map_dropout)
        self.dropout = dropout
        self.classifier = nn.Linear(channels, n_classes)
        self.auxiliary = nn.Linear(channels, auxiliary_outputs) if auxiliary_outputs else None
        ready = self.attention.modules() if attention_form == "softmax" and self.attention else ()
        initialized = set(map(id, ready))
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and id(module) not in initialized:
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def freeze_norms(self, frozen: bool) -> None:
        """Set whether batch norms keep their statistics in training, and normalize by them."""
        self._norms_frozen = frozen
        self.train(self.training)

    def freeze_stages_from(self, first_frozen: int) -> None:
        """Let only the stem and the first `first_frozen` of four stages learn; 4: all learn."""
        if first_frozen == len(_STAGE_STRIDES):
            return
        n_learning = len(self.stages) * first_frozen // len(_STAGE_STRIDES)
        self.requires_grad_(False)
        for module in (self.stem, *list(self.stages)[:n_learning]):
            module.requires_grad_(True)

    def train(self, mode: bool = True) -> "ExpressionNet":
        super().train(mode)
        if self._norms_frozen:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def features(self, faces: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the last feature map (B, 8 * width, S / 8, S / 8), and the attention (B, h, w)."""
        if self.standardize:
            faces = standardized(faces)
        out: Tensor = self.stem(faces)
        attention = None
        for number, block in enumerate(self.stages, 1):
            out = block(out)
            if self.attention is not None and number == self.attention_after:
                out, attention = self.attention(out)
        return out, attention

    def read(self, faces: Tensor) -> NetworkOutput:
        """Compute the logits of faces; returns them with the features that they were made from."""
        features, attention = self.features(faces)
        embedding = features.mean(dim=(2, 3))
        pooled = embedding
        if self.training and self.dropout > 0:
            n, channels = pooled.shape
            kept = rand_rows(n, channels, pooled.device) >= self.dropout
            pooled = pooled * kept / (1 - self.dropout)
        auxiliary = None
        if self.auxiliary is not None and self.training:
            auxiliary = self.auxiliary(embedding)
        return NetworkOutput(self.classifier(pooled), embedding, attention, features, auxiliary)

    def heat_map(self, features: Tensor, classes: Tensor) -> Tensor:
        """Compute where in the last features what spoke for a class lies: (B, h, w) in 0..1.

        It is the class activation map of Zhou et al., "Learning Deep Features for Discriminative
        Localization" (2016): its mean over the places is that class's logit without the bias. What
        spoke against the class is left out, and the largest value is 1.
        """
        maps = F.conv2d(features, self.classifier.weight[:, :, None, None])
        rows = classes[:, None, None, None].expand(-1, 1, *maps.shape[2:])
        chosen = maps.gather(1, rows).squeeze(1).clamp_min(0)
        largest = chosen.amax(dim=(1, 2), keepdim=True).clamp_min(1e-6)
        return chosen / largest

    def forward(self, faces: Tensor) -> Tensor:
        return self.read(faces).logits


def _stem(kind: Stem, width: int) -> nn.Sequential:
    if kind == "unshuffle":
        first: list[nn.Module] = [nn.PixelUnshuffle(2), nn.Conv2d(4, width, 3, 1, 1, bias=False)]
    else:
        first = [
            nn.Conv2d(1, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, 2, 1, bias=False),
        ]
    return nn.Sequential(*first, nn.BatchNorm2d(width), nn.ReLU())


def standardized(faces: Tensor) -> Tensor:
    """Take each image (N, 1, S, S) in [-1, 1] to mean 0 and standard deviation 1."""
    variance, mean = torch.var_mean(faces, dim=(1, 2, 3), keepdim=True, correction=0)
    return (faces - mean) * torch.rsqrt(variance + _MIN_VARIANCE)


def scale_faces(faces: Tensor) -> Tensor:
    """Scale faces as networks and exports read them: uint8 0..255 -> float32 in [-1, 1]."""
    return faces.float() / 127.5 - 1.0


def predict_logits(network: nn.Module, images: Tensor) -> Tensor:
    """Compute the logits (N, C) float32, on the CPU, of images (N, 1, S, S) uint8.

    In fp32, batch after batch on the images' device. The network must be in eval mode.
    """
    with torch.inference_mode():
        batches = torch.split(images, _EVALUATION_BATCH)
        logits = [network(scale_faces(batch)).float().cpu() for batch in batches]
    return torch.cat(logits)


def predict_probs(network: nn.Module, images: Tensor, *, temperature: float = 1.0) -> Tensor:
    """Compute softmax(logits / temperature) of images (N, 1, S, S) uint8.

    Returns (N, C) float32 on the CPU.
    """
    return (predict_logits(network, images) / temperature).softmax(dim=1)
