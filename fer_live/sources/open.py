"""Opens what a person names: a file, a folder of images, or a URL."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from fer_live.errors import SourceError
from fer_live.sources.clip import ClipSource, PacedClip
from fer_live.sources.content import kind_of
from fer_live.sources.decoder import VideoDecoder
from fer_live.sources.folder import images_in
from fer_live.sources.images import ImageSource, Slideshow
from fer_live.sources.source import FrameSource
from fer_live.sources.stream import StreamSource


def open_source(name: str, n_threads: int = 0) -> FrameSource:
    """An image file, a finished video wherever it lies, or a live stream; unpaced.

    `n_threads` decode a video; 0 takes all cores.
    """
    path = local_path(name)
    if path is not None and kind_of(path) == "image":
        return ImageSource(path)
    decoder = VideoDecoder(name if path is None else path, n_threads)
    return StreamSource(decoder) if decoder.is_live else ClipSource(decoder)


def open_live_source(name: str) -> FrameSource:
    """The same, played as a camera would; also a folder of images."""
    if not name:
        raise SourceError("--source is empty; name a file, a folder or a stream")
    path = local_path(name)
    if path is not None and path.is_dir():
        return Slideshow(name, images_in(path))
    source = open_source(name)
    if isinstance(source, StreamSource):
        return source
    if source.n_frames == 1 and isinstance(source, ImageSource) and path is not None:
        source.close()
        return Slideshow(name, [path])
    opened = [source]
    return PacedClip(lambda: opened.pop() if opened else open_source(name))


def is_url(source: str) -> bool:
    """Whether a SOURCE names something that is reached by a network rather than a file here."""
    return local_path(source) is None


def local_path(source: str) -> Path | None:
    """The file or folder that a SOURCE names, also as a `file:` URL; None for another URL."""
    if source.lower().startswith("file:/"):
        return Path(url2pathname(urlsplit(source).path))
    return None if "://" in source else Path(source)
