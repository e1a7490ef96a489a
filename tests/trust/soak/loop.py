"""One process of the soak: a window that is used without a pause until so many frames are read.

python -m tests.trust.soak.loop stand_ins 250000 500 FOLDER     prints one JSON object
"""

import itertools
import json
import os
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from PyQt6 import sip
from PyQt6.QtCore import QTimer, qInstallMessageHandler
from PyQt6.QtWidgets import QApplication

from fer_live.base.settings import Settings, save_settings
from fer_live.model.assets import GPU_MODEL, asset
from fer_live.outputs.registry import missing_extra, output_kinds
from fer_live.painting.qt_runtime import prepare_qt
from fer_live.session.meter import Meter
from fer_live.sources.several import NamedSource
from fer_live.vision.signals import stage
from fer_live.window.grid.feed import Feed
from fer_live.window.main_window import MainWindow
from fer_live.window.snapshot import take_snapshot
from fer_live.window.style import apply_style
from tests.helpers.servers import free_port
from tests.trust.counted import CountedWorker, counting_workers
from tests.trust.soak.accounts import Accounts, Needs
from tests.trust.soak.stand_ins import (
    Loader,
    MadeUpLandmarks,
    Pace,
    QuickSource,
    demo_pictures,
    made_up_devices,
    made_up_models,
    made_up_pictures,
)

_LOOK_EVERY_MS, _ENDS_WITHIN_S = 20, 60.0
_FILES = ("csv", "jsonl")


class Soak:
    """Uses the window: a step every `every` frames, the same ones in every round."""

    def __init__(self, folder: Path, n_frames: int, every: int, *, is_real: bool) -> None:
        self._folder, self._n_frames, self._every = folder, n_frames, every
        models: list[Any] = [None, str(asset(GPU_MODEL))] if is_real else made_up_models(folder)
        self._models = itertools.cycle(models)
        pace, pictures = Pace(), demo_pictures() if is_real else made_up_pictures()
        self._sources = [QuickSource(name, pictures, pace) for name in ("left", "right", "third")]
        first = Settings(notice_accepted_on="2026-11-26", model=next(self._models), provider="cpu")
        save_settings(first)
        self.meter, self.accounts, self.needs = Meter(), Accounts(), Needs()
        self.window = MainWindow(
            [NamedSource(self._sources[0])],  # type: ignore[arg-type]
            first,
            Loader(pace, is_real),
            self.meter,
        )
        self._feeds: list[Feed] = list(self.window.feeds.all)
        self._files: list[tuple[Path, CountedWorker]] = []
        self._recordings: list[tuple[Path, CountedWorker]] = []
        self._numbers = itertools.count()
        self._steps = self._all_steps()
        self._next_at = self._every
        self.window.first_painted.connect(self._begin_outputs)
        self._timer = QTimer(self.window)
        self._timer.timeout.connect(self._look)
        self._timer.start(_LOOK_EVERY_MS)
        self.window.show()

    def _look(self) -> None:
        n_read = self.meter.processed
        if n_read >= self._n_frames:
            application = QApplication.instance()
            assert application is not None
            application.quit()
        elif n_read >= self._next_at:
            next(self._steps)()
            self._next_at = self.meter.processed + self._every

    def _all_steps(self) -> Iterator[Callable[[], object]]:
        window = self.window
        change = window.preferences.change
        for number in itertools.count():
            is_odd = bool(number % 2)
            name = ("left", "right")[number % 2]
            other = self._sources[(number + 1) % 2]
            yield lambda: window.set_recording(True)
            yield lambda: change({"signals": True})
            yield self._rotate_files
            yield lambda: change({"signals": False})
            yield lambda: change({"model": next(self._models)})
            yield self._end_recording
            yield lambda: change({"language": "en" if is_odd else "ko"})  # noqa: B023
            yield lambda: change({"theme": "light" if is_odd else "dark"})  # noqa: B023
            yield lambda: window.feeds.replace(other)  # type: ignore[arg-type]  # noqa: B023
            yield self._add_source
            yield self._close_source
            yield lambda: window.pages.turn_to(("review", "personal")[number % 2])  # type: ignore[arg-type]  # noqa: B023
            yield lambda: self._mark(name)  # noqa: B023
            yield self._settle

    def _begin_outputs(self) -> None:
        places = {
            "osc": f"127.0.0.1:{free_port()}",
            "vmc": f"127.0.0.1:{free_port()}",
            "websocket": str(free_port()),
            "lsl": "soak",
            "virtual_camera": "",
        }
        for name, kind in output_kinds().items():
            if missing_extra(kind):
                self.accounts.faults.append(f"{name}: its package is not installed")
            elif name in places and (why := self.window.data_out.switch(name, places[name])):
                self.accounts.faults.append(f"{name}: {why}")
        self._rotate_files()

    def _rotate_files(self) -> None:
        for name in _FILES:
            path = self._folder / f"{next(self._numbers)}.{name}"
            if why := self.window.data_out.switch(name, str(path)):
                self.accounts.faults.append(f"{path.name}: {why}")
                continue
            (worker,) = self.window.data_out._outputs[name].workers
            assert isinstance(worker, CountedWorker)
            self._files.append((path, worker))

    def _end_recording(self) -> None:
        for feed in self.window.feeds.all:
            worker, recorder = feed.recording._output.worker, feed.recording._recorder
            if isinstance(worker, CountedWorker) and recorder is not None:
                self._recordings.append((recorder.folder, worker))
        self.window.set_recording(False)

    def _add_source(self) -> None:
        before = self.window.feeds.all
        self.window.feeds.add(self._sources[2])  # type: ignore[arg-type]
        self._feeds += [feed for feed in self.window.feeds.all if feed not in before]

    def _close_source(self) -> None:
        self.window.feeds.close(self.window.feeds.all[-1])

    def _mark(self, text: str) -> None:
        self.window.pages.turn_to("live")
        self.window.feeds.markers.add(text, "key")
        take_snapshot(self.window.live.view, self.window.say)
        shutil.rmtree(Path(os.environ["FER_LIVE_HOME"]) / "snapshots", ignore_errors=True)

    def _settle(self) -> None:
        self._settle_sources()
        for path, worker in [entry for entry in self._files if entry[1].has_ended]:
            self.accounts.settle_rows(path, worker.n_faces)
            path.unlink()
            path.with_name(path.name + ".markers.csv").unlink(missing_ok=True)
            self._files.remove((path, worker))
        for folder, worker in [entry for entry in self._recordings if entry[1].has_ended]:
            self.accounts.settle_recording(folder, worker.written, worker.n_faces)
            shutil.rmtree(folder)
            self._recordings.remove((folder, worker))
        self.accounts.settle_outputs()
        self.needs.note(self.meter.processed)

    def _settle_sources(self) -> None:
        for feed in [one for one in self._feeds if one not in self.window.feeds.all]:
            session = feed.session
            if not session._inference.is_alive():
                self.accounts.settle_source(feed.meter.name, feed.meter, session)
                self._feeds.remove(feed)

    def end(self) -> None:
        """Close the window, and count what was still open."""
        self._end_recording()
        self.window.stop()
        for feed in self._feeds:
            self.accounts.settle_source(feed.meter.name, feed.meter, feed.session)
        self._feeds.clear()
        deadline_s = time.monotonic() + _ENDS_WITHIN_S
        while not all(worker.has_ended for worker in CountedWorker.all):
            if time.monotonic() > deadline_s:
                self.accounts.faults.append("an output did not end")
                break
            time.sleep(0.01)
        self._settle()


def _of_qt(text: str) -> list[str]:
    """What Qt says, where it says more than its offscreen platform always does."""
    if "propagateSizeHints" in text:
        return []
    own = [frame for frame in traceback.extract_stack() if "fer_live" in frame.filename]
    place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "nowhere"
    return [f"Qt at {place}: {text}"]


def run(kind: str, n_frames: int, every: int, folder: Path) -> dict[str, object]:
    """Read `n_frames` through a window; what came of them."""
    faults: list[str] = []
    sys.excepthook = lambda kind, error, _: faults.append(f"{kind.__name__}: {error}")
    prepare_qt()
    qInstallMessageHandler(lambda _kind, _context, text: faults.extend(_of_qt(text)))
    application = QApplication([])
    apply_style(application)
    is_real = kind == "real"
    with ExitStack() as stack:
        stack.enter_context(counting_workers())
        stack.enter_context(made_up_devices(folder / "devices"))
        if not is_real:
            stage.FaceLandmarker = MadeUpLandmarks  # type: ignore[assignment,misc]
        soak = Soak(folder, n_frames, every, is_real=is_real)
        began_s = time.monotonic()
        application.exec()
        seconds = time.monotonic() - began_s
        soak.end()
        sip.delete(soak.window)
    until_s = time.monotonic() + 2  # a timer that is late finds nothing any more
    while time.monotonic() < until_s:
        application.processEvents()
        time.sleep(0.01)
    needs, summary = soak.needs, soak.meter.summary()
    return {
        "frames": soak.meter.processed,
        "seconds": seconds,
        "painted": soak.meter.painted,
        "gui_gap_ms": summary["gui_gap_ms"],
        "written": soak.accounts.written,
        "dropped": soak.accounts.dropped,
        "unaccounted": soak.accounts.unaccounted,
        "growth_mb": needs.growth(needs.rss_mb),
        "in_use_mb": needs.growth(needs.in_use_mb),
        "descriptors": needs.growth(needs.descriptors),
        "opened_since": needs.opened_since,
        "threads": needs.growth(needs.threads),
        "rss_mb": [round(value, 1) for value in needs.rss_mb],
        "faults": faults + soak.accounts.faults,
    }


def main() -> None:
    """Run one process of the soak."""
    kind, n_frames, every, folder = sys.argv[1:]
    print(json.dumps(run(kind, int(n_frames), int(every), Path(folder))))


if __name__ == "__main__":
    main()
