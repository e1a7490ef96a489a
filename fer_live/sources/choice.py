"""Where the pictures come from, as a person chooses it: a camera, a location, or the demo.

The decoders are loaded by the thread that opens a source, while another one loads the networks: the
first picture comes sooner so.
"""

from dataclasses import dataclass
from pathlib import Path

from fer_live.model.assets import asset
from fer_live.sources.camera import CameraMode, CameraSource, list_cameras
from fer_live.sources.source import FrameSource

DEMO_CLIP = "demo_faces.mp4"
"""Four people, made of portraits; `demo.mp4` is the shorter one that `doctor` and tests read."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera by its number; or by the name of its `device`, where the system has given it another
    number since, as it does when cameras are plugged in again."""

    number: int = 0
    mode: CameraMode | None = None
    device: str = ""

    is_mirrored = True
    """A face in a camera expects a mirror."""

    @property
    def name(self) -> str:
        return f"camera {self.number}"

    def open(self) -> FrameSource:
        """On whichever thread calls it; `SourceError` where it cannot be opened."""
        cameras = list_cameras() if self.device else {}
        others = [number for number, name in cameras.items() if name == self.device]
        moved = bool(others) and cameras.get(self.number) != self.device
        return CameraSource(others[0] if moved else self.number, self.mode)


@dataclass(frozen=True, slots=True)
class Location:
    """A file, a folder of images, or the URL of a stream."""

    where: str

    is_mirrored = False

    @property
    def name(self) -> str:
        return Path(self.where).name or self.where

    def open(self) -> FrameSource:
        """On whichever thread calls it; `SourceError` where it cannot be opened."""
        from fer_live.sources.open import open_live_source

        return open_live_source(self.where)


@dataclass(frozen=True, slots=True)
class Demo:
    """The clip that ships with the app: what it shows, nobody felt (assets/NOTICE)."""

    is_mirrored = False
    name = "demo"

    def open(self) -> FrameSource:
        """Open the demo clip, on whichever thread calls it."""
        from fer_live.sources.clip import ClipSource, PacedClip

        return PacedClip(lambda: ClipSource(asset(DEMO_CLIP)))


SourceChoice = Camera | Location | Demo
