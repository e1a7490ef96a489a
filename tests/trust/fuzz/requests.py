"""Requests to `fer-live serve`, which runs in a process of its own."""

import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from tests.trust.fuzz.kind import InputKind, Reader
from tests.trust.fuzz.media import whole_file
from tests.trust.fuzz.spoil import bytes_spoilt

_HOST, _TOKEN = "127.0.0.1", "x" * 32
_FILE, _ANSWERS_S = "request", 8.0
_MAY_BE = {100, 200, 400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 417, 426, 431, 501, 503, 505}
"""Everything but 500: the service says what is wrong with what it was sent, or is busy."""
_BOUNDARY = b"boundary"


def _request(body: bytes, *headers: str, path: str = "/analyze?name=a.jpg") -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: HOST",
        f"Authorization: Bearer {_TOKEN}",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def _form(content: bytes) -> bytes:
    head = (
        b'Content-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg'
    )
    return b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (_BOUNDARY, head, content, _BOUNDARY)


def _with_form(body: bytes) -> bytes:
    return _request(body, f"Content-Type: multipart/form-data; boundary={_BOUNDARY.decode()}")


def _make(folder: Path) -> None:
    (folder / _FILE).write_bytes(_request(whole_file("jpeg"), "Content-Type: image/jpeg"))


def _spoil_request(folder: Path, choose: Random) -> None:
    """The head: other lines, methods, paths, lengths; or any bytes of it."""
    head, _, body = (folder / _FILE).read_bytes().partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    odd = (
        *(
            b"",
            b"A",
            b"A:" + b"x" * 70_000,
            b"\0: 1",
            b"Content-Length: -1",
            b"Content-Length: 1e9",
        ),
        *(b"Content-Length: 99999999999999999999", b"Transfer-Encoding: chunked", b"Host: evil"),
        *(b"Transfer-Encoding: gzip, chunked", b"Expect: 100-continue", b"Upgrade: websocket"),
        *(b"Origin: http://[", b"Origin: null", b"Host: [::1", b"Authorization: Bearer \xff\xfe"),
        *(
            b"Content-Type: multipart/form-data",
            b"Content-Type: multipart/form-data; boundary=" + b"y" * 300,
        ),
        *(
            b"Accept: text/csv;q=x",
            b"Accept: */*;q=99999999999",
            b"Content-Encoding: gzip",
            b"Range: bytes=-",
        ),
        *(b"Accept: " + b"a/b," * 2000, b"Authorization: Basic x", b"Connection: close, close"),
    )
    for _ in range(choose.randint(1, 3)):
        at = choose.randrange(len(lines) + 1)
        lines[at : at + choose.choice((0, 1))] = [choose.choice(odd)]
    if choose.random() < 0.4:
        paths = (
            *(
                b"/analyze?every=0",
                b"/analyze?every=%EF%BC%91",
                b"/analyze?every=99999999999",
                b"*",
            ),
            *(
                b"/analyze?format=exe",
                b"/analyze?name=../../evil",
                b"/analyze?name=%00%ff%0d%0aX: 1",
            ),
            *(
                b"/docs/../../etc/passwd",
                b"/docs/%2e%2e%2fx",
                b"//",
                b"http://evil/",
                b"/" + b"a" * 70_000,
            ),
            *(
                b"/analyze?" + b"a=1&" * 3000,
                b"/model",
                b"/health",
                b"/openapi.json",
                b"/docs/style.css",
            ),
        )
        method = choose.choice(
            (b"POST", b"GET", b"PUT", b"OPTIONS", b"CONNECT", b"\xff", b"TRACE", b"")
        )
        lines[0] = (
            method
            + b" "
            + choose.choice(paths)
            + b" "
            + choose.choice((b"HTTP/1.1", b"HTTP/9", b"HTTP/1.0"))
        )
    spoilt = b"\r\n".join(lines)
    if choose.random() < 0.3:
        spoilt = bytes_spoilt(spoilt, choose)
    (folder / _FILE).write_bytes(spoilt + b"\r\n\r\n" + body)


def _spoil_upload(folder: Path, choose: Random) -> None:
    kind = choose.choice(("jpeg", "png", "gif", "webp", "mp4", "webm", "avi"))
    (folder / _FILE).write_bytes(_request(bytes_spoilt(whole_file(kind), choose)))


def _spoil_form(folder: Path, choose: Random) -> None:
    """The form around a file: its boundaries, its heads, and how many parts there are."""
    form = _form(whole_file("jpeg"))
    if choose.random() < 0.4:
        (folder / _FILE).write_bytes(_with_form(bytes_spoilt(form, choose)))
        return
    odd = (
        *(b"--boundary", b"--boundary--", b"", b"Content-Disposition: form-data", b"\xff" * 10),
        *(b'Content-Disposition: form-data; name="a"; filename="../../evil"', b"X: " + b"y" * 9000),
        *(b'Content-Disposition: form-data; name="a"; filename="' + b"n" * 9000 + b'"', b"\0"),
        *(b"Content-Disposition: form-data; name*=UTF-8''%ff; filename*=x''%", b"Content-Type: /"),
    )
    lines = form.split(b"\r\n")
    for _ in range(choose.randint(1, 4)):
        at = choose.randrange(len(lines))
        lines[at : at + choose.choice((0, 1))] = [choose.choice(odd)]
    if choose.random() < 0.2:
        lines = lines[:-2] * choose.choice((2, 30)) + lines[-2:]
    (folder / _FILE).write_bytes(_with_form(b"\r\n".join(lines)))


@contextmanager
def _service() -> Iterator[Reader]:
    """`fer-live serve` as anybody starts it; what it says on standard error may be no traceback."""
    command = [sys.executable, "-m", "fer_live", "serve", "--port", "0"]
    root = str(Path(__file__).parents[3])
    environment = {**os.environ, "FER_LIVE_TOKEN": _TOKEN, "PYTHONPATH": root}
    with tempfile.TemporaryDirectory(prefix="fuzz-serve-") as kept:
        environment |= {"FER_LIVE_HOME": kept, "HOME": kept, "TMPDIR": kept}
        process = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, cwd=kept)
        assert process.stderr is not None
        found = None
        while found is None:
            line = process.stderr.readline().decode()
            assert line, "the service did not start"
            found = re.search(r"http://[\w.]+:(\d+)/", line)
        said: list[bytes] = []
        listening = threading.Thread(target=lambda: said.extend(process.stderr or ()), daemon=True)
        listening.start()
        at_first = sorted(path.name for path in Path(kept).rglob("*"))
        try:
            yield Reader(_reader(int(found[1]), said), process.pid)
            left = sorted(path.name for path in Path(kept).rglob("*"))
            assert left == at_first, f"the service left {left}"
        finally:
            process.terminate()
            code = process.wait(30)
            listening.join()
            process.stderr.close()
        assert code == 0, f"the service ended with {code}: {b''.join(said)!r}"


def _reader(port: int, said: list[bytes]) -> Callable[[Path], None]:
    def read(folder: Path) -> None:
        request = (folder / _FILE).read_bytes().replace(b"HOST", f"{_HOST}:{port}".encode(), 1)
        status = _answer(port, request)
        assert status is None or status in _MAY_BE, f"answered {status}"
        assert _is_up(port), "it does not answer any more"
        if said:
            told = b"".join(said).decode(errors="replace").strip().splitlines()
            said.clear()
            raise AssertionError(f"the service said: {told[-1]}")

    return read


def _answer(port: int, request: bytes) -> int | None:
    """The status; None where the connection was closed without one, or nothing more came."""
    with socket.create_connection((_HOST, port), timeout=_ANSWERS_S) as client:
        client.settimeout(_ANSWERS_S)
        with contextlib.suppress(OSError):
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
        try:
            first = client.recv(64)
        except TimeoutError:
            raise AssertionError(f"no answer within {_ANSWERS_S:g} s") from None
        except OSError:
            return None
    told = re.match(rb"HTTP/1\.1 (\d{3})", first)
    return int(told[1]) if told else None


def _is_up(port: int) -> bool:
    with contextlib.closing(http.client.HTTPConnection(_HOST, port, timeout=_ANSWERS_S)) as asking:
        asking.request("GET", "/health")
        return asking.getresponse().status == 200


KINDS: dict[str, InputKind] = {
    "http request": InputKind(_make, _spoil_request, _service),
    "http upload": InputKind(_make, _spoil_upload, _service),
    "http form": InputKind(_make, _spoil_form, _service),
}
