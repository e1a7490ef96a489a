"""Small HTTP servers on loopback: finished files, and live streams that behave and misbehave."""

import contextlib
import functools
import http.server
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2

from fer_live.datatypes import UInt8Array


@contextlib.contextmanager
def file_server(
    folder: Path, *, with_ranges: bool = True, with_sizes: bool = True
) -> Iterator[str]:
    """Serves the files of a folder; yields the address, without a slash at its end. Without sizes,
    a file ends where the connection does."""
    handler = (_Ranges if with_ranges else _Quiet) if with_sizes else _NoSizes
    with _serving(functools.partial(handler, directory=str(folder))) as address:
        yield address


@contextlib.contextmanager
def mjpeg_server(
    images_bgr: Sequence[UInt8Array], then: str = "end", *, fps: float = 15, n_connections: int = 99
) -> Iterator[str]:
    """Sends these pictures to each who connects, then does what `then` names: `end` closes the
    connection, `stall` sends nothing more, `repeat` begins again. After `n_connections` nobody is
    served any more."""
    jpegs = [cv2.imencode(".jpg", image)[1].tobytes() for image in images_bgr]
    gone = threading.Event()
    served = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            served.append(1)
            if len(served) > n_connections:
                self.send_error(503)
                return
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            with contextlib.suppress(OSError):
                self._send()

        def _send(self) -> None:
            while not gone.is_set():
                for jpeg in jpegs:
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}"
                    self.wfile.write(head.encode() + b"\r\n\r\n" + jpeg + b"\r\n")
                    time.sleep(1 / fps)
                if then != "repeat":
                    break
            if then == "stall":
                gone.wait(60)

    with _serving(Handler) as address:
        try:
            yield f"{address}/stream"
        finally:
            gone.set()


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """Takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@contextlib.contextmanager
def _serving(handler) -> Iterator[str]:  # type: ignore[no-untyped-def]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            super().handle()

    def copyfile(self, source, outputfile) -> None:  # type: ignore[no-untyped-def]
        with contextlib.suppress(OSError):
            super().copyfile(source, outputfile)


class _NoSizes(_Quiet):
    protocol_version = "HTTP/1.0"

    def send_header(self, keyword: str, value: str) -> None:
        if keyword != "Content-Length":
            super().send_header(keyword, value)


class _Ranges(_Quiet):
    """The standard library's server sends whole files alone."""

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        path = Path(self.translate_path(self.path))
        if not asked or not path.is_file():
            super().do_GET()
            return
        content = path.read_bytes()
        first, _, last = asked.removeprefix("bytes=").partition("-")
        begin, end = int(first), min(int(last or len(content) - 1), len(content) - 1)
        if begin > end:
            self.send_error(416)
            return
        self.send_response(206)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(end - begin + 1))
        self.send_header("Content-Range", f"bytes {begin}-{end}/{len(content)}")
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(content[begin : end + 1])


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])
