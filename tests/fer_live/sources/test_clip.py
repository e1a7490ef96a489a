import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest

from fer_live.datatypes import Frame
from fer_live.errors import SourceError
from fer_live.sources.clip import ClipSource, PacedClip
from fer_live.sources.images import read_image
from tests.helpers.cameras import SyntheticCamera
from tests.helpers.clips import (
    ALL_CLIPS,
    any_clip,
    changing_size,
    ffmpeg,
    ffprobe_times,
    make_clip,
    read_all,
    read_what_is_there,
    sound_alone,
    time_jump,
    trimmed,
    truncated,
    video_late,
)
from tests.helpers.clocks import Clock
from tests.helpers.descriptors import DESCRIPTORS, open_descriptors

MAX_TIME_DIFFERENCE_S = 1e-3


def test_a_clip_is_read_to_its_end_with_its_own_times(demo_clip: Path):
    source = ClipSource(demo_clip)
    n_frames = source.n_frames
    frames = read_all(source)
    assert [frame.index for frame in frames] == list(range(n_frames))
    gaps = np.diff([frame.captured_at_s for frame in frames])
    np.testing.assert_allclose(gaps, 1 / 30, atol=2e-3)


@pytest.mark.parametrize("name", ALL_CLIPS)
def test_every_kind_is_whole_and_has_the_times_of_ffprobe(tmp_path: Path, name: str):
    clip = any_clip(name, tmp_path)
    times_s = [frame.captured_at_s for frame in read_all(ClipSource(clip))]
    assert len(times_s) > 5
    told_s = np.array(ffprobe_times(clip))
    assert len(times_s) == len(told_s)
    is_told = np.isfinite(told_s)
    assert is_told.mean() > 0.5
    np.testing.assert_allclose(
        np.array(times_s)[is_told], told_s[is_told], atol=MAX_TIME_DIFFERENCE_S
    )


def test_the_times_are_on_the_files_own_clock(tmp_path: Path):
    assert ClipSource(video_late(tmp_path)).read().captured_at_s == pytest.approx(2.0, abs=1e-3)
    assert len(read_all(ClipSource(trimmed(tmp_path)))) == 15
    times_s = [frame.captured_at_s for frame in read_all(ClipSource(time_jump(tmp_path)))]
    assert np.diff(times_s).max() == pytest.approx(7200 - 1.5, abs=0.2)


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("2026-11-25T14:03:22Z", datetime(2026, 11, 25, 14, 3, 22, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", None),  # a camera whose clock was never set
        ("", None),
    ],
)
def test_the_wall_clock_is_that_of_the_files_creation(
    tmp_path: Path, told: str, moment: datetime | None
):
    plain, dated = make_clip("plain.mp4", tmp_path), tmp_path / "dated.mp4"
    metadata = ("-metadata", f"creation_time={told}") if told else ()
    ffmpeg("-i", plain, "-c", "copy", *metadata, dated)
    for frame in read_all(ClipSource(dated)):
        expected = moment and moment + timedelta(seconds=frame.captured_at_s)
        assert frame.captured_at_utc == expected


@pytest.mark.parametrize(
    "told", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-2359", "0001-01-01T00:00:00+2359"]
)
def test_a_wall_clock_at_an_end_of_the_calendar_is_none(tmp_path: Path, told: str):
    plain, dated = make_clip("plain.mp4", tmp_path), tmp_path / "dated.mov"
    tag = ("-movflags", "use_metadata_tags", "-metadata")
    for moment in ("2026-11-25T14:03:22Z", told):
        tagged = (*tag, f"com.apple.quicktime.creationdate={moment}")
        ffmpeg("-y", "-i", plain, "-c", "copy", *tagged, dated)
        frames = read_all(ClipSource(dated))
        is_none = [frame.captured_at_utc is None for frame in frames]
        assert is_none == [moment == told] * len(frames)


@pytest.mark.parametrize("name", ["wide_pixels.mp4", "tall_pixels.mkv"])
def test_pixels_that_are_not_square_are_made_square(tmp_path: Path, name: str):
    odd, square = make_clip(name, tmp_path), make_clip("plain.mp4", tmp_path)
    pictures = [read_all(ClipSource(clip))[0].image_bgr for clip in (odd, square)]
    assert pictures[0].shape == pictures[1].shape == (120, 160, 3)
    assert np.abs(pictures[0].astype(int) - pictures[1]).mean() < 6


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_a_clip_is_upright(tmp_path: Path, degrees: int, is_mirrored: bool):
    turned = tmp_path / "turned.mp4"
    with av.open(str(make_clip("plain.mp4", tmp_path))) as plain, av.open(turned, "w") as out:
        stream = out.add_stream_from_template(plain.streams.video[0])
        stream.set_display_rotation(degrees, hflip=is_mirrored)
        for packet in plain.demux(plain.streams.video[0]):
            if packet.size:
                packet.stream = stream
                out.mux(packet)
    picture = ClipSource(turned).read().image_bgr
    as_players_show_it = tmp_path / "shown.png"
    ffmpeg("-i", turned, "-frames:v", 1, "-update", 1, as_players_show_it)
    shown = read_image(as_players_show_it)
    assert picture.shape == shown.shape
    assert np.abs(picture.astype(int) - shown).mean() < 3


@pytest.mark.parametrize("matrix", [8, 10, 12, 14])
def test_a_color_matrix_that_nothing_converts_still_gives_pictures(tmp_path: Path, matrix: int):
    tagged = tmp_path / "tagged.mp4"
    tags = f"h264_metadata=matrix_coefficients={matrix}"
    ffmpeg("-i", make_clip("plain.mp4", tmp_path), "-c", "copy", "-bsf:v", tags, tagged)
    plain, read = (read_all(ClipSource(path)) for path in (tmp_path / "plain.mp4", tagged))
    assert len(read) == len(plain)
    off = np.abs(read[9].image_bgr.astype(int) - plain[9].image_bgr).mean()
    assert off < 12, "not the same picture"


@pytest.mark.parametrize("name", ["hlg.mp4", "pq.mkv"])
def test_the_tags_of_hdr_cost_nothing_and_change_no_gray(tmp_path: Path, name: str):
    tagged = read_all(ClipSource(make_clip(name, tmp_path)))[3].image_bgr
    plain = read_all(ClipSource(make_clip("hevc.mp4", tmp_path)))[3].image_bgr
    assert np.abs(tagged.mean(axis=2) - plain.mean(axis=2)).mean() < 6


def test_frames_that_change_their_size_keep_their_own(tmp_path: Path):
    shapes = [frame.image_bgr.shape for frame in read_all(ClipSource(changing_size(tmp_path)))]
    assert set(shapes) == {(120, 160, 3), (320, 240, 3)}


@pytest.mark.parametrize("with_cover", [False, True])
def test_a_song_holds_no_video_and_its_cover_is_none(tmp_path: Path, with_cover: bool):
    song = sound_alone(tmp_path, with_cover=with_cover)
    with pytest.raises(SourceError, match="holds no video"):
        ClipSource(song)


CUT_KINDS = ["plain.mp4", "mjpeg.avi", "vp9.webm", "variable.mkv", "plain.ts", "fragments.mp4"]


@pytest.mark.parametrize("name", CUT_KINDS)
@pytest.mark.parametrize("share", [0.4, 0.7, 0.97])
def test_a_clip_that_was_cut_off_says_so_after_its_last_frame(
    tmp_path: Path, name: str, share: float
):
    whole = tmp_path / name
    make_clip(name, tmp_path)
    ffmpeg("-i", whole, "-c", "copy", "-movflags", "faststart", tmp_path / f"front_{name}")
    content = (tmp_path / f"front_{name}").read_bytes()
    cut = tmp_path / f"cut_{name}"
    cut.write_bytes(content[: int(len(content) * share) | 1])
    frames, trouble = read_what_is_there(ClipSource(cut))
    assert 1 <= len(frames) < len(read_all(ClipSource(whole)))
    assert "damaged or was cut off" in str(trouble)
    assert f"the {len(frames)} frames" in str(trouble)


@pytest.mark.parametrize("name", ["plain.mp4", "hevc.mp4", "vp9.webm", "plain.ts", "mpeg4.avi"])
def test_a_clip_whose_middle_is_lost_says_so(tmp_path: Path, name: str):
    content = bytearray(make_clip(name, tmp_path).read_bytes())
    middle = len(content) // 2
    content[middle : middle + len(content) // 10] = bytes(len(content) // 10)
    (tmp_path / name).write_bytes(content)
    frames, trouble = read_what_is_there(ClipSource(tmp_path / name))
    assert len(frames) > 3
    assert "damaged or was cut off" in str(trouble)


def test_a_broadcast_that_begins_between_two_key_frames_is_not_damaged(tmp_path: Path):
    content = make_clip("plain.ts", tmp_path).read_bytes()
    tables, packet = content[: 3 * 188], 188
    (tmp_path / "joined.ts").write_bytes(tables + content[40 * packet :] + content)
    frames, trouble = read_what_is_there(ClipSource(tmp_path / "joined.ts"))
    assert trouble is None
    assert len(frames) >= 45


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.mp4", None, "no such file"),
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"this is no video\n" * 50, "not a video"),
        ("zeros.mp4", bytes(100_000), "not a video"),
    ],
)
def test_a_file_that_is_no_clip_is_refused(tmp_path: Path, name: str, content, says: str):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=says) as caught:
        ClipSource(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["at 10:30.mp4", "http:clip.mp4", "clip.jpg", "a%03d.png", "clip"])
def test_no_name_decides_about_the_decoder(
    demo_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(demo_clip.read_bytes())
    clip = ClipSource(Path(name))
    assert clip.read().image_bgr.shape == (480, 640, 3)
    clip.close()


def test_a_name_that_is_no_text_is_read_all_the_same(demo_clip: Path, tmp_path: Path):
    """OpenCV ended the process with signal 11."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.mp4"))
    path.write_bytes(demo_clip.read_bytes())
    assert ClipSource(path).read() is not None
    path.unlink()  # pytest's own clean-up cannot


def test_pipes_folders_and_devices_are_refused_instead_of_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.mp4")
    for path in (tmp_path / "pipe.mp4", Path("/dev/zero")):
        with pytest.raises(SourceError, match="is not a regular file"):
            ClipSource(path)
    with pytest.raises(SourceError, match="is a folder"):
        ClipSource(tmp_path)
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop)
    with pytest.raises(SourceError, match="cannot be read: Too many levels"):
        ClipSource(loop)
    with pytest.raises(SourceError, match="cannot be read: File name too long"):
        ClipSource(tmp_path / ("a" * 300))


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="this system does not list descriptors")
def test_no_descriptor_is_left(demo_clip: Path, tmp_path: Path):
    cut = truncated(demo_clip, tmp_path, 0.5)
    song = sound_alone(tmp_path)
    before = open_descriptors()
    for clip in [demo_clip, cut] * 5:
        read_what_is_there(ClipSource(clip))
    for _ in range(5):
        with pytest.raises(SourceError):
            ClipSource(song)
    assert open_descriptors() - before == set()


def test_a_clip_that_ends_early_says_so_after_its_last_frame(demo_clip: Path, tmp_path: Path):
    frames, trouble = read_what_is_there(ClipSource(truncated(demo_clip, tmp_path, 0.5)))
    assert "damaged or was cut off" in str(trouble)
    assert 10 < len(frames) < 50


class Timed(SyntheticCamera):
    """A clip of given times."""

    def __init__(self, times_s: list[float]) -> None:
        super().__init__([np.zeros((4, 4, 3), np.uint8)], len(times_s))
        self._times_s = times_s

    def read(self) -> Frame | None:
        frame = super().read()
        return frame and Frame(frame.image_bgr, frame.index, self._times_s[frame.index])


def test_a_paced_clip_plays_in_real_time_and_starts_again(monkeypatch: pytest.MonkeyPatch):
    Clock.of("fer_live.sources.clip", monkeypatch)
    times = [k / 30 for k in range(8)]
    source = PacedClip(lambda: Timed(times))
    frames = [source.read() for _ in range(20)]
    source.close()
    shown_s = [frame.captured_at_s for frame in frames]
    assert shown_s[-1] - shown_s[0] == pytest.approx(19 / 30, abs=0.1)
    assert [frame.index for frame in frames] == list(range(20))


@pytest.mark.parametrize("jump_s", [7200.0, -7200.0, 20.0])
def test_a_jump_of_the_clock_is_a_new_beginning(jump_s: float, monkeypatch: pytest.MonkeyPatch):
    clock = Clock.of("fer_live.sources.clip", monkeypatch)
    times = [10_000 + k / 30 for k in range(4)]
    source = PacedClip(lambda: Timed([*times, *(time_s + jump_s for time_s in times)]))
    start_s = clock.now_s
    frames = [source.read() for _ in range(8)]
    source.close()
    assert len(frames) == 8
    assert clock.now_s - start_s < 1


def test_the_app_says_what_is_wrong_and_ffmpeg_nothing(demo_clip: Path, tmp_path: Path):
    """FFmpeg's own lines are no help to a person."""
    cut = truncated(demo_clip, tmp_path, 0.5)
    code = (
        "import sys; from pathlib import Path; from fer_live.sources.clip import ClipSource\n"
        "clip = ClipSource(Path(sys.argv[1]))\n"
        "try:\n"
        "    while clip.read(): pass\n"
        "except Exception as error: print(type(error).__name__)\n"
    )
    command = [sys.executable, "-c", code, str(cut)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("TruncatedError\n", "")
