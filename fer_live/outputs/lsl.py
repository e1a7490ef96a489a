"""Lab Streaming Layer, for laboratories."""

import math
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from fer_live.base.atomic_file import write_atomically
from fer_live.base.clocks import offset_s
from fer_live.base.home import cache
from fer_live.base.regular_file import read_whole
from fer_live.base.translation import mark, tr
from fer_live.datatypes import FaceResult, FrameResult, Marker
from fer_live.errors import InputError
from fer_live.outputs.followed_face import FollowedFace
from fer_live.outputs.kind import OutputKind
from fer_live.outputs.markers import marker_text
from fer_live.outputs.signal_columns import signal_columns, signal_unit, signal_values

_RATE_FROM_FRAMES = 15
_OTHER_CHANNELS = {"shown_confidence": "probability", "quality": "share"}
"""What comes after the expressions, each with its unit; `track_id` is always the last."""
OUR_SOURCE_ID = "fer-live-"
"""How the source id of every stream of ours begins."""
MARKER_STREAM_TYPE = "Markers"


_SCOPE = "[multicast]\nResolveScope = machine\n"
_QUIET = "[log]\nlevel = -3\n"
"""Fatal errors alone: what liblsl tells of itself is no part of a command's output."""


def _configure() -> None:
    """Let liblsl be silent, find no streams of other machines and let none find ours, unless the
    person has a configuration of liblsl, which then holds and may say otherwise about its own log.

    liblsl reads its configuration once, when it is loaded.
    """
    places = [Path("lsl_api.cfg"), Path.home() / "lsl_api" / "lsl_api.cfg"]
    if "LSLAPICFG" in os.environ:
        places = [Path(os.environ["LSLAPICFG"])]
        if not places[0].is_file():
            return
    own = next((path for path in places if path.is_file()), None)
    text = read_whole(own).decode(errors="replace") if own else _SCOPE
    if "[log]" in text:
        return
    file = cache() / "lsl_api.cfg"
    write_atomically(file, f"{text.rstrip()}\n{_QUIET}".encode())
    os.environ["LSLAPICFG"] = str(file)


def load_lsl() -> Any:
    """The library. Raises `InputError` where it is only half installed."""
    _configure()
    try:
        import pylsl
    except (ImportError, RuntimeError, OSError):  # pylsl is there, the library that it calls is not
        raise InputError(
            tr(
                "the library liblsl is missing; install it from "
                "https://github.com/sccn/liblsl/releases, then start FER Live again"
            )
        ) from None
    return pylsl


class LslSink:
    """A `ResultSink` into one regular LSL stream: the followed face, a sample a frame.

    Channels: a probability an expression, `shown_confidence`, `quality`, then the signals, if they
    were on in the first frames, then `track_id`; NaN where no face is in view, in the signals where
    it was not measured, and in `shown_confidence` for "unsure". The rate is that of the first
    frames. Time stamps are on LSL's clock and are those of the capture, not of the sending; of a
    file that is read as fast as it goes, the file's time from now on. The face followed is the
    largest, until it has been gone for two seconds. Markers have an irregular stream of strings
    beside it, of type `Markers`, whose name ends in "markers".
    """

    def __init__(self, name: str, labels: tuple[str, ...], *, is_live: bool) -> None:
        self._lsl = load_lsl()
        self._name, self._labels, self._is_live = name, labels, is_live
        self._signals: list[str] = []
        self._outlet: Any = None
        self._test_outlet: Any = None
        self._last: list[float] = []
        self._first_times_s: list[float] = []
        self._clock_offset_s = self._last_s = 0.0
        self._followed = FollowedFace()
        marks = self._lsl.StreamInfo(
            f"{name} markers",
            MARKER_STREAM_TYPE,
            1,
            self._lsl.IRREGULAR_RATE,
            "string",
            f"{OUR_SOURCE_ID}{name}-markers",
        )
        self._marks: Any = self._lsl.StreamOutlet(marks)

    def mark(self, marker: Marker) -> None:
        assert self._marks is not None
        if self._is_live:
            self._clock_offset_s = offset_s(self._lsl.local_clock)
        self._marks.push_sample([marker_text(marker)], marker.time_s + self._clock_offset_s)

    def write(self, source: str, result: FrameResult) -> None:
        captured_at_s = result.frame.captured_at_s
        if self._outlet is None:
            self._first_times_s.append(captured_at_s)
            if len(self._first_times_s) < _RATE_FROM_FRAMES:
                return
            self._open(result)
        face = self._followed.find(result)
        sample = self._sample(face)
        if self._is_live:  # the clocks drift apart
            self._clock_offset_s = offset_s(self._lsl.local_clock)
        elif captured_at_s < self._last_s:  # another file begins
            self._clock_offset_s = self._lsl.local_clock() - captured_at_s
        self._last_s = captured_at_s
        self._last = sample
        self._outlet.push_sample(sample, captured_at_s + self._clock_offset_s)

    @property
    def last_message(self) -> str:
        """The sample that was sent last."""
        return " ".join(f"{value:.3g}" for value in self._last)

    def send_test(self) -> str:
        """Send a text in a stream of its own, for no test may stand among the data; returns what
        happened."""
        if self._outlet is None:
            return tr("The stream begins with the first pictures; test again in a second.")
        if self._test_outlet is None:
            name = f"{self._name} test"
            info = self._lsl.StreamInfo(name, "Test", 1, 0.0, "string", f"fer-live-{name}")
            self._test_outlet = self._lsl.StreamOutlet(info)
        text = f"FER Live test {datetime.now():%H:%M:%S}"
        self._test_outlet.push_sample([text])
        if self._outlet.have_consumers():
            receivers = tr("At least one receiver reads the stream {name}.", name=self._name)
        else:
            receivers = tr("Nobody reads the stream {name} yet.", name=self._name)
        return (
            receivers
            + " "
            + tr("In the stream {name} was sent: {text}", name=f"{self._name} test", text=text)
        )

    def close(self) -> None:
        self._outlet = self._test_outlet = self._marks = None

    def abandon(self) -> None:
        self.close()

    def _sample(self, face: FaceResult | None) -> list[float]:
        if face is None:
            n_others = len(_OTHER_CHANNELS) + len(self._signals) + 1
            return [math.nan] * (len(self._labels) + n_others)
        values = signal_values(face, self._labels) if self._signals else {}
        others = [face.shown_confidence, face.quality, *values.values(), face.track_id]
        return [
            *map(float, face.probs),
            *(math.nan if value is None else float(value) for value in others),
        ]

    def _open(self, result: FrameResult) -> None:
        self._signals = signal_columns() if result.has_signals else []
        interval_s = float(np.median(np.diff(self._first_times_s)))
        self._clock_offset_s = self._lsl.local_clock() - self._first_times_s[-1]
        rate = round(1 / max(interval_s, 1e-3), 2)
        n_channels = len(self._labels) + len(_OTHER_CHANNELS) + len(self._signals) + 1
        info = self._lsl.StreamInfo(
            self._name, "Expression", n_channels, rate, "float32", f"{OUR_SOURCE_ID}{self._name}"
        )
        channels = info.desc().append_child("channels")
        for label in self._labels:
            self._describe(channels, label, "probability")
        units = {column: signal_unit(column) for column in self._signals}
        for name, unit in (_OTHER_CHANNELS | units | {"track_id": "number"}).items():
            self._describe(channels, name, unit)
        self._outlet = self._lsl.StreamOutlet(info)

    @staticmethod
    def _describe(channels: object, label: str, unit: str) -> None:
        channel = channels.append_child("channel")  # type: ignore[attr-defined]
        channel.append_child_value("label", label)
        channel.append_child_value("unit", unit)
        channel.append_child_value("type", "Expression")


OUTPUT = OutputKind(
    name="lsl",
    title="LSL",
    purpose=mark(
        "For laboratories: one stream beside EEG, eye tracking and markers, on one clock; "
        "LabRecorder finds it by its name."
    ),
    metavar="NAME",
    help="a stream of the Lab Streaming Layer, and one of markers",
    open=lambda opening: LslSink(
        f"{opening.where} {opening.source}".strip(), opening.labels, is_live=opening.is_live
    ),
    suggest=lambda: "FER Live",
    extra="lsl",
    package="pylsl",
    sharing="each",
    position=50,
)
