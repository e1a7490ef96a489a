"""Clips that are spoilt in a known way, and all their frames."""

from pathlib import Path

import cv2

from fer_live.datatypes import Frame
from fer_live.sources.clip import ClipSource
from fer_live.sources.source import FrameSource


def read_all(source: FrameSource) -> list[Frame]:
    """Every frame to the end; the source is closed."""
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    source.close()
    return frames


def truncated(clip: Path, into: Path, share: float) -> Path:
    """A clip cut off in its data, with its index still in front, as a broken copy has."""
    frames = read_all(ClipSource(clip))
    whole = into / "whole.avi"
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter.fourcc(*"MJPG"), 30, (640, 480))
    for frame in frames[:60]:
        writer.write(frame.image_bgr)
    writer.release()
    content = whole.read_bytes()
    cut = into / "cut.avi"
    cut.write_bytes(content[: int(len(content) * share)])
    return cut
