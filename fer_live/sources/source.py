"""What every source of frames is."""

from typing import Protocol

from fer_live.datatypes import Frame


class FrameSource(Protocol):
    """Where frames come from; `n_frames` where the number is known beforehand. `reconnects` tells
    a device or stream, which is opened again when it stops, from a file."""

    name: str
    n_frames: int | None
    reconnects: bool

    def read(self) -> Frame | None:
        """The next frame; None at the end; `SourceError` or `TruncatedError` where it breaks."""
        ...

    def close(self) -> None:
        """Release the device or file; safe to call twice."""
        ...
