"""Several sources in one window."""

import csv
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtCore import QSize, Qt
from PyQt6.QtWidgets import QInputDialog

from fer_live.base.settings import load_settings
from fer_live.datatypes import Frame
from fer_live.recording.recorder import list_recordings, recordings_folder
from fer_live.sources.choice import Camera, Demo, Location
from fer_live.sources.several import kept_sources
from fer_live.sources.source import FrameSource
from fer_live.window.grid.tile_grid import columns_for
from fer_live.window.main_window import MainWindow
from tests.helpers.cameras import SyntheticCamera
from tests.helpers.window import GRAY, ON_CPU, Missing, Pictures, wait_for_pictures

SMALL = tuple(np.full((120, 160, 3), gray, np.uint8) for gray in (90, 91))


@pytest.mark.parametrize(
    ("n_tiles", "size", "n_columns"),
    [
        (0, (800, 600), 1),
        (1, (800, 600), 1),
        (2, (1060, 620), 2),
        (2, (426, 700), 1),
        (4, (426, 300), 2),
        (4, (1060, 620), 2),
        (4, (1900, 300), 4),
        (5, (1060, 620), 3),
        (3, (0, 0), 1),
    ],
)
def test_pictures_are_laid_out_as_large_as_they_can_be(n_tiles, size, n_columns):
    assert columns_for(n_tiles, QSize(*size)) == n_columns


def painted(window: MainWindow) -> list[int]:
    return [feed.meter.painted for feed in window.feeds.all]


def wait_for_all(qtbot, window: MainWindow, n: int = 3) -> None:
    before = painted(window)
    qtbot.waitUntil(
        lambda: all(now >= then + n for now, then in zip(painted(window), before, strict=True)),
        timeout=60_000,
    )


def wait_for_others(qtbot, window: MainWindow, but: int, n: int = 5) -> None:
    before = painted(window)
    qtbot.waitUntil(
        lambda: all(
            now >= then + n
            for at, (now, then) in enumerate(zip(painted(window), before, strict=True))
            if at != but
        ),
        timeout=60_000,
    )


def test_each_source_has_its_own_numbers_counts_and_name(qtbot, open_window, demo_frames):
    face = Pictures((demo_frames[20],))
    window, meter = open_window(face, also=(face, GRAY))
    wait_for_all(qtbot, window, 10)
    first, second, empty = window.feeds.all
    assert [feed.name for feed in window.feeds.all] == ["pictures", "pictures 2", "pictures 3"]
    assert [feed.tile.followed for feed in window.feeds.all] == [1, 1, None]
    assert empty.tile.view.message == "No face in view"
    assert len({id(feed.pipeline) for feed in window.feeds.all}) == 3
    qtbot.waitUntil(lambda: "a second" in second.tile.head.status, timeout=10_000)
    window.stop()
    figures = meter.summary()
    assert figures["captured"] == sum(one["captured"] for one in figures["sources"])
    assert figures["painted"] == sum(one["painted"] for one in figures["sources"])
    assert figures["sources"][0]["faces"] > 0
    assert figures["sources"][2]["faces"] == 0
    assert first.tile.head.name == "pictures"


@dataclass(frozen=True)
class Failing(Pictures):
    """A camera that shows ten pictures; then it is `lost`, `stuck`, or has `ended`."""

    how: str = "lost"
    opened: list[int] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def open(self) -> FrameSource:
        self.opened.append(1)
        released, how, is_first = self.released, self.how, len(self.opened) == 1

        class Camera(SyntheticCamera):
            reconnects = how != "ended"

            def read(self) -> Frame | None:
                if how == "stuck" and self._index == 10:
                    released.wait(60)
                return super().read()

        return Camera(
            SMALL if is_first or how != "lost" else SMALL[:1],
            10 if how != "stuck" else 100,
            paced=True,
            then_fail=how == "lost",
        )


@pytest.mark.parametrize(
    ("how", "says"),
    [("lost", "trying again"), ("stuck", "trying again"), ("ended", "has ended")],
)
def test_a_source_that_fails_while_it_runs_leaves_the_others(
    qtbot, open_window, monkeypatch, how, says
):
    monkeypatch.setattr("fer_live.session.reconnect._STOPS_WITHIN_S", 0.2)
    monkeypatch.setattr("fer_live.session.reconnect._STALLED_AFTER_S", 0.5)
    failing = Failing(SMALL, how=how)
    window, _ = open_window(GRAY, also=(failing, GRAY))
    said = []
    window.failed.connect(said.append)
    broken = window.feeds.all[1].tile
    qtbot.waitUntil(lambda: says in broken.view.message, timeout=60_000)
    wait_for_others(qtbot, window, but=1, n=10)
    assert said == [], "no failure of the window"
    assert window.feeds.broken == ([] if how != "ended" else [broken.view.message])
    failing.released.set()


def test_a_missing_camera_offers_retry_in_its_own_tile_and_the_last_failure_is_the_windows(
    qtbot, open_window
):
    window, _ = open_window(Missing(), also=(GRAY,))
    missing, gray = window.feeds.all
    qtbot.waitUntil(lambda: missing.tile.is_asking, timeout=60_000)
    wait_for_others(qtbot, window, but=0)
    assert "not there" in missing.tile.view.message
    assert not gray.tile.is_asking
    with qtbot.waitSignal(window.failed, timeout=60_000):
        gray.source.choose(Missing(name="camera 9"))
    gray.source.choose(Demo())
    wait_for_others(qtbot, window, but=0)
    missing.source.choose(Demo())
    wait_for_all(qtbot, window)
    assert window.feeds.broken == []


def test_a_click_and_a_key_choose_the_tile_that_bars_timeline_and_figures_are_of(
    qtbot, open_window, demo_frames
):
    window, _ = open_window(GRAY, also=(Pictures((demo_frames[20],), name="face"),))
    wait_for_all(qtbot, window)
    gray, face = window.feeds.all
    assert window.feeds.chosen is gray
    assert gray.tile.timeline.isVisible()
    assert not face.tile.timeline.isVisible()
    qtbot.mouseClick(face.tile.view, Qt.MouseButton.LeftButton)
    assert window.feeds.chosen is face
    assert window.live is face.tile
    assert not gray.tile.timeline.isVisible()
    assert face.tile.panel.isVisible()
    qtbot.waitUntil(lambda: "face 1" in face.tile.panel.accessibleDescription(), timeout=10_000)
    qtbot.waitUntil(lambda: window.status.labels[0].whole.startswith("face:"), timeout=10_000)
    qtbot.keyClick(window, Qt.Key.Key_S)
    assert window.feeds.chosen is gray
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert not gray.tile.timeline.isVisible()
    face.said.emit("lost")
    assert window.notices.texts == ("face: lost",), "a message names its source"


def test_sources_are_added_named_and_closed_and_remembered(
    qtbot, open_window, demo_clip: Path, monkeypatch
):
    window, _ = open_window(GRAY)
    wait_for_all(qtbot, window)
    assert not window.live.head.isVisible(), "one source looks as it always did"
    assert not window.action["close_source"].isEnabled()
    window.source_menu.added.emit(Location(str(demo_clip)))
    wait_for_all(qtbot, window)
    assert window.feeds.chosen is window.feeds.all[1]
    assert window.live.head.isVisible()
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: (" left\neye ", True))
    window.action["name_source"].trigger()
    assert window.feeds.chosen.name == window.live.head.name == "left eye"
    kept = kept_sources(load_settings()[0])
    assert [(one.choice, one.given_name) for one in kept][1] == (
        Location(str(demo_clip)),
        "left eye",
    )
    closed = window.feeds.chosen
    qtbot.keyClick(window, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert window.feeds.all == (window.feeds.chosen,)
    assert window.feeds.chosen is not closed
    assert not window.live.head.isVisible()
    assert load_settings()[0].sources == ()
    window.action["close_source"].trigger()
    assert len(window.feeds.all) == 1, "the last one stays"
    wait_for_all(qtbot, window)


def test_a_camera_that_is_open_is_not_opened_twice(qtbot, open_window, monkeypatch):
    monkeypatch.setattr(Camera, "open", lambda self: GRAY.open())
    window, _ = open_window(Camera(0))
    wait_for_all(qtbot, window)
    window.feeds.add(Camera(0, device="desk"))
    assert len(window.feeds.all) == 1
    assert "camera 0" in " ".join(window.notices.texts)
    window.feeds.add(Camera(1))
    window.feeds.replace(Camera(0))
    assert window.source.named.choice == Camera(1)


def test_a_stuck_source_is_closed_without_anybody_waiting(qtbot, open_window, monkeypatch):
    monkeypatch.setattr("fer_live.session.reconnect._STOPS_WITHIN_S", 3.0)
    stuck = Failing(SMALL, how="stuck")
    window, _ = open_window(GRAY, also=(stuck,))
    qtbot.waitUntil(lambda: window.feeds.all[1].meter.captured >= 10, timeout=60_000)
    began_s = time.monotonic()
    window.feeds.close(window.feeds.all[1])
    assert time.monotonic() - began_s < 1.0
    wait_for_all(qtbot, window)
    stuck.released.set()


def test_every_source_is_recorded_into_a_folder_with_its_name(qtbot, open_window):
    window, _ = open_window(GRAY, also=(Pictures(SMALL, name="left/eye"),))
    wait_for_all(qtbot, window)
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert window.action["record"].isChecked()
    wait_for_all(qtbot, window, 5)
    assert all("●" in feed.tile.view._lines[0] for feed in window.feeds.all)
    window.feeds.ask_for_name(window.feeds.chosen)
    assert "The name stays" in " ".join(window.notices.texts)
    window.feeds.close(window.feeds.all[1])
    assert window.action["record"].isChecked(), "the other one is still recorded"
    qtbot.keyClick(window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert not window.action["record"].isChecked()
    window.stop()
    recordings = list_recordings(recordings_folder())
    names = sorted(one.name.split(" ", 2)[2] for one in recordings)
    assert names == ["left_eye", "pictures"]
    assert {one.about.source for one in recordings} == {"left/eye", "pictures"}


def test_one_file_takes_every_source_also_one_that_comes_later(
    qtbot, open_window, demo_frames, tmp_path: Path
):
    face = Pictures((demo_frames[20],))
    path = tmp_path / "a.csv"
    window, _ = open_window(face, also=(face,), outputs={"csv": str(path)})
    wait_for_all(qtbot, window, 5)
    window.feeds.add(Pictures((demo_frames[20],), name="later"))  # type: ignore[arg-type]
    wait_for_all(qtbot, window, 5)
    window.feeds.close(window.feeds.all[0])
    wait_for_all(qtbot, window, 5)
    window.stop()
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert {row["source"] for row in rows} == {"pictures", "pictures 2", "later"}
    for source in ("pictures", "pictures 2", "later"):
        assert next(row for row in rows if row["source"] == source)["track_id"] == "1"
    assert rows[-1]["source"] != "pictures"


def test_the_sources_of_the_last_window_share_the_time_for_the_signals(qtbot, open_window):
    window, _ = open_window(GRAY)
    qtbot.waitUntil(lambda: window.pipeline is not None, timeout=60_000)
    wait_for_all(qtbot, window)
    alone = window.pipeline.signals_budget
    window.feeds.add(GRAY)  # type: ignore[arg-type]
    wait_for_all(qtbot, window)
    assert [feed.pipeline.signals_budget for feed in window.feeds.all] == [alone / 2] * 2
    window.feeds.close(window.feeds.all[0])
    assert window.pipeline.signals_budget == alone


def test_a_kept_model_that_is_broken_gives_way_for_every_source(qtbot, open_window, tmp_path: Path):
    (tmp_path / "broken.onnx").write_text("no model")
    settings = ON_CPU.but(model=str(tmp_path / "broken.onnx"))
    window, _ = open_window(GRAY, settings, also=(GRAY, GRAY))
    failed = []
    window.failed.connect(failed.append)
    wait_for_all(qtbot, window)
    assert failed == []


def test_the_window_with_four_sources_fits_a_small_screen(qtbot, open_window):
    window, meter = open_window(GRAY, also=(GRAY, GRAY, GRAY))
    wait_for_pictures(qtbot, meter)
    window.resize(640, 480)
    qtbot.wait(50)
    assert (window.width(), window.height()) == (640, 480)
    for feed in window.feeds.all:
        view = feed.tile.view
        assert view.width() >= 180, "as wide as half of what is left of the panel"
        assert view.height() >= 90
        assert view.isVisible()
