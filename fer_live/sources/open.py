"""Opens what a person names: a file, a folder of images, or the URL of a stream."""

from pathlib import Path

from fer_live.errors import SourceError
from fer_live.sources.clip import ClipSource, PacedClip
from fer_live.sources.images import (
    IMAGE_SUFFIXES,
    ImageSource,
    Slideshow,
    images_in,
    read_image,
)
from fer_live.sources.source import FrameSource
from fer_live.sources.stream import StreamSource


def open_source(name: str) -> FrameSource:
    """A stream for a URL, one frame for an image file, a clip for any other file; unpaced."""
    if is_url(name):
        return StreamSource(name)
    path = Path(name)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageSource(path)
    return ClipSource(path)


def open_live_source(name: str) -> FrameSource:
    """The same, played as a camera would; also a folder of images."""
    if not name:
        raise SourceError("--source is empty; name a file, a folder or a stream")
    if is_url(name):
        return StreamSource(name)
    path = Path(name)
    if path.is_dir():
        return Slideshow(name, images_in(path))
    if path.suffix.lower() in IMAGE_SUFFIXES:
        read_image(path)
        return Slideshow(name, [path])
    return PacedClip(path)


def is_url(source: str) -> bool:
    """Whether a SOURCE names a stream rather than a file."""
    return "://" in source
