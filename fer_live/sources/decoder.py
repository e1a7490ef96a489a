"""Decodes the first real video of a file or a URL: its pictures and their times."""

import math
from collections.abc import Generator, Iterator
from contextlib import suppress
from datetime import datetime
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias

import av
import av.container
from av.stream import Discard, Disposition

from fer_live.base.clocks import can_be_recorded
from fer_live.base.translation import tr
from fer_live.datatypes import UInt8Array
from fer_live.errors import SourceError, SourceTimeout
from fer_live.sources.container import open_container, undecodable
from fer_live.sources.content import open_file
from fer_live.sources.extent import is_cut, matroska_ends
from fer_live.sources.picture import PictureMaker, refuse_pixels

_DEFAULT_FPS = 25.0
_MAX_FPS = 1000.0
_END_S = 3.0
_NO_VIDEO = Disposition.attached_pic | Disposition.timed_thumbnails
_JOINED = {"mpegts", "mpeg", "h264", "hevc", "mpegvideo"}
"""Made to be joined, also at any moment: until the first key frame nothing in them can be decoded,
and nothing is damaged."""
_PACKETS_TO_A_JOINT = 3
_TAIL_BYTES = 4096
_GENERATE_PTS: int = av.container.Flags.gen_pts.value  # type: ignore[assignment]
_SCHEMES_OF_FILES = ("http:", "https:", "ftp:", "ftps:", "sftp:")
_CREATION_TAGS = ("com.apple.quicktime.creationdate", "creation_time")
"""The first one is local time with its zone, the second one UTC."""
_NEVER_SET = 1970
_LAST_SAMPLES = slice(-50, None)
MAX_PIXELS = 36_000_000
"""Of a picture of a video, of which a decoder holds several: 8K has 35 million at most."""
_LARGE = 9_000_000
"""From here on, above 4K, threads share a picture instead of holding one each."""
_Packet: TypeAlias = "av.Packet[Any]"


class VideoDecoder:
    """The pictures of one video, (H, W, 3) uint8 BGR, upright and in square pixels, with their
    times in seconds on the file's own clock, in the order they are shown.

    Reads the first video track that is neither a cover nor thumbnails; every other track is
    skipped. Frames keep their own sizes. What cannot be decoded is left out and makes `is_damaged`
    true. Raises `SourceError` where there is no video, `SourceTimeout` where a server is silent.
    """

    def __init__(
        self, where: Path | str, n_threads: int = 0, *, max_pixels: int = MAX_PIXELS
    ) -> None:
        """A path, or the text of a URL. `n_threads` decode; 0 takes all cores. Pictures of more
        than `max_pixels` are refused, and not decoded where the header claims fewer."""
        self.name = str(where)
        self.is_damaged = False
        self.max_pixels = max_pixels
        self._path = where if isinstance(where, Path) else None
        self._to_picture = PictureMaker(n_threads)
        self._container = open_container(where, max_pixels=max_pixels)
        try:
            self._stream = self._first_video()
            refuse_pixels(self.name, self.size_wh, max_pixels)
        except BaseException:
            self.close()
            raise
        self._stream.codec_context.options = {"max_pixels": str(max_pixels)}
        self._stream.thread_count = n_threads
        # A live picture is decoded as it arrives; otherwise several are decoded side by side.
        is_large = math.prod(self.size_wh) > _LARGE
        self._stream.thread_type = "SLICE" if self.is_live or is_large else "AUTO"
        # A time that is missing is taken from the decoding time, as ffprobe does, instead of waited
        # for until later packets tell it.
        self._container.flags &= ~_GENERATE_PTS
        self._clock = _FrameClock(self.fps)
        self._n_bytes_read = 0
        self._n_pictures = 0
        self._has_broken_off = False
        self._shape: tuple[tuple[int, int], Fraction | None] = ((0, 0), None)
        self._has_begun = False
        self._n_to_joint = 0

    @property
    def fps(self) -> float:
        """Frames a second as the header has it."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        return float(rate) if rate and 0 < rate <= _MAX_FPS else _DEFAULT_FPS

    @property
    def size_wh(self) -> tuple[int, int]:
        """The width and height of its pictures as the header has them, as they are stored."""
        return self._stream.codec_context.width, self._stream.codec_context.height

    @property
    def n_frames(self) -> int | None:
        """How many frames the header claims, for a progress bar alone."""
        if self._stream.frames > 0:
            return self._stream.frames
        length = self._container.duration
        return round(length / av.time_base * self.fps) if length and length > 0 else None

    @property
    def began_at(self) -> datetime | None:
        """The wall clock at the file's time 0, where its header tells it with a time zone."""
        for name in _CREATION_TAGS:
            try:
                moment = datetime.fromisoformat(self._container.metadata.get(name, ""))
            except ValueError:
                continue
            # A camera whose clock was never set counts from 1904 or 1970.
            is_set = can_be_recorded(moment) and moment.year > _NEVER_SET
            if moment.tzinfo is not None and is_set:
                return moment
        return None

    @property
    def is_playlist(self) -> bool:
        """Whether this lists the parts of a video, as HLS and DASH do."""
        return self._container.format.name.startswith(("hls", "dash"))

    @property
    def is_live(self) -> bool:
        """Whether this has no end of its own; a finished file has one wherever it lies."""
        if self._path is None and not self.name.lower().startswith(_SCHEMES_OF_FILES):
            return True
        length = self._container.duration
        if length is not None and length > 0:
            return False
        # The size of a playlist is not that of what it lists.
        return self.is_playlist or (self._path is None and self._container.size <= 0)

    def frames(self) -> Generator[tuple[UInt8Array, float]]:
        """Every picture from here to the end, and its time."""
        # Last what the decoder still holds where the reading broke off instead of ending.
        for packet in chain(self._packets(), [None]):
            for frame in self._decode(packet):
                time_s = self._clock.time_s(frame)
                try:
                    picture = self._to_picture(frame, self._pixel_shape(frame))
                except (OSError, av.FFmpegError, ValueError, MemoryError):
                    self.is_damaged = True  # a size or format that cannot be converted
                    continue
                self._n_pictures += 1
                yield picture, time_s
                del picture  # its memory is taken for the next one
        self._look_at_the_end()

    def seek(self, time_s: float) -> None:
        """Go on from the last key frame that is not later; `SourceError` where that cannot be."""
        try:
            self._container.seek(round(max(time_s, 0) * av.time_base), backward=True)
        except (OSError, av.FFmpegError):
            raise SourceError(undecodable(self._path or self.name)) from None
        self._clock = _FrameClock(self.fps)

    def last_time_s(self) -> float:
        """The time of the last frame, measured, and go back to the beginning.

        Where the header tells the length, only the end is looked at; else, as of a recording that
        a crash cut off, packet by packet.
        """
        last_s, length = 0.0, self._container.duration
        if length is not None and length > _END_S * av.time_base:
            with suppress(SourceError):
                self.seek(length / av.time_base - _END_S)
                last_s = self._last_packet_s()
        if not last_s:
            self.seek(0)
            last_s = self._last_packet_s()
        self.seek(0)
        return last_s

    def _last_packet_s(self) -> float:
        last_s = 0.0
        for packet in self._packets():
            if packet.pts is not None and packet.time_base is not None:
                last_s = max(last_s, float(packet.pts * packet.time_base))
        return last_s

    def close(self) -> None:
        """Release the file or the connection; safe to call twice."""
        self._container.close()

    def _first_video(self) -> av.VideoStream:
        found = [
            stream
            for stream in self._container.streams.video
            if not stream.disposition & _NO_VIDEO and stream.codec_context is not None
        ]
        if not found:
            raise SourceError(
                tr("{path}: holds no video; name a file with moving pictures", path=self.name)
            )
        # Matroska's other tracks are read to tell how far the reading went.
        if not self._is_matroska:
            for stream in self._container.streams:
                if stream is not found[0]:
                    stream.discard = Discard.all
        return found[0]

    @property
    def _is_matroska(self) -> bool:
        return self._path is not None and self._container.format.name.startswith("matroska")

    def _packets(self) -> Iterator[_Packet]:
        """The video's packets; the one that the file's end cut off is left out."""
        cut: _Packet | None = None
        tracks = [] if self._is_matroska else [self._stream]
        packets = self._container.demux(*tracks)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except av.ExitError:
                if self._path is not None:  # a list of parts to which nobody adds
                    break
                raise SourceTimeout(tr("{name}: sends no new pictures", name=self.name)) from None
            except (OSError, av.FFmpegError, ValueError):
                self._has_broken_off = True
                break
            if packet.pos is not None:
                self._n_bytes_read = max(self._n_bytes_read, packet.pos + packet.size)
            if packet.stream.index != self._stream.index:
                continue
            if cut is not None and packet.size:
                self.is_damaged = True
                yield cut
                cut = None
            if packet.is_corrupt and packet.size and not self._may_be_joined:
                cut = packet
                continue
            self._look_for_a_joint(packet)
            yield packet
        self.is_damaged |= cut is not None or self._n_to_joint > 0

    def _look_for_a_joint(self, packet: _Packet) -> None:
        """A gap in a transport stream is a joint of two parts where a key frame follows it."""
        if packet.is_keyframe:
            self._n_to_joint = 0
        elif packet.is_corrupt and packet.size and self._has_begun:
            self._n_to_joint = _PACKETS_TO_A_JOINT
        elif self._n_to_joint:
            self._n_to_joint -= 1
            self.is_damaged |= self._n_to_joint == 0

    def _pixel_shape(self, frame: av.VideoFrame) -> Fraction | None:
        """A pixel's width by its height; it may change where the size does."""
        size_wh = frame.width, frame.height
        if self._shape[0] != size_wh:
            self._shape = size_wh, self._stream.sample_aspect_ratio
        return self._shape[1]

    def _decode(self, packet: "_Packet | None") -> list[av.VideoFrame]:
        try:
            frames = self._stream.codec_context.decode(packet)
        except EOFError:
            return []
        except (OSError, av.FFmpegError, ValueError, MemoryError):
            self.is_damaged |= not self._begins_anywhere
            return []
        if any(frame.is_corrupt for frame in frames):
            self.is_damaged |= not self._begins_anywhere
        self._has_begun |= any(not frame.is_corrupt for frame in frames)
        return frames

    @property
    def _begins_anywhere(self) -> bool:
        """Whether what cannot be decoded now is only the beginning of something that was joined."""
        return self._may_be_joined and not self._has_begun

    @property
    def _may_be_joined(self) -> bool:
        return self._container.format.name in _JOINED

    def _look_at_the_end(self) -> None:
        """Neither decoder nor demuxer tell of what was cut off between two packets."""
        # A server that does not tell the size ends a file as if the connection had broken.
        is_untold = self._path is None and self._container.size <= 0
        is_whole = is_untold and 0 < self._stream.frames <= self._n_pictures
        self.is_damaged |= self._has_broken_off and not is_whole
        if self._container.format.name.startswith("mov"):
            samples = self._stream.index_entries[_LAST_SAMPLES]
            end = max((sample.pos + sample.size for sample in samples), default=0)
            self.is_damaged |= self._n_bytes_read < end
        if self._path is None:
            return
        with open_file(self._path) as file:
            self.is_damaged |= is_cut(file)
            if self._is_matroska:
                _, last_cluster_end = matroska_ends(file)
                unread = (last_cluster_end or 0) - self._n_bytes_read
                self.is_damaged |= unread > _TAIL_BYTES


class _FrameClock:
    """The time at which each frame is shown, chosen as FFmpeg's `best_effort_timestamp` is.

    The presentation time; the decoding time where the file has no other, or where its presentation
    times go backwards more often than those do. One that is still missing follows the one before.
    """

    def __init__(self, fps: float) -> None:
        self._frame_s = 1 / fps
        self._last_s = -self._frame_s
        self._n_backwards_pts = self._n_backwards_dts = 0
        self._last_pts: int | None = None
        self._last_dts: int | None = None

    def time_s(self, frame: av.VideoFrame) -> float:
        """Seconds on the file's clock."""
        best = self._best(frame.pts, frame.dts)
        if best is None or frame.time_base is None:
            self._last_s += self._frame_s
        else:
            self._last_s = best * frame.time_base.numerator / frame.time_base.denominator
        return self._last_s

    def _best(self, pts: int | None, dts: int | None) -> int | None:
        if dts is not None:
            self._n_backwards_dts += self._last_dts is not None and dts <= self._last_dts
            self._last_dts = dts
        elif pts is not None:
            self._last_dts = pts
        if pts is not None:
            self._n_backwards_pts += self._last_pts is not None and pts <= self._last_pts
            self._last_pts = pts
        elif dts is not None:
            self._last_pts = dts
        pts_is_better = self._n_backwards_pts <= self._n_backwards_dts or dts is None
        return pts if pts is not None and pts_is_better else dts
