import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx

from fer_live.base.settings import Settings, load_settings
from fer_live.model.manifest import MANIFEST_KEY, CropGeometry, Manifest
from fer_live.session.live import LiveResult
from fer_live.session.mailbox import Mailbox
from fer_live.sources.choice import Demo
from fer_live.sources.source import FrameSource
from fer_live.vision.pipeline import Pipeline
from tests.helpers.cameras import SyntheticCamera
from tests.helpers.models import save_model
from tests.helpers.results import result
from tests.helpers.window import GRAY, ON_CPU, wait_for_pictures


class BrokenPipeline:
    """Reads the first frame and fails on every other."""

    def __init__(self, _: Settings) -> None:
        self.pipeline = Pipeline.load(provider="cpu")
        self.labels, self.classifier = self.pipeline.labels, self.pipeline.classifier

    def process(self, frame):
        if frame.index > 0:
            raise RuntimeError("out of memory")
        return self.pipeline.process(frame)

    def reset(self) -> None:
        self.pipeline.reset()

    def close(self) -> None:
        self.pipeline.close()


def test_a_pipeline_that_fails_for_good_does_not_leave_a_still_picture(qtbot, open_window):
    window, _ = open_window(GRAY, load=BrokenPipeline)
    qtbot.waitUntil(lambda: "out of memory" in window.message, timeout=60_000)


def test_a_broken_model_is_told_and_the_one_before_goes_on(qtbot, open_window, tmp_path: Path):
    window, meter = open_window(Demo())
    wait_for_pictures(qtbot, meter)
    (tmp_path / "broken.onnx").write_text("no model")
    window.preferences.change({"model": str(tmp_path / "broken.onnx")})
    qtbot.waitUntil(lambda: "not a model" in " ".join(window.notices.texts), timeout=60_000)
    assert (window.preferences.now.model, load_settings()[0].model) == (None, None), (
        "not at the next start"
    )
    wait_for_pictures(qtbot, meter)
    window.preferences.change({"model": None, "detector": "full"})
    qtbot.waitUntil(lambda: window.pipeline.detector.name == "full", timeout=60_000)
    wait_for_pictures(qtbot, meter)


def test_a_kept_model_that_is_broken_gives_way_to_the_shipped_one(
    qtbot, open_window, tmp_path: Path
):
    (tmp_path / "broken.onnx").write_text("no model")
    window, meter = open_window(Demo(), ON_CPU.but(model=str(tmp_path / "broken.onnx")))
    wait_for_pictures(qtbot, meter)
    assert "the one that came with the app is used" in " ".join(window.notices.texts)


@dataclass(frozen=True)
class Unplugged:
    """A camera that goes away after some pictures and does not come back."""

    is_mirrored: bool = False
    name: str = "camera 0"

    def open(self) -> FrameSource:
        pictures = tuple(np.full((120, 160, 3), gray, np.uint8) for gray in (90, 91))
        source = SyntheticCamera(pictures, 20, paced=True)
        source.reconnects = True  # type: ignore[misc]
        return source


def test_the_last_picture_of_a_lost_camera_is_not_shown_as_live(qtbot, open_window):
    window, meter = open_window(Unplugged())
    wait_for_pictures(qtbot, meter)
    qtbot.waitUntil(lambda: "trying again" in window.message, timeout=60_000)
    late = window.session
    assert late.pipeline is not None
    before = LiveResult(late.source_number, result(0, time.monotonic() - 5), late.pipeline)
    late.results.put(before)
    window.feeds.chosen.news.take(late)
    assert "trying again" in window.message


def test_a_result_is_shown_with_the_labels_of_the_pipeline_that_read_it(qtbot, open_window):
    """The next pipeline is in use already when the last result of the one before is taken."""
    window, meter = open_window(Demo())
    wait_for_pictures(qtbot, meter)
    read_by = window.pipeline
    read = result(3, time.monotonic())
    probs = np.full(len(read_by.labels), 1 / len(read_by.labels), np.float32)
    faces = (replace(read.faces[0], probs=probs, smoothed_probs=probs),)
    results = Mailbox[LiveResult]()
    number = window.session.source_number
    timings = {"detect": 1.0, "classify": 1.0}
    shown = replace(read, faces=faces, timings_ms=timings)
    results.put(LiveResult(number, shown, read_by))
    later = SimpleNamespace(
        results=results,
        source_number=number,
        pipeline=SimpleNamespace(labels=("a", "b", "c")),
        take_failures=lambda: (),
    )
    window.feeds.chosen.news.take(later)
    assert window.live.panel._labels == read_by.labels
    window.grab()


def test_a_model_with_other_labels_ends_what_was_written_with_the_old(
    qtbot, open_window, tmp_path: Path
):
    three = Manifest(labels=("a", "b", "c"), input_side=48, crop=CropGeometry())
    model = save_model(tmp_path / "three.onnx", classes=3)
    onnx.helper.set_model_props(model, {MANIFEST_KEY: three.to_json()})
    onnx.save(model, str(tmp_path / "three.onnx"))
    window, meter = open_window(Demo(), outputs={"jsonl": str(tmp_path / "a.jsonl")})
    wait_for_pictures(qtbot, meter, 5)
    window.set_recording(True)
    wait_for_pictures(qtbot, meter, 5)
    window.preferences.change({"model": str(tmp_path / "three.onnx")})
    qtbot.waitUntil(lambda: window.pipeline.labels == three.labels, timeout=60_000)
    qtbot.waitUntil(lambda: not window.feeds.chosen.recording.is_on, timeout=60_000)
    wait_for_pictures(qtbot, meter)
    assert not window.data_out.is_on
    assert window.live.panel._labels == three.labels
    window.feeds.chosen.recording.wait()
    window.data_out.wait()
    assert "p_happiness" in (tmp_path / "a.jsonl").read_text().splitlines()[-1]
