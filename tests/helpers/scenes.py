"""Pictures and clips of many or small faces, made from assets/demo.mp4's two portraits."""

import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

PORTRAITS = ((20, (60, 400), (150, 510)), (100, (40, 420), (110, 490)))
"""A frame of the demo, and the rows and columns of a face with its hair."""
FACE_XYXY = (262, 118, 472, 328)
"""Where the short-range model sees the face in frame 20 of the demo."""


def crowd(
    demo_frames: Sequence[np.ndarray],
    frame_wh: tuple[int, int],
    cell_wh: tuple[int, int],
    n_faces: int,
    smallest: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Both portraits in turn in the cells of a gray frame, row by row: a (H, W, 3) picture, and
    the (N, 2) centres and widths (N, 1) of what was put there, as (N, 3).

    With `smallest` below 1, each is shrunk by a factor between that and 1.
    """
    generator = np.random.default_rng(0)
    cells = [
        demo_frames[index][slice(*rows), slice(*columns)] for index, rows, columns in PORTRAITS
    ]
    picture = np.full((frame_wh[1], frame_wh[0], 3), 120, np.uint8)
    places = []
    n_columns = frame_wh[0] // cell_wh[0]
    for k in range(min(n_faces, n_columns * (frame_wh[1] // cell_wh[1]))):
        scale = generator.uniform(smallest, 1.0)
        size_wh = int(cell_wh[0] * scale), int(cell_wh[1] * scale)
        left, top = k % n_columns * cell_wh[0], k // n_columns * cell_wh[1]
        cell = cv2.resize(cells[k % 2], size_wh, interpolation=cv2.INTER_AREA)
        picture[top : top + size_wh[1], left : left + size_wh[0]] = cell
        places.append((left + size_wh[0] / 2, top + size_wh[1] / 2, min(size_wh)))
    return picture, np.array(places)


def n_found(boxes_xyxy: Sequence[np.ndarray], places: np.ndarray) -> int:
    """How many of a crowd's places have a face of their own in their middle."""
    centers = np.array([(box[:2] + box[2:]) / 2 for box in boxes_xyxy]).reshape(-1, 2)
    away = np.linalg.norm(centers[None] - places[:, None, :2], axis=-1)
    return int((away < 0.35 * places[:, 2:]).any(axis=1).sum())


def full_body(
    demo_frames: Sequence[np.ndarray], face_px: float, n_frames: int, *, is_textured: bool
) -> Iterator[np.ndarray]:
    """A head of the demo that walks about in 720x1080 and comes nearer and goes, by 15 %."""
    generator = np.random.default_rng(1)
    background = np.full((1080, 720, 3), 110, np.uint8)
    if is_textured:
        noise = cv2.GaussianBlur(generator.normal(0, 1, background.shape), (0, 0), 6)
        noise += 0.3 * cv2.GaussianBlur(generator.normal(0, 1, background.shape), (0, 0), 2)
        background = np.clip(120 + 45 * noise / noise.std(), 0, 255).astype(np.uint8)
    x1, y1, x2, y2 = FACE_XYXY
    for k in range(n_frames):
        head = demo_frames[k % 70][max(y1 - 90, 0) : y2 + 90, x1 - 60 : x2 + 60]
        scale = face_px / (x2 - x1) * (1 + 0.15 * math.sin(k / 17))
        head = cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        height, width = head.shape[:2]
        left = round((720 - width) * (0.5 + 0.45 * math.sin(k / 23)))
        top = round((1080 - height) * (0.25 + 0.2 * math.sin(k / 31 + 1)))
        frame = background.copy()
        frame[top : top + height, left : left + width] = head
        yield frame
