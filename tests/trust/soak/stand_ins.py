"""What stands in for a camera, the slow networks and a camera's driver, at full speed."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np

from fer_live.base.settings import Settings
from fer_live.datatypes import FaceDetection, FaceLandmarks, Frame, FrameResult, UInt8Array
from fer_live.model.assets import asset
from fer_live.outputs import virtual_camera
from fer_live.personal.models import load_pipeline
from fer_live.sources.clip import ClipSource
from fer_live.vision.answers import AnswerConfig
from fer_live.vision.classifier import ExpressionClassifier
from fer_live.vision.pipeline import Pipeline
from tests.helpers.models import save_model
from tests.helpers.results import face_signals

_WIDTH, _HEIGHT, _SIDE = 192, 144, 72
_PICTURES, _SURPLUS_EVERY, _WAITS_S = 24, 50, 0.05


class Pace:
    """Lets a source go as fast as its frames are read: one frame ahead, and now and then two."""

    def __init__(self) -> None:
        self._taken = threading.Semaphore(2)

    def taken(self) -> None:
        """A frame was read."""
        self._taken.release()

    def wait(self) -> None:
        """Until the next frame may come; a frame that nobody took holds it up for a moment."""
        self._taken.acquire(timeout=_WAITS_S)


class PacedPipeline(Pipeline):
    """Tells `pace` of every frame that it has read."""

    pace: Pace

    def process(self, frame: Frame) -> FrameResult:
        try:
            return super().process(frame)
        finally:
            self.pace.taken()


class MadeUpDetector:
    """Finds the one face of `made_up_pictures`, in each where it was drawn."""

    name, mode = "short", "auto"

    def detect(self, image_bgr: UInt8Array, time_s: float) -> list[FaceDetection]:
        x = int(image_bgr[0, 0, 0])
        box = np.array([x, 36, x + _SIDE, 36 + _SIDE], np.float32)
        places = [(0.32, 0.4), (0.68, 0.4), (0.5, 0.6), (0.5, 0.75), (0.1, 0.45), (0.9, 0.45)]
        points = np.array(places, np.float32) * _SIDE + box[:2]
        return [FaceDetection(box, points, 0.9)]

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


class MadeUpLandmarks:
    """Measures the same in every face, moved to where it is."""

    def __init__(self) -> None:
        self._landmarks = face_signals().landmarks

    def measure(self, image: UInt8Array, box_xyxy: np.ndarray) -> FaceLandmarks:
        points = self._landmarks.points_xyz + np.array([*box_xyxy[:2], 0], np.float32)
        return replace(self._landmarks, points_xyz=points)

    def close(self) -> None:
        pass


def made_up_pictures() -> list[UInt8Array]:
    """(H, W, 3) uint8: a spotted face that walks; the first pixel tells where it is."""
    spots = np.random.default_rng(0).normal(150, 40, (_SIDE, _SIDE, 3)).clip(0, 255)
    face = cv2.GaussianBlur(spots.astype(np.uint8), (0, 0), 1.5)
    pictures = []
    for number in range(_PICTURES):
        x = 48 + round(20 * np.sin(2 * np.pi * number / _PICTURES))
        picture = np.full((_HEIGHT, _WIDTH, 3), 70, np.uint8)
        picture[36 : 36 + _SIDE, x : x + _SIDE] = face
        picture[0, 0] = x
        pictures.append(picture)
    return pictures


def demo_pictures() -> list[UInt8Array]:
    """The first two seconds of the demo clip."""
    source = ClipSource(asset("demo.mp4"))
    frames = [source.read() for _ in range(60)]
    source.close()
    return [frame.image_bgr for frame in frames if frame is not None]


class QuickCamera:
    """These pictures again and again, as fast as they are read."""

    reconnects, n_frames = False, None

    def __init__(self, name: str, pictures: list[UInt8Array], pace: Pace) -> None:
        self.name, self._pictures, self._pace = name, pictures, pace
        self._index = 0

    def read(self) -> Frame | None:
        if self._index % _SURPLUS_EVERY:
            self._pace.wait()
        picture = self._pictures[self._index % len(self._pictures)]
        frame = Frame(picture, self._index, time.monotonic())
        self._index += 1
        return frame

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class QuickSource:
    """The choice of a `QuickCamera`."""

    name: str
    pictures: list[UInt8Array]
    pace: Pace
    is_mirrored: bool = False

    def open(self) -> QuickCamera:
        return QuickCamera(self.name, self.pictures, self.pace)


@dataclass(frozen=True)
class Loader:
    """Loads pipelines, of stand-ins or as the app does, that keep to a pace."""

    pace: Pace
    is_real: bool

    def __call__(self, settings: Settings) -> Pipeline:
        if self.is_real:
            whole = load_pipeline(settings)
            pipeline = PacedPipeline(whole.detector, whole.classifier)
        else:
            assert settings.model is not None
            answers = AnswerConfig(2, settings.prior)
            classifier = ExpressionClassifier(Path(settings.model), "cpu", answers)
            pipeline = PacedPipeline(MadeUpDetector(), classifier)  # type: ignore[arg-type]
        pipeline.pace = self.pace
        return pipeline


def made_up_models(folder: Path) -> list[str]:
    """Two small models of the same labels."""
    places = [folder / "one.onnx", folder / "two.onnx"]
    for place in places:
        save_model(place)
    return [str(place) for place in places]


class _ReadByNobody:
    """A virtual camera of this machine, which has none."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def send(self, image_bgr: UInt8Array) -> None:
        pass

    def close(self) -> None:
        pass


@contextmanager
def made_up_devices(folder: Path) -> Iterator[None]:
    """A virtual camera can be opened, and shows nobody anything."""
    module = ModuleType("pyvirtualcam")
    module.Camera = _ReadByNobody  # type: ignore[attr-defined]
    module.PixelFormat = type("PixelFormat", (), {"BGR": "bgr"})  # type: ignore[attr-defined]
    module.__spec__ = ModuleSpec("pyvirtualcam", None)
    (folder / "video0").mkdir(parents=True)
    before, virtual_camera._MADE_UP_DEVICES = virtual_camera._MADE_UP_DEVICES, folder
    library = sys.modules.get("pyvirtualcam")
    sys.modules["pyvirtualcam"] = module
    try:
        yield
    finally:
        virtual_camera._MADE_UP_DEVICES = before
        sys.modules.pop("pyvirtualcam")
        if library is not None:
            sys.modules["pyvirtualcam"] = library
