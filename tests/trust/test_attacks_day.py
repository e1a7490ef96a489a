"""A day's features, watched: no connection, nothing that others can read, and nothing left of a
person after "Delete everything" and the deletion of the recordings."""

import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_live.model.assets import asset
from tests.trust.day import EXPRESSION, MARKER_TEXT, PERSON

SOURCE = "Wunderkammer Zyxq.mp4"
_ABROAD = re.compile(r"\b(connect|sendto|sendmsg|sendmmsg|bind)\(.*sa_family=AF_(INET6?|PACKET)")


@dataclass(frozen=True)
class Day:
    """What a day left: the folder of everything below it, the file shown, and what was watched."""

    root: Path
    calls: str | None

    @property
    def home(self) -> Path:
        return self.root / "home"


def run(root: Path, phase: str, *, watched: bool) -> str | None:
    """One phase of the day in a process with folders of its own, below `root`."""
    places = {
        name: str(root / folder)
        for name, folder in {
            "FER_LIVE_HOME": "home",
            "HOME": "user",
            "XDG_CONFIG_HOME": "user/config",
            "XDG_CACHE_HOME": "user/cache",
            "XDG_DATA_HOME": "user/data",
            "XDG_RUNTIME_DIR": "user/run",
            "TMPDIR": "tmp",
        }.items()
    }
    for place in places.values():
        Path(place).mkdir(mode=0o700, parents=True, exist_ok=True)
    inherited = {name: value for name, value in os.environ.items() if name != "MPLCONFIGDIR"}
    calls = root.parent / "calls.txt"
    tracing = ["strace", "-f", "-qq", "-e", "trace=%network", "-o", str(calls)]
    command = [sys.executable, "-m", "tests.trust.day", phase, root / SOURCE, root / "out"]
    done = subprocess.run(
        [*(tracing if watched else []), *map(str, command)],
        env=inherited | places | {"PYTHONPATH": str(Path.cwd()), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return calls.read_text() if watched else None


def marker_clip(path: Path) -> None:
    """Faces of the demo, half the size, under a check of colours that no other picture has."""
    capture = cv2.VideoCapture(str(asset("demo.mp4")))
    size_wh = (640, 360)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 15, size_wh)
    for index in range(60):
        ok, image = capture.read()
        assert ok
        if index % 2 == 0:
            small = cv2.resize(image, size_wh)
            small[:48, :48] = np.kron([[0, 1], [1, 0]], np.ones((24, 24)))[..., None] * (
                255,
                0,
                255,
            )
            writer.write(small)
    writer.release()
    capture.release()


def may_trace() -> bool:
    strace = shutil.which("strace")
    if strace is None:
        return False
    tried = subprocess.run([strace, "-qq", "true"], capture_output=True, check=False)
    return tried.returncode == 0


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    root = tmp_path_factory.mktemp("day") / "root"
    (root / "out").mkdir(parents=True)
    marker_clip(root / SOURCE)
    return Day(root, run(root, "live", watched=may_trace()))


def spellings(text: str) -> set[bytes]:
    """How a text may stand in a file."""
    plain = {text, json.dumps(text)[1:-1], urllib.parse.quote(text), text.replace(" ", "_")}
    return {b for t in plain for b in (t.encode(), t.encode("utf-16-le"), t.encode("latin-1"))}


MARKERS = (PERSON, EXPRESSION, SOURCE, Path(SOURCE).stem, MARKER_TEXT)


def names_left(root: Path) -> list[str]:
    """Where a marker stands, in names of files and folders or in what files hold."""
    wanted = {spelling for marker in MARKERS for spelling in spellings(marker)}
    found = []
    for path in root.rglob("*"):
        told = os.fsencode(path.relative_to(root))
        content = path.read_bytes() if path.is_file() else b""
        found += [
            f"{path.relative_to(root)}: {spelling!r}"
            for spelling in wanted
            if spelling in told or spelling in content
        ]
    return found


def pictures_left(root: Path) -> list[str]:
    """Files that can be decoded as a picture or video, arrays of bytes, and pictures in texts."""
    found = []
    for path in (path for path in root.rglob("*") if path.is_file()):
        content = path.read_bytes()
        image = (
            cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
        )
        video = cv2.VideoCapture(str(path))
        is_array = False
        if content[:2] == b"PK":
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                is_array = any(arrays[name].dtype == np.uint8 for name in arrays.files)
        is_inside = any(
            sign in content for sign in (b"data:image/", b"\xff\xd8\xff\xe0", b"\x89PNG\r")
        )
        if image is not None or video.isOpened() or is_array or is_inside:
            found.append(str(path.relative_to(root)))
        video.release()
    return found


def test_a_whole_day_opens_no_connection(day: Day):
    """By its system calls; what X11, D-Bus or the sound want goes through sockets of files."""
    if day.calls is None:
        pytest.skip("strace may not trace here")
    assert [line for line in day.calls.splitlines() if _ABROAD.search(line)] == []
    assert "socket(AF_INET" not in re.sub(
        r"socket\(AF_INET6?, SOCK_DGRAM[^)]*\) = \d+", "", day.calls
    )
    # The watch itself works.
    log = day.root.parent / "watch.txt"
    code = "import socket; socket.socket().connect_ex(('127.0.0.1', 9))"
    tracing = ["strace", "-f", "-qq", "-e", "trace=%network", "-o", str(log)]
    subprocess.run([*tracing, sys.executable, "-c", code], check=True)
    assert _ABROAD.search(log.read_text())


def test_everything_that_a_day_keeps_is_its_owners_alone(day: Day):
    kept = [day.home, *day.home.rglob("*")]
    assert {"settings.json", "recordings", "persons", "models", "snapshots", "logs"} <= {
        path.name for path in kept
    }
    others = {
        str(path.relative_to(day.home)): stat.filemode(path.stat().st_mode)
        for path in kept
        if path.stat().st_mode & 0o077 and path.parent != day.home / "cache" / "matplotlib"
    }
    assert others == {}
    assert (day.root / "out" / "report.html").stat().st_mode & 0o077 == 0


def test_a_day_leaves_nothing_in_the_folders_of_others(day: Day):
    """Libraries keep lists of their own, as Matplotlib of fonts; they go to the app's cache."""
    assert [path for path in (day.root / "user").rglob("*") if path.is_file()] == []
    assert any((day.home / "cache" / "matplotlib").iterdir())


def test_the_log_of_a_day_names_nobody(day: Day):
    assert names_left(day.home / "logs") == []
    assert any((day.home / "logs").iterdir())


def test_nothing_of_a_person_is_left_when_everything_was_deleted(day: Day):
    """No name in a file or of a file, and no picture of anybody, anywhere below the home of the
    app, the user's folders for settings and caches, and the folder for temporary files."""
    shutil.copytree(day.root, after := day.root.parent / "after")
    for text in ("settings.json", "models", "persons", "recordings"):
        assert any(line.startswith(text) for line in names_left(after / "home")), "it was there"
    kinds = {path.split("/")[0] for path in pictures_left(after / "home")}
    assert {"persons", "recordings", "snapshots"} <= kinds
    model = json.loads((after / "home" / "settings.json").read_text())["model"]
    settings = (after / "home" / "settings.json").read_text()
    (after / "home" / "settings.json").write_text(
        settings.replace(json.dumps(str(day.home))[1:-1], json.dumps(str(after / "home"))[1:-1])
    )
    assert model.startswith(str(day.home))
    run(after, "forget", watched=False)
    left = [line for line in pictures_left(after / "home") if not line.startswith("snapshots/")]
    assert left == [], "snapshots are the person's to delete, as docs/privacy.md says"
    shutil.rmtree(after / "home" / "snapshots")
    for place in ("home", "user", "tmp"):
        assert names_left(after / place) == []
        assert pictures_left(after / place) == []
