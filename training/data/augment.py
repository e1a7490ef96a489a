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
from training.config import AugmentationConfig

_CURVE_STEPS = 4


def augmentation(config: AugmentationConfig) -> nn.Module:
    """Build everything that `config` asks for as one module; what is 0 is left out.

    kornia draws no random numbers for what is left out, and an image costs 0.05 to 0.1 ms.
    """
    return nn.Sequential(*_geometry(config), *_light(config), *_camera(config), *_erasing(config))


def _geometry(config: AugmentationConfig) -> Iterator[nn.Module]:
    """Where the crop lies."""
    if config.flip:
        yield K.RandomHorizontalFlip(p=config.flip)
    if config.rotate_degrees or config.translate or config.scale or config.shear_degrees:
        yield K.RandomAffine(
            degrees=config.rotate_degrees,
            translate=(config.translate, config.translate),
            scale=(1 - config.scale, 1 + config.scale),
            shear=config.shear_degrees or None,
            padding_mode="border",
            p=config.affine,
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
        yield K.RandomPosterize((3.0, 4.0), p=config.posterize)
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
        yield K.RandomGaussianBlur((5, 5), (0.3, 1.5), p=config.blur)
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
    for _ in range(config.erase_boxes if config.erase else 0):
        if config.erase_fill == "noise":
            yield NoiseErasing(config.erase, config.erase_largest)
        else:
            yield K.RandomErasing(
                scale=(0.02, config.erase_largest), ratio=(0.4, 2.5), value=0.5, p=config.erase
            )


class ToneCurve(nn.Module):
    """With probability `p`, a rising curve from 0 to 1 through three random grays between them.

    It bends light and shade apart, which standardization does not undo. Every quarter of the grays
    becomes at least a tenth of them.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, faces: Tensor) -> Tensor:
        n = len(faces)
        chosen = torch.rand(n, device=faces.device) < self.p
        steps = 0.1 + 0.6 * torch.distributions.Dirichlet(torch.ones(_CURVE_STEPS)).sample((n,))
        curve = F.pad(steps.cumsum(dim=1), (1, 0)).to(faces)[chosen]
        pixels = faces[chosen].flatten(1).clamp(0, 1) * _CURVE_STEPS
        left = pixels.long().clamp_max(_CURVE_STEPS - 1)
        low, high = curve.gather(1, left), curve.gather(1, left + 1)
        bent = low + (pixels - left) * (high - low)
        out = faces.clone()
        out[chosen] = bent.view(-1, *faces.shape[1:])
        return out


class SoftShadow(nn.Module):
    """With probability `p`, one side of a line of any slant has 0.3 to 0.8 of its light.

    The line passes within 0.3 of the side from the middle, its edge is 0.1 to 0.4 of it wide.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, faces: Tensor) -> Tensor:
        draws = torch.rand(5, len(faces), 1, 1, 1, device=faces.device)
        chance, slant, offset, width, light = draws
        place = (torch.arange(faces.shape[3], device=faces.device) + 0.5) / faces.shape[3] - 0.5
        angle = slant * (2 * torch.pi)
        distance = place * angle.cos() + place[:, None] * angle.sin() - 0.6 * (offset - 0.5)
        shade = torch.sigmoid(distance * 4 / (0.1 + 0.3 * width))
        return torch.where(chance < self.p, faces * (1 - shade * (0.7 - 0.5 * light)), faces)


class Sharpness(nn.Module):
    """With probability `p`, what a 3x3 mean takes away is added -0.7 to 2 times.

    kornia's own sharpens alone, and takes five times as long on a CPU.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, faces: Tensor) -> Tensor:
        chance, amount = torch.rand(2, len(faces), device=faces.device)
        chosen = chance < self.p
        sharp = faces[chosen]
        soft = F.avg_pool2d(F.pad(sharp, (1, 1, 1, 1), mode="replicate"), 3, 1)
        by = (2.7 * amount[chosen] - 0.7)[:, None, None, None]
        out = faces.clone()
        out[chosen] = (sharp + by * (sharp - soft)).clamp(0, 1)
        return out


class Perspective(nn.Module):
    """With probability `p`, one edge of the face up to a quarter nearer than the opposite one.

    kornia's own solves for a homography and takes four times as long on a CPU.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, faces: Tensor) -> Tensor:
        draws = torch.rand(3, len(faces), 1, 1, device=faces.device)
        rows = draws[0].flatten() < self.p
        tilt_x, tilt_y = 0.25 * (2 * draws[1:, rows] - 1)
        side = faces.shape[3]
        place = (torch.arange(side, device=faces.device) + 0.5) * (2 / side) - 1
        depth = 1 + tilt_x * place + tilt_y * place[:, None]
        grid = torch.stack([place / depth, place[:, None] / depth], dim=3).to(faces.dtype)
        out = faces.clone()
        out[rows] = F.grid_sample(
            faces[rows], grid, mode="bilinear", padding_mode="border", align_corners=False
        )
        return out


class Equalize(nn.Module):
    """With probability `p`, each gray becomes the share of the face that is darker.

    kornia's own goes through the images one by one.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, faces: Tensor) -> Tensor:
        rows = torch.rand(len(faces), device=faces.device) < self.p
        grays = (faces[rows].flatten(1).clamp(0, 1) * 255).round().long()
        counts = faces.new_zeros(len(grays), 256)
        counts.scatter_add_(1, grays, torch.ones_like(grays, dtype=faces.dtype))
        darker = counts.cumsum(dim=1) - counts / 2
        out = faces.clone()
        out[rows] = (darker.gather(1, grays) / grays.shape[1]).view(-1, *faces.shape[1:])
        return out


class NoiseErasing(nn.Module):
    """With probability `p`, a rectangle of noise as dark and as rough as the face.

    It has 0.02 to `largest` of the area and sides of 0.4 to 2.5 (Zhong et al., "Random Erasing",
    2020). Noise with the image's own mean and deviation leaves standardization as it is.
    """

    def __init__(self, p: float, largest: float) -> None:
        super().__init__()
        self.p, self.largest = p, largest

    def forward(self, faces: Tensor) -> Tensor:
        draws = torch.rand(5, len(faces), 1, 1, 1, device=faces.device)
        rows = draws[0].flatten() < self.p
        area, ratio, x, y = draws[1:, rows]
        area = 0.02 + (self.largest - 0.02) * area
        stretch = (0.4 * (2.5 / 0.4) ** ratio).sqrt()
        width, height = ((area.sqrt() * s).clamp_max(1.0) for s in (stretch, 1 / stretch))
        place = (torch.arange(faces.shape[3], device=faces.device) + 0.5) / faces.shape[3]
        inside_x = (place - x * (1 - width) - width / 2).abs() < width / 2
        inside_y = (place[:, None] - y * (1 - height) - height / 2).abs() < height / 2
        chosen = faces[rows]
        deviation, mean = torch.std_mean(chosen, dim=(2, 3), keepdim=True)
        noise = (mean + deviation * torch.randn_like(chosen)).clamp(0, 1)
        out = faces.clone()
        out[rows] = torch.where(inside_x & inside_y, noise, chosen)
        return out


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
