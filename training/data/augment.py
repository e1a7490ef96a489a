"""Batched augmentation on the device: (B, 1, S, S) float in [0, 1] -> the same.

Every image draws its own parameters, from torch's global generator, whose state checkpoints keep.
"""

import kornia.augmentation as K
from torch import nn

from training.config import AugmentationConfig


def weak_augmentation(config: AugmentationConfig) -> nn.Module:
    """Mirror, small similarity, light, and one erased rectangle (left mid-gray)."""
    return nn.Sequential(
        K.RandomHorizontalFlip(p=config.flip),
        K.RandomAffine(
            degrees=config.rotate_degrees,
            translate=(config.translate, config.translate),
            scale=(1 - config.scale, 1 + config.scale),
            padding_mode="border",
            p=1.0,
        ),
        K.RandomBrightness((1 - config.brightness, 1 + config.brightness), p=1.0),
        K.RandomContrast((1 - config.contrast, 1 + config.contrast), p=1.0),
        K.RandomErasing(scale=(0.02, 0.2), ratio=(0.4, 2.5), value=0.5, p=config.erase),
    )
