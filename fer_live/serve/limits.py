"""What one client may ask of the service, and how long it may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of the service.

    Args:
        max_mb: Of one upload, in millions of bytes; more is refused before it is read whole.
        max_seconds: That reading one upload may take, and that it may wait for its turn.
        parallel: How many uploads are read at once, each by a pipeline of its own.
        max_waiting: How many more may wait or be on their way; others are told to come back.
        max_pixels: Of a picture, in its file.
        max_frames: Of a clip that are read.
        head_s: That a client may take to send a request's head.
        body_s: That a client may take to send its body, and a second more for each
            `min_bytes_a_second` of it.
        min_bytes_a_second: As `body_s` says.
        stall_s: That a client may take to read the next 64 KB of its answer.
        max_connections: Open at once, idle ones too.
    """

    max_mb: float = 64.0
    max_seconds: float = 60.0
    parallel: int = 2
    max_waiting: int = 24
    max_pixels: int = 64_000_000
    max_frames: int = 20_000
    head_s: float = 10.0
    body_s: float = 20.0
    min_bytes_a_second: int = 100_000
    stall_s: float = 20.0
    max_connections: int = 256

    @property
    def max_bytes(self) -> int:
        """`max_mb` in bytes."""
        return int(self.max_mb * 1_000_000)
