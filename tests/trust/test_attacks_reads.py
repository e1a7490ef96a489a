"""Pipes, devices, links and files of any size in the places that the app reads and writes."""

import ast
import logging
import os
import shutil
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from fer_live.base.array_file import ArrayFault, load_arrays
from fer_live.base.atomic_file import (
    alone_with,
    forget_partial,
    open_to_append,
    partial_path,
    refuse_second_writer,
    write_atomically,
)
from fer_live.base.console import run_command
from fer_live.base.home import home as home_folder
from fer_live.base.log import end_log, log_files, start_log
from fer_live.base.regular_file import SMALL_BYTES, open_regular, read_whole
from fer_live.base.settings import Settings, load_settings
from fer_live.base.source_table import read_batch_file
from fer_live.base.unfinished import take_cut_off
from fer_live.errors import FerLiveError, InputError
from fer_live.model.inspect import load_model_file
from fer_live.outputs.marker_file import MarkerFile, companion_of, read_marker_file
from fer_live.outputs.markers import MarkedSpan
from fer_live.personal.profile_file import import_profile
from fer_live.personal.proof import load_proof
from fer_live.recording.persons import load_persons
from fer_live.recording.recorder import ABOUT_FILE, About, Recorder, Recording, recordings_folder
from fer_live.recording.row_index import build_index
from fer_live.recording.rows_file import has_signals
from fer_live.recording.shelf import shelf
from fer_live.recording.sound import open_sound
from fer_live.recording.video_copy import copy_frames
from fer_live.recording.video_reference import VideoReference
from fer_live.serve.token import find_token
from fer_live.studies import tables
from fer_live.studies.tables import read_rows
from tests.helpers.results import LABELS, result
from training.config import load_config
from training.study.cells import any_config

ROOT = Path(__file__).parents[2]
ENDS_WITHIN_S = 20.0
pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path / "home"))
    return home_folder()


@pytest.fixture
def any_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def ended(call: Callable[[], Any]) -> Any:
    """What a call returned or raised; fails where it waits for a pipe."""
    told: list[Any] = []

    def run() -> None:
        try:
            told.append(call())
        except Exception as error:  # noqa: BLE001  # handed on
            told.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(ENDS_WITHIN_S)
    assert told, "it hangs"
    return told[0]


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def about(**changes: Any) -> About:
    began_at = datetime(2026, 11, 25, 14, 3, 22)
    fields = {"labels": LABELS, "model": "m", "source": "s", "began_at": began_at}
    return About(with_overlay=False, **fields | changes)


def recorded() -> Recording:
    recorder = Recorder(recordings_folder(), about())
    recorder.write("s", result(0, 0.0))
    recorder.close()
    return Recording.open(recorder.folder)


def is_refused(answer: Any) -> bool:
    """One line of ours, or nothing found."""
    if isinstance(answer, Exception):
        return isinstance(answer, FerLiveError | ArrayFault) and len(str(answer).splitlines()) == 1
    return answer in (None, [], False)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_only_a_regular_file_is_opened(tmp_path: Path, kind: str):
    place = tmp_path / "x"
    os.mkfifo(place) if kind == "pipe" else place.symlink_to("/dev/zero")
    told = ended(lambda: open_regular(place))
    assert isinstance(told, OSError) and told.strerror == "it is no regular file"
    link = tmp_path / "link"
    (tmp_path / "real").write_text("a")
    link.symlink_to(tmp_path / "real")
    assert read_whole(link) == b"a", "a person may keep a file elsewhere"


def test_no_more_is_read_than_a_file_may_hold(tmp_path: Path):
    (tmp_path / "x").write_bytes(b"12345")
    assert read_whole(tmp_path / "x", 5) == b"12345"
    with pytest.raises(OSError, match="larger than") as caught:
        read_whole(tmp_path / "x", 4)
    assert caught.value.filename == str(tmp_path / "x")


READ: dict[str, Callable[[Path], Any]] = {
    "a batch": read_batch_file,
    "a token": lambda file: find_token(file, None),  # type: ignore[arg-type]
    "a config": load_config,
    "a grid": any_config,
    "markers": read_marker_file,
    "a profile": import_profile,
    "a model": load_model_file,
    "rows.csv": lambda file: read_rows([file]),
    "rows.jsonl": lambda file: read_rows([file]),
    "rows.parquet": lambda file: read_rows([file]),
    "persons.json": lambda file: load_persons(file.parent),
    "proof.json": lambda file: load_proof(file.parent),
    "index.npz": lambda file: load_arrays(file, {"a": ("f", 1)}),
    "faces.jsonl": lambda file: has_signals(Recording(file.parent, about())),
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("kind", ["pipe", "large"])
def test_what_is_named_and_no_such_file_ends_in_a_line(tmp_path: Path, kind: str, name: str):
    place = tmp_path / name
    if kind == "pipe":
        os.mkfifo(place)
    else:  # without taking any room
        place.touch()
        os.truncate(place, SMALL_BYTES + 1)
    assert is_refused(ended(lambda: READ[name](place)))


@pytest.mark.parametrize("name", ["settings.json", "unfinished/x.json"])
def test_a_pipe_among_what_the_app_keeps_holds_nothing_up(home: Path, name: str):
    (home / name).parent.mkdir(exist_ok=True)
    os.mkfifo(home / name)
    settings, trouble = ended(load_settings)
    assert settings == Settings() and ("regular" in trouble) == (name == "settings.json")
    assert ended(take_cut_off) == []


@pytest.mark.parametrize("name", [ABOUT_FILE, "persons.json", "notes.json", "faces.jsonl"])
def test_a_pipe_in_a_recording_holds_nothing_up(name: str):
    recording = recorded()
    (recording.folder / name).unlink(missing_ok=True)
    os.mkfifo(recording.folder / name)
    (entry,) = ended(lambda: shelf(recordings_folder()))
    assert (entry.recording is None) == (name == ABOUT_FILE)
    assert len(ended(recording.rows)) == (name != "faces.jsonl")
    assert ended(recording.markers) == []
    assert ended(lambda: recording.utc_at(1.0)).second == 23
    assert len(ended(lambda: build_index(recording.folder / "faces.jsonl", LABELS)).times_s) in (
        0,
        1,
    )
    ended(recording.delete)
    assert not recording.folder.exists()


def test_a_recording_that_names_a_pipe_as_its_video_is_told(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    video = VideoReference(path=str(tmp_path / "pipe"), n_bytes=1, sha256_of_ends="x")
    folder = recordings_folder() / "r"
    folder.mkdir(parents=True)
    (folder / ABOUT_FILE).write_text(about(video=video).model_dump_json())
    (entry,) = ended(lambda: shelf(recordings_folder()))
    assert entry.recording is None and "pipe" in entry.trouble


def test_a_pipe_where_a_file_grows_holds_nothing_up(tmp_path: Path):
    os.mkfifo(tmp_path / "a.partial.csv")
    os.mkfifo(tmp_path / ".a.csv.lock")

    def alone() -> bool:
        with alone_with(tmp_path / "a.csv"):
            return True

    assert ended(alone)
    assert ended(lambda: refuse_second_writer(tmp_path / "a.csv")) is None
    assert ended(lambda: partial_path(tmp_path / "a.csv")) == tmp_path / "a.partial-2.csv"
    ended(lambda: forget_partial(tmp_path / "a.partial.csv"))


def test_a_line_longer_than_a_row_takes_no_memory(tmp_path: Path):
    columns = "source,frame,time_s,track_id,label,shown_label,p_neutral\n"
    for name, head in (("a.csv", columns), ("a.jsonl", "")):
        (tmp_path / name).write_text(head)
        os.truncate(tmp_path / name, 100 << 20)
        with pytest.raises(InputError, match="a line is longer than"):
            read_rows([tmp_path / name])
    rows = recorded().folder / "faces.jsonl"
    with rows.open("ab") as file:
        file.write(b"0" * (5 << 20) + b"\n" + rows.read_bytes())
    index = build_index(rows, LABELS)
    assert index is not None and len(index.times_s) == 2, "what stands behind it is found"


def test_rows_that_are_read_in_parts_are_one_table(tmp_path: Path, monkeypatch: Any):
    file = tmp_path / "a.jsonl"
    recorder = Recorder(recordings_folder(), about())
    for k in range(7):
        recorder.write("s", result(k, k / 10))
    recorder.close()
    shutil.copy(recorder.folder / "faces.jsonl", file)
    whole = read_rows([file])
    monkeypatch.setattr(tables, "_AT_ONCE", 3)
    assert len(whole) == 7 and read_rows([file]).equals(whole)


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe", "read pipe"])
def test_the_log_follows_nothing(tmp_path: Path, home: Path, kind: str):
    (home / "logs").mkdir()
    place, victim = home / "logs/fer-live.log", tmp_path / "victim"
    victim.write_text("precious")
    victim.chmod(0o644)
    reader = None
    if kind == "link":
        place.symlink_to(victim)
    elif kind == "hard link":
        place.hardlink_to(victim)
    else:
        os.mkfifo(place)
        if kind == "read pipe":
            reader = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
    ended(lambda: start_log("1"))
    logging.getLogger("fer_live").info("a line")
    end_log()
    assert victim.read_text() == "precious" and rights(victim) == 0o644
    if reader is not None:
        assert os.read(reader, 100) == b""
        os.close(reader)
    if kind == "link":
        assert log_files() == [], "nor is it sent with a report of a problem"


def test_the_log_is_its_owners_alone(home: Path, any_umask: None):
    start_log("1")
    end_log()
    (file,) = log_files()
    assert rights(file) == 0o600 and "FER Live 1" in file.read_text()


SPAN = MarkedSpan("hello", 1.0, 1.0)


def test_markers_are_written_through_no_link(tmp_path: Path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    growing = companion_of(tmp_path / "rows.partial.csv")
    growing.symlink_to(victim)
    markers = MarkerFile(growing)
    markers.append(SPAN)
    assert victim.read_text() == "precious" and not growing.is_symlink()
    growing.rename(tmp_path / "aside")
    growing.symlink_to(victim)
    with pytest.raises(FerLiveError):
        markers.append(SPAN)
    assert victim.read_text() == "precious"


def test_markers_are_kept_where_their_place_cannot_be_had(tmp_path: Path):
    """As where somebody else's link stands in a shared folder, which nobody else can remove."""
    growing = companion_of(tmp_path / "rows.partial.csv")
    growing.mkdir()
    markers = MarkerFile(growing)
    markers.append(SPAN)
    assert markers.path != growing and read_marker_file(markers.path) == [SPAN]
    markers.close(tmp_path / "rows.csv.markers.csv")
    assert read_marker_file(tmp_path / "rows.csv.markers.csv") == [SPAN]


@pytest.mark.parametrize("place", ["home", "elsewhere"])
def test_nobody_else_may_write_what_is_written(
    tmp_path: Path, home: Path, any_umask: None, place: str
):
    folder = home / "documents" if place == "home" else tmp_path / "elsewhere"
    folder.mkdir(0o755)
    expected = 0o600 if place == "home" else 0o644
    write_atomically(folder / "a.html", b"x")
    markers = MarkerFile(folder / "a.markers.csv")
    markers.append(SPAN)
    growing = [markers.path, partial_path(folder / "a.csv")]
    markers.close(folder / "b.markers.csv")
    written = [folder / "a.html", folder / "b.markers.csv", growing[1]]
    assert [rights(file) for file in written] == [expected] * 3
    write_atomically(folder / "a.key", b"x", is_private=True)
    assert rights(folder / "a.key") == 0o600


def test_a_command_leaves_nothing_that_others_may_write(tmp_path: Path, any_umask: None):
    """Also what a library writes, and folders."""

    def command() -> int:
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").touch()
        return 0

    with pytest.raises(SystemExit):
        run_command("fer-live", command)
    assert (rights(tmp_path / "folder"), rights(tmp_path / "file")) == (0o755, 0o644)


def test_what_is_appended_to_is_a_file_of_ones_own(tmp_path: Path):
    with open_to_append(tmp_path / "a") as file:
        file.write(b"1")
    with open_to_append(tmp_path / "a") as file:
        file.write(b"2")
    assert (tmp_path / "a").read_bytes() == b"12" and rights(tmp_path / "a") == 0o600


@pytest.mark.parametrize("name", ["tcp:127.0.0.1:{port}?x.mp4", "http:127.0.0.1:{port}"])
def test_a_files_name_opens_no_connection(
    tmp_path: Path, demo_clip: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        file = Path(name.format(port=listener.getsockname()[1]))
        shutil.copy(demo_clip, file)
        sound = ended(lambda: open_sound(str(file), ".mp4"))
        assert sound is None, "the demo has none"
        times_s = copy_frames(file, 0.0, 0.5, tmp_path / "part.mkv", lambda _: None)
        assert times_s and (tmp_path / "part.mkv").stat().st_size > 0
        with pytest.raises(BlockingIOError):
            listener.accept()


UNGUARDED = {
    # What comes with the app, and what the system tells.
    "fer_live/base/pages/whole_page.py",
    "fer_live/base/system_libraries.py",
    "fer_live/outputs/__main__.py",
    "fer_live/session/meter.py",
    "fer_live/vision/cover.py",
    "fer_live/window/__main__.py",
}
CONTAINERS = "fer_live/sources/container.py"


def calls_in(file: Path) -> Iterator[tuple[str, str, list[str]]]:
    """The object, the method and the texts among the arguments of each call of a method."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            given = [*node.args, *(word.value for word in node.keywords)]
            texts = [one.value for one in given if isinstance(one, ast.Constant)]
            on = ast.unparse(node.func.value)
            yield on, node.func.attr, [text for text in texts if isinstance(text, str)]


def test_every_file_is_read_through_the_guard():
    """A new read of a file by its name alone fails here: use `fer_live.base.regular_file`."""
    found = set()
    for folder in ("fer_live", "training", "export"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            where = str(file.relative_to(ROOT))
            for on, method, texts in calls_in(file):
                is_whole = method in ("read_bytes", "read_text") and not on.startswith("asset(")
                is_mode = any(text in ("r", "rb", "rt") for text in texts)
                is_named = method == "open" and is_mode and on != "gzip"
                if is_whole or is_named:
                    found.add(where)
                if (on, method) == ("av", "open") and "w" not in texts:
                    assert where == CONTAINERS, "FFmpeg would take a file's name for an address"
    assert found == UNGUARDED
