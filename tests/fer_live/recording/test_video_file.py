import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.errors import OutputError, SourceError
from fer_live.recording.player import ClipPlayer
from fer_live.recording.video_file import VIDEO_SUFFIXES, VideoFile
from fer_live.sources.clip import ClipSource


def moving(n: int, height: int = 96, width: int = 128) -> list[np.ndarray]:
    """Pictures whose brightness tells their number."""
    return [np.full((height, width, 3), 2 * k + 10, np.uint8) for k in range(n)]


def read_all(path: Path) -> list[tuple[float, float]]:
    source, found = ClipSource(path), []
    while (frame := source.read()) is not None:
        found.append((frame.captured_at_s, float(frame.image_bgr.mean())))
    return found


@pytest.mark.parametrize("suffix", VIDEO_SUFFIXES)
def test_every_frame_keeps_its_own_time(tmp_path: Path, suffix: str):
    path = tmp_path / f"a{suffix}"
    times = [1000.0, 1000.033, 1000.2, 1000.21, 1002.0, 1002.04]
    with closing(VideoFile(path)) as video:
        for image, time_s in zip(moving(6), times, strict=True):
            video.write(image, time_s)
    found = read_all(path)
    assert len(found) == 6
    for (time_s, brightness), wanted_s, image in zip(found, times, moving(6), strict=True):
        assert time_s == pytest.approx(wanted_s - 1000, abs=2e-3)
        assert brightness == pytest.approx(image.mean(), abs=3)


def test_odd_sizes_are_kept_but_for_a_repeated_edge(tmp_path: Path):
    with closing(VideoFile(tmp_path / "a.mkv")) as video:
        for k, image in enumerate(moving(3, 95, 127)):
            video.write(image, k / 30)
    capture = cv2.VideoCapture(str(tmp_path / "a.mkv"))
    assert capture.read()[1].shape == (96, 128, 3)


def test_another_size_and_a_full_disk_are_refused(tmp_path: Path):
    with closing(VideoFile(tmp_path / "a.mkv")) as video:
        video.write(moving(1)[0], 0.0)
        with pytest.raises(OutputError, match="changed its size"):
            video.write(moving(1, 48, 64)[0], 0.1)
    full = tmp_path / "full.mkv"
    full.symlink_to("/dev/full")
    noise = np.random.default_rng(0)
    with pytest.raises(OutputError, match="the disk is full"), closing(VideoFile(full)) as video:
        for k in range(200):
            video.write(noise.integers(0, 256, (96, 128, 3), dtype=np.uint8), k / 30)
    nowhere = tmp_path / "nowhere/a.mkv"
    with pytest.raises(OutputError, match="folder is gone"), closing(VideoFile(nowhere)) as video:
        video.write(moving(1)[0], 0.0)


@pytest.mark.parametrize("suffix", VIDEO_SUFFIXES)
def test_all_but_the_last_second_plays_after_kill_9(tmp_path: Path, suffix: str):
    path = tmp_path / f"a{suffix}"
    code = (
        "import sys, os, signal, numpy as np; from pathlib import Path\n"
        "from fer_live.recording.video_file import VideoFile\n"
        "video = VideoFile(Path(sys.argv[1]))\n"
        "for k in range(150):\n"
        "    video.write(np.full((96, 128, 3), k + 50, np.uint8), k / 30)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], env={**os.environ})
    assert done.returncode == -signal.SIGKILL
    capture, n = cv2.VideoCapture(str(path)), 0
    while capture.read()[0]:
        n += 1
    assert n >= 150 - 30
    player = ClipPlayer(path)
    assert player.length_s >= 3.9
    frame = player.at(3.0)
    assert frame is not None
    assert frame.image_bgr.mean() == pytest.approx(90 + 50, abs=4)
    player.close()


def test_the_player_shows_any_moment(tmp_path: Path):
    path = tmp_path / "a.mkv"
    with closing(VideoFile(path)) as video:
        for k, image in enumerate(moving(100)):
            video.write(image, k / 25)
    player = ClipPlayer(path)
    assert player.length_s == pytest.approx(99 / 25, abs=2e-3)
    for number in (0, 50, 51, 52, 10, 99, 98, 3):
        frame = player.at(number / 25)
        assert frame is not None
        assert frame.captured_at_s == pytest.approx(number / 25, abs=2e-3)
        assert frame.image_bgr.mean() == pytest.approx(2 * number + 10, abs=6), number
    player.close()
    (tmp_path / "text.mkv").write_text("no video")
    with pytest.raises(SourceError, match="not a video"):
        ClipPlayer(tmp_path / "text.mkv")
