"""Markers that come in over the Lab Streaming Layer."""

import threading
from typing import TYPE_CHECKING

from fer_live.base.clocks import offset_s
from fer_live.base.translation import tr_n
from fer_live.outputs.kind import MarkersIn
from fer_live.outputs.lsl import MARKER_STREAM_TYPE, OUR_SOURCE_ID, load_lsl

if TYPE_CHECKING:
    from pylsl import StreamInfo

_LOOK_EVERY_S = 0.5
_WAIT_S = 0.2
_OPENS_WITHIN_S = 5.0
_ENDS_WITHIN_S = 2.0
_MAX_STREAMS = 16
_ORIGIN = "lsl"


class LslMarkers:
    """Hears every irregular stream of type `Markers`, or those of one name, as they come and go.

    Our own are left out. The first channel counts, a text or a number. A marker's time is the one
    that its sender gave it, taken over to this machine's clock by LSL. One thread looks for
    streams, and each stream has one. Streams of this machine alone are found, unless there is an
    `lsl_api.cfg`.
    """

    def __init__(self, name: str, markers: MarkersIn) -> None:
        self._lsl = load_lsl()
        self._name, self._markers = name, markers
        self._n_taken = self._n_odd = 0
        self._end = threading.Event()
        self._heard: dict[str, threading.Thread] = {}
        self._thread = threading.Thread(target=self._look, name="markers lsl", daemon=True)
        self._thread.start()

    @property
    def described(self) -> str:
        """How many streams there are, and what came."""
        n_streams = sum(thread.is_alive() for thread in list(self._heard.values()))
        odd = (
            tr_n("{n} message not understood", "{n} messages not understood", self._n_odd)
            if self._n_odd
            else ""
        )
        counts = (
            tr_n("{n} stream", "{n} streams", n_streams),
            tr_n("{n} marker", "{n} markers", self._n_taken),
            odd,
        )
        return "; ".join(filter(None, counts))

    def close(self) -> None:
        """Hear no more."""
        self._end.set()
        for thread in (self._thread, *self._heard.values()):
            thread.join(_ENDS_WITHIN_S)

    def _look(self) -> None:
        resolver = self._lsl.ContinuousResolver(prop="type", value=MARKER_STREAM_TYPE)
        while not self._end.wait(_LOOK_EVERY_S):
            for info in resolver.results():
                if self._is_wanted(info):
                    thread = threading.Thread(target=self._hear, args=(info,), daemon=True)
                    self._heard[info.uid()] = thread
                    thread.start()

    def _is_wanted(self, info: "StreamInfo") -> bool:
        n_open = sum(thread.is_alive() for thread in self._heard.values())
        return (
            info.uid() not in self._heard
            and n_open < _MAX_STREAMS
            and info.nominal_srate() == self._lsl.IRREGULAR_RATE
            and not info.source_id().startswith(OUR_SOURCE_ID)
            and self._name in ("", info.name())
        )

    def _hear(self, info: "StreamInfo") -> None:
        lsl = self._lsl
        inlet = lsl.StreamInlet(info, recover=False, processing_flags=lsl.proc_clocksync)
        try:
            inlet.open_stream(_OPENS_WITHIN_S)
            while not self._end.is_set():
                try:
                    sample, stamp = inlet.pull_sample(_WAIT_S)
                except UnicodeDecodeError:  # liblsl takes any bytes for a text
                    self._n_odd += 1
                    continue
                if sample is None or not self._markers.has_room(_ORIGIN):
                    continue
                at_s = stamp - offset_s(lsl.local_clock)
                if self._markers.take(str(sample[0]), _ORIGIN, at_s):
                    self._n_taken += 1
        except (lsl.LostError, lsl.TimeoutError):  # its program has ended; a new one is found again
            return
        finally:
            inlet.close_stream()
