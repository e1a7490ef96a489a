"""Clips of every kind, made from assets/demo.mp4, some of them spoilt in a known way."""

import shutil
import subprocess
from itertools import islice
from pathlib import Path

import av
import cv2
import pytest

from fer_live.datatypes import Frame
from fer_live.errors import TruncatedError
from fer_live.model.assets import asset
from fer_live.sources.clip import ClipSource
from fer_live.sources.source import FrameSource

N_FRAMES = 45
"""How many frames a clip has where nothing else is said."""
_SMALL = "scale=160:120"
_HDR = "colorprim=bt2020:colormatrix=bt2020nc:transfer"

RECIPES: dict[str, list[str]] = {
    "plain.mp4": ["-vf", _SMALL, "-c:v", "libx264", "-bf", "2", "-g", "250"],
    "hevc.mp4": ["-vf", _SMALL, "-c:v", "libx265", "-x265-params", "log-level=none"],
    "av1.mkv": ["-vf", _SMALL, "-c:v", "libaom-av1", "-cpu-used", "8", "-t", "0.5"],
    "vp9.webm": ["-vf", _SMALL, "-c:v", "libvpx-vp9", "-deadline", "realtime"],
    "prores.mov": ["-vf", _SMALL, "-c:v", "prores_ks"],
    "mjpeg.avi": ["-vf", _SMALL, "-c:v", "mjpeg"],
    "mpeg4.avi": ["-vf", _SMALL, "-c:v", "mpeg4", "-bf", "2"],
    "plain.ts": ["-vf", _SMALL, "-c:v", "libx264"],
    "plain.flv": ["-vf", _SMALL, "-c:v", "libx264"],
    "fragments.mp4": ["-vf", _SMALL, "-c:v", "libx264", "-movflags", "frag_keyframe+empty_moov"],
    "interlaced.ts": ["-vf", f"{_SMALL},interlace", "-c:v", "mpeg2video", "-flags", "+ildct+ilme"],
    "program.mpg": ["-vf", _SMALL, "-c:v", "mpeg2video", "-bf", "2"],
    "variable.mkv": [
        *("-vf", f"select='not(mod(n\\,7))+not(mod(n\\,5))',{_SMALL}"),
        *("-fps_mode", "vfr", "-c:v", "libx264"),
    ],
    "wide_pixels.mp4": ["-vf", "scale=80:120,setsar=2/1", "-c:v", "libx264"],
    "tall_pixels.mkv": ["-vf", "scale=320:120,setsar=1/2", "-c:v", "libx264"],
    "hlg.mp4": [
        *("-vf", f"{_SMALL}:out_color_matrix=bt2020nc,format=yuv420p10le", "-c:v", "libx265"),
        *("-x265-params", f"log-level=none:{_HDR}=arib-std-b67"),
    ],
    "pq.mkv": [
        *("-vf", f"{_SMALL}:out_color_matrix=bt2020nc,format=yuv420p10le", "-c:v", "libx265"),
        *("-x265-params", f"log-level=none:{_HDR}=smpte2084"),
    ],
    "drop_frames.avi": [
        *("-vf", f"select='not(mod(n\\,3))',{_SMALL}", "-fps_mode", "passthrough"),
        *("-c:v", "mjpeg"),
    ],
}
"""Of each, the arguments that make it of assets/demo.mp4's first second and a half."""


def ffmpeg(*arguments: object) -> None:
    """Run it, or skip the test where it is not installed."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    quiet = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
    subprocess.run([*quiet, *map(str, arguments)], check=True)


def make_clip(name: str, into: Path) -> Path:
    """The clip of that name, from `RECIPES`."""
    path = into / name
    ffmpeg("-i", asset("demo.mp4"), "-t", 1.5, "-an", *RECIPES[name], path)
    return path


def part_of_demo(path: Path, begin: int = 0, n: int = N_FRAMES) -> Path:
    """So many frames of assets/demo.mp4, as they are stored in it, from a key frame on."""
    with av.open(str(asset("demo.mp4"))) as whole, av.open(str(path), "w") as part:
        video = whole.streams.video[0]
        copied = part.add_stream_from_template(video)
        packets = list(islice(whole.demux(video), begin, begin + n))
        first = packets[0]
        assert first.is_keyframe and first.dts is not None
        begins = first.dts
        for packet in packets:
            packet.stream = copied
            packet.pts, packet.dts = packet.pts - begins, packet.dts - begins
            part.mux(packet)
    return path


def trimmed(into: Path) -> Path:
    """Cut without decoding: 45 frames are stored, and an edit list shows the last of them."""
    ffmpeg("-ss", 1, "-i", make_clip("plain.mp4", into), "-c", "copy", into / "trimmed.mp4")
    return into / "trimmed.mp4"


def video_late(into: Path) -> Path:
    """The video begins two seconds after the sound."""
    late = ["-itsoffset", 2, "-i", make_clip("plain.mp4", into)]
    sound = ["-f", "lavfi", "-i", "sine=d=4"]
    copied = ["-map", "1:v", "-map", "0:a", "-c:v", "copy", "-c:a", "aac"]
    ffmpeg(*sound, *late, *copied, into / "late.mp4")
    return into / "late.mp4"


def sound_longer(into: Path) -> Path:
    """The sound goes on for seconds after the last picture."""
    sources = ["-i", make_clip("plain.mp4", into), "-f", "lavfi", "-i", "sine=d=6"]
    ffmpeg(*sources, "-map", 0, "-map", 1, "-c:v", "copy", "-c:a", "libopus", into / "sound.mkv")
    return into / "sound.mkv"


def time_jump(into: Path) -> Path:
    """Two parts one behind the other, whose clocks are two hours apart."""
    plain, jump = make_clip("plain.ts", into), into / "jump.ts"
    ffmpeg("-i", plain, "-c", "copy", "-output_ts_offset", 7200, into / "later.ts")
    jump.write_bytes(plain.read_bytes() + (into / "later.ts").read_bytes())
    return jump


def sound_alone(into: Path, *, with_cover: bool = False) -> Path:
    """A song; its cover is a video track to FFmpeg."""
    path = into / "song.mp3"
    ffmpeg("-f", "lavfi", "-i", "sine=d=1", path)
    if not with_cover:
        return path
    cover, covered = into / "cover.png", into / "covered.mp3"
    ffmpeg("-i", asset("demo.mp4"), "-frames:v", 1, "-update", 1, cover)
    ffmpeg("-i", path, "-i", cover, "-map", 0, "-map", 1, "-c", "copy", covered)
    return covered


def changing_size(into: Path) -> Path:
    """Two parts one behind the other, whose pictures have other sizes."""
    small, joined = make_clip("plain.ts", into), into / "sizes.ts"
    larger = ["-vf", "scale=240:320", "-c:v", "libx264", "-output_ts_offset", 1.5]
    ffmpeg("-i", asset("demo.mp4"), "-t", 1, *larger, into / "larger.ts")
    joined.write_bytes(small.read_bytes() + (into / "larger.ts").read_bytes())
    return joined


MADE = {
    make.__name__: make for make in (trimmed, video_late, sound_longer, time_jump, changing_size)
}
ALL_CLIPS = [*RECIPES, *MADE]


def any_clip(name: str, into: Path) -> Path:
    """The clip of a name in `ALL_CLIPS`."""
    return MADE[name](into) if name in MADE else make_clip(name, into)


def ffprobe_times(path: Path) -> list[float]:
    """The time of every frame of the first real video track, as ffprobe tells it; NaN where it does
    not, as for some frames of AVI."""
    if shutil.which("ffprobe") is None:
        pytest.skip("ffprobe is not installed")
    asked = ["-select_streams", "V:0", "-show_entries", "frame=best_effort_timestamp_time"]
    command = ["ffprobe", "-v", "error", *asked, "-of", "csv=p=0", str(path)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    times = [line.strip(",").replace("N/A", "nan") for line in lines]
    return [float(time) for time in times if time]


def read_all(source: FrameSource) -> list[Frame]:
    """Every frame to the end; the source is closed."""
    frames, trouble = read_what_is_there(source)
    assert trouble is None, trouble
    return frames


def read_what_is_there(source: FrameSource) -> tuple[list[Frame], TruncatedError | None]:
    """Every frame, and what was wrong with the source; it is closed."""
    frames = []
    try:
        while (frame := source.read()) is not None:
            frames.append(frame)
    except TruncatedError as error:
        return frames, error
    finally:
        source.close()
    return frames, None


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
