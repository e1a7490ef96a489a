"""How `fer-live serve` bears a crowd: `python -m benchmarks.serve [--requests N] [--parallel N]`.

Starts the service with a token, sends it a mix of good and bad requests at once, and prints what
came back and how its memory went. Every kind of request has the one answer that it must get.
"""

import argparse
import contextlib
import http.client
import io
import json
import os
import random
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from PIL import Image

from fer_live.model.assets import asset
from fer_live.sources.clip import ClipSource

CUT_OFF = "cut off"
LEFT = "left"
_TRIES = 40
_WAITS_AT_MOST_S = 90.0
_RETRY_S = 0.5
_SAMPLED_EVERY_S = 0.25
_MAX_MB = 8
_MAY_GROW = 1.15
"""Times what it was in the second quarter; runs of 500 requests differ by 5 % up and down."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service."""

    host: str
    port: int
    token: str
    pid: int


@dataclass(slots=True)
class Outcome:
    """What came back: kind of request -> answer -> how often; `wrong` has what must not be."""

    answers: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    n_busy: int = 0
    rss_mb: list[float] = field(default_factory=list)
    wall_s: float = 0.0


@contextmanager
def started(
    *options: str, command: list[str] | None = None, token: str | None = None
) -> Iterator[Service]:
    """The service in a process of its own, which must end well when it is asked to. It has a token
    of its own where none is given; an empty one is none."""
    token = secrets.token_urlsafe(16) if token is None else token
    command = command or [sys.executable, "-m", "fer_live", "serve", "--port", "0", *options]
    environment = {**os.environ, "FER_LIVE_TOKEN": token}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    said = ""
    while not (found := re.search(r"http://([\w.]+):(\d+)/", said)):
        said = process.stderr.readline()
        if not said:
            process.stderr.close()
            raise RuntimeError(f"the service did not start: {process.wait()}")
    rest: list[str] = []
    reader = threading.Thread(target=lambda: rest.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        yield Service(found[1], int(found[2]), token, process.pid)
    finally:
        is_alive = process.poll() is None
        began_s = time.monotonic()
        process.terminate()
        code = process.wait(timeout=30)
        reader.join()
        process.stderr.close()
        took_s = time.monotonic() - began_s
        if not is_alive or code != 0 or rest or took_s > 10:
            raise RuntimeError(f"ended after {took_s:.1f} s with {code}, said: {''.join(rest)}")


def attack(service: Service, n_requests: int, n_parallel: int, seed: int = 0) -> Outcome:
    """Send the mix, `n_parallel` at once, in an order that the seed decides."""
    kinds = _kinds(service)
    outcome, lock = Outcome(), threading.Lock()
    shares = [share for _, share, _, _ in kinds]
    order = random.Random(seed).choices(range(len(kinds)), shares, k=n_requests)

    def one(number: int) -> None:
        name, _, expected, send = kinds[number]
        began_s, n_busy = time.monotonic(), 0
        answer = send()
        while answer == "503" and n_busy < _TRIES:
            n_busy += 1
            time.sleep(_RETRY_S)
            answer = send()
        with lock:
            outcome.n_busy += n_busy
            outcome.answers[name][answer] += 1
            outcome.seconds[name].append(time.monotonic() - began_s)
            if answer not in expected:
                outcome.wrong.append(f"{name}: {answer}")

    done = threading.Event()
    process = psutil.Process(service.pid)

    def sample() -> None:
        while not done.wait(_SAMPLED_EVERY_S):
            with contextlib.suppress(psutil.Error):
                outcome.rss_mb.append(process.memory_info().rss / 1e6)

    sampling = threading.Thread(target=sample)
    sampling.start()
    began_s = time.monotonic()
    try:
        with ThreadPoolExecutor(n_parallel) as pool:
            list(pool.map(one, order))
    finally:
        outcome.wall_s = time.monotonic() - began_s
        done.set()
        sampling.join()
    return outcome


Kind = tuple[str, float, tuple[str, ...], Callable[[], str]]
"""Name, share, the answers that are right, and what sends one and returns its answer."""


def _kinds(service: Service) -> list[Kind]:
    jpeg, clip = _jpeg(), asset("demo.mp4").read_bytes()
    noise = random.Random(1).randbytes(20_000)

    def post(
        body: bytes, *, path: str = "/analyze", token: str = service.token
    ) -> Callable[[], str]:
        return lambda: _post(service, path, body, {"Authorization": f"Bearer {token}"})

    def raw(text: bytes, then: float = 0.0, *, reads: bool = True) -> Callable[[], str]:
        return lambda: _raw(service, text, then, reads=reads)

    allowed = f"Host: {service.host}:{service.port}\r\nAuthorization: Bearer {service.token}\r\n"
    head = f"POST /analyze HTTP/1.1\r\n{allowed}".encode()
    large = f"Content-Length: {_MAX_MB * 1_000_000 + 1}\r\n\r\n".encode()
    return [
        ("an image", 40, ("200",), post(jpeg)),
        ("an image in a form", 15, ("200",), lambda: _form(service, jpeg)),
        ("a clip, every 25th frame", 8, ("200",), post(clip, path="/analyze?every=25&format=csv")),
        ("noise", 6, ("415",), post(noise)),
        ("half an image", 5, ("200",), post(jpeg[: len(jpeg) // 2])),
        ("half a clip", 3, ("200", "415"), post(clip[: len(clip) // 2], path="/analyze?every=25")),
        (
            "a playlist of a file here",
            3,
            ("415",),
            post(b"#EXTM3U\n#EXTINF:5,\nfile:/etc/passwd\n"),
        ),
        ("nothing", 3, ("400",), post(b"")),
        ("a form without a file", 2, ("400",), lambda: _form(service, None)),
        ("too large, told before", 3, ("413",), raw(head + large)),
        ("too large, found on the way", 2, ("413",), lambda: _endless(service, head)),
        ("a wrong token", 5, ("401",), post(jpeg, token="x" * 22)),
        ("no HTTP", 2, ("400",), raw(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")),
        ("a head that never ends", 1, (CUT_OFF,), raw(head, _WAITS_AT_MOST_S)),
        (
            "a body that never ends",
            1,
            ("408",),
            raw(head + b"Content-Length: 5000\r\n\r\nabc", _WAITS_AT_MOST_S),
        ),
        (
            "gone in the midst of its body",
            2,
            (LEFT,),
            raw(head + b"Content-Length: 5000\r\n\r\nabc", reads=False),
        ),
        ("gone before its answer", 2, (LEFT,), raw(_whole(head, clip), reads=False)),
    ]


def _jpeg() -> bytes:
    source = ClipSource(asset("demo.mp4"))
    frame = source.read()
    source.close()
    assert frame is not None
    content = io.BytesIO()
    Image.fromarray(frame.image_bgr[..., ::-1]).save(content, "JPEG", quality=90)
    return content.getvalue()


def _whole(head: bytes, body: bytes) -> bytes:
    return head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def _post(service: Service, path: str, body: bytes, headers: dict[str, str]) -> str:
    connection = http.client.HTTPConnection(service.host, service.port, timeout=_WAITS_AT_MOST_S)
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 400 and not json.loads(content)["error"]:
            return f"{answer.status} without a sentence"
        return str(answer.status)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def _form(service: Service, file: bytes | None) -> str:
    of_file = b'name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg'
    part = b'name="note"' if file is None else of_file
    body = b"--line\r\nContent-Disposition: form-data; " + part + b"\r\n\r\n" + (file or b"hello")
    kind = {"Content-Type": "multipart/form-data; boundary=line"}
    token = {"Authorization": f"Bearer {service.token}"}
    return _post(service, "/analyze", body + b"\r\n--line--\r\n", kind | token)


def _raw(service: Service, text: bytes, waits_s: float, *, reads: bool) -> str:
    """Send bytes as they are, then wait for an answer or for the end, or go away."""
    with socket.create_connection((service.host, service.port), timeout=waits_s or 30) as client:
        try:
            client.sendall(text)
            return _status(client) if reads else LEFT
        except TimeoutError:
            return "never cut off"
        except OSError:
            return CUT_OFF


def _endless(service: Service, head: bytes) -> str:
    """A body in chunks, whose size nobody is told, until the answer comes."""
    chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    with socket.create_connection((service.host, service.port), timeout=30) as client:
        try:
            client.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(_MAX_MB * 1_000_000 // 0x10000 + 2):
                client.sendall(chunk)
            return _status(client)
        except OSError:
            return CUT_OFF


def _status(client: socket.socket) -> str:
    first = client.recv(4096)
    return first.split(b" ", 2)[1].decode() if first else CUT_OFF


def as_table(outcome: Outcome) -> str:
    """What came back, in Markdown."""
    rows = ["| request | sent | answers | median s | longest s |", "|---|---|---|---|---|"]
    for name, answers in outcome.answers.items():
        seconds = sorted(outcome.seconds[name])
        said = ", ".join(f"{answer}: {n}" for answer, n in answers.most_common())
        median = seconds[len(seconds) // 2]
        rows.append(f"| {name} | {len(seconds)} | {said} | {median:.2f} | {seconds[-1]:.2f} |")
    return "\n".join(rows)


def memory_mb(outcome: Outcome) -> list[float]:
    """The mean of the service's memory over each quarter of the run. In the first one decoders and
    buffers are made."""
    quarter = max(len(outcome.rss_mb) // 4, 1)
    parts = (outcome.rss_mb[i * quarter : (i + 1) * quarter] for i in range(4))
    return [round(sum(part) / len(part), 1) for part in parts if part]


def main() -> int:
    """Print the table; 1 where an answer was wrong or memory grew."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--parallel", type=int, default=20)
    parser.add_argument("--out", type=Path, help="figures as JSON")
    arguments = parser.parse_args()
    with started("--max-mb", str(_MAX_MB)) as service:
        outcome = attack(service, arguments.requests, arguments.parallel)
    print(as_table(outcome))
    figures: dict[str, object] = {"wall_s": round(outcome.wall_s, 1)}
    figures |= {"told_to_come_back": outcome.n_busy, "peak_mb": round(max(outcome.rss_mb), 1)}
    figures["memory_mb"] = quarters = memory_mb(outcome)
    print(json.dumps(figures))
    print(*outcome.wrong, sep="\n")
    if arguments.out:
        arguments.out.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if outcome.wrong or quarters[-1] > _MAY_GROW * quarters[1] else 0


if __name__ == "__main__":
    sys.exit(main())
