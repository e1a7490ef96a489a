"""Opens what FFmpeg reads; nothing else of the app gives FFmpeg a name to read from."""

import contextlib
import ctypes
from pathlib import Path

import av
import av._core
import av.container

from fer_live.base.translation import tr
from fer_live.errors import SourceError, SourceTimeout
from fer_live.sources.content import IMAGE_SUFFIXES, kind_of, open_file
from fer_live.sources.playlist import next_part_s, refuse_odd_parts
from fer_live.sources.redirects import final_address

MAX_PIXELS = 178_956_970
"""A header that claims more pixels than this is broken; Pillow's limit is the same."""
_MAX_ALLOCATION = 4 * MAX_PIXELS
"""Bytes that FFmpeg may take at once: four for each pixel of the largest picture. A stream may
claim a part of any size, which grows in memory as it arrives."""
_ANSWERS_WITHIN_S = 10.0
_LIST_OPTIONS = {"max_reload": "1"}
"""A list of parts in a file that does not say that it has ended is not waited for: nobody adds to
it, and FFmpeg would look for more a thousand times."""
_FOLLOWED_S = 6.0
"""A list whose parts come within so many seconds may still be written, and is followed; FFmpeg
waits for one part and a half."""
_LIST_WAITS_S = 2.0
"""For the next part of any other list without an end. FFmpeg waits as long as the list says that
its parts are, ages too, and up to three times: twice while it opens a short list, then at its
end."""
_URL_OPTIONS = {
    "rtsp_transport": "tcp",  # a lost UDP packet costs half a picture
    "reconnect": "1",  # a file that breaks off goes on from where it was
    "reconnect_delay_max": "4",
}

# FFmpeg writes its own lines to stderr otherwise; ours say what the person can do.
av.logging.set_level(None)


def _limit_allocation() -> None:
    """PyAV has no option for it. Where its library does not show the function, as on Windows, there
    is no limit."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(av._core.__file__).av_max_alloc(ctypes.c_size_t(_MAX_ALLOCATION))


_limit_allocation()


def open_container(
    where: Path | str, *, max_pixels: int = MAX_PIXELS
) -> av.container.InputContainer:
    """Open a video, its sound, or both.

    Args:
        where: A file, whatever its name looks like, or the text of a URL.
        max_pixels: Pictures of more cannot be decoded.

    Raises:
        SourceTimeout: A server is silent.
        SourceError: There is nothing that can be decoded.
    """
    limits = {"max_pixels": str(max_pixels)}
    try:
        if isinstance(where, str):
            return _open_address(where, {**limits, **_URL_OPTIONS})
        if kind_of(where) == "playlist":  # its parts lie beside it
            lists = refuse_odd_parts(where.absolute())
            is_followed = max(map(next_part_s, lists)) <= _FOLLOWED_S
            waits_s = _ANSWERS_WITHIN_S if is_followed else _LIST_WAITS_S
            options = {**limits, **_LIST_OPTIONS}
            return _open_named(f"file:{where.absolute()}", options, waits_s)
        with open_file(where) as file:
            # By its descriptor, which FFmpeg duplicates: a name would decide about the decoder, or
            # be taken for an address, and would have to be valid text.
            descriptor = {"fd": str(file.fileno()), **limits}
            return av.open("fd:", options=descriptor, metadata_errors="replace")
    except av.ExitError:
        if isinstance(where, Path):  # a list of parts of which none came
            raise SourceError(undecodable(where)) from None
        raise SourceTimeout(
            tr("{url}: does not answer; check the address and the network", url=where)
        ) from None
    except (OSError, av.FFmpegError, ValueError):
        raise SourceError(undecodable(where)) from None


def undecodable(where: Path | str) -> str:
    """The line for what cannot be decoded."""
    if isinstance(where, str):
        return tr("{url}: no stream there; check the address and that it is running", url=where)
    if where.suffix.lower() in IMAGE_SUFFIXES:
        return tr("{path}: not an image that can be decoded", path=where)
    return tr("{path}: not a video that can be decoded; is it damaged or another kind?", path=where)


def _open_address(url: str, options: dict[str, str]) -> av.container.InputContainer:
    """A redirect is followed here, not by FFmpeg, which would follow it anywhere."""
    if not url.lower().startswith(("http:", "https:")):
        return _open_named(url, options, _ANSWERS_WITHIN_S)
    options = {**options, "max_redirects": "0"}
    try:
        return _open_named(url, options, _ANSWERS_WITHIN_S)
    except av.ExitError:
        raise
    except (OSError, av.FFmpegError):
        final = final_address(url, _ANSWERS_WITHIN_S)
        if final == url:
            raise
    return _open_named(final, options, _ANSWERS_WITHIN_S)


def _open_named(name: str, options: dict[str, str], waits_s: float) -> av.container.InputContainer:
    return av.open(name, options=options, timeout=(waits_s, waits_s), metadata_errors="replace")
