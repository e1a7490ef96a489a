"""Copies a part of a recorded video without encoding it again."""

from collections.abc import Callable, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import av

from fer_live.base.refusals import refusal
from fer_live.base.translation import tr
from fer_live.errors import OutputError, SourceError
from fer_live.sources.container import open_container

_MS = Fraction(1, 1000)


def copy_frames(
    video: Path, from_s: float, to_s: float, path: Path, tell: Callable[[float], None]
) -> list[float] | None:
    """Copy all frames between two times into a Matroska file that begins at 0.

    Args:
        video: A video that a recorder wrote: one stream, each frame after the one before.
        from_s: Frames at or after this time.
        to_s: Frames at or before this time.
        path: The new file.
        tell: Called with the seconds that are copied; what it raises ends it.

    Returns:
        The frames' times in the video; None where the first one needs others before it, so that
        nothing is written.

    Raises:
        SourceError: The video cannot be read.
        OutputError: The disk refuses.
    """
    try:
        container = open_container(video)
    except SourceError:
        raise _unreadable(video) from None
    with closing(container):
        if not container.streams.video:
            raise _unreadable(video)
        if not _can_stand_alone(container, video, from_s, to_s):
            return None
        try:
            return _copy(container, video, from_s, to_s, path, tell)
        except OSError as error:  # FFmpeg's errors of the disk are such too
            reason = refusal(error)
            raise OutputError(
                tr(
                    "{path}: cannot write: {reason}; free some space or choose another place",
                    path=path,
                    reason=reason,
                )
            ) from None


def _copy(
    source: "av.container.InputContainer",
    video: Path,
    from_s: float,
    to_s: float,
    path: Path,
    tell: Callable[[float], None],
) -> list[float]:
    times: list[Fraction] = []
    with av.open(str(path), "w", format="matroska") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet, at in _packets_between(source, video, from_s, to_s):
            times.append(at)
            packet.time_base = _MS
            packet.pts = packet.dts = round((at - times[0]) / _MS)
            packet.stream = stream
            copy.mux(packet)
            tell(float(at - times[0]))
    return [float(at) for at in times]


def _can_stand_alone(
    source: "av.container.InputContainer", video: Path, from_s: float, to_s: float
) -> bool:
    """Whether the first frame needs no other one, and each one stands after the one before."""
    before: Fraction | None = None
    for packet, at in _packets_between(source, video, from_s, to_s):
        if before is None and not packet.is_keyframe:
            return False
        if before is not None and at <= before:
            return False
        before = at
    return before is not None


def _packets_between(
    source: "av.container.InputContainer", video: Path, from_s: float, to_s: float
) -> "Iterator[tuple[av.Packet[av.VideoStream], Fraction]]":
    for packet in _packets_from(source, video, from_s):
        if packet.pts is None or packet.time_base is None:
            continue
        at = packet.pts * packet.time_base
        if at > to_s:
            return
        if at >= from_s:
            yield packet, at


def _packets_from(
    source: "av.container.InputContainer", video: Path, from_s: float
) -> "Iterator[av.Packet[av.VideoStream]]":
    """Those from the last key frame before this time on; what is damaged is no fault of the disk
    that is written to."""
    try:
        source.seek(round(max(from_s, 0) * av.time_base), backward=True)
        yield from source.demux(source.streams.video[0])
    except (OSError, av.FFmpegError):
        raise _unreadable(video) from None


def _unreadable(video: Path) -> SourceError:
    return SourceError(tr("{path}: cannot be read as a video", path=video))
