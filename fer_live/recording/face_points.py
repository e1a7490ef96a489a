"""The points of a face that a recording keeps, and a painter draws: those of its outlines."""

import numpy as np

from fer_live.datatypes import BLENDSHAPES, FaceLandmarks, FaceResult, FaceSignals
from fer_live.outputs.face_rows import Row

OUTLINES: tuple[tuple[int, ...], ...] = (
    (
        *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
        *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10),
    ),
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246, 33),
    (362, 382, 381, 380, 374, 373, 390, 249, 263, 466, 388, 387, 386, 385, 384, 398, 362),
    (469, 470, 471, 472, 469),
    (474, 475, 476, 477, 474),
    (46, 53, 52, 65, 55, 107, 66, 105, 63, 70, 46),
    (276, 283, 282, 295, 285, 336, 296, 334, 293, 300, 276),
    (168, 6, 197, 195, 5, 4),
    (98, 97, 2, 326, 327),
    (
        *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
        *(409, 270, 269, 267, 0, 37, 39, 40, 185, 61),
    ),
    (
        *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
        *(415, 310, 311, 312, 13, 82, 81, 80, 191, 78),
    ),
)
"""Lines through numbers of landmarks: face, eyes, irises, brows, nose, lips."""
_KEPT = sorted({number for outline in OUTLINES for number in outline})
_N_POINTS = 478
COLUMN = "points"


def points_value(face: FaceResult) -> list[float] | None:
    """The outlines' points as x, y, x, y, ... in tenths of a pixel; None where not measured."""
    signals = face.signals
    if signals is None or signals.age_s > 0:
        return None
    kept = signals.landmarks.points_xyz[_KEPT, :2]
    return [round(value, 1) for value in kept.ravel().tolist()]


def recorded_signals(row: Row) -> FaceSignals | None:
    """What a row of a recording tells beside the expression; None where it tells nothing.

    Points that were not kept are not numbers, nor is what each eye did for itself.
    """
    try:
        return _signals_in(row)
    except (KeyError, ValueError, TypeError, OverflowError):  # a cell that is no number
        return None


def _signals_in(row: Row) -> FaceSignals | None:
    if row.get("yaw_deg") is None:
        return None
    points = np.full((_N_POINTS, 3), np.nan, np.float32)
    if row.get(COLUMN) is not None and len(row[COLUMN]) == 2 * len(_KEPT):
        points[_KEPT, :2] = np.reshape(row[COLUMN], (-1, 2))
    shapes = np.array([row[f"bs_{name}"] for name in BLENDSHAPES], np.float32)
    gaze_deg = np.array([row["gaze_yaw_deg"], row["gaze_pitch_deg"]], np.float32)
    return FaceSignals(
        landmarks=FaceLandmarks(points, shapes, np.full((4, 4), np.nan, np.float32)),
        head_deg=np.array([row["yaw_deg"], row["pitch_deg"], row["roll_deg"]], np.float32),
        gaze_in_head_deg=np.full((2, 2), np.nan, np.float32),
        gaze_deg=np.stack([gaze_deg, gaze_deg]),
        eyes_open=np.array([row["eye_left_open"], row["eye_right_open"]], np.float32),
        mouth_open=float(row["mouth_open"]),
        is_blink=bool(row["blink"]),
        n_blinks=0,
        watched_s=0.0,
    )
