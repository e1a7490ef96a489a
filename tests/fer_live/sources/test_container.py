"""What FFmpeg may be led to: parts of a list, other addresses, memory."""

import ctypes
import http.server
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av._core
import pytest

from fer_live.errors import SourceError
from fer_live.sources import container, redirects
from fer_live.sources.container import open_container
from fer_live.sources.images import ImageSource
from fer_live.sources.playlist import next_part_s, refuse_odd_parts
from fer_live.sources.redirects import final_address

LIST = "#EXTM3U\n#EXT-X-TARGETDURATION:8\n{before}#EXTINF:7.5,\n{part}\n#EXT-X-ENDLIST\n"


@contextmanager
def web(
    host: str, answers: dict[str, bytes | str], login: str = ""
) -> Iterator[tuple[str, list[str]]]:
    """A server, its address and what was asked of it; a text is where it redirects to."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            answer = answers.get(self.path)
            if login and self.headers.get("Authorization") != login:
                self.send_error(401)
            elif answer is None:
                self.send_error(404)
            elif isinstance(answer, str):
                self.send_response(302)
                self.send_header("Location", answer)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *args: object) -> None:
            pass

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:  # FFmpeg has seen enough
                self.close_connection = True

    try:
        server = http.server.ThreadingHTTPServer((host, 0), Handler)
    except OSError:
        pytest.skip(f"{host} is no address of this system")
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://{host}:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> str:
    """An address that is taken for another machine's."""
    monkeypatch.setattr(redirects, "_is_own", lambda address: address == "127.0.0.1")
    return "127.0.0.2"


def n_pictures(opened: av.container.InputContainer) -> int:
    with opened:
        return opened.streams.video[0].frames


def test_a_redirect_is_followed(demo_clip: Path):
    content = demo_clip.read_bytes()
    with web("127.0.0.1", {"/a": "/b", "/b": "/c.mp4", "/c.mp4": content}) as (address, asked):
        n = n_pictures(open_container(f"{address}/a"))
    assert n == n_pictures(open_container(demo_clip)) > 0
    assert asked[-1] == "/c.mp4"


def test_a_stream_of_another_machine_does_not_lead_to_this_one(stranger: str):
    with web("127.0.0.1", {"/admin": b"done"}) as (home, asked):
        answers: dict[str, bytes | str] = {"/a": "/b", "/b": f"{home}/admin"}
        leads_home = pytest.raises(SourceError, match="leads to this machine itself")
        with web(stranger, answers) as (address, _), leads_home:
            open_container(f"{address}/a")
        assert asked == []


def test_one_who_names_this_machine_may_be_led_on_it():
    with web("127.0.0.1", {"/admin": b"done"}) as (home, asked):
        with web("127.0.0.1", {"/a": f"{home}/admin"}) as (address, _):
            assert final_address(f"{address}/a", 5.0) == f"{home}/admin"
        assert asked == ["/admin"]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "169.254.1.1", "fe80::1%eth0"]
)
def test_what_is_this_machine(address: str):
    assert redirects._is_own(address)
    assert not redirects._is_own("192.0.2.2") and not redirects._is_own("2001:db8::1")


def test_a_redirect_keeps_the_login_of_a_camera_and_hands_it_to_no_other():
    login = "Basic YTpi"
    with web("127.0.0.1", {"/x": b"x"}, login) as (other, others_asked):
        answers = {"/a": "/b", "/b": b"b", "/away": f"{other}/x"}
        with web("127.0.0.1", answers, login) as (address, _):
            named = address.replace("//", "//a:b@")
            assert final_address(f"{named}/a", 5.0) == f"{named}/b"
            # The other server asks for a login and gets none, so nothing is known of it.
            assert final_address(f"{named}/away", 5.0) == f"{named}/away"
        assert others_asked == ["/x"]


@pytest.mark.parametrize("where", ["file:///etc/hostname", "ftp://127.0.0.1/x", "/loop"])
def test_a_redirect_elsewhere_than_to_the_web_is_not_followed(where: str):
    with web("127.0.0.1", {"/loop": where}) as (address, _):
        assert final_address(f"{address}/loop", 5.0) == f"{address}/loop"
        with pytest.raises(SourceError, match="no stream there"):
            open_container(f"{address}/loop")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes with a name")
@pytest.mark.parametrize(
    "part", ["f.ts", "file:f.ts", "crypto:f.ts", "crypto+file:f.ts", "{}/f.ts"]
)
def test_no_part_of_a_list_may_be_a_pipe(tmp_path: Path, part: str):
    os.mkfifo(tmp_path / "f.ts")
    (tmp_path / "a.m3u8").write_text(LIST.format(before="", part=part.format(tmp_path)))
    with pytest.raises(SourceError, match=r"f\.ts: is not a regular file"):
        open_container(tmp_path / "a.m3u8")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes with a name")
def test_nor_what_a_list_in_a_list_names_nor_a_key(tmp_path: Path):
    os.mkfifo(tmp_path / "key")
    (tmp_path / "clip.ts").touch()
    key = '#EXT-X-KEY:METHOD=AES-128,URI="key"\n'
    (tmp_path / "inner.m3u8").write_text(LIST.format(before=key, part="clip.ts"))
    (tmp_path / "a.m3u8").write_text(
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\ninner.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\na.m3u8\n"
    )
    with pytest.raises(SourceError, match="key: is not a regular file"):
        refuse_odd_parts(tmp_path / "a.m3u8")


def test_ffmpeg_takes_no_more_at_once_than_a_picture_needs():
    """A stream may claim a part of 2 GB, which would grow in memory as it arrives."""
    library = ctypes.CDLL(av._core.__file__)
    try:
        take, give = library.av_malloc, library.av_free
    except AttributeError:
        pytest.skip("this system does not show FFmpeg's functions")
    take.restype, take.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    give.argtypes = [ctypes.c_void_p]
    assert not take(container._MAX_ALLOCATION + 1)
    picture = take(3 * container.MAX_PIXELS)
    assert picture
    give(picture)


def test_an_image_has_a_limit(tmp_path: Path):
    (tmp_path / "a.jpg").write_bytes(bytes.fromhex("ffd8ffe0"))
    os.truncate(tmp_path / "a.jpg", 5 << 30)
    with pytest.raises(SourceError, match="larger than 1024 MB"):
        ImageSource(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:2.5,\na.ts\n", 4.0),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:1e9,\na.ts\n", 1e9),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:e\n#EXTINF:,\na.ts\n", 0.0),
        ("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:8,\na.ts\n#EXT-X-ENDLIST\n", 0.0),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb.m3u8\n", 0.0),
    ],
)
def test_when_the_next_part_of_a_list_comes(tmp_path: Path, text: str, seconds: float):
    (tmp_path / "a.m3u8").write_text(text)
    assert next_part_s(tmp_path / "a.m3u8") == seconds


def test_a_list_that_is_listed_is_found(tmp_path: Path):
    (tmp_path / "a.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb.m3u8\n")
    (tmp_path / "b.m3u8").write_text("#EXTM3U\n#EXTINF:2,\na.ts\n")
    found = refuse_odd_parts(tmp_path / "a.m3u8")
    assert found == [tmp_path / "a.m3u8", tmp_path / "b.m3u8"]
