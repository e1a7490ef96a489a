"""Recordings that tests make of the demo clip: one person, then another, then both at once."""

from datetime import datetime
from pathlib import Path

from fer_live import Pipeline
from fer_live.model.assets import asset
from fer_live.recording.recorder import About, Recorder, Recording
from fer_live.sources.open import open_source


def recorded_demo(folder: Path, *, every: int = 5) -> Recording:
    """The demo clip as a recording below a folder: faces 1 and 3 are one person's, as 2 and 4."""
    with Pipeline.load(provider="cpu") as pipeline:
        began_at = datetime(2026, 11, 26, 9, 0, 0)
        about = About(
            labels=pipeline.labels,
            model="m.onnx",
            source="camera 0",
            began_at=began_at,
            with_overlay=False,
        )
        recorder = Recorder(folder, about)
        source = open_source(str(asset("demo.mp4")))
        while (frame := source.read()) is not None:
            if frame.index % every == 0:
                recorder.write("camera 0", pipeline.process(frame))
        source.close()
        recorder.close()
    return Recording.open(recorder.folder)
