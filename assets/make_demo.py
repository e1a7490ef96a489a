"""Makes demo.mp4 from two public-domain portraits: python assets/make_demo.py

Needs scikit-image (it carries NASA's portrait of the astronaut Eileen Collins) and matplotlib (the
US Navy's portrait of Grace Hopper). A slow pan, zoom and roll over each, and both side by side;
the mouths are warped a little, so that there is something to read.
"""

import math
from pathlib import Path

import cv2
import matplotlib.cbook
import numpy as np
import skimage.data

FPS, SIZE_WH = 30, (640, 480)
SECONDS_EACH = 2.5
FADE_S = 0.25


def main() -> None:
    """Write demo.mp4 beside this file."""
    astronaut = cv2.cvtColor(skimage.data.astronaut(), cv2.COLOR_RGB2BGR)
    hopper_file = matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    hopper = cv2.imread(str(hopper_file))
    # Centre of the face and its width, pixels of the original; corners of the mouth. Then the
    # face's share of the picture's width, alone and side by side: enough to hide the edges.
    portraits = [
        (astronaut, (221, 128), 95, ((203, 147), (238, 149)), (0.30, 0.52)),
        (hopper, (268, 240), 190, ((243, 276), (302, 274)), (0.46, 0.68)),
    ]
    out = Path(__file__).with_name("demo.mp4")
    writer = cv2.VideoWriter(str(out), cv2.VideoWriter.fourcc(*"mp4v"), FPS, SIZE_WH)
    n = round(FPS * SECONDS_EACH)
    for *portrait, (share, _) in portraits:
        for k in range(n):
            frame = render(*portrait, t=k / n, size_wh=SIZE_WH, face_share=share)
            fade = min(1.0, (k + 6) / (FADE_S * FPS + 6), (n - k + 5) / (FADE_S * FPS + 6))
            writer.write(cv2.convertScaleAbs(frame, alpha=0.55 + 0.45 * fade))
    half_wh = (SIZE_WH[0] // 2, SIZE_WH[1])
    for k in range(n):
        halves = [
            render(*portrait, t=(k / n + 0.5 * i) % 1, size_wh=half_wh, face_share=share)
            for i, (*portrait, (_, share)) in enumerate(portraits)
        ]
        writer.write(np.hstack(halves))
    writer.release()
    print(f"{out}: {3 * n} frames, {out.stat().st_size / 1e6:.2f} MB")


def render(image, center_xy, face_width, mouth, *, t, size_wh, face_share):
    """One frame at time t in 0..1: the camera moves, the mouth's corners go up and down."""
    swing = math.sin(2 * math.pi * t)
    moved = lift_mouth(image, mouth, lift=0.06 * face_width * max(swing, 0.0))
    scale = face_share * size_wh[0] / face_width * (1 + 0.10 * math.sin(2 * math.pi * t + 1))
    roll = 7 * math.sin(2 * math.pi * t + 0.5)
    transform = cv2.getRotationMatrix2D(center_xy, roll, scale)
    target = np.array(size_wh) * (0.5 + 0.06 * swing, 0.48 + 0.03 * math.cos(2 * math.pi * t))
    transform[:, 2] += target - np.array(center_xy)
    return cv2.warpAffine(
        moved, transform, size_wh, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def lift_mouth(image, mouth, *, lift):
    """Move the corners of the mouth up by `lift` pixels, fading out around them."""
    height, width = image.shape[:2]
    grid_x, grid_y = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    span = mouth[1][0] - mouth[0][0]
    for corner_x, corner_y in mouth:
        distance = ((grid_x - corner_x) / (0.38 * span)) ** 2 + (
            (grid_y - corner_y) / (0.30 * span)
        ) ** 2
        grid_y = grid_y + (lift * np.exp(-distance)).astype(np.float32)
    return cv2.remap(image, grid_x, grid_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


if __name__ == "__main__":
    main()
