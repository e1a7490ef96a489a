"""Copies the sound of a source into a video, on the source's own clock."""

from fractions import Fraction

import av

from fer_live.errors import SourceError
from fer_live.sources.container import open_container
from fer_live.sources.open import local_path

_AS_IT_IS = {
    ".mp4": {"aac", "mp3", "ac3", "eac3", "opus", "alac"},
    ".mkv": {"aac", "mp3", "ac3", "eac3", "opus", "alac", "flac", "vorbis", "pcm_s16le"},
}
"""Codecs that a container of this suffix holds and players know; others become AAC."""


_AAC_SAMPLES = 1024


class Sound:
    """The first sound track of a file, for a video that is being written; use `open_sound`."""

    def __init__(self, source: av.container.InputContainer, suffix: str) -> None:
        self._source = source
        self._track = source.streams.audio[0]
        self._packets = source.demux(self._track)
        self._is_copied = self._track.codec_context.name in _AS_IT_IS[suffix]
        self._container: av.container.OutputContainer | None = None
        self._stream: av.AudioStream | None = None
        self._waiting: av.Packet[av.AudioStream] | None = None
        self._begin_s = 0.0

    def begin(self, container: av.container.OutputContainer, begin_s: float) -> None:
        """Add the track to a video whose first picture is shown at `begin_s` of the source."""
        self._container, self._begin_s = container, begin_s
        if self._is_copied:
            self._stream = container.add_stream_from_template(self._track)
        else:
            self._stream = container.add_stream("aac", rate=self._track.rate)
            # Not the track's own layout: raw sound does not say which channel is where.
            layout = "mono" if self._track.codec_context.channels == 1 else "stereo"
            self._stream.layout = layout
            self._resampler = av.AudioResampler(
                "fltp", layout, self._track.rate, frame_size=_AAC_SAMPLES
            )

    def copy_until(self, time_s: float) -> None:
        """Copy all that is heard before a time of the source's clock."""
        while (packet := self._waiting or next(self._packets, None)) is not None:
            self._waiting = None
            if packet.pts is None or packet.time_base is None:
                continue
            at_s = float(packet.pts * packet.time_base)
            if at_s >= time_s:
                self._waiting = packet
                return
            if at_s >= self._begin_s:
                self._write(packet)

    def close(self) -> None:
        """Write what is missing, and let the source go."""
        if not self._is_copied and self._stream is not None and self._container is not None:
            self._encode(None)
            self._container.mux(self._stream.encode(None))
        self._stream = None
        self._source.close()

    def _write(self, packet: "av.Packet[av.AudioStream]") -> None:
        assert self._container is not None and self._stream is not None
        if not self._is_copied:
            for frame in packet.decode():
                if frame.pts is not None and frame.time_base is not None:
                    frame.pts -= round(self._begin_s / frame.time_base)
                self._encode(frame)
            return
        shift = round(Fraction(self._begin_s) / packet.time_base)
        assert packet.pts is not None, "others are left out"
        packet.pts -= shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        packet.stream = self._stream
        self._container.mux(packet)

    def _encode(self, frame: av.AudioFrame | None) -> None:
        """Encode a decoded frame, or with None what the resampler still holds."""
        assert self._container is not None and self._stream is not None
        for part in self._resampler.resample(frame):
            self._container.mux(self._stream.encode(part))


def open_sound(name: str, suffix: str) -> Sound | None:
    """Open the sound of a file for a video that ends in `suffix`; None where it has none.

    A stream that is still being sent has none here, because it can be read only once.
    """
    path = local_path(name)
    if path is None or not path.is_file():
        return None
    try:
        source = open_container(path)
    except SourceError:
        return None
    if not source.streams.audio or not source.streams.video:
        source.close()
        return None
    return Sound(source, suffix.lower())
