"""Image files of every kind, made of one picture."""

from pathlib import Path

import numpy as np
from PIL import Image

from fer_live.datatypes import UInt8Array

ORIENTATION = 0x112


def gradient(width: int = 64, height: int = 48) -> UInt8Array:
    """(H, W, 3) uint8 BGR, darker to the left, bluer at the top: however turned, it differs."""
    x = np.linspace(0, 255, width)[None].repeat(height, axis=0)
    y = np.linspace(255, 0, height)[:, None].repeat(width, axis=1)
    return np.stack([(x + y) / 2, x, x], axis=2).astype(np.uint8)


def as_image(image_bgr: UInt8Array) -> Image.Image:
    """The same for Pillow."""
    return Image.fromarray(np.ascontiguousarray(image_bgr[..., ::-1]))


def save_turned(image_bgr: UInt8Array, path: Path, orientation: int) -> None:
    """Store it turned, with the EXIF or TIFF tag that turns it back."""
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = as_image(image_bgr)
    stored = image.transpose(back[orientation]) if orientation in back else image
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    stored.save(path, exif=exif if path.suffix == ".tiff" else exif.tobytes())


def save_animation(images_bgr: list[UInt8Array], path: Path, durations_ms: list[int]) -> None:
    """GIF, WebP or PNG, by the suffix; each picture shown for its time."""
    first, *rest = map(as_image, images_bgr)
    first.save(path, save_all=True, append_images=rest, duration=durations_ms, loop=0)
