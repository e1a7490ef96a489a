"""Captures clips for retraining: only frames from which something new can be learnt."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from fer_live.base.translation import tr
from fer_live.datatypes import FaceDetection, FaceResult, FrameResult, UInt8Array
from fer_live.errors import OutputError
from fer_live.model.manifest import CropGeometry
from fer_live.recording.recorder import About, Recorder
from fer_live.vision.alignment import align_face

_COMPARED_SIDE = 24
MIN_CHANGE = 3.0
"""A head held still changes by 0.2 to 2 from frame to frame, by noise and
compression."""
_MIN_GAP_S = 0.1
_SIZED_EVERY = 20
"""Frames between two looks at the size on the disk."""


class ClipRecorder:
    """A `ResultSink` into a new clip below `folder`, made with the first frame that is kept.

    A frame is dropped where it has no face, where each of its faces looks as in the last frame that
    was kept, or less than a tenth of a second after that one. `room_bytes` is what it may take on
    the disk; `OutputError` where that is full. While `paused`, nothing is taken. `min_change` is
    the mean difference in gray levels, of 255, from which a face counts as changed.
    """

    def __init__(
        self,
        folder: Path,
        make_about: Callable[[], About],
        room_bytes: int,
        *,
        min_change: float = MIN_CHANGE,
    ) -> None:
        self.paused = False
        self.n_kept = self.n_dropped = self.n_bytes = 0
        self.seconds = 0.0
        """Captured so far, pauses left out."""
        self.recorder: Recorder | None = None
        self._folder, self._make_about = folder, make_about
        self._room_bytes, self._min_change = room_bytes, min_change
        self._last_s = float("-inf")
        self._last_faces: dict[int, UInt8Array] = {}
        self._seen_s: float | None = None

    def write(self, source: str, result: FrameResult) -> None:
        if self.paused:
            self._seen_s = None
            return
        now_s = result.frame.captured_at_s
        self.seconds += max(now_s - (now_s if self._seen_s is None else self._seen_s), 0.0)
        self._seen_s = now_s
        if not self._is_news(result):
            self.n_dropped += 1
            return
        if self.recorder is None:
            self._check_room()
            self.recorder = Recorder(self._folder, self._make_about())
        try:
            self.recorder.write(source, result)
        finally:
            if not self.recorder.folder.is_dir():
                raise OutputError(tr("the clip that was being captured was deleted"))
        self.n_kept += 1
        if self.n_kept % _SIZED_EVERY == 1:
            folder = self.recorder.folder
            self.n_bytes = sum(file.stat().st_size for file in folder.iterdir())
        self._check_room()

    @property
    def growing(self) -> Path | None:
        """Its folder, once there is one."""
        return None if self.recorder is None else self.recorder.folder

    def close(self) -> None:
        if self.recorder is not None:
            self.recorder.close()

    def abandon(self) -> Path | None:
        """What was captured stays and can be learnt from."""
        return None if self.recorder is None else self.recorder.abandon()

    def _check_room(self) -> None:
        if self.n_bytes >= self._room_bytes:
            raise OutputError(
                tr(
                    "the clips have reached their limit; what was captured is kept. Delete some or "
                    "raise the limit"
                )
            )

    def _is_news(self, result: FrameResult) -> bool:
        now_s = result.frame.captured_at_s
        if now_s < self._last_s:  # another source begins
            self._last_s, self._last_faces = float("-inf"), {}
        if not result.faces or now_s - self._last_s < _MIN_GAP_S:
            return False
        image = result.frame.image_bgr
        faces = {face.track_id: _small(image, face) for face in result.faces}
        if faces.keys() == self._last_faces.keys() and not any(
            _change(face, self._last_faces[number]) >= self._min_change
            for number, face in faces.items()
        ):
            return False
        self._last_s, self._last_faces = now_s, faces
        return True


def _small(image_bgr: UInt8Array, face: FaceResult) -> UInt8Array:
    found = FaceDetection(face.box_xyxy, face.keypoints_xy, face.detection_confidence)
    return align_face(image_bgr, found, _COMPARED_SIDE, CropGeometry())


def _change(one: UInt8Array, other: UInt8Array) -> float:
    return float(np.abs(one.astype(np.int16) - other).mean())
