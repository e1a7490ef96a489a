"""Collects the faces of one person out of clips and images."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fer_live.datatypes import TrackedFace, UInt8Array
from fer_live.errors import DataError, InputError, SourceError, TruncatedError
from fer_live.model.manifest import CropGeometry
from fer_live.personal.collector import CLIP_SUFFIXES
from fer_live.sources.folder import is_companion, promises_image
from fer_live.sources.images import read_image
from fer_live.vision.alignment import align_face
from fer_live.vision.detector import FaceDetector
from fer_live.vision.tracker import FaceTracker
from training.data.image_files import clip_frames, read_gray_face

_LOOKS_PER_S = 10.0
_FACES_PER_S = 5.0
"""Closer in time, faces of one clip hardly differ."""
_MAX_CROP_SIDE = 64
"""Pixels of a square image in which there is nothing left to cut away."""
_MIN_FRAMES_OF_SEVERAL = 5
"""Frames that show two faces at once, from which on a clip has two people in it."""


@dataclass(frozen=True, slots=True, eq=False)
class PersonFaces:
    """Faces of one person, one row per face, in order of clip and time.

    `images` (N, S, S) uint8; `files` (N,) str, the clip or image file of each, relative to the
    folder it was found in; `times_s` (N,); `tracks` (N,) int64, the number that a face has in its
    clip. `skipped` has one line for each file that could not be used.
    """

    images: UInt8Array
    files: NDArray[np.str_]
    times_s: NDArray[np.float64]
    tracks: NDArray[np.int64]
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)

    def where(self, chosen: NDArray[np.bool_]) -> "PersonFaces":
        """Keep the faces that `chosen` (N,) marks."""
        return PersonFaces(
            self.images[chosen],
            self.files[chosen],
            self.times_s[chosen],
            self.tracks[chosen],
            self.skipped,
        )


@dataclass(frozen=True, slots=True)
class TrackChoice:
    """Whose faces are meant: the values of --track, which are largest, all, N or CLIP:N."""

    everywhere: str = ""
    by_clip: dict[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Sequence[str]) -> "TrackChoice":
        """Read the values of --track; `InputError` for one that means nothing."""
        everywhere, by_clip = "", dict[str, int]()
        for text in texts:
            clip, separator, number = text.rpartition(":")
            if separator and number.isdecimal():
                by_clip[clip] = int(number)
            elif text in ("largest", "all") or text.isdecimal():
                everywhere = text
            else:
                raise InputError(f"--track {text}: write largest, all, a number, or CLIP:NUMBER")
        return cls(everywhere, by_clip)

    def of(self, clip: str) -> str:
        """Say whose faces are meant in a clip: "largest", "all", a number, or "" for not said."""
        for name in (clip, Path(clip).name, Path(clip).stem, Path(clip).parent.name):
            if name in self.by_clip:
                return str(self.by_clip[name])
        return self.everywhere


def collect_faces(folder: Path, side: int, crop: CropGeometry, choice: TrackChoice) -> PersonFaces:
    """Collect every face of the person in the clips and images below `folder`, cut as live.

    Hidden folders are left out, because takes that nobody has reviewed lie in one.

    Clips are looked at ten times a second and give at most five faces a second. An image that is a
    crop already (square, of at most 64 pixels, or square and no face found in it) is taken as it
    is; of several faces in an image the largest. A file that cannot be read, or has no face, is
    skipped and named. `InputError` where a clip shows several people at once and `choice` does not
    say which; `DataError` where there is no face at all.
    """
    files = _files_below(folder)
    images: list[UInt8Array] = []
    places: list[tuple[str, float, int]] = []
    skipped: list[str] = []
    with FaceDetector("auto") as detector:
        for file in tqdm(files, desc=f"finding faces in {folder.name}", unit="file", disable=None):
            name = file.relative_to(folder).as_posix()
            is_image = promises_image(file)
            found: list[_Found] = []
            fault = f"{file}: no face in it"
            try:
                read = _image_faces if is_image else _clip_faces
                found.extend(read(file, detector, side, crop))
            except (SourceError, TruncatedError) as error:
                fault = str(error)
                skipped.append(fault)
            if not is_image:
                found = _of_one_person(found, name, choice)
            if not found and fault not in skipped:
                skipped.append(fault)
            images += [face.image for face in found]
            places += [(name, face.time_s, face.track_id) for face in found]
    if not images:
        first = f"; the first: {skipped[0]}" if skipped else ""
        raise DataError(f"{folder}: no face in its {len(files)} files{first}")
    _tell_skipped(folder, skipped, len(files))
    names, times_s, tracks = zip(*places, strict=True)
    return PersonFaces(
        np.asarray(images, dtype=np.uint8),
        np.array(names),
        np.array(times_s, dtype=np.float64),
        np.array(tracks, dtype=np.int64),
        tuple(skipped),
    )


def _files_below(folder: Path) -> list[Path]:
    """List the clips and images below `folder`, by name; `DataError` where there is none."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not is_companion(path)
        and (path.suffix.lower() in CLIP_SUFFIXES or promises_image(path))
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not files:
        raise DataError(f"{folder}: no clip and no image below this folder")
    return files


def _tell_skipped(folder: Path, skipped: list[str], n_files: int) -> None:
    """Name the files that could not be used, on stderr."""
    if skipped:
        print(f"{folder}: skipped {len(skipped)} of {n_files} files:", file=sys.stderr)
    for line in skipped:
        print(f"  {line}", file=sys.stderr)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    image: UInt8Array
    time_s: float
    track_id: int
    center_x: float
    """In shares of the picture's width."""
    area: float
    frame: int


def _clip_faces(
    file: Path, detector: FaceDetector, side: int, crop: CropGeometry
) -> Iterator[_Found]:
    detector.reset()
    tracker = FaceTracker()
    taken_s = float("-inf")
    for number, (image_bgr, time_s) in enumerate(clip_frames(file, _LOOKS_PER_S)):
        tracked = tracker.update(detector.detect(image_bgr, time_s), time_s)
        if time_s - taken_s < 1 / _FACES_PER_S - 1e-3 or not tracked:
            continue
        taken_s = time_s
        for face in tracked:
            yield _found(image_bgr, face, side, crop, time_s, number)


def _image_faces(
    file: Path, detector: FaceDetector, side: int, crop: CropGeometry
) -> Iterator[_Found]:
    image_bgr = read_image(file)
    height, width = image_bgr.shape[:2]
    is_square = height == width
    detections = []
    if not (is_square and width <= _MAX_CROP_SIDE):
        detector.reset()
        detections = detector.detect(image_bgr, 0.0)
    if detections:
        best = max(detections, key=lambda d: float(np.prod(d.box_xyxy[2:] - d.box_xyxy[:2])))
        yield _found(image_bgr, TrackedFace(1, best), side, crop, 0.0, 0)
    elif is_square:
        yield _Found(read_gray_face(file, side), 0.0, 1, 0.5, float(height * width), 0)


def _found(
    image_bgr: UInt8Array,
    face: TrackedFace,
    side: int,
    crop: CropGeometry,
    time_s: float,
    number: int,
) -> _Found:
    x1, y1, x2, y2 = face.detection.box_xyxy.tolist()
    return _Found(
        align_face(image_bgr, face.detection, side, crop),
        time_s,
        face.track_id,
        (x1 + x2) / 2 / image_bgr.shape[1],
        (x2 - x1) * (y2 - y1),
        number,
    )


def _of_one_person(found: list[_Found], clip: str, choice: TrackChoice) -> list[_Found]:
    """Keep the faces that `choice` names; where it says nothing, all, if never two at once."""
    wanted = choice.of(clip)
    if wanted == "all" or not found:
        return found
    if wanted == "largest":
        best: dict[int, _Found] = {}
        for face in found:
            if face.frame not in best or face.area > best[face.frame].area:
                best[face.frame] = face
        return list(best.values())
    if wanted:
        chosen = [face for face in found if face.track_id == int(wanted)]
        if not chosen:
            there = ", ".join(str(number) for number in sorted({f.track_id for f in found}))
            raise InputError(f"--track {wanted}: {clip} has the faces {there}")
        return chosen
    together = Counter(face.frame for face in found)
    if sum(n > 1 for n in together.values()) >= _MIN_FRAMES_OF_SEVERAL:
        raise InputError(
            f"{clip}: {_who_is_there(found)}; add --track {clip}:N for yours, "
            "or --track largest, or --track all"
        )
    return found


def _who_is_there(found: list[_Found]) -> str:
    """Tell who is in a clip: "face 1 (left, in 80 pictures), face 2 (right, in 75 pictures)"."""
    counts = Counter(face.track_id for face in found)
    lines = []
    for number, n in counts.most_common():
        x = float(np.median([face.center_x for face in found if face.track_id == number]))
        place = "left" if x < 0.4 else "right" if x > 0.6 else "middle"
        lines.append(f"face {number} ({place}, in {n} pictures)")
    return f"several people at once: {', '.join(lines)}"
