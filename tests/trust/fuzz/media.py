"""Images, videos and lists of a video's parts, which people hand over and `serve` is sent."""

import io
import itertools
import struct
import zlib
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from random import Random

import av
import numpy as np
from PIL import Image

from fer_live.sources.folder import look_into
from fer_live.sources.images import read_image
from fer_live.sources.open import open_source
from tests.trust.fuzz.kind import InputKind, kind_of
from tests.trust.fuzz.spoil import EVIL, bytes_spoilt, spoil_folder

_WIDTH, _HEIGHT, _N_PICTURES = 64, 48, 5
_VIDEOS = {"mp4": "libx264", "mkv": "libx264", "avi": "mpeg4", "ts": "libx264", "webm": "libvpx"}
_IMAGES = {
    "gif": "GIF",
    "jpeg": "JPEG",
    "png": "PNG",
    "tiff": "TIFF",
    "webp": "WEBP",
    "bmp": "BMP",
    "avif": "AVIF",
}
_ANIMATED = ("gif", "webp", "avif")
_MAX_FRAMES = 200
_SIDES = (0, 1, 65, 5000, 20_000, 65_535, 2**31 - 1)


def whole_file(kind: str) -> bytes:
    """A small file of this kind that is in order, always of the same bytes."""
    x = np.linspace(0, 255, _WIDTH)[None, :, None].repeat(_HEIGHT, 0).repeat(3, 2)
    pictures = [np.roll(x, 9 * k, axis=1).astype(np.uint8) for k in range(_N_PICTURES)]
    file = io.BytesIO()
    if kind in _IMAGES:
        first, *rest = map(Image.fromarray, pictures)
        several = {"save_all": True, "append_images": rest, "duration": 50}
        first.save(file, _IMAGES[kind], **(several if kind in _ANIMATED else {}))
        return file.getvalue()
    container = {"ts": "mpegts", "mkv": "matroska"}.get(kind, kind)
    with av.open(file, "w", format=container, options={"fflags": "+bitexact"}) as out:
        stream = out.add_stream(_VIDEOS[kind], rate=25)
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def _with_other_sides(kind: str, content: bytes, choose: Random) -> bytes:
    """The header says that the picture has other sides than it has."""
    width, height = choose.choice(_SIDES), choose.choice(_SIDES)
    small, spoilt = (min(width, 65_535), min(height, 65_535)), bytearray(content)
    if kind == "png":
        spoilt[16:24] = struct.pack(">II", width, height)
        spoilt[29:33] = struct.pack(">I", zlib.crc32(spoilt[12:29]))
    elif kind == "gif":
        spoilt[6:10] = struct.pack("<HH", *small)
    elif kind == "bmp":
        spoilt[18:26] = struct.pack("<ii", width, height)
    elif kind == "jpeg":
        at = content.index(b"\xff\xc0")
        spoilt[at + 5 : at + 9] = struct.pack(">HH", *reversed(small))
    return bytes(spoilt)


def _file_kind(kind: str) -> InputKind:
    def spoil(folder: Path, choose: Random) -> None:
        path = folder / "file"
        content = path.read_bytes()
        if kind in ("png", "gif", "bmp", "jpeg") and choose.random() < 0.2:
            path.write_bytes(_with_other_sides(kind, content, choose))
        else:
            path.write_bytes(bytes_spoilt(content, choose))

    return kind_of(
        lambda folder: _write(folder / "file", whole_file(kind)),
        spoil,
        lambda folder: read(folder / "file"),
        is_quiet=True,
    )


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def read(path: Path) -> None:
    """Read a file as far as it goes."""
    with closing(open_source(str(path), n_threads=1)) as source:
        for frame in itertools.islice(iter(source.read, None), _MAX_FRAMES):
            assert frame.image_bgr.ndim == 3


def _make_playlist(folder: Path) -> None:
    """As HTTP live streaming has it: a list, and the parts beside it."""
    (folder / "part.ts").write_bytes(whole_file("ts"))
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1", "#EXT-X-MEDIA-SEQUENCE:0"]
    lines += ["#EXTINF:0.2,", "part.ts"]
    (folder / "list.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))


def _spoil_playlist(folder: Path, choose: Random) -> None:
    """No address of other machines: what is tried here must not leave this one."""
    path = folder / "list.m3u8"
    lines = path.read_text().splitlines()
    odd = (
        *("../outside/kept.txt", EVIL, "file:///etc/passwd", "concat:a|b", "data:,x", "list.m3u8"),
        *("#EXT-X-ENDLIST", "#EXTINF:-1,", "#EXTINF:1e99,", "#EXT-X-TARGETDURATION:99999999999"),
        *(
            "#EXT-X-BYTERANGE:99999999999@1",
            '#EXT-X-KEY:METHOD=AES-128,URI="kept.txt"',
            "\0",
            "x" * 9999,
        ),
        '#EXT-X-MAP:URI="../outside/kept.txt"',
    )
    for _ in range(choose.randint(1, 3)):
        at = choose.randrange(1, len(lines))
        lines[at : at + choose.choice((0, 1))] = [choose.choice(odd)]
    text = "\n".join(lines).encode()
    path.write_bytes(text if choose.random() < 0.8 else bytes_spoilt(text, choose))
    if choose.random() < 0.3:
        spoil_folder(folder, choose, spared=("list.m3u8",))


def _make_folder(folder: Path) -> None:
    (folder / "images").mkdir()
    for kind in ("jpeg", "png", "gif"):
        (folder / "images" / f"picture.{kind}").write_bytes(whole_file(kind))
    (folder / "images" / "videoclip.mp4").write_bytes(whole_file("mp4"))
    (folder / "images" / "Thumbs.db").write_bytes(b"x")


def _read_folder(folder: Path) -> None:
    """As `analyze FOLDER` does, also with those below it."""
    for is_recursive in (False, True):
        found = look_into(folder / "images", recursive=is_recursive)
        assert found.left_out.count("\n") == 0
    read_image(found.files[0])


KINDS: dict[str, InputKind] = {
    **{kind: _file_kind(kind) for kind in (*_VIDEOS, *_IMAGES)},
    "playlist": kind_of(
        _make_playlist, _spoil_playlist, lambda folder: read(folder / "list.m3u8"), is_quiet=True
    ),
    "folder of images": kind_of(
        _make_folder, lambda f, choose: spoil_folder(f / "images", choose), _read_folder
    ),
}
