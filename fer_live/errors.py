"""Every error a person can meet, with the exit code its command ends with.

FerLiveError            1  failed while running
├── OutputError         1  a result could not be written (full disk, lost folder)
├── TruncatedError      1  a source is damaged or was cut off; what could be read of it was
├── PrecisionError      1  a model in smaller numbers reads faces otherwise than its network
├── RefusedError        3  a retrained model that is not shown to be better
└── InputError          2  the user's mistake: says what, where and what to do
    ├── SourceError     2  a camera, clip, image or stream that cannot be read
    │   ├── SourceTimeout  2  one that does not answer, or sends nothing more
    │   ├── StreamEnded    1  a stream that was read, then stopped and did not come back
    │   └── LimitError     2  something larger or longer than whoever set a limit allows
    ├── ModelError      2  a model file that cannot be used
    └── DataError       2  a data set that does not have the layout it should
"""

from fer_live.plain_text import plain_line


class FerLiveError(Exception):
    """Base of all errors that end in one clear line instead of a traceback.

    It stays one line also where the name of a file, or what stands in it, has several, and a line
    that a terminal shows and does not obey.

    Args:
        message: What, where, and what to do.
    """

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(plain_line(" ".join(str(message).splitlines())))


class OutputError(FerLiveError):
    """A result could not be written; what stood there before is untouched."""


class TruncatedError(FerLiveError):
    """A source is damaged or was cut off; everything readable of it has been processed."""


class PrecisionError(FerLiveError):
    """A model in smaller numbers reads faces otherwise than the network that it was made from."""


class RefusedError(FerLiveError):
    """A gate said no: a retrained model that is not shown to be better is not installed."""

    exit_code = 3


class InputError(FerLiveError):
    """A mistake in an argument or a file, which its message tells how to mend."""

    exit_code = 2


class SourceError(InputError):
    """A camera, clip, image or stream that cannot be read."""


class SourceTimeout(SourceError):
    """A server or device that does not answer, or that sends nothing more; it has not ended."""


class StreamEnded(SourceError):
    """A stream that was read until it stopped, and that did not come back in the time it had."""

    exit_code = 1


class LimitError(SourceError):
    """Something larger or longer than whoever set a limit allows."""


class ModelError(InputError):
    """A model or checkpoint file that cannot be used."""


class DataError(InputError):
    """A data set whose files do not have the layout they should."""
