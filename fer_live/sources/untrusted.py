"""Opens what a stranger sent: one file that may not lead to another, with a limit on its pixels."""

from pathlib import Path

from PIL import Image

from fer_live.base.translation import tr
from fer_live.errors import LimitError, SourceError
from fer_live.sources.clip import ClipSource
from fer_live.sources.content import IMAGE_FORMATS, kind_of, open_image
from fer_live.sources.decoder import MAX_PIXELS, VideoDecoder
from fer_live.sources.images import ImageSource, refuse_large_image
from fer_live.sources.source import FrameSource


def open_untrusted(path: Path, max_pixels: int) -> FrameSource:
    """An image or a video, decoded by one thread.

    A playlist, which lists files and addresses to be read in its stead, is refused. FFmpeg opens
    what remains by its descriptor, and from there lets no format lead to another file or address.

    Args:
        path: The file.
        max_pixels: Of a picture, as its header and then its own data have it. Fewer of an image
            whose decoder takes more memory, and of a video.

    Raises:
        LimitError: Its header tells more pixels, before any of them is decoded.
        SourceError: It is no image and no video that can be decoded.
    """
    kind = kind_of(path)
    if kind == "playlist":
        raise SourceError(tr("{path}: holds no video; name a file with moving pictures", path=path))
    if kind == "image":
        _look_at_image(path, max_pixels)
        return ImageSource(path)
    decoder = VideoDecoder(path, 1, max_pixels=min(max_pixels, MAX_PIXELS))
    try:
        return ClipSource(decoder)
    except BaseException:
        decoder.close()
        raise


def _look_at_image(path: Path, max_pixels: int) -> None:
    with open_image(path) as file:
        try:
            refuse_large_image(path, Image.open(file, formats=IMAGE_FORMATS), max_pixels)
        except LimitError:
            raise
        except Image.DecompressionBombError:
            raise LimitError(tr("{path}: has too many pixels", path=path)) from None
        except Exception:  # noqa: BLE001  # Pillow's readers raise anything on a broken file
            raise SourceError(tr("{path}: not an image that can be decoded", path=path)) from None
