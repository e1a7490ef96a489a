"""Does the pose of the head improve what is read? python -m benchmarks.turned_heads DATA

DATA holds fairface/audit and press_faces (gray crops of one face). Each face is read as it is, with
its crop widened by what its yaw foreshortens, and with its points turned to the front. Two figures
by yaw: how often the label stays under mirroring (fairface, which needs no labels), and how often
it is the label given (press faces, neutral and happiness). One reading each, or every label would
stay. Prints the table of docs/signals.md.
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from fer_live.datatypes import FaceLandmarks
from fer_live.model.assets import GPU_MODEL, asset
from fer_live.vision.answers import AnswerConfig
from fer_live.vision.classifier import ExpressionClassifier
from fer_live.vision.landmarker import FaceLandmarker
from fer_live.vision.signals.canonical_face import canonical_face
from fer_live.vision.signals.head_pose import HeadPose, head_pose
from training.data.image_files import read_gray_face

BANDS = ((0, 10), (10, 20), (20, 30), (30, 90))
WAYS = ("as it is", "widened", "turned to the front")
SIDE = 96
_LABELS = ("neutral", "happiness")


def main() -> None:
    """Read both sets and print their tables."""
    data = Path(sys.argv[1])
    classifier = ExpressionClassifier(asset(GPU_MODEL), "cpu", AnswerConfig(1))
    audit = sorted((data / "fairface" / "audit").glob("*.jpg"))
    press = [
        (path, label) for label in _LABELS for path in (data / "press_faces" / label).glob("*")
    ]
    with FaceLandmarker() as landmarker:
        yaws, faces = _prepared(audit, landmarker)
        stays = [_labels(classifier, way) == _labels(classifier, _mirrored(way)) for way in faces]
        _tell("label stays under mirroring (fairface audit)", yaws, stays)
        yaws, faces = _prepared([path for path, _ in press], landmarker)
        truth = np.array([classifier.labels.index(label) for _, label in press])
        rights = [_labels(classifier, way) == truth for way in faces]
        _tell("label is the one given (press faces)", yaws, rights)


def _prepared(paths: list[Path], landmarker: FaceLandmarker) -> tuple[np.ndarray, np.ndarray]:
    """(n,) yaws, NaN where no points were found, and (3, n, SIDE, SIDE) faces in three ways."""
    yaws = np.full(len(paths), np.nan)
    faces = np.empty((len(WAYS), len(paths), SIDE, SIDE), np.uint8)
    for number, path in enumerate(paths):
        face = read_gray_face(path, SIDE)
        faces[:, number] = face
        found = landmarker.measure(face)
        if found is None:
            continue
        pose = head_pose(found.points_xyz)
        yaws[number] = pose.degrees[0]
        faces[1, number] = _widened(face, found, float(yaws[number]))
        faces[2, number] = _turned_to_the_front(face, found, pose)
    return yaws, faces


def _widened(face: np.ndarray, found: FaceLandmarks, yaw_deg: float) -> np.ndarray:
    """As wide as the face would be from the front, about the middle of its points."""
    middle = float(found.points_xyz[:468, 0].mean())
    stretch = 1 / max(np.cos(np.radians(yaw_deg)), 0.5)
    to_wide = np.array([[stretch, 0, SIDE / 2 - stretch * middle], [0, 1, 0]])
    return cv2.warpAffine(face, to_wide, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)


def _turned_to_the_front(face: np.ndarray, found: FaceLandmarks, pose: HeadPose) -> np.ndarray:
    """Triangle by triangle, the points where they are on the head turned back; roll is kept out."""
    points = found.points_xyz[:468] * (1, -1, -1)
    middle = points.mean(axis=0)
    front = (points - middle) @ pose.rotation * (1, -1, -1)
    front_xy = front[:, :2] + (middle[:2] * (1, -1))
    drawn = face.copy()
    depth = front[:, 2]
    triangles = canonical_face().triangles
    for triangle in triangles[np.argsort(-depth[triangles].mean(axis=1))]:
        there = front_xy[triangle].astype(np.float32)
        here = found.points_xyz[triangle, :2].astype(np.float32)
        left, top = np.maximum(np.floor(there.min(axis=0)).astype(int), 0)
        right, bottom = np.minimum(np.ceil(there.max(axis=0)).astype(int) + 1, SIDE)
        if right <= left or bottom <= top:
            continue
        there = (there - (left, top)).astype(np.float32)
        back = cv2.getAffineTransform(there, here)
        size = (int(right - left), int(bottom - top))
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        patch = cv2.warpAffine(face, back, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        mask = np.zeros(size[::-1], np.uint8)
        cv2.fillConvexPoly(mask, np.round(there).astype(np.int32), 1)
        inside = mask.astype(bool)
        drawn[top:bottom, left:right][inside] = patch[inside]
    return drawn


def _mirrored(faces: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(faces[:, :, ::-1])


def _labels(classifier: ExpressionClassifier, faces: np.ndarray) -> np.ndarray:
    side = classifier.side
    sized = np.stack(
        [cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA) for face in faces]
    )
    return classifier.classify(sized).argmax(axis=1)


def _tell(name: str, yaws: np.ndarray, rights: list[np.ndarray]) -> None:
    print(f"{name}; no points found in {np.isnan(yaws).mean():.1%}")
    for low, high in BANDS:
        rows = (np.abs(yaws) >= low) & (np.abs(yaws) < high)
        shares = ", ".join(
            f"{way} {right[rows].mean():.1%}" for way, right in zip(WAYS, rights, strict=True)
        )
        generator = np.random.default_rng(0)
        changes = [right[rows].astype(float) - rights[0][rows] for right in rights[1:]]
        picks = generator.integers(0, rows.sum(), (2000, rows.sum()))
        spans = "; ".join(
            "{:+.1%} to {:+.1%}".format(*np.percentile(change[picks].mean(axis=1), (2.5, 97.5)))
            for change in changes
        )
        print(f"  yaw {low} to {high}: {rows.sum()} faces, {shares} (change, 95 %: {spans})")


if __name__ == "__main__":
    main()
