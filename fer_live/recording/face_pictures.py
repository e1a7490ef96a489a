"""A small picture of each face of a recording, cut from its video; nothing of it is kept."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from fer_live.datatypes import UInt8Array
from fer_live.outputs.face_rows import Row, number_in
from fer_live.recording.player import ClipPlayer
from fer_live.recording.same_person import best_looks

PICTURE_SIDE = 56
_AROUND = 1.4


def face_pictures(
    video: Path, rows: Sequence[Row], stopped: Callable[[], bool] = lambda: False
) -> dict[int, UInt8Array]:
    """Cut each face out of the middle of its good pictures.

    Args:
        video: The recording's video.
        rows: Its rows.
        stopped: Asked between two pictures; True ends it, with what was cut till then.

    Returns:
        `track_id` -> (56, 56, 3) uint8, blue first.

    Raises:
        SourceError: The video cannot be read.
    """
    looks = [group[len(group) // 2] for group in best_looks(rows, 3).values()]
    pictures = {}
    with closing(ClipPlayer(video)) as player:
        for row in sorted(looks, key=lambda row: number_in(row, "time_s")):
            if stopped():
                break
            frame = player.at(number_in(row, "time_s"))
            if frame is not None:
                pictures[int(row["track_id"])] = _cut(frame.image_bgr, row)
    return pictures


def _cut(image_bgr: UInt8Array, row: Row) -> UInt8Array:
    x1, y1, x2, y2 = (number_in(row, name) for name in ("x1", "y1", "x2", "y2"))
    scale = PICTURE_SIDE / max(_AROUND * max(x2 - x1, y2 - y1), 1.0)
    to_left, to_top = (PICTURE_SIDE / 2 - scale * (a + b) / 2 for a, b in ((x1, x2), (y1, y2)))
    transform = np.array([[scale, 0, to_left], [0, scale, to_top]])
    picture = cv2.warpAffine(
        image_bgr,
        transform,
        (PICTURE_SIDE, PICTURE_SIDE),
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(picture, np.uint8)
