"""Small pictures of faces for a report, cut out of the video that they were read in."""

import base64
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import cv2

from fer_live.datatypes import UInt8Array
from fer_live.errors import FerLiveError
from fer_live.recording.faces_in_time import FaceInTime, Sight
from fer_live.recording.player import ClipPlayer

Pictures = dict[tuple[str, str, str], str]
"""Source, name of the face and label shown -> a JPEG as a data URL."""

_SIDE = 112
_MARGIN = 0.25
_QUALITY = 80


def report_pictures(faces: Sequence[FaceInTime], file_of: Callable[[str], Path]) -> Pictures:
    """One picture for each label that each face showed, of the moment in which it was clearest.

    Args:
        faces: Of any sources.
        file_of: The video or image of a source. What cannot be read, such as a stream that is over,
            has no pictures.
    """
    wanted: dict[str, list[tuple[Sight, str, str]]] = {}
    for face in faces:
        for label, sight in face.sights.items():
            if label:
                wanted.setdefault(face.source, []).append((sight, face.name, label))
    pictures: Pictures = {}
    for source, sights in wanted.items():
        sights.sort(key=lambda entry: entry[0].time_s)
        try:
            images = _images(file_of(source), [sight.time_s for sight, _, _ in sights])
        except (FerLiveError, OSError):
            continue
        for (sight, name, label), image in zip(sights, images, strict=True):
            if image is not None and (cut := _cut_out(image, sight)) is not None:
                pictures[source, name, label] = cut
    return pictures


def _images(file: Path, times_s: Sequence[float]) -> list[UInt8Array | None]:
    from fer_live.sources.content import kind_of  # PyAV and Pillow, not before they are needed
    from fer_live.sources.images import read_image

    if kind_of(file) == "image":
        return [read_image(file)] * len(times_s)
    with closing(ClipPlayer(file)) as player:
        frames = [player.at(time_s) for time_s in times_s]
        return [frame.image_bgr if frame else None for frame in frames]


def _cut_out(image: UInt8Array, sight: Sight) -> str | None:
    x1, y1, x2, y2 = sight.box_xyxy
    half = (0.5 + _MARGIN) * max(x2 - x1, y2 - y1)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    height, width = image.shape[:2]
    left, right = (min(max(round(side), 0), width) for side in (x - half, x + half))
    top, bottom = (min(max(round(side), 0), height) for side in (y - half, y + half))
    if right - left < 2 or bottom - top < 2:
        return None
    cut = image[top:bottom, left:right]
    scale = _SIDE / max(cut.shape[:2])
    small = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    is_done, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return (
        "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode() if is_done else None
    )
