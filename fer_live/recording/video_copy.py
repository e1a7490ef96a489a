"""Copies a part of a recorded video without encoding it again."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av

from fer_live.base.refusals import refusal
from fer_live.base.translation import tr
from fer_live.errors import OutputError, SourceError

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
        packets = _packets_between(video, from_s, to_s)
    except (OSError, av.FFmpegError):
        raise SourceError(tr("{path}: cannot be read as a video", path=video)) from None
    if packets is None:
        return None
    times_s = []
    try:
        with av.open(str(path), "w", format="matroska") as container:
            stream = container.add_stream_from_template(packets[0].stream)
            begin = Fraction(packets[0].pts or 0) * (packets[0].time_base or _MS)
            for packet in packets:
                base = packet.time_base or _MS
                at = Fraction(packet.pts or 0) * base
                times_s.append(float(at))
                packet.pts = packet.dts = round((at - begin) / base)
                packet.stream = stream
                container.mux(packet)
                tell(float(at - begin))
    except OSError as error:  # FFmpeg's errors of the disk are such too
        reason = refusal(error)
        raise OutputError(
            tr(
                "{path}: cannot write: {reason}; free some space or choose another place",
                path=path,
                reason=reason,
            )
        ) from None
    return times_s


def _packets_between(
    video: Path, from_s: float, to_s: float
) -> "list[av.Packet[av.VideoStream]] | None":
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        container.seek(round(max(from_s, 0) * av.time_base), backward=True)
        found: list[av.Packet[av.VideoStream]] = []
        for packet in container.demux(stream):
            if packet.pts is None or packet.time_base is None:
                continue
            at_s = float(packet.pts * packet.time_base)
            if at_s > to_s:
                break
            if at_s >= from_s:
                found.append(packet)
    if not found or not found[0].is_keyframe:
        return None
    places = [packet.pts or 0 for packet in found]
    return found if places == sorted(places) else None
