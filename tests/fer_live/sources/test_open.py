import time
from pathlib import Path

import numpy as np
import pytest

from fer_live.errors import SourceError, SourceTimeout, TruncatedError
from fer_live.sources.clip import ClipSource, PacedClip
from fer_live.sources.images import ImageSource, Slideshow
from fer_live.sources.open import is_url, local_path, open_live_source, open_source
from fer_live.sources.stream import StreamSource
from tests.helpers.clips import N_FRAMES, ffmpeg, make_clip, read_all
from tests.helpers.images import as_image, gradient
from tests.helpers.servers import file_server, mjpeg_server, silent_server


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        *(("", False), ("clip.mp4", False), ("rtsp://host/x", True), ("http://h:1/y", True)),
        *(
            ("file:/tmp/a.mp4", False),
            ("file:///tmp/a.mp4", False),
            ("FILE:///tmp/a.mp4", False),
            ("a:b", False),
        ),
    ],
)
def test_is_url(source: str, expected: bool):
    assert is_url(source) is expected


def test_a_file_url_is_the_file(tmp_path: Path):
    path = tmp_path / "a b é.mp4"
    make_clip("plain.mp4", tmp_path).rename(path)
    assert local_path(path.as_uri()) == path
    assert local_path(path.as_uri().replace("///", "/")) == path
    source = open_source(path.as_uri())
    assert isinstance(source, ClipSource)
    assert [frame.captured_at_s for frame in read_all(source)][:2] == pytest.approx([0, 1 / 30])
    as_image(gradient()).save(tmp_path / "a.png")
    assert isinstance(open_source((tmp_path / "a.png").as_uri()), ImageSource)
    assert isinstance(open_live_source(tmp_path.as_uri()), Slideshow)


@pytest.mark.parametrize("with_ranges", [True, False])
@pytest.mark.parametrize("name", ["plain.mp4", "plain.ts", "vp9.webm"])
def test_a_finished_file_behind_a_url_is_a_clip(tmp_path: Path, name: str, with_ranges: bool):
    whole = make_clip(name, tmp_path)
    front = tmp_path / f"front_{name}"
    ffmpeg("-i", whole, "-c", "copy", "-copyts", "-movflags", "faststart", front)
    with file_server(tmp_path, with_ranges=with_ranges) as address:
        url = f"{address}/{front.name}"
        source = open_source(url)
        assert isinstance(source, ClipSource)
        assert not source.reconnects
        times_s = [frame.captured_at_s for frame in read_all(source)]
        assert times_s == [frame.captured_at_s for frame in read_all(ClipSource(front))]
        assert len(times_s) == N_FRAMES
        paced = open_live_source(url)
        assert isinstance(paced, PacedClip)
        start_s = time.monotonic()
        assert all(paced.read() for _ in range(N_FRAMES + 5))  # and from its beginning again
        assert time.monotonic() - start_s > 1.4
        paced.close()


@pytest.mark.parametrize("has_end", [True, False])
def test_a_playlist_is_a_clip_where_it_has_an_end(tmp_path: Path, has_end: bool):
    made = ["-f", "hls", "-hls_time", "0.5", "-hls_list_size", "0"]
    playlist = tmp_path / "list.m3u8"
    ffmpeg("-i", make_clip("plain.ts", tmp_path), "-c", "copy", *made, playlist)
    if not has_end:
        playlist.write_text(playlist.read_text().replace("#EXT-X-ENDLIST", ""))
    with file_server(tmp_path) as address:
        for name in (f"{address}/list.m3u8", str(playlist)):
            source = open_source(name)
            assert isinstance(source, ClipSource if has_end else StreamSource)
            if has_end:
                assert len(read_all(source)) == N_FRAMES
            else:
                assert source.read() is not None
                source.close()


@pytest.mark.parametrize("line", ["#EXT-X-TARGETDURATION:99999999999", "#EXTINF:90000,"])
def test_a_list_without_an_end_is_not_waited_for_whatever_it_says(tmp_path: Path, line: str):
    """FFmpeg waits as long as a list says that its parts are."""
    make_clip("plain.ts", tmp_path)
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:0.2,", line, "plain.ts", ""]
    (tmp_path / "list.m3u8").write_text("\n".join(lines))
    began_s = time.monotonic()
    source = open_source(str(tmp_path / "list.m3u8"))
    assert len(read_all(source)) > 0
    source.close()
    assert time.monotonic() - began_s < 9.0


def test_a_stream_is_stamped_as_it_arrives_and_its_end_told():
    pictures = [gradient(160, 120) // (k % 5 + 1) for k in range(20)]
    with mjpeg_server(pictures) as url:
        source = open_source(url)
        assert isinstance(source, StreamSource)
        assert source.reconnects
        before_s = time.monotonic()
        frames = read_all(source)
    assert len(frames) >= 19
    assert before_s - 5 < frames[0].captured_at_s <= frames[-1].captured_at_s
    assert frames[-1].captured_at_s < time.monotonic()


def test_a_time_out_is_told_from_an_end_and_from_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fer_live.sources.container._ANSWERS_WITHIN_S", 1.0)
    with mjpeg_server([gradient(160, 120)] * 10, "stall", fps=60) as url:
        source = open_source(url)
        with pytest.raises(SourceTimeout, match="sends no new pictures"):
            while source.read() is not None:
                pass
        source.close()
    with silent_server() as url, pytest.raises(SourceTimeout, match="does not answer"):
        open_source(url)
    with pytest.raises(SourceError, match="no stream there") as refused:
        open_source("http://127.0.0.1:9/none")
    assert not isinstance(refused.value, SourceTimeout)


def test_a_file_that_the_server_breaks_off_is_read_as_far_as_it_came(tmp_path: Path):
    make_clip("plain.mp4", tmp_path)
    front = tmp_path / "front.mp4"
    ffmpeg("-i", tmp_path / "plain.mp4", "-c", "copy", "-movflags", "faststart", front)
    content = front.read_bytes()
    front.write_bytes(content[: len(content) * 2 // 3])
    with file_server(tmp_path) as address:
        source = open_source(f"{address}/front.mp4")
        n_read = 0
        with pytest.raises(TruncatedError, match="damaged or was cut off"):
            while source.read() is not None:
                n_read += 1
        source.close()
    assert 10 < n_read < N_FRAMES


def test_a_file_whose_size_the_server_does_not_tell_is_read_to_its_end(tmp_path: Path):
    front = tmp_path / "front.mp4"
    clip = make_clip("plain.mp4", tmp_path)
    ffmpeg("-i", clip, "-c", "copy", "-movflags", "faststart", front)
    with file_server(tmp_path, with_sizes=False) as address:
        assert len(read_all(open_source(f"{address}/front.mp4"))) == N_FRAMES
        content = front.read_bytes()
        front.write_bytes(content[: len(content) * 2 // 3])
        source = open_source(f"{address}/front.mp4")
        with pytest.raises(TruncatedError, match="damaged or was cut off"):
            while source.read() is not None:
                pass
        source.close()


def test_no_source_is_told_from_a_source_that_cannot_be_read():
    with pytest.raises(SourceError, match="--source is empty"):
        open_live_source("")


def test_a_picture_of_another_size_in_a_stream_is_a_frame_of_its_own():
    pictures = [gradient(160, 120)] * 8 + [gradient(80, 60)] * 8
    with mjpeg_server(pictures, fps=60) as url:
        shapes = [frame.image_bgr.shape for frame in read_all(open_source(url))]
    assert set(shapes) == {(120, 160, 3), (60, 80, 3)}
    assert np.all(np.diff([shape[0] for shape in shapes]) <= 0)
