"""Collects one person's faces out of clips and images, for every kind of learning from them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from fer_live.datatypes import FaceDetection, UInt8Array
from fer_live.errors import DataError, SourceError, TruncatedError
from fer_live.model.manifest import CropGeometry
from fer_live.personal.own_faces import PATCH_SIDES, OwnFaces, crops_alone, joined, no_faces
from fer_live.personal.whose_face import ALL, LARGEST, SeenFace, TrackChoice, of_one_person
from fer_live.sources.folder import is_companion, promises_image
from fer_live.sources.images import read_image
from fer_live.sources.open import open_source
from fer_live.vision.alignment import align_face
from fer_live.vision.detector import FaceDetector
from fer_live.vision.tracker import FaceTracker

CLIP_SUFFIXES = (
    *(".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mts", ".m2ts", ".ts", ".mpg", ".mpeg"),
    *(".wmv", ".flv", ".3gp", ".ogv"),
)
_FACES_PER_S, _FACES_PER_S_IF_LONG = 4.0, 1.0
_LONG_S = 20.0
_TRACKED_PER_S = 10.0
"""Looks at a clip in which people have to be told apart: rarer ones lose who is who."""
_MAX_CROP_SIDE = 64
"""Pixels of a square image in which there is nothing left to cut away."""

OnShare = Callable[[float], None]
"""Is called with the share of the work that is done, 0 to 1."""


def collect_own_faces(
    files: Sequence[Path],
    side: int,
    crop: CropGeometry,
    choice: TrackChoice | None = None,
    on_share: OnShare = lambda share: None,
    faces_per_s: float | None = None,
) -> OwnFaces:
    """The faces of a person in some clips and images, cut as live.

    Of an image, and of each picture of a clip where `choice` says so (None does), the largest face.
    A clip gives `faces_per_s` faces a second, by default four and after twenty seconds one. A
    square image of at most 64 pixels, or a square one in which no face is found, is a crop already.
    A file that cannot be read, or has no face, is skipped and named in `skipped`. `InputError`
    where a clip shows several people at once and `choice` does not say which.
    """
    choice = choice or TrackChoice(LARGEST)
    parts: list[OwnFaces] = []
    skipped: list[str] = []
    n_bytes = [max(file.stat().st_size, 1) for file in files]
    with FaceDetector("auto") as detector:
        for number, file in enumerate(files):
            on_share(sum(n_bytes[:number]) / sum(n_bytes))
            try:
                if promises_image(file):
                    found = _of_image(file, detector, side, crop)
                else:
                    found = _of_clip(file, detector, side, crop, choice.of(file), faces_per_s)
            except (SourceError, TruncatedError) as error:
                skipped.append(str(error))
                continue
            parts.append(found)
            if len(found) == 0:
                skipped.append(f"{file}: no face in it")
    return replace(joined(parts, side), skipped=tuple(skipped))


def files_of_person(folder: Path) -> list[Path]:
    """The clips and images below `folder`, by name; `DataError` where there is none. Hidden folders
    are left out, because takes that nobody has reviewed lie in one."""
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    files = person_files(folder)
    if not files:
        raise DataError(f"{folder}: no clip and no image below this folder")
    return files


def person_files(folder: Path) -> list[Path]:
    """As `files_of_person`, but there may be none."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not is_companion(path)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and (path.suffix.lower() in CLIP_SUFFIXES or promises_image(path))
    )


def _of_clip(
    file: Path,
    detector: FaceDetector,
    side: int,
    crop: CropGeometry,
    wanted: str,
    faces_per_s: float | None,
) -> OwnFaces:
    detector.reset()
    find = _largest_faces if wanted == LARGEST else _tracked_faces
    # What was read of a clip that breaks off is used.
    seen: list[SeenFace] = []
    trouble: SourceError | TruncatedError | None = None
    try:
        seen.extend(find(file, detector, side, crop, faces_per_s))
    except (SourceError, TruncatedError) as error:
        trouble = error
    if wanted != LARGEST:
        seen = of_one_person(seen, file, wanted)
    if trouble is not None and not seen:
        raise trouble
    several = wanted == ALL and len({face.track_id for face in seen}) > 1
    takes = [f"{file}#{face.track_id}" if several else str(file) for face in seen]
    if not seen:
        return no_faces(side)
    return OwnFaces(
        np.stack([face.crop for face in seen]),
        np.stack([face.patch for face in seen]),
        np.array(takes),
        np.array([face.time_s for face in seen]),
    )


def _largest_faces(
    file: Path, detector: FaceDetector, side: int, crop: CropGeometry, faces_per_s: float | None
) -> Iterator[SeenFace]:
    for look, (image_bgr, time_s) in enumerate(_looks(file, faces_per_s)):
        largest = _largest(detector.detect(image_bgr, time_s))
        if largest is not None:
            yield SeenFace(*_cut(image_bgr, largest, side, crop), time_s, look, 1, 0.5)


def _tracked_faces(
    file: Path, detector: FaceDetector, side: int, crop: CropGeometry, faces_per_s: float | None
) -> Iterator[SeenFace]:
    tracker = FaceTracker()
    next_s = 0.0
    for look, (image_bgr, time_s) in enumerate(_looks(file, _TRACKED_PER_S)):
        tracked = tracker.update(detector.detect(image_bgr, time_s), time_s)
        if time_s < next_s or not tracked:
            continue
        next_s = time_s + (_gap_s(time_s) if faces_per_s is None else 1 / faces_per_s)
        for face in tracked:
            x1, _, x2, _ = face.detection.box_xyxy.tolist()
            center_x = (x1 + x2) / 2 / image_bgr.shape[1]
            cut = _cut(image_bgr, face.detection, side, crop)
            yield SeenFace(*cut, time_s, look, face.track_id, center_x)


def _of_image(file: Path, detector: FaceDetector, side: int, crop: CropGeometry) -> OwnFaces:
    image_bgr = read_image(file)
    height, width = image_bgr.shape[:2]
    is_square = height == width
    largest = None
    if not (is_square and width <= _MAX_CROP_SIDE):
        detector.reset()
        largest = _largest(detector.detect(image_bgr, 0.0))
    if largest is not None:
        cut, patch = _cut(image_bgr, largest, side, crop)
        return OwnFaces(cut[None], patch[None], np.array([str(file)]), np.zeros(1))
    if not is_square:
        return no_faces(side)
    gray = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY)
    method = cv2.INTER_AREA if side < width else cv2.INTER_CUBIC
    face = np.asarray(cv2.resize(gray, (side, side), interpolation=method), dtype=np.uint8)
    return crops_alone(face[None], np.array([str(file)]))


def _looks(file: Path, per_s: float | None = None) -> Iterator[tuple[UInt8Array, float]]:
    """Pictures of a clip and their times in seconds: as many as faces are taken of, or `per_s`."""
    next_s, last_s = 0.0, 0.0
    with closing(open_source(str(file))) as clip:
        while (frame := clip.read()) is not None:
            now_s = frame.captured_at_s
            # A clock that goes back begins anew, as in a file of two parts.
            if now_s >= next_s or now_s < last_s:
                next_s = now_s + (_gap_s(now_s) if per_s is None else 1 / per_s)
                yield frame.image_bgr, now_s
            last_s = now_s


def _gap_s(now_s: float) -> float:
    return 1 / (_FACES_PER_S if now_s < _LONG_S else _FACES_PER_S_IF_LONG)


def _largest(detections: Sequence[FaceDetection]) -> FaceDetection | None:
    return max(
        detections,
        key=lambda found: float(np.prod(found.box_xyxy[2:] - found.box_xyxy[:2])),
        default=None,
    )


def _cut(
    image_bgr: UInt8Array, found: FaceDetection, side: int, crop: CropGeometry
) -> tuple[UInt8Array, UInt8Array]:
    around = crop.model_copy(
        update={
            "eye_distance": crop.eye_distance / 2,
            "eye_mouth_distance": crop.eye_mouth_distance / 2,
            "center_x": 0.25 + crop.center_x / 2,
            "center_y": 0.25 + crop.center_y / 2,
        }
    )
    patch = align_face(image_bgr, found, PATCH_SIDES * side, around)
    return align_face(image_bgr, found, side, crop), patch
