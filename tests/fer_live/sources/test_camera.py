import os
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.errors import SourceError, TruncatedError
from fer_live.sources.camera import CameraSource
from fer_live.sources.clip import ClipSource, PacedClip
from fer_live.sources.images import ImageSource, images_in, read_image
from fer_live.sources.open import is_url
from fer_live.sources.stream import StreamSource
from tests.helpers.cameras import SyntheticCamera
from tests.helpers.clips import read_all, truncated


def test_a_clip_is_read_to_its_end_with_its_own_times(demo_clip: Path):
    source = ClipSource(demo_clip)
    n_frames = source.n_frames
    frames = read_all(source)
    assert [frame.index for frame in frames] == list(range(n_frames))
    gaps = np.diff([frame.captured_at_s for frame in frames])
    np.testing.assert_allclose(gaps, 1 / 30, atol=2e-3)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.mp4", None, "no such file"),
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"this is no video\n" * 50, "not a video"),
    ],
)
def test_a_file_that_is_no_clip_is_refused(tmp_path: Path, name: str, content, says: str):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=says) as caught:
        ClipSource(path)
    assert str(path) in str(caught.value)


def test_a_colon_in_a_relative_name_is_no_protocol(
    demo_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    Path("at 10:30.mp4").write_bytes(demo_clip.read_bytes())
    Path("http:clip.mp4").write_bytes(demo_clip.read_bytes())
    for name in ("at 10:30.mp4", "http:clip.mp4"):
        clip = ClipSource(Path(name))
        assert clip.read() is not None
        clip.close()


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.mp4")
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(SourceError, match="is not a regular file"):
        ClipSource(tmp_path / "pipe.mp4")
    with pytest.raises(SourceError, match="is not a regular file"):
        read_image(tmp_path / "pipe.png")


def test_a_name_that_opencv_cannot_take_is_refused(demo_clip: Path, tmp_path: Path):
    """OpenCV ended the process with signal 11."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.mp4"))
    path.write_bytes(demo_clip.read_bytes())
    with pytest.raises(SourceError, match="rename the file"):
        ClipSource(path)


def test_a_folder_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)  # file modes do not bind root
    with pytest.raises(SourceError, match="cannot be read: Permission denied"):
        images_in(tmp_path)


def test_a_folder_is_no_clip(tmp_path: Path):
    with pytest.raises(SourceError, match="is a folder"):
        ClipSource(tmp_path)


def test_a_clip_that_ends_early_says_so_after_its_last_frame(demo_clip: Path, tmp_path: Path):
    source = ClipSource(truncated(demo_clip, tmp_path, 0.5))
    n_read = 0
    with pytest.raises(TruncatedError, match="damaged or was cut off"):
        while source.read() is not None:
            n_read += 1
    source.close()
    assert 10 < n_read < 50


def test_a_whole_clip_of_variable_frame_rate_is_not_called_damaged(demo_clip: Path, tmp_path: Path):
    """Containers without a frame count: OpenCV multiplies the length by the nominal rate."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    clip = tmp_path / "variable.mkv"
    # Two of three frames are dropped in the clip's middle: same length, fewer frames.
    drop = "select='not(between(t,1,6))+not(mod(n,3))'"
    encode = ["-vf", drop, "-fps_mode", "vfr", "-c:v", "mpeg4"]
    command = ["ffmpeg", "-v", "error", "-i", str(demo_clip), *encode, str(clip)]
    subprocess.run(command, check=True)
    frames = read_all(ClipSource(clip))
    assert 100 < len(frames) < 200
    assert frames[-1].captured_at_s == pytest.approx(7.47, abs=0.1)


def test_a_paced_clip_plays_in_real_time_and_starts_again(demo_clip: Path):
    source = PacedClip(demo_clip)
    first = [source.read() for _ in range(10)]
    source._clip._index = source._clip.n_frames  # as if the end were reached
    source._clip._capture.release()
    again = [source.read() for _ in range(3)]
    source.close()
    times = [frame.captured_at_s for frame in first]
    assert times[-1] - times[0] == pytest.approx(9 / 30, abs=0.08)
    assert [frame.index for frame in first + again] == list(range(13))
    np.testing.assert_array_equal(again[0].image_bgr, first[0].image_bgr)


def test_a_stream_is_read_and_its_end_told(demo_clip: Path):
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    command = ["ffmpeg", "-v", "error", "-i", str(demo_clip), "-t", "2", "-c:v", "mpeg2video"]
    server = subprocess.Popen([*command, "-f", "mpegts", f"{url}?listen=1"])
    try:
        source = None
        deadline = time.monotonic() + 20
        while source is None and time.monotonic() < deadline:
            try:
                source = StreamSource(url)
            except SourceError:  # the server is not up yet
                time.sleep(0.1)
        assert source is not None
        frames = read_all(source)
    finally:
        server.kill()
        server.wait()
    assert len(frames) >= 50
    assert frames[0].image_bgr.shape == (480, 640, 3)


def test_a_missing_camera_is_refused():
    with pytest.raises(SourceError, match="camera 93: not there"):
        CameraSource(93)


def test_an_image_is_a_source_of_one_frame(tmp_path: Path):
    path = tmp_path / "gray é.png"
    cv2.imencode(".png", np.full((5, 7), 9, np.uint8))[1].tofile(path)
    frames = read_all(ImageSource(path))
    assert [frame.image_bgr.shape for frame in frames] == [(5, 7, 3)]


def test_a_broken_image_is_refused(tmp_path: Path):
    path = tmp_path / "broken.png"
    whole = cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes()
    huge = struct.pack(">II", 60_000, 60_000)
    for content in (b"\x89PNG but no more", whole[:16] + huge + whole[24:]):
        path.write_bytes(content)
        with pytest.raises(SourceError, match="not an image"):
            read_image(path)


def test_the_synthetic_camera_can_be_unplugged():
    camera = SyntheticCamera([np.zeros((4, 4, 3), np.uint8)], 2, then_fail=True)
    assert [camera.read().index, camera.read().index] == [0, 1]
    with pytest.raises(SourceError):
        camera.read()


@pytest.mark.parametrize(
    ("source", "expected"),
    [("", False), ("clip.mp4", False), ("rtsp://host/x", True), ("http://h:1/y", True)],
)
def test_is_url(source: str, expected: bool):
    assert is_url(source) is expected
