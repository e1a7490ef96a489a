"""Which face an output follows that has room for one."""

from fer_live.datatypes import FaceResult, FrameResult

_LOST_AFTER_S = 2.0


class FollowedFace:
    """Follows the largest face, until that has been gone for two seconds."""

    def __init__(self) -> None:
        self._followed: int | None = None
        self._seen_at_s = 0.0

    def find(self, result: FrameResult) -> FaceResult | None:
        """The face in this frame; None where it is out of view, and where nobody is in view."""
        now_s = result.frame.captured_at_s
        for face in result.faces:
            if face.track_id == self._followed:
                self._seen_at_s = now_s
                return face
        if self._followed is not None and 0 <= now_s - self._seen_at_s < _LOST_AFTER_S:
            return None
        largest = max(result.faces, key=lambda face: face.area, default=None)
        self._followed = largest.track_id if largest else None
        self._seen_at_s = now_s
        return largest
