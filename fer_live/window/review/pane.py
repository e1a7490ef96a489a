"""A recording's picture above its timeline, for the review and for two beside each other."""

from dataclasses import replace
from pathlib import Path

from PyQt6.QtWidgets import QVBoxLayout, QWidget

from fer_live.base.translation import tr
from fer_live.datatypes import FrameResult
from fer_live.outputs.markers import MarkedSpan
from fer_live.window.review.opened import Opened
from fer_live.window.widgets.timeline import Timeline
from fer_live.window.widgets.video_view import VideoView


class Pane(QWidget):
    """Shows one recording, `now`, at one time; with `with_heat_map` also where the model looked, if
    that was recorded."""

    def __init__(self) -> None:
        super().__init__()
        self.now = Opened(self)
        self.view, self.timeline = VideoView(), Timeline()
        self.with_heat_map = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view, 1)
        column.addWidget(self.timeline)

    def open(self, folder: Path) -> float | None:
        """Open the recording in this folder; returns its length, None where it cannot be played."""
        self.now.open(folder)
        if self.now.player is None:
            damaged = tr("This recording cannot be played; its file is damaged")
            self.view.show_message(self.now.trouble or damaged)
            return None
        return self.now.player.length_s

    def close_recording(self, message: str) -> None:
        """Let go of what is open, and say this in its place."""
        self.now.close()
        self.timeline.show_all([], (), 1.0, ())
        self.view.show_message(message)

    def result_at(self, time_s: float) -> FrameResult | None:
        """What was read in the picture of this time, also where its boxes are painted into it."""
        result, faces = self.now.result_at(time_s), self.now.faces
        if result is None or faces is None or not faces.has_overlay:
            return result
        return replace(result, faces=faces.faces_at(result.frame))

    def show_result(self, result: FrameResult, time_s: float, followed: int | None) -> None:
        """Show a result of `result_at`."""
        assert self.now.recording is not None
        about, faces = self.now.recording.about, self.now.faces
        lacks_map = bool(result.faces) and all(face.heat_map is None for face in result.faces)
        line = tr("Where the model looked was not recorded")
        painted = () if about.with_overlay else result.faces
        if not self.with_heat_map:
            painted = tuple(replace(face, heat_map=None) for face in painted)
        self.view.show_result(
            replace(result, faces=painted),
            about.labels,
            mirror=False,
            followed=followed,
            lines=("", line if self.with_heat_map and lacks_map else ""),
        )
        if faces is None:
            self.view.say(tr("Reading what was recorded…"))
        elif result.faces:
            self.view.say("")
        self.timeline.move_cursor(time_s)

    def show_timeline(self, chosen: int | None, marks: list[MarkedSpan]) -> None:
        """Show all faces in time, and large this one, None: the one that was seen longest."""
        recording, faces, player = self.now.recording, self.now.faces, self.now.player
        if recording is None or player is None:
            return
        curves = [] if faces is None else faces.curves
        labels = recording.about.labels
        self.timeline.show_all(curves, labels, player.length_s, marks, chosen)

    def stop(self) -> None:
        """Let go of the files, and of what is being read."""
        self.now.close()
        self.now.wait()
