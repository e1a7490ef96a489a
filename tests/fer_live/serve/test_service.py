"""The service as its clients see it: a process of its own, spoken to over a socket."""

import csv
import http.client
import io
import json
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from PIL import Image

from benchmarks.serve import Service, attack, memory_mb
from fer_live.errors import InputError
from fer_live.model.assets import asset
from fer_live.outputs.address import Address
from fer_live.serve.connections import limited_protocol
from fer_live.serve.limits import Limits
from fer_live.serve.openapi import document
from fer_live.serve.token import find_token
from tests.helpers.clips import N_FRAMES, part_of_demo, truncated
from tests.helpers.commands import fails
from tests.helpers.here import run_here
from tests.helpers.service import impatient, started

BODY_S = HEAD_S = STALL_S = 1.5
MAX_MB = 4


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    limits = {"body_s": BODY_S, "head_s": HEAD_S, "stall_s": STALL_S, "max_mb": MAX_MB}
    command = impatient(**limits, max_pixels=1_000_000, max_frames=100)
    with started(command=command) as running:
        yield running


def ask(
    service: Service,
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    token: str | None = None,
    **headers: str,
) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(service.host, service.port, timeout=60)
    given = service.token if token is None else token
    sent = {"Authorization": f"Bearer {given}"} if given else {}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def error_of(answer: tuple[int, http.client.HTTPMessage, bytes]) -> tuple[int, str]:
    status, headers, body = answer
    said = json.loads(body)
    assert list(said) == ["error"] and headers["Content-Type"] == "application/json"
    return status, said["error"]


def png(width: int, height: int) -> bytes:
    content = io.BytesIO()
    Image.fromarray(np.zeros((height, width), np.uint8)).save(content, "PNG")
    return content.getvalue()


def form(file: bytes, name: str, n: int = 1) -> tuple[bytes, dict[str, str]]:
    part = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = b"".join(part.encode() + file + b"\r\n" for _ in range(n)) + b"--b--\r\n"
    return body, {"Content_Type": "multipart/form-data; boundary=b"}


def test_rows_are_those_of_analyze(service: Service, short_clip: Path, tmp_path: Path, capfd):
    done = run_here(capfd, "fer-live", "analyze", short_clip, "--out", tmp_path / "rows.csv")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "rows.csv").open() as file:
        expected = list(csv.DictReader(file))
    status, headers, body = ask(
        service, "POST", "/analyze?format=csv&name=x.mp4", short_clip.read_bytes()
    )
    assert status == 200 and headers["Content-Type"].startswith("text/csv")
    found = list(csv.DictReader(io.StringIO(body.decode())))
    assert [{**row, "source": "x.mp4"} for row in expected] == found
    body, headers = form(short_clip.read_bytes(), "C:\\faces\\x.mp4")
    status, _, body = ask(service, "POST", "/analyze", body, **headers)
    answer = json.loads(body)
    assert (status, answer["source"], answer["frames"]) == (200, "x.mp4", N_FRAMES)
    assert answer["faces"] == len(answer["rows"]) == len(expected) and answer["warning"] == ""
    assert {name: str(value) for name, value in answer["rows"][7].items()} == found[7]
    _, _, body = ask(
        service, "POST", "/analyze?every=10", short_clip.read_bytes(), Accept="application/x-ndjson"
    )
    lines = [json.loads(line) for line in body.decode().splitlines()]
    assert sorted({line["frame"] for line in lines}) == [0, 10, 20, 30, 40]


def test_an_image_without_a_face_has_no_rows(service: Service):
    status, _, body = ask(service, "POST", "/analyze", png(64, 48))
    answer = json.loads(body)
    assert (status, answer["frames"], answer["faces"], answer["rows"]) == (200, 1, 0, [])


def test_half_a_clip_is_read_as_far_as_it_goes_and_says_so(service: Service, tmp_path: Path):
    cut = truncated(asset("demo.mp4"), tmp_path, 0.7)
    status, headers, body = ask(service, "POST", "/analyze?name=cut.avi", cut.read_bytes())
    answer = json.loads(body)
    assert status == 200 and 30 < answer["frames"] < 60
    assert answer["warning"].startswith("cut.avi: is damaged or was cut off")
    assert headers["FER-Live-Warning"] == answer["warning"] and "/proc" not in answer["warning"]


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "the body is empty"),
        (b"hello\n" * 100, 415, "not an image or a video"),
        (b"<html><body>404</body></html>", 415, "not an image or a video"),
        (b"\xff\xd8\xff\xe0" + bytes(500), 415, "not an image or a video"),
        (b"\0" * 100_000, 415, "not an image or a video"),
        (png(1001, 1000), 413, "has 1001 x 1000 pixels, more than 1 million"),
    ],
)
def test_what_is_no_image_is_one_clear_sentence(
    service: Service, body: bytes, status: int, says: str
):
    found, sentence = error_of(ask(service, "POST", "/analyze", body))
    assert found == status and says in sentence and "/proc" not in sentence


def test_nothing_sent_leads_to_another_file(service: Service, tmp_path: Path):
    """Playlists and the like list files and addresses, which a stranger must not have read."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.3)
    secret, address = asset("demo.mp4"), f"http://127.0.0.1:{listener.getsockname()[1]}/a.ts"
    reference = (
        b'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT5S"'
    )
    reference += (
        b' profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType='
    )
    reference += b'"video/mp4"><Representation id="1" bandwidth="1"><BaseURL>%s</BaseURL>'
    reference += b"</Representation></AdaptationSet></Period></MPD>"
    for where in (f"file:{secret}", str(secret), address):
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{where}\n#EXT-X-ENDLIST\n"
        for sent in (
            playlist.encode(),
            b"\n" + playlist.encode(),
            f"ffconcat version 1.0\nfile '{where}'\n".encode(),
            reference % where.encode(),
        ):
            assert error_of(ask(service, "POST", "/analyze", sent))[0] == 415, sent
    with pytest.raises(TimeoutError):
        listener.accept()
    listener.close()


def test_too_much_is_refused_before_it_is_read(service: Service, short_clip: Path):
    head = f"POST /analyze HTTP/1.1\r\nHost: {service.host}:{service.port}\r\n"
    head += f"Authorization: Bearer {service.token}\r\nContent-Length: 90000000000\r\n\r\n"
    with socket.create_connection((service.host, service.port), timeout=10) as client:
        client.sendall(head.encode())
        assert client.recv(100).startswith(b"HTTP/1.1 413")
    body, headers = form(bytes(MAX_MB * 1_000_000 + 1), "a.mp4")
    assert error_of(ask(service, "POST", "/analyze", body, **headers))[0] == 413
    # A GIF of 120 pictures, more than the 100 frames of the limit.
    content = io.BytesIO()
    pictures = [Image.fromarray(np.full((8, 8), i % 2 * 255, np.uint8)) for i in range(120)]
    pictures[0].save(content, "GIF", save_all=True, append_images=pictures[1:], duration=20)
    assert (
        "more than 100 frames" in error_of(ask(service, "POST", "/analyze", content.getvalue()))[1]
    )
    assert ask(service, "POST", "/analyze?every=10", short_clip.read_bytes())[0] == 200


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/analyze?every=0", "every=0: must be a whole number"),
        ("/analyze?every=two", "every=two"),
        ("/analyze?format=xml", "there are json, jsonl, csv"),
    ],
)
def test_a_mistake_in_the_address_is_told(service: Service, path: str, says: str):
    status, sentence = error_of(ask(service, "POST", path, png(8, 8)))
    assert status == 400 and says in sentence


def test_a_form_with_no_file_or_two_is_told(service: Service):
    two, headers = form(png(8, 8), "a.png", n=2)
    assert error_of(ask(service, "POST", "/analyze", two, **headers))[0] == 400
    none = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nhello\r\n--b--\r\n'
    assert "holds no file" in error_of(ask(service, "POST", "/analyze", none, **headers))[1]
    broken = error_of(ask(service, "POST", "/analyze", b"not a form", **headers))
    assert broken[0] == 400 and "form" in broken[1]


def test_who_may_ask(service: Service):
    for path, method in (("/analyze", "POST"), ("/model", "GET")):
        for token in ("", "x" * 16, service.token[:-1], service.token + "x"):
            answer = ask(service, method, path, token=token)
            assert error_of(answer)[0] == 401 and answer[1]["WWW-Authenticate"] == "Bearer"
    assert ask(service, "GET", "/health", token="")[0] == 200
    here = f"{service.host}:{service.port}"
    for origin in (
        "https://evil.example",
        "null",
        f"http://evil.example#{here}",
        f"http://{here}.evil",
    ):
        assert error_of(ask(service, "POST", "/analyze", png(8, 8), Origin=origin))[0] == 403
    assert ask(service, "POST", "/analyze", png(8, 8), Origin=f"http://{here}")[0] == 200
    for host in ("evil.example", f"evil.example:{service.port}", "127.0.0.1", "", f"{here}@evil"):
        assert error_of(ask(service, "GET", "/health", Host=host))[0] == 403, host
    assert ask(service, "GET", "/health", Host=f"localhost:{service.port}")[0] == 200


def test_other_addresses_and_methods_are_told(service: Service):
    assert error_of(ask(service, "GET", "/secret"))[0] == 404
    assert error_of(ask(service, "GET", "/docs/../../etc/passwd"))[0] == 404
    assert error_of(ask(service, "GET", "/docs/%2e%2e%2fNOTICE"))[0] == 404
    assert error_of(ask(service, "GET", "/analyze"))[0] == 405


def raw(service: Service, *parts: bytes, every_s: float = 0.0) -> tuple[bytes, float]:
    """Send the parts one by one; the first bytes of the answer, and after how long they came."""
    began_s = time.monotonic()
    with socket.create_connection((service.host, service.port), timeout=30) as client:
        try:
            for part in parts:
                client.sendall(part)
                time.sleep(every_s)
            answer = client.recv(200)
        except OSError:
            answer = b""
    return answer, time.monotonic() - began_s


def test_slow_clients_are_cut_off(service: Service):
    """A byte now and then holds no connection and no place."""
    head = f"POST /analyze HTTP/1.1\r\nHost: {service.host}:{service.port}\r\n".encode()
    head += f"Authorization: Bearer {service.token}\r\n".encode()
    slowly = [head[i : i + 1] for i in range(len(head))]
    of_100 = head + b"Content-Length: 100\r\n\r\n"
    with ThreadPoolExecutor() as pool:
        slow_head = pool.submit(raw, service, *slowly, every_s=0.1)
        nothing = pool.submit(raw, service, b"")
        slow_body = pool.submit(raw, service, of_100, *[b"x"] * 100, every_s=0.1)
        half_a_body = pool.submit(raw, service, of_100 + b"abc")
    answer, took_s = slow_head.result()
    assert answer == b"" and took_s < HEAD_S + 3
    answer, took_s = nothing.result()
    assert answer == b"" and took_s < HEAD_S + 3, "nothing at all"
    answer, took_s = slow_body.result()
    assert answer.startswith(b"HTTP/1.1 408") or (answer == b"" and took_s < 5)
    answer, took_s = half_a_body.result()
    assert answer.startswith(b"HTTP/1.1 408") and BODY_S <= took_s < BODY_S + 3


def test_who_does_not_read_its_answer_is_cut_off():
    """Ten megabytes to a client that takes none of them, more than what lies between can hold."""
    sent: list[int] = []

    async def talkative(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        head = {"status": 200, "headers": [(b"content-length", b"10000000")]}
        await send({"type": "http.response.start", **head})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": bytes(10_000), "more_body": True})
            sent.append(10_000)
        await send({"type": "http.response.body", "body": b""})

    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    protocol = limited_protocol(Limits(stall_s=0.5, head_s=5))
    config = uvicorn.Config(talkative, http=protocol, ws="none", lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(listener.getsockname())
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            deadline = time.monotonic() + 10
            while server.server_state.connections or not sent:
                assert time.monotonic() < deadline, "never cut off"
                time.sleep(0.05)
            # What comes after a cut is thrown away by uvicorn; the client has got no more of it.
            with pytest.raises(ConnectionError):
                n_bytes = 0
                while data := client.recv(1 << 16):
                    n_bytes += len(data)
                assert n_bytes < 10_000_000
                raise ConnectionError
    finally:
        server.should_exit = True
        thread.join(10)


def test_too_many_at_once_are_told_to_come_back(tmp_path: Path):
    with started(command=impatient(parallel=1, max_waiting=1)) as crowded:
        clip = part_of_demo(tmp_path / "clip.mp4", n=100).read_bytes()
        answers: list[tuple[int, http.client.HTTPMessage, bytes]] = []
        threads = [
            threading.Thread(target=lambda: answers.append(ask(crowded, "POST", "/analyze", clip)))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        refused = [answer for answer in answers if answer[0] == 503]
        assert sorted({answer[0] for answer in answers}) == [200, 503] and len(refused) == 4
        assert all(int(headers["Retry-After"]) >= 1 for _, headers, _ in refused)
        assert "send it again" in error_of(refused[0])[1]


def test_a_clip_that_takes_too_long_is_told():
    with started(command=impatient(parallel=1, max_seconds=0.3)) as hurried:
        status, sentence = error_of(
            ask(hurried, "POST", "/analyze?name=x.mp4", asset("demo.mp4").read_bytes())
        )
        assert status == 413 and re.match(
            r"x.mp4: takes longer than 0.3 s to read, \d+ frames", sentence
        )
        assert ask(hurried, "POST", "/analyze", png(64, 64))[0] == 200


def test_nothing_uploaded_stays_on_disk(service: Service, short_clip: Path):
    """No file that the service opens while it reads an upload is one that it writes."""
    body, headers = form(short_clip.read_bytes() + b"MARK-OF-THIS-UPLOAD" * 60_000, "a.mp4")
    assert len(body) > 1 << 20, "more than what Starlette keeps in memory"
    began_s = time.time() - 1
    opened: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        folder = Path(f"/proc/{service.pid}/fd")
        while not done.wait(0.005):
            for entry in folder.iterdir():
                try:
                    opened.add(str(entry.readlink()))
                except OSError:
                    continue

    watching = threading.Thread(target=watch)
    watching.start()
    assert ask(service, "POST", "/analyze?every=5", body, **headers)[0] == 200
    done.set()
    watching.join()
    on_disk = [
        name
        for name in opened
        if name.startswith("/") and not name.startswith(("/dev", "/proc", "/memfd"))
    ]
    assert any(name.startswith("/memfd:fer-live-upload") for name in opened)
    written = [
        name for name in on_disk if Path(name).is_file() and Path(name).stat().st_mtime > began_s
    ]
    assert written == []


def test_the_page_loads_nothing_from_elsewhere(service: Service):
    status, headers, page = ask(service, "GET", "/docs", token="")
    assert status == 200 and "default-src 'none'" in headers["Content-Security-Policy"]
    links = re.findall(r'(?:src|href)="([^"]*)"', page.decode())
    assert links and all(link.startswith(("docs/", "data:")) for link in links)
    for link in links:
        if not link.startswith("data:"):
            status, headers, content = ask(service, "GET", f"/{link}", token="")
            assert status == 200 and len(content) > 50 and "charset" in headers["Content-Type"]
    status, _, described = ask(service, "GET", "/openapi.json", token="")
    assert json.loads(described)["paths"].keys() == {"/analyze", "/model", "/health"}


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_the_page_shows_in_a_browser(service: Service, tmp_path: Path):
    done = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *(f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000"),
            f"http://127.0.0.1:{service.port}/docs",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    for text in ("Read an image or a clip", "/analyze", "/model", "/health", "Authorize"):
        assert text in done.stdout


def test_the_model_tells_its_columns_and_limits(service: Service):
    _, _, body = ask(service, "GET", "/model")
    told = json.loads(body)
    assert told["columns"][:3] == ["source", "frame", "time_s"] and "p_neutral" in told["columns"]
    assert (told["labels"][0], told["limits"]["max_mb"]) == ("neutral", MAX_MB)


def test_a_crowd_of_all_sorts_leaves_it_as_it_was(
    service: Service, short_clip: Path, monkeypatch: pytest.MonkeyPatch
):
    """The short form of `python -m benchmarks.serve`."""
    monkeypatch.setattr("benchmarks.serve.asset", lambda _: short_clip)
    outcome = attack(service, 120, 20, seed=3)
    large = [wrong for wrong in outcome.wrong if "found on the way" not in wrong]
    assert large == [], outcome.answers
    assert ask(service, "GET", "/health")[0] == 200
    quarters = memory_mb(outcome)
    assert quarters[-1] < 1.2 * quarters[1] + 20, quarters


def test_sigterm_ends_it_within_seconds_with_all_cut_short():
    """Also while a clip is read, a client is slow and another keeps its connection."""
    with started(command=impatient(parallel=1)) as ending:
        idle = http.client.HTTPConnection(ending.host, ending.port, timeout=30)
        idle.request("GET", "/health")
        idle.getresponse().read()
        slow = socket.create_connection((ending.host, ending.port))
        slow.sendall(b"POST /analyze HTTP/1.1\r\n")
        clip = asset("demo.mp4").read_bytes()
        threads = [
            threading.Thread(target=lambda: ended(ending, clip), daemon=True) for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
    # `started` has sent SIGTERM, and has seen it end by itself, with code 0 and without a word.
    idle.close()
    slow.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def ended(service: Service, clip: bytes) -> None:
    try:
        ask(service, "POST", "/analyze", clip)
    except (OSError, http.client.HTTPException):
        return


def test_beyond_this_machine_a_token_is_needed(tmp_path: Path, monkeypatch, capfd):
    monkeypatch.delenv("FER_LIVE_TOKEN", raising=False)
    refused = run_here(capfd, "fer-live", "serve", "--host", "0.0.0.0")
    fails(refused, 2, "a token is needed", "token_urlsafe")
    monkeypatch.setenv("FER_LIVE_TOKEN", "short")
    fails(run_here(capfd, "fer-live", "serve"), 2, "FER_LIVE_TOKEN: a token has 16 or more")
    monkeypatch.delenv("FER_LIVE_TOKEN")
    said = run_here(capfd, "fer-live", "serve", "--token", "A-secret-that-is-no-file")
    fails(said, 2, "names a file that holds the token")
    assert "A-secret" not in said.stderr
    (tmp_path / "token.txt").write_text("0123456789abcdef\n")
    anywhere, here = Address("0.0.0.0", 1), Address("127.0.0.1", 1)
    assert find_token(tmp_path / "token.txt", anywhere) == "0123456789abcdef"
    assert find_token(None, here) == ""
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(InputError, match="--token: a token has 16"):
        find_token(tmp_path / "empty.txt", here)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--port", "70000"), "is not a port"),
        (("--parallel", "0"), "must be a number from 1"),
        (("--max-mb", "0"), "not a number above 0"),
        (("--model", "missing.onnx"), "no such model"),
        (("--host", "192.0.2.1", "--port", "0"), "cannot listen there"),
    ],
)
def test_a_mistake_is_one_line(monkeypatch, capfd, options: tuple[str, ...], says: str):
    monkeypatch.setenv("FER_LIVE_TOKEN", "0123456789abcdef")
    fails(run_here(capfd, "fer-live", "serve", *options), 2, says)


def test_an_output_of_the_window_is_refused(capfd: pytest.CaptureFixture[str]):
    fails(run_here(capfd, "fer-live", "--csv", "rows.csv", "serve"), 2, "--csv is for the window")


def test_a_taken_port_is_one_line(run_cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        fails(run_cli("fer-live", "serve", "--port", taken.getsockname()[1]), 2, "choose another")


def test_the_document_says_whether_a_token_is_needed():
    labels = ("neutral", "happiness")
    assert "security" not in document(labels, Limits(), needs_token=False)
    assert document(labels, Limits(), needs_token=True)["security"] == [{"token": []}]


def test_what_follows_an_answer_and_cannot_be_read_ends_the_connection_alone(service: Service):
    """uvicorn would begin a second answer, and print a traceback; `service` sees in the end what
    was said."""
    head = f"POST /analyze HTTP/1.1\r\nHost: {service.host}:{service.port}\r\n"
    head += "Transfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection((service.host, service.port), timeout=30) as client:
        client.sendall(head.encode())
        answer = client.recv(1000)
        assert answer.startswith(b"HTTP/1.1 401")
        client.sendall(b"no size of a chunk\r\n")
        while answer:
            answer = client.recv(1000)
    assert ask(service, "GET", "/health")[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        "POST /analyze HTTP/1.1\r\nAuthorization: Bearer {token}",
        "POST /analyze HTTP/1.0\r\nAuthorization: Bearer {token}",
        "POST /analyze HTTP/1.1\r\nExpect: 100-continue\r\nAuthorization: Bearer {token}",
        "POST /analyze HTTP/1.1",
        "OPTIONS /model HTTP/1.1",
    ],
)
def test_a_request_whose_body_cannot_be_read_has_one_answer(service: Service, head: str):
    """It comes at once with its head, so that the service has begun with it; `service` sees in the
    end that no traceback was printed."""
    request = head.format(token=service.token) + f"\r\nHost: {service.host}:{service.port}\r\n"
    request += "Transfer-Encoding: chunked\r\n\r\nno size of a chunk\r\n"
    with socket.create_connection((service.host, service.port), timeout=30) as client:
        client.sendall(request.encode())
        said = b"".join(iter(lambda: client.recv(4096), b""))
    assert said.startswith(b"HTTP/1.1 400") and said.count(b"HTTP/1.1") == 1, said
    assert ask(service, "GET", "/health")[0] == 200
