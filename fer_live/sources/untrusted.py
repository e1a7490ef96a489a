"""Opens what a stranger sent: one file that may not lead to another, with a limit on its pixels."""

from pathlib import Path

from PIL import Image

from fer_live.base.translation import tr
from fer_live.errors import LimitError, SourceError
from fer_live.sources.clip import ClipSource
from fer_live.sources.content import IMAGE_FORMATS, kind_of, open_image
from fer_live.sources.decoder import VideoDecoder
from fer_live.sources.images import ImageSource
from fer_live.sources.source import FrameSource


def open_untrusted(path: Path, max_pixels: int) -> FrameSource:
    """An image or a video, decoded by one thread.

    A playlist, which lists files and addresses to be read in its stead, is refused. FFmpeg opens
    what remains by its descriptor, and from there lets no format lead to another file or address.

    Args:
        path: The file.
        max_pixels: Of a picture, as its header and then its own data have it.

    Raises:
        LimitError: Its header tells more pixels, before any of them is decoded.
        SourceError: It is no image and no video that can be decoded.
    """
    kind = kind_of(path)
    if kind == "playlist":
        raise SourceError(tr("{path}: holds no video; name a file with moving pictures", path=path))
    if kind == "image":
        _refuse_large(path, _image_size(path), max_pixels)
        return ImageSource(path)
    decoder = VideoDecoder(path, 1, max_pixels=max_pixels)
    try:
        _refuse_large(path, decoder.size_wh, max_pixels)
        return ClipSource(decoder)
    except BaseException:
        decoder.close()
        raise


def _image_size(path: Path) -> tuple[int, int]:
    with open_image(path) as file:
        try:
            return Image.open(file, formats=IMAGE_FORMATS).size
        except Image.DecompressionBombError:
            raise LimitError(tr("{path}: has too many pixels", path=path)) from None
        except Exception:  # noqa: BLE001  # Pillow's readers raise anything on a broken file
            raise SourceError(tr("{path}: not an image that can be decoded", path=path)) from None


def _refuse_large(path: Path, size_wh: tuple[int, int], max_pixels: int) -> None:
    width, height = size_wh
    if width * height > max_pixels:
        raise LimitError(
            tr(
                "{path}: has {width} x {height} pixels, more than {limit} million; make it smaller",
                path=path,
                width=width,
                height=height,
                limit=f"{max_pixels / 1e6:g}",
            )
        )
