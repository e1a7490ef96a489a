"""How often the faces of the sources blinked, for the summary."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fer_live.datatypes import FrameResult
from fer_live.outputs.face_rows import Row

_MAX_GAP_S = 0.5


@dataclass(slots=True)
class _Blinker:
    blinks: int = 0
    watched_s: float = 0.0
    last_s: float | None = None


class BlinkTally:
    """A `RowSink` that counts blinks for each face of each source; it writes nothing."""

    def __init__(self) -> None:
        self._faces: dict[tuple[str, int], _Blinker] = {}

    def write(self, source: str, result: FrameResult) -> None:
        for face in result.faces:
            if face.signals is not None and face.signals.age_s == 0:
                time_s = result.frame.captured_at_s
                self._add(source, face.track_id, time_s, face.signals.is_blink)

    def append(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.get("blink") is not None:
                self._add(row["source"], row["track_id"], row["time_s"], bool(row["blink"]))

    def close(self) -> None:
        """Nothing to put in its place."""

    def abandon(self) -> Path | None:
        return None

    def summary(self) -> list[dict[str, Any]]:
        """One object for each face, in the order in which they came."""
        return [
            {
                "source": source,
                "track_id": track_id,
                "blinks": watched.blinks,
                "watched_s": round(watched.watched_s, 2),
                "per_minute": round(60 * watched.blinks / watched.watched_s, 1)
                if watched.watched_s > 0
                else None,
            }
            for (source, track_id), watched in self._faces.items()
        ]

    def _add(self, source: str, track_id: int, time_s: float, is_blink: bool) -> None:
        watched = self._faces.setdefault((source, track_id), _Blinker())
        if watched.last_s is not None and 0 <= time_s - watched.last_s <= _MAX_GAP_S:
            watched.watched_s += time_s - watched.last_s
        watched.last_s = time_s
        watched.blinks += is_blink
