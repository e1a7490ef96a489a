"""Fits face_cover.onnx, which tells covered eyes and mouths: python assets/make_face_cover.py DATA

DATA holds `fer2013.csv.gz`, `unlabeled_faces/` and `fairface/faces/`. Faces of all three, three of
four with something laid over them at random, are found and cut out as the app does it; a small
network learns whether both eyes, or the mouth, are behind it. Ten minutes of one core.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from fer_live.model.manifest import CropGeometry
from fer_live.vision.alignment import align_face, face_transform
from fer_live.vision.detector import FaceDetector
from training.data.fer2013 import load_fer2013

N_OF_EACH, N_COVERS = 3000, 3
SIDE, CROP = 48, CropGeometry()
STEPS, BATCH, LEARNING_RATE, WEIGHT_DECAY = 4000, 256, 4e-3, 1e-2
EYES = np.array([[0.506 - 0.1815, 0.393], [0.506 + 0.1815, 0.393]])
MOUTH = np.array([[0.506 + dx, 0.783] for dx in (-0.1, 0.0, 0.1)])
"""Where eyes and mouth lie in the crop, in fractions of its side."""


class CoverNetwork(nn.Module):
    """(N, 48, 48) uint8 faces -> (N, 2): how likely the eyes are covered, and the mouth."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Conv2d(1, 12, 5, 3, 1), nn.ReLU()),  # 16 x 16
            *(nn.Conv2d(12, 24, 3, 2, 1), nn.ReLU()),  # 8 x 8
            *(nn.Conv2d(24, 32, 3, 2, 1), nn.ReLU()),  # 4 x 4
            *(nn.Flatten(), nn.Dropout(0.2), nn.Linear(32 * 16, 2)),
        )

    def logits(self, faces: torch.Tensor) -> torch.Tensor:
        """What `forward` squeezes into probabilities."""
        pixels = faces.float().unsqueeze(1)
        away = pixels - pixels.mean((2, 3), keepdim=True)
        spread = torch.sqrt((away**2).mean((2, 3), keepdim=True) + 16.0)
        return self.layers(away / spread)

    def forward(self, faces: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.logits(faces))


def main(data: Path) -> None:
    """Write face_cover.onnx beside this file, and say how well it tells faces it has not seen."""
    generator = np.random.default_rng(0)
    cv2.setNumThreads(1)
    crops, targets, is_test = [], [], []
    images = faces(data, generator)
    with FaceDetector("short") as detector:
        for k, image in enumerate(images):
            other = with_border(images[generator.integers(len(images))])
            for crop, target in cases(with_border(image), other, detector, generator):
                crops.append(crop)
                targets.append(target)
                is_test.append(k % 10 == 0)
    network = fit(np.array(crops), np.array(targets), np.array(is_test))
    save(network, Path(__file__).with_name("face_cover.onnx"))


def save(network: CoverNetwork, path: Path) -> None:
    """As ONNX, for any number of faces."""
    torch.onnx.export(
        network,
        (torch.zeros(2, SIDE, SIDE, dtype=torch.uint8),),
        str(path),
        input_names=["faces"],
        output_names=["covered"],
        dynamic_shapes=[{0: torch.export.Dim("N")}],
        external_data=False,
    )


def faces(data: Path, generator: np.random.Generator) -> list[np.ndarray]:
    """Gray pictures of faces, of any size."""
    fer2013 = load_fer2013(data).select("Training", "ferplus-argmax")
    # As many of every expression as there are, or an open mouth looks like something before it.
    counts = np.bincount(fer2013.labels)[fer2013.labels]
    chosen = generator.choice(len(fer2013.images), N_OF_EACH, replace=False, p=_shares(1 / counts))
    images = list(fer2013.images[chosen])
    for folder in ("unlabeled_faces", "fairface/faces"):
        files = sorted((data / folder).rglob("*.jpg"))
        kept = generator.choice(len(files), min(N_OF_EACH, len(files)), replace=False)
        images += [cv2.imread(str(files[k]), cv2.IMREAD_GRAYSCALE) for k in kept]
    return images


def with_border(image: np.ndarray) -> np.ndarray:
    """160 pixels large, with its edges repeated around it."""
    large = cv2.resize(image, (160, 160), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.copyMakeBorder(large, 80, 80, 80, 80, cv2.BORDER_REPLICATE))


def _shares(weights: np.ndarray) -> np.ndarray:
    return np.asarray(weights / weights.sum())


def cases(
    picture: np.ndarray,
    other: np.ndarray,
    detector: FaceDetector,
    generator: np.random.Generator,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Crops of a picture, and of it with something laid over it: is it over the eyes, the mouth?

    1 and 0, and 0.5 where it covers a part, which teaches nothing.
    """
    found = detector.detect(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), 0.0)
    if not found:
        return
    to_crop = face_transform(found[0].keypoints_xy, 1, CROP)
    to_frame = cv2.invertAffineTransform(to_crop)
    unit = float(1 / np.hypot(to_crop[0, 0], to_crop[0, 1]))
    for k in range(1 + N_COVERS):
        spoilt, mask = picture, np.zeros(picture.shape, np.uint8)
        if k:
            spoilt, mask = covered(picture, other, to_frame, unit, generator)
        spoilt = in_other_light(spoilt, unit, generator)
        seen = detector.detect(cv2.cvtColor(spoilt, cv2.COLOR_GRAY2BGR), 0.0)
        where = seen[0] if seen else found[0]  # the detector does not see all that is covered
        shares = [_share(mask, points, to_frame, unit) for points in (EYES, MOUTH)]
        target = np.select([np.array(shares) < 0.2, np.array(shares) > 0.75], [0.0, 1.0], 0.5)
        yield align_face(cv2.cvtColor(spoilt, cv2.COLOR_GRAY2BGR), where, SIDE, CROP), target


def _share(mask: np.ndarray, points: np.ndarray, to_frame: np.ndarray, unit: float) -> float:
    """How much of these places is behind the mask; of the eyes, of the one that is less so."""
    places = points @ to_frame[:, :2].T + to_frame[:, 2]
    reach = 0.055 * unit
    shares = []
    for x, y in places:
        part = mask[int(y - reach) : int(y + reach) + 1, int(x - reach) : int(x + reach) + 1]
        shares.append(float(part.mean()) if part.size else 0.0)
    return min(shares) if len(points) == 2 else float(np.mean(shares))


def covered(
    picture: np.ndarray,
    other: np.ndarray,
    to_frame: np.ndarray,
    unit: float,
    generator: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Something before the eyes, the mouth, or anywhere; and a mask that is 1 there."""
    where = generator.integers(5)
    spread = 0.35 if where == 4 else 0.07
    center = np.array([0.506, (0.393, 0.393, 0.783, 0.783, 0.6)[where]])
    center = center + generator.normal(0, spread, 2) * (0.6, 1.0)
    half = np.array([generator.uniform(0.12, 0.55), generator.uniform(0.07, 0.4)])
    mask = np.zeros(picture.shape, np.uint8)
    tilt = generator.normal(0, 0.25)
    for shape in _shapes(where, center, half, tilt, generator):
        frame_shape = shape @ to_frame[:, :2].T + to_frame[:, 2]
        cv2.fillPoly(mask, [np.rint(frame_shape).astype(np.int32)], 1)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), generator.uniform(0.5, 3))
    laid = _material(picture, other, unit, generator)
    return np.clip(soft * laid + (1 - soft) * picture, 0, 255).astype(np.uint8), mask


def _shapes(
    where: int, center: np.ndarray, half: np.ndarray, tilt: float, generator: np.random.Generator
) -> list[np.ndarray]:
    """Outlines in the crop: an egg, a leaning box, or two round things before the eyes."""
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    if where < 2 and generator.random() < 0.35:
        size = generator.uniform((0.1, 0.07), (0.19, 0.16))
        shift = generator.normal(0, 0.02, 2)
        return [eye + shift + circle * size for eye in EYES]
    if generator.random() < 0.4:
        return [center + (circle * half) @ turn.T]
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    return [center + (corners * generator.uniform(0.75, 1.1, (4, 2))) @ turn.T]


def _material(
    picture: np.ndarray, other: np.ndarray, unit: float, generator: np.random.Generator
) -> np.ndarray:
    """One gray, soft folds, stripes, fingers, or a piece of this or of another picture."""
    height, width = picture.shape
    kind = generator.integers(7)
    if kind >= 5:
        return _fingers(picture, unit, generator)
    if kind == 0:
        return np.full(picture.shape, generator.uniform(5, 250), np.float32)
    if kind == 1:
        n = int(generator.integers(4, 64))  # the fewer, the softer
        folds = generator.normal(0, 1, (n, n)).astype(np.float32)
        folds = cv2.resize(folds, (width, height), interpolation=cv2.INTER_CUBIC)
        return generator.uniform(10, 240) + generator.uniform(2, 25) * folds
    if kind == 2:
        along = generator.uniform(-1, 1, 2)
        ys, xs = np.mgrid[:height, :width].astype(np.float32)
        waves = np.sin((xs * along[0] + ys * along[1]) / unit * generator.uniform(10, 60))
        return np.float32(generator.uniform(10, 240)) + np.float32(generator.uniform(3, 40)) * waves
    moved = np.roll(picture if kind == 3 else other, generator.integers(-100, 100, 2), (0, 1))
    return moved.astype(np.float32) * generator.uniform(0.6, 1.3)


def _fingers(picture: np.ndarray, unit: float, generator: np.random.Generator) -> np.ndarray:
    """As bright as the middle of the face, more or less, with shadows side by side."""
    height, width = picture.shape
    ys, xs = np.mgrid[:height, :width].astype(np.float32) / np.float32(unit)
    angle = generator.uniform(0, np.pi)
    across = xs * np.cos(angle) + ys * np.sin(angle) + 0.03 * np.sin(4 * ys)
    width_of_one = generator.uniform(0.06, 0.2)
    shadows = np.abs(np.cos(np.pi * across / width_of_one + generator.uniform(0, np.pi)))
    middle = picture[height // 3 : -height // 3, width // 3 : -width // 3]
    skin = float(np.median(middle)) * generator.uniform(0.65, 1.25)
    shade = 1 - generator.uniform(0.05, 0.5) * shadows ** generator.uniform(2, 12)
    side_light = 1 + generator.uniform(-0.25, 0.25) * (xs - xs.mean())
    return skin * shade * side_light + generator.normal(0, 2, picture.shape)


def in_other_light(picture: np.ndarray, unit: float, generator: np.random.Generator) -> np.ndarray:
    """Darker or brighter, and now and then blurred: neither is a cover."""
    light = np.exp(generator.normal(0, 0.6))
    image = 255 * (light * (picture / 255.0) ** 2.2) ** (1 / 2.2)
    if generator.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), generator.uniform(0.3, 2.0) * unit / 48)
    image = image + generator.normal(0, generator.uniform(0, 4), picture.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def fit(crops: np.ndarray, targets: np.ndarray, is_test: np.ndarray) -> CoverNetwork:
    """Logistic loss, half of the batches mirrored; prints what is told of the faces left out."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # a second one costs such a small network more than it gives
    network = CoverNetwork()
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, STEPS)
    x, y = torch.tensor(crops), torch.tensor(targets, dtype=torch.float32)
    train = torch.tensor(np.flatnonzero(~is_test))
    for _ in range(STEPS):
        chosen = train[torch.randint(len(train), (BATCH,))]
        batch, truth = x[chosen], y[chosen]
        if torch.rand(()) < 0.5:
            batch = batch.flip(2)
        loss = nn.functional.binary_cross_entropy_with_logits(
            network.logits(batch), truth, (truth != 0.5).float()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()
    with torch.no_grad():
        report(network(x[is_test]).numpy(), targets[is_test])
    return network


def report(probs: np.ndarray, targets: np.ndarray) -> None:
    """Of faces that were not learnt from: found covers, at a few rates of false alarms."""
    for of, target, name in zip(probs.T, targets.T, ("eyes", "mouth"), strict=True):
        covered, free = of[target == 1], of[target == 0]
        for alarms in (0.01, 0.003):
            threshold = np.quantile(free, 1 - alarms)
            found = f"{100 * (covered > threshold).mean():.0f} % of {len(covered)} found"
            print(
                f"{name}: {found}, {alarms:.1%} false alarms of {len(free)}, above {threshold:.3f}"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
