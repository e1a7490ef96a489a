"""Batched augmentation on the device: (B, 1, S, S) float in [0, 1] -> the same.

What a webcam does to a face comes in the order in which it happens: where the crop lies, the light,
what covers the face, optics, sensor, compression. Every image draws its own parameters, from
torch's global generator, whose state checkpoints keep.
"""

import kornia.augmentation as K
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fer_live.model.manifest import CropGeometry
from training.config import AugmentationConfig


def augmentation(config: AugmentationConfig) -> nn.Module:
    """Build everything that `config` asks for as one module; what is 0 is left out.

    kornia draws no random numbers for what is left out, and an image costs 0.05 to 0.1 ms.
    """
    steps: list[nn.Module] = []
    if config.flip:
        steps.append(K.RandomHorizontalFlip(p=config.flip))
    if config.rotate_degrees or config.translate or config.scale or config.shear_degrees:
        steps.append(
            K.RandomAffine(
                degrees=config.rotate_degrees,
                translate=(config.translate, config.translate),
                scale=(1 - config.scale, 1 + config.scale),
                shear=config.shear_degrees or None,
                padding_mode="border",
                p=1.0,
            )
        )
    if config.brightness:
        steps.append(K.RandomBrightness((1 - config.brightness, 1 + config.brightness), p=1.0))
    if config.contrast:
        steps.append(K.RandomContrast((1 - config.contrast, 1 + config.contrast), p=1.0))
    if config.gamma:
        steps.append(K.RandomGamma((1 / (1 + config.gamma), 1 + config.gamma), p=1.0))
    if config.side_light:
        steps.append(K.RandomLinearIllumination(gain=(0.0, config.side_light), p=1.0))
    if config.cover:
        steps.append(Cover(config.cover))
    if config.blur:
        steps.append(K.RandomGaussianBlur((5, 5), (0.3, 1.5), p=config.blur))
    if config.motion:
        steps.append(
            K.RandomMotionBlur((3, 7), 180.0, 0.0, border_type="replicate", p=config.motion)
        )
    if config.downscale:
        steps.append(Downscale(config.downscale))
    if config.noise:
        steps += [K.RandomGaussianNoise(std=config.noise, p=0.5), nn.Hardtanh(0.0, 1.0)]
    if config.jpeg:
        steps.append(Jpeg(config.jpeg))
    if config.erase:
        steps.append(
            K.RandomErasing(
                scale=(0.02, config.erase_largest), ratio=(0.4, 2.5), value=0.5, p=config.erase
            )
        )
    return nn.Sequential(*steps)


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
