"""Random operations on batches of faces, (B, 1, S, S) float in [0, 1] -> the same.

Each touches only the images that it draws. On a CPU they take a third to a tenth of the time of
kornia's, which matters beside a network of a few million parameters: of 56 faces of 48 pixels
kornia's affine takes 2.7 ms, posterizing a tenth of them 1.6 ms, blurring as many 1.7 ms.
"""

import functools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_CURVE_STEPS = 4
_CURVE_POINTS = 1024


class OnSome(nn.Module):
    """An operation on each image with probability `p`; the others come out as they are.

    The batch is changed in place, so that it need not be copied for every operation.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, faces: Tensor) -> Tensor:
        if self.p >= 1:
            return self.change(faces)
        rows = (torch.rand(len(faces), device=faces.device) < self.p).nonzero().squeeze(1)
        if not len(rows):
            return faces
        faces[rows] = self.change(faces[rows])
        return faces

    def change(self, faces: Tensor) -> Tensor:
        """Do the operation to all of some faces (n, 1, S, S), n > 0."""
        raise NotImplementedError


class Affine(OnSome):
    """Roll, shift, size and shear, each even within its limits; the border is continued.

    Args:
        p: Probability.
        degrees: Largest roll either way.
        translate: Largest shift either way along each side, share of the side.
        scale: Largest change of size, share.
        shear_degrees: Largest shear either way.
    """

    def __init__(
        self, p: float, *, degrees: float, translate: float, scale: float, shear_degrees: float
    ) -> None:
        super().__init__(p)
        self.roll, self.shear = math.radians(degrees), math.radians(shear_degrees)
        self.translate, self.scale = translate, scale

    def change(self, faces: Tensor) -> Tensor:
        draws = 2 * torch.rand(5, len(faces), device=faces.device) - 1
        roll, shear = self.roll * draws[0], (self.shear * draws[1]).tan()
        size = 1 + self.scale * draws[2]
        cos, sin = roll.cos() / size, roll.sin() / size
        # Where each pixel is taken from; as torch's affine_grid has it, but six times as fast.
        a, b, c, d = cos, shear * cos + sin, -sin, cos - shear * sin
        shift_x, shift_y = 2 * self.translate * draws[3:]
        x, y = a * shift_x + b * shift_y, c * shift_x + d * shift_y
        a, b, c, d, x, y = (v.to(faces.dtype)[:, None, None] for v in (a, b, c, d, x, y))
        place = _places(faces)
        grid = torch.stack(
            [
                a * place + (b * place[:, None] - x),
                c * place + (d * place[:, None] - y),
            ],
            dim=3,
        )
        return F.grid_sample(faces, grid, padding_mode="border", align_corners=False)


class Perspective(OnSome):
    """One edge of the face up to a quarter nearer than the opposite one."""

    def change(self, faces: Tensor) -> Tensor:
        tilt_x, tilt_y = 0.25 * (2 * torch.rand(2, len(faces), 1, 1, device=faces.device) - 1)
        place = _places(faces)
        depth = 1 + tilt_x * place + tilt_y * place[:, None]
        grid = torch.stack([place / depth, place[:, None] / depth], dim=3).to(faces.dtype)
        return F.grid_sample(faces, grid, padding_mode="border", align_corners=False)


class ToneCurve(OnSome):
    """A rising curve from 0 to 1 through three random grays between them.

    It bends light and shade apart, which standardization does not undo. The steps of the curve at
    the quarters are uniform on the simplex, then drawn towards even ones so that each is at least a
    tenth.
    """

    def change(self, faces: Tensor) -> Tensor:
        draws = -torch.rand(len(faces), _CURVE_STEPS, device=faces.device).clamp_min(1e-9).log()
        steps = 0.1 + 0.6 * draws / draws.sum(dim=1, keepdim=True)
        curve = F.pad(steps.cumsum(dim=1), (1, 0))[:, None]
        curve = F.interpolate(curve, _CURVE_POINTS, mode="linear", align_corners=True).squeeze(1)
        points = (faces.flatten(1).clamp(0, 1) * (_CURVE_POINTS - 1)).round().long()
        return curve.to(faces.dtype).gather(1, points).view_as(faces)


class Equalize(OnSome):
    """Each gray becomes the share of the face that is darker."""

    def change(self, faces: Tensor) -> Tensor:
        grays = (faces.flatten(1).clamp(0, 1) * 255).round().long()
        counts = faces.new_zeros(len(grays), 256)
        counts.scatter_add_(1, grays, torch.ones_like(grays, dtype=faces.dtype))
        darker = (counts.cumsum(dim=1) - counts / 2) / grays.shape[1]
        return darker.gather(1, grays).view_as(faces)


class Posterize(OnSome):
    """8 to 16 grays instead of 256."""

    def change(self, faces: Tensor) -> Tensor:
        grays = torch.randint(8, 17, (len(faces), 1, 1, 1), device=faces.device).to(faces.dtype)
        return ((faces * grays).floor().clamp_max(grays - 1) / (grays - 1)).clamp(0, 1)


class SoftShadow(OnSome):
    """One side of a line of any slant has 0.3 to 0.8 of its light.

    The line passes within 0.3 of the side from the middle, its edge is 0.1 to 0.4 of it wide.
    """

    def change(self, faces: Tensor) -> Tensor:
        slant, offset, width, light = torch.rand(4, len(faces), 1, 1, 1, device=faces.device)
        place = (torch.arange(faces.shape[3], device=faces.device) + 0.5) / faces.shape[3] - 0.5
        angle = slant * (2 * torch.pi)
        distance = place * angle.cos() + place[:, None] * angle.sin() - 0.6 * (offset - 0.5)
        shade = torch.sigmoid(distance * 4 / (0.1 + 0.3 * width))
        shaded: Tensor = faces * (1 - shade * (0.7 - 0.5 * light)).to(faces.dtype)
        return shaded


class Sharpness(OnSome):
    """What a 3x3 mean takes away is added -0.7 to 2 times."""

    def change(self, faces: Tensor) -> Tensor:
        soft = F.avg_pool2d(F.pad(faces, (1, 1, 1, 1), mode="replicate"), 3, 1)
        by = 2.7 * torch.rand(len(faces), 1, 1, 1, device=faces.device) - 0.7
        sharp: Tensor = faces + by * (faces - soft)
        return sharp.clamp(0, 1)


class Blur(OnSome):
    """A Gaussian of 5x5 pixels and a standard deviation of 0.3 to 1.5."""

    def change(self, faces: Tensor) -> Tensor:
        n = len(faces)
        deviation = 0.3 + 1.2 * torch.rand(n, 1, device=faces.device)
        taps = torch.arange(-2, 3, device=faces.device)
        kernel = torch.exp(-0.5 * (taps / deviation) ** 2)
        kernel = (kernel / kernel.sum(dim=1, keepdim=True)).to(faces.dtype)
        padded = F.pad(faces, (2, 2, 2, 2), mode="reflect").transpose(0, 1)  # each a channel
        rows = F.conv2d(padded, kernel.view(n, 1, 5, 1), groups=n)
        return F.conv2d(rows, kernel.view(n, 1, 1, 5), groups=n).transpose(0, 1)


class BoxErasing(nn.Module):
    """Each of some rectangles, with probability `p`, filled with something that is not the face.

    A rectangle has 0.02 to `largest` of the area and sides of 0.4 to 2.5 (Zhong et al., "Random
    Erasing", 2020). `fill` "noise" has the image's own mean and deviation, which leaves
    standardization as it is. "face" is what the next image of the batch shows there, as in CutMix
    (Yun et al., 2019); the boxes are small, so the label stays that of the image.
    """

    def __init__(self, p: float, largest: float, n_boxes: int, fill: str) -> None:
        super().__init__()
        self.p, self.largest, self.n_boxes, self.fill = p, largest, n_boxes, fill

    def forward(self, faces: Tensor) -> Tensor:
        n, side = len(faces), faces.shape[3]
        draws = torch.rand(5, self.n_boxes, n, 1, 1, 1, device=faces.device)
        chance, ratio, x, y = draws[:4]
        area = (0.02 + (self.largest - 0.02) * draws[4]).sqrt()
        stretch = (0.4 * (2.5 / 0.4) ** ratio).sqrt()
        width, height = (area * stretch).clamp_max(1.0), (area / stretch).clamp_max(1.0)
        place = (torch.arange(side, device=faces.device) + 0.5) / side
        inside_x = (place - x * (1 - width) - width / 2).abs() < width / 2
        inside_y = (place[:, None] - y * (1 - height) - height / 2).abs() < height / 2
        boxes = (chance < self.p) & inside_x & inside_y
        inside = functools.reduce(torch.logical_or, boxes)  # (n, 1, S, S)
        return torch.where(inside, self._filling(faces), faces)

    def _filling(self, faces: Tensor) -> Tensor:
        if self.fill == "face":
            return faces.roll(1, dims=0)
        mean, square = (v.mean(dim=(2, 3), keepdim=True) for v in (faces, faces.square()))
        deviation = (square - mean.square()).clamp_min(0).sqrt()
        noise = torch.rand_like(faces[0]) - 0.5  # one pattern a batch, because noise is slow
        return torch.addcmul(mean, noise, 12**0.5 * deviation).clamp(0, 1)


def _places(faces: Tensor) -> Tensor:
    """Return the middle of each pixel of a line, (S,), in -1..1 from edge to edge."""
    side = faces.shape[3]
    return (torch.arange(side, device=faces.device, dtype=faces.dtype) + 0.5) * (2 / side) - 1
