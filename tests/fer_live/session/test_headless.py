import csv
import json
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fer_live.base.settings import Settings
from fer_live.datatypes import Frame, FrameResult
from fer_live.errors import FerLiveError, InputError, ModelError, SourceError
from fer_live.outputs.csv_file import CsvFile
from fer_live.outputs.face_rows import Row
from fer_live.outputs.marker_file import read_marker_file
from fer_live.session import headless
from fer_live.session.headless import HeadlessRun, run_headless
from fer_live.session.meter import Meter
from fer_live.session.options import LiveOptions
from fer_live.sources.several import NamedSource
from tests.helpers.cameras import SyntheticCamera
from tests.helpers.listening import wait_until
from tests.helpers.results import LABELS, result

PICTURES = tuple(np.full((96, 128, 3), gray, np.uint8) for gray in (90, 91))


class FakePipeline:
    """Finds one face in every frame; its number is the frame's, from 1."""

    labels = LABELS
    with_signals = False
    detector = SimpleNamespace(name="short")
    classifier = SimpleNamespace(provider="cpu", name="fake")

    def __init__(self, _: Settings) -> None:
        pass

    def process(self, frame: Frame) -> FrameResult:
        return result(frame.index, frame.captured_at_s)

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Running:
    """Two pictures in turn, at 100 a second."""

    name: str = "running"
    is_mirrored: bool = False
    n_frames: int = 100_000

    def open(self) -> SyntheticCamera:
        return SyntheticCamera(PICTURES, self.n_frames, fps=100, paced=True)


@dataclass(frozen=True)
class Refused(Running):
    """A camera for which the permission is refused."""

    name: str = "camera 5"

    def open(self) -> SyntheticCamera:
        raise SourceError("camera 5: not there, or in use by another program")


@dataclass(frozen=True)
class Unplugged(Running):
    """Shows some pictures, then stops, and cannot be opened again."""

    opened: list[int] = field(default_factory=list)

    def open(self) -> SyntheticCamera:
        self.opened.append(1)
        if len(self.opened) > 1:
            raise SourceError("gone")
        camera = SyntheticCamera(PICTURES, 10, fps=100, paced=True, then_fail=True)
        camera.reconnects = True  # type: ignore[misc]
        return camera


@dataclass(frozen=True)
class Stuck(Running):
    """Shows some pictures, then its `read` never returns."""

    released: threading.Event = field(default_factory=threading.Event)

    def open(self) -> SyntheticCamera:
        released = self.released

        class Blocked(SyntheticCamera):
            def read(self) -> Frame | None:
                if self._index == 10:
                    released.wait(60)
                return super().read()

        camera = Blocked(PICTURES, 20, fps=100, paced=True)
        camera.reconnects = True  # type: ignore[misc]
        return camera


def run(
    sources: list[Running], outputs: dict[str, str], duration_s: float | None = 1.0
) -> tuple[HeadlessRun, dict]:
    meter = Meter()
    named = [(f"{source.name} {k}", source) for k, source in enumerate(sources)]
    it = HeadlessRun(named, FakePipeline, Settings(), outputs, unpainted, meter)  # type: ignore[arg-type]
    it.run(duration_s)
    return it, meter.summary()


def unpainted(labels: tuple[str, ...]):
    raise AssertionError("nothing is painted without a virtual camera")


def rows_by_source(path: Path) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row in csv.DictReader(path.read_text().splitlines()):
        found.setdefault(row["source"], []).append(int(row["frame"]))
    return found


def test_two_sources_go_into_one_file_that_tells_them_apart(tmp_path: Path):
    it, figures = run([Running(), Running()], {"csv": str(tmp_path / "a.csv")})
    rows = rows_by_source(tmp_path / "a.csv")
    assert it.broken == []
    assert set(rows) == {"running 0", "running 1"}
    for one in figures["sources"]:
        frames = rows[one["source"]]
        assert frames == sorted(set(frames)), "in order, each once"
        assert 20 < len(frames) <= one["processed"]
        assert one["captured"] == one["processed"] + one["dropped"]
    assert figures["processed"] == sum(one["processed"] for one in figures["sources"])
    n_left_out = it.left_out.get("csv", 0)  # of a machine that was busy elsewhere
    assert figures["processed"] == sum(map(len, rows.values())) + n_left_out


def test_results_that_an_output_had_no_time_for_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """As on a disk that does not answer for a while; of two sources twice as many wait."""
    append, stood_still, meter = CsvFile.append, threading.Event(), Meter()

    def stand_still(sink: CsvFile, rows: Iterable[Row]) -> None:
        if not stood_still.is_set():
            stood_still.set()
            wait_until(lambda: meter.processed > 100)
            it.interrupt()
        append(sink, rows)

    monkeypatch.setattr(CsvFile, "append", stand_still)
    named = [("left", Running()), ("right", Running())]
    outputs = {"csv": str(tmp_path / "a.csv")}
    it = HeadlessRun(named, FakePipeline, Settings(), outputs, unpainted, meter)  # type: ignore[arg-type]
    it.run(60)
    n_written = sum(map(len, rows_by_source(tmp_path / "a.csv").values()))
    assert it.left_out == {"csv": meter.processed - n_written}
    assert n_written >= 1 + 2 * 30
    told = f"csv: {it.left_out['csv']} came faster than they were written or sent"
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("broken", "is_told"),
    [
        (Refused(), True),
        (Running("clip", n_frames=5), True),
        (Unplugged(), False),
        (Stuck(), False),
    ],
    ids=["refused", "ended", "unplugged", "stuck"],
)
def test_one_source_that_fails_leaves_the_other(
    broken, is_told, tmp_path: Path, capsys, monkeypatch
):
    """What may come back is not broken: it is opened again for as long as the run lasts."""
    monkeypatch.setattr("fer_live.session.reconnect._STOPS_WITHIN_S", 0.2)
    monkeypatch.setattr("fer_live.session.reconnect._STALLED_AFTER_S", 0.4)
    it, figures = run([broken, Running()], {"csv": str(tmp_path / "a.csv")}, duration_s=1.5)
    other = figures["sources"][1]
    assert other["processed"] > 60, "it went on to the end"
    assert len(rows_by_source(tmp_path / "a.csv")["running 1"]) == other["processed"]
    assert figures["sources"][0]["processed"] <= 40, "opened again, it stops again"
    assert len(it.broken) == is_told
    assert f"{broken.name} 0" in capsys.readouterr().err
    if isinstance(broken, Stuck):
        broken.released.set()


def test_the_run_ends_with_its_last_source(tmp_path: Path):
    clip = Running("clip", n_frames=5)
    it, figures = run([clip, clip], {"csv": str(tmp_path / "a.csv")}, duration_s=None)
    assert len(it.broken) == 2
    assert figures["captured"] == 10
    assert "clip 0" in rows_by_source(tmp_path / "a.csv")


def test_an_interrupt_ends_the_run_and_its_files_are_whole(tmp_path: Path):
    meter = Meter()
    it = HeadlessRun(
        [("a", Running())],  # type: ignore[list-item]
        FakePipeline,  # type: ignore[arg-type]
        Settings(),
        {"csv": str(tmp_path / "a.csv")},
        unpainted,
        meter,
    )
    thread = threading.Thread(target=it.run, args=(None,))
    thread.start()
    deadline = time.monotonic() + 30
    while meter.processed < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    it.interrupt()
    thread.join(30)
    assert not thread.is_alive()
    assert len(rows_by_source(tmp_path / "a.csv")["a"]) == meter.processed >= 10


def test_a_model_that_cannot_be_loaded_ends_it_before_anything_is_read(tmp_path: Path):
    def load(_: Settings) -> FakePipeline:
        raise ModelError("bad.onnx: not a model")

    it = HeadlessRun(
        [("a", Running()), ("b", Running())],  # type: ignore[list-item]
        load,  # type: ignore[arg-type]
        Settings(),
        {"csv": str(tmp_path / "a.csv")},
        unpainted,
        Meter(),
    )
    with pytest.raises(ModelError, match="not a model"):
        it.run(None)
    assert list(tmp_path.iterdir()) == []


def headless_options(tmp_path: Path, *sources: Running, outputs: dict[str, str]) -> LiveOptions:
    return LiveOptions(
        sources=[NamedSource(source) for source in sources],  # type: ignore[arg-type]
        outputs=outputs,
        duration_s=0.5,
        stats=tmp_path / "s.json",
    )


def test_the_exit_code_and_the_figures_tell_what_broke(tmp_path: Path):
    outputs = {"jsonl": str(tmp_path / "a.jsonl")}

    def code(*sources: Running) -> int:
        options = headless_options(tmp_path, *sources, outputs=outputs)
        return run_headless(options, Settings(), FakePipeline, unpainted)  # type: ignore[arg-type]

    assert code(Running(), Running("other")) == 0
    figures = json.loads((tmp_path / "s.json").read_text())
    assert [one["source"] for one in figures["sources"]] == ["running", "other"]
    assert figures["model"] == "fake"
    assert code(Running(), Refused()) == 1
    with pytest.raises(InputError, match="camera 5"):
        code(Refused())


def test_without_an_output_or_a_picture_it_says_so(tmp_path: Path, monkeypatch):
    options = headless_options(tmp_path, Running(), outputs={})
    with pytest.raises(InputError, match="add one of --csv"):
        run_headless(options, Settings(), FakePipeline, unpainted)  # type: ignore[arg-type]
    monkeypatch.setattr(headless, "_FIRST_PICTURE_WITHIN_S", 0)
    monkeypatch.setattr("fer_live.session.reconnect._STOPS_WITHIN_S", 0.2)
    outputs = {"csv": str(tmp_path / "a.csv")}

    @dataclass(frozen=True)
    class Silent(Stuck):
        def open(self) -> SyntheticCamera:
            self.released.wait(60)
            return super().open()

    silent = Silent()
    with pytest.raises(FerLiveError, match="no picture was read"):
        run_headless(
            headless_options(tmp_path, silent, outputs=outputs),
            Settings(),
            FakePipeline,  # type: ignore[arg-type]
            unpainted,
        )
    silent.released.set()


def test_markers_of_other_programs_go_into_the_file_of_all_sources(tmp_path: Path):
    osc = pytest.importorskip("pythonosc.osc_message_builder")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    meter = Meter()
    it = HeadlessRun(
        [("a", Running()), ("b", Running())],  # type: ignore[list-item]
        FakePipeline,  # type: ignore[arg-type]
        Settings(),
        {"csv": str(tmp_path / "a.csv")},
        unpainted,
        meter,
        {"osc": str(port)},
    )
    thread = threading.Thread(target=it.run, args=(None,))
    thread.start()
    deadline = time.monotonic() + 30
    while meter.processed < 10 and time.monotonic() < deadline:
        time.sleep(0.01)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        packet = osc.build_msg("/fer/marker/begin", ["baseline"]).dgram
        sender.sendto(packet, ("127.0.0.1", port))
    while not it.markers.begun and time.monotonic() < deadline:
        time.sleep(0.01)
    processed = meter.processed
    while meter.processed < processed + 20 and time.monotonic() < deadline:
        time.sleep(0.01)
    it.interrupt()
    thread.join(30)
    assert not thread.is_alive()
    (span,) = read_marker_file(tmp_path / "a.csv.markers.csv")
    assert (span.text, span.origin) == ("baseline", "osc")
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert {row["source"] for row in rows if row["marker"] == "baseline"} == {"a", "b"}
    assert rows[0]["marker"] == ""


def test_a_way_in_that_is_no_address_is_told_before_anything_starts():
    options = LiveOptions(
        sources=[NamedSource(Running())],  # type: ignore[arg-type]
        outputs={"osc": "9000"},
        marker_inputs={"osc": "nowhere"},
    )
    with pytest.raises(InputError, match="--marker-osc: nowhere: not an address"):
        run_headless(options, Settings(), FakePipeline, unpainted)  # type: ignore[arg-type]
