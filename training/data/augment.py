"""Batched augmentation on the device: (B, 1, S, S) float in [0, 1] -> the same.

What a webcam does to a face comes in the order in which it happens: where the crop lies, the light,
what covers the face, optics, sensor, compression. Every image draws its own parameters, from
torch's global generator, whose state checkpoints keep.
"""

from collections.abc import Iterator

import kornia.augmentation as K
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fer_live.model.manifest import CropGeometry
from training.augment_config import AugmentationConfig
from training.data.image_operations import (
    Affine,
    Blur,
    BoxErasing,
    Equalize,
    Perspective,
    Posterize,
    Sharpness,
    SoftShadow,
    ToneCurve,
)


def augmentation(config: AugmentationConfig) -> nn.Module:
    """Build everything that `config` asks for as one module; what is 0 is left out.

    No random numbers are drawn for what is left out. What most configs use is our own, because
    kornia's share of a step was too large; the rest is kornia's.
    """
    steps = (*_geometry(config), *_light(config), *_camera(config), *_erasing(config))
    return Augmentation(*steps)


class Augmentation(nn.Sequential):
    """Operations one after another, on a copy: some of them change a batch in place."""

    def forward(self, faces: Tensor) -> Tensor:
        out = faces.clone()
        for step in self:
            out = step(out)
        return out


def _geometry(config: AugmentationConfig) -> Iterator[nn.Module]:
    """Where the crop lies."""
    if config.flip:
        yield K.RandomHorizontalFlip(p=config.flip)
    if config.rotate_degrees or config.translate or config.scale or config.shear_degrees:
        yield Affine(
            config.affine,
            degrees=config.rotate_degrees,
            translate=config.translate,
            scale=config.scale,
            shear_degrees=config.shear_degrees,
        )
    if config.perspective:
        yield Perspective(config.perspective)


def _light(config: AugmentationConfig) -> Iterator[nn.Module]:
    """How bright what is.

    Brightness and contrast are nothing to a network that standardizes its images, but for the
    clipped pixels.
    """
    if config.brightness:
        yield K.RandomBrightness((1 - config.brightness, 1 + config.brightness), p=1.0)
    if config.contrast:
        yield K.RandomContrast((1 - config.contrast, 1 + config.contrast), p=1.0)
    if config.gamma:
        yield K.RandomGamma((1 / (1 + config.gamma), 1 + config.gamma), p=1.0)
    if config.tone:
        yield ToneCurve(config.tone)
    if config.equalize:
        yield Equalize(config.equalize)
    if config.posterize:
        yield Posterize(config.posterize)
    if config.side_light:
        yield K.RandomLinearIllumination(gain=(0.0, config.side_light), p=1.0)
    if config.shadow:
        yield SoftShadow(config.shadow)


def _camera(config: AugmentationConfig) -> Iterator[nn.Module]:
    """What covers the face, optics, sensor, compression."""
    if config.cover:
        yield Cover(config.cover)
    if config.sharpness:
        yield Sharpness(config.sharpness)
    if config.blur:
        yield Blur(config.blur)
    if config.motion:
        yield K.RandomMotionBlur((3, 7), 180.0, 0.0, border_type="replicate", p=config.motion)
    if config.downscale:
        yield Downscale(config.downscale)
    if config.noise:
        yield K.RandomGaussianNoise(std=config.noise, p=0.5)
        yield nn.Hardtanh(0.0, 1.0)
    if config.jpeg:
        yield Jpeg(config.jpeg)


def _erasing(config: AugmentationConfig) -> Iterator[nn.Module]:
    if not config.erase:
        return
    if config.erase_fill != "gray":
        yield BoxErasing(config.erase, config.erase_largest, config.erase_boxes, config.erase_fill)
        return
    for _ in range(config.erase_boxes):
        yield K.RandomErasing(
            scale=(0.02, config.erase_largest), ratio=(0.4, 2.5), value=0.5, p=config.erase
        )


class Cover(nn.Module):
    """With probability `p`, a band of one gray over the eyes or the mouth: glasses, a hand, a mask.

    It is 0.1 to 0.3 of the side high and 0.5 to 1 wide, around where `CropGeometry` has the eyes or
    the mouth.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        crop = CropGeometry()
        self.p, self.center_x, self.center_y = p, crop.center_x, crop.center_y
        self.eye_mouth_distance = crop.eye_mouth_distance

    def forward(self, faces: Tensor) -> Tensor:
        chance, organ, height, width, gray = torch.rand(5, len(faces), 1, 1, 1, device=faces.device)
        half = self.eye_mouth_distance / 2
        middle = self.center_y + torch.where(organ < 0.5, -half, half)
        place = (torch.arange(faces.shape[3], device=faces.device) + 0.5) / faces.shape[3]
        inside_y = (place[:, None] - middle).abs() < (0.1 + 0.2 * height) / 2
        inside_x = (place - self.center_x).abs() < (0.5 + 0.5 * width) / 2
        return torch.where((chance < self.p) & inside_y & inside_x, gray, faces)


class Downscale(nn.Module):
    """With probability `p`, a face with 1/2 or 1/3 of the pixels per side, enlarged again."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, faces: Tensor) -> Tensor:
        chance, factor = torch.rand(2, len(faces), device=faces.device)
        faces = faces.clone()
        for times, rows in ((2, factor < 0.5), (3, factor >= 0.5)):
            chosen = faces[rows & (chance < self.p)]
            small = F.avg_pool2d(chosen, times)
            faces[rows & (chance < self.p)] = F.interpolate(
                small, size=faces.shape[2:], mode="bilinear", align_corners=False
            )
        return faces


class Jpeg(nn.Module):
    """JPEG of quality 10 to 60 with probability `p`; kornia's own takes only colour images."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.compress = K.RandomJPEG((10.0, 60.0), p=p)

    def forward(self, faces: Tensor) -> Tensor:
        compressed: Tensor = self.compress(faces.expand(-1, 3, -1, -1))
        return compressed[:, :1]
