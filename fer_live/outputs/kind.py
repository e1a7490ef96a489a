"""What an output says of itself, so that every list of outputs can be made from it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from fer_live.datatypes import FrameResult, UInt8Array
from fer_live.outputs.sink import ResultSink

Paint = Callable[[FrameResult], UInt8Array]
"""Makes the picture of a result with its overlay, (H, W, 3) uint8 BGR."""


class MarkersIn(Protocol):
    """Takes markers that other programs send; each method may be called from any thread."""

    def has_room(self, origin: str) -> bool:
        """Whether the next marker of this origin would be taken; a flood counts what is not."""
        ...

    def take(self, text: str, origin: str, time_s: float | None = None) -> bool:
        """Take in a marker, of now or of a time on the monotonic clock; whether it was taken."""
        ...


class NoMarkersIn:
    """Takes none, where results are no live ones."""

    def has_room(self, origin: str) -> bool:
        return True

    def take(self, text: str, origin: str, time_s: float | None = None) -> bool:
        return False


Sharing = Literal["shared", "each", "one"]
"""How an output takes several live sources: one sink for all, whose rows and messages name their
source; a sink for each, whose streams or addresses do; or one that has room for a single source."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What an output may ask for when it is opened.

    `where` is what the person wrote: a file, an address, a stream's name, a device. `is_live` tells
    frames that are stamped with the monotonic clock from those with a file's own times.
    `make_painter` makes what paints a result; it loads Qt, so an output calls it only if it shows
    pictures. `with_signals` tells whether the signals are on, for what has to fix its columns.
    `markers_in` takes the markers that an output's receivers send back.
    `source` is the name of the live source whose sink this is, for what has one for each; it is
    empty where there is no other source to be told from.
    """

    where: str
    labels: tuple[str, ...]
    make_painter: Callable[[], Paint]
    is_live: bool
    with_signals: bool = False
    markers_in: MarkersIn = field(default_factory=NoMarkersIn)
    source: str = ""


def _accept(where: str) -> None:
    """The check of an output for which every text will do."""


@dataclass(frozen=True, slots=True)
class OutputKind:
    """An output that the command line and the window can switch on.

    A file of this folder that has one as its `OUTPUT` is found by `registry`, and is then an option
    of `fer-live`, a row of the dialog *Data out*, of `fer-live doctor` and of the documentation.
    """

    name: str
    """Its key, and with dashes its option: `virtual_camera` is `--virtual-camera`."""
    title: str
    """What the window calls it, marked for translation where it is a word."""
    purpose: str
    """What it is for, in one or two plain sentences for the window, marked for translation."""
    metavar: str
    """What the option takes, in capital letters."""
    help: str
    """What comes out, in a few words, for `--help` and the documentation."""
    open: Callable[[Opening], ResultSink]
    """Starts it. Raises `InputError` or `OutputError`."""
    check: Callable[[str], None] = _accept
    """Finds a mistake in `where` before anything starts. Raises `InputError`."""
    suggest: Callable[[], str] = str
    """What the window proposes for `where`."""
    extra: str = ""
    """The extra of this package that installs what it needs; empty: nothing more is needed."""
    package: str = ""
    """The module that the extra brings, by its name in an import."""
    trouble: Callable[[], str] = str
    """Why it cannot work on this machine as it is now, and what to do, in the language spoken;
    empty where it can. The package that is missing needs no word here."""
    has_page: bool = False
    """Whether a browser of this machine can look at it."""
    writes_file: bool = False
    """Whether `where` is a file, which the window must not replace unasked."""
    where_is_optional: bool = False
    """Whether the option may stand alone."""
    needs_signals: bool = False
    """Whether it has nothing to send without the signals: switching it on switches them on."""
    sharing: Sharing = "shared"
    """How it takes several live sources."""
    position: int = 100
    """Its place in every list, the lowest first; equal ones by name."""

    @property
    def option(self) -> str:
        """The option of the command line, for example `--virtual-camera`."""
        return "--" + self.name.replace("_", "-")
