"""Recordings that tests make: of results that no pipeline gave, and of the demo clip."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from fer_live import Pipeline
from fer_live.datatypes import FrameResult, Marker
from fer_live.model.assets import asset
from fer_live.recording.recorder import About, Recorder, Recording
from fer_live.sources.open import open_source
from tests.helpers.results import LABELS, result


def recorded(
    parent: Path,
    results: Sequence[FrameResult],
    *,
    with_overlay: bool = False,
    day: int = 25,
    name: str = "",
    markers: Sequence[Marker] = (),
) -> Recording:
    about = About(
        labels=LABELS,
        model="m.onnx",
        source="camera 0",
        began_at=datetime(2026, 11, day, 14, 3, 22, tzinfo=UTC),
        with_overlay=with_overlay,
        name=name,
    )
    recorder = Recorder(parent, about)
    for one in results:
        recorder.write("camera 0", one)
    for marker in markers:
        recorder.mark(marker)
    recorder.close()
    return Recording.open(recorder.folder)


def two_faces(seconds: float) -> list[FrameResult]:
    """At 30 a second; face 2 is larger and right of face 1, and becomes happy after a second."""
    results = []
    for index in range(round(30 * seconds)):
        one = result(index, index / 30, n_faces=2)
        happy = result(index, index / 30, happy=0.9 if index >= 30 else 0.1).faces[0]
        box = np.array([60, 10, 110, 80], np.float32)
        faces = (one.faces[0], replace(happy, track_id=2, box_xyxy=box))
        image = np.full((96, 128, 3), 100 + index % 100, np.uint8)
        results.append(replace(one, faces=faces, frame=replace(one.frame, image_bgr=image)))
    return results


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
