"""MediaPipe's vision tasks, which no other file imports."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from fer_live.datatypes import UInt8Array
from fer_live.model.assets import asset

if TYPE_CHECKING:
    from mediapipe.tasks.python.vision import FaceDetectorResult, FaceLandmarkerResult


def _vision() -> Any:
    """MediaPipe's vision tasks."""
    with _IMPORT:
        is_first = "mediapipe.tasks.python.vision" not in sys.modules
        with _without_plots_and_sound() if is_first else contextlib.nullcontext():
            from mediapipe.tasks.python import vision
    return vision


_IMPORT = threading.Lock()
"""One thread at a time: several sources load their networks at once."""


class _Pyplot(ModuleType):
    """Stands for Matplotlib's pyplot until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import machinery looks for these
            raise AttributeError(name)
        from matplotlib import pyplot

        return getattr(pyplot, name)


@contextlib.contextmanager
def _without_plots_and_sound() -> Iterator[None]:
    """Let MediaPipe be imported without Matplotlib and the sound devices.

    Matplotlib is two thirds of what MediaPipe's import takes, and looks for every font at a
    person's first start; only MediaPipe's drawing uses it, and finds it when it does. The sound
    devices are opened by a library that MediaPipe can do without. Both are what they were for
    everybody else afterwards.
    """
    plots, pyplot = ModuleType("matplotlib"), _Pyplot("matplotlib.pyplot")
    plots.pyplot = pyplot  # type: ignore[attr-defined]
    stand_ins: dict[str, Any] = {"matplotlib": plots, "matplotlib.pyplot": pyplot}
    stand_ins["sounddevice"] = None  # an import that fails, which MediaPipe expects
    instead = {name: module for name, module in stand_ins.items() if name not in sys.modules}
    sys.modules.update(instead)
    try:
        yield
    finally:
        for name in instead:
            del sys.modules[name]


class MediapipeTask:
    """One of MediaPipe's tasks, on the caller's thread.

    MediaPipe is imported when the first task is made, on whichever thread does that: a window
    stands and paints meanwhile. `close` is needed: the tasks' own finalizers fail when the
    interpreter exits.
    """

    def __init__(self, create: Callable[[], Any]) -> None:
        from mediapipe import Image, ImageFormat

        self._image = partial(Image, ImageFormat.SRGB)
        self._n_frames = 0
        with quiet_native_stderr():
            self._task = create()

    def close(self) -> None:
        """Free the networks."""
        with quiet_native_stderr():
            self._task.close()


class FaceDetectorTask(MediapipeTask):
    """MediaPipe's face detector in video mode.

    Args:
        model: The name of the model's file among the assets.
        min_confidence: Faces below it are not reported, 0 to 1.
    """

    def __init__(self, model: str, min_confidence: float) -> None:
        vision = _vision()
        options = vision.FaceDetectorOptions(
            base_options=_base_options(model),
            running_mode=vision.RunningMode.VIDEO,
            min_detection_confidence=min_confidence,
        )
        super().__init__(lambda: vision.FaceDetector.create_from_options(options))
        self._rgb = np.zeros((0, 0, 3), np.uint8)
        with quiet_native_stderr():  # the first frame builds the graph and logs too
            self.detect(np.zeros((64, 64, 3), np.uint8))

    def detect(self, image_bgr: UInt8Array) -> "FaceDetectorResult":
        """The faces of an (H, W, 3) uint8 image, as MediaPipe tells them."""
        # Video mode wants growing timestamps and uses them for nothing else.
        self._n_frames += 1
        if self._rgb.shape != image_bgr.shape:
            self._rgb = np.empty_like(image_bgr, order="C")
        cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB, dst=self._rgb)  # new memory costs more than this
        return self._task.detect_for_video(self._image(self._rgb), self._n_frames)


class FaceLandmarkerTask(MediapipeTask):
    """MediaPipe's face landmarker for one face an image, with blendshapes and head pose.

    In image mode, in which one image knows nothing of those before it. Video mode saves a fifth of
    the time, but takes the place and the smoothed points of the face before, which here may have
    been another person's.

    Args:
        model: The name of the model's bundle among the assets.
        min_detection_confidence: Of the face's place, 0 to 1.
        min_presence_confidence: That the points lie on a face, 0 to 1.
    """

    def __init__(
        self, model: str, min_detection_confidence: float, min_presence_confidence: float
    ) -> None:
        vision = _vision()
        options = vision.FaceLandmarkerOptions(
            base_options=_base_options(model),
            running_mode=vision.RunningMode.IMAGE,
            num_faces=1,
            min_face_detection_confidence=min_detection_confidence,
            min_face_presence_confidence=min_presence_confidence,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        super().__init__(lambda: vision.FaceLandmarker.create_from_options(options))
        with quiet_native_stderr():
            self.detect(np.zeros((64, 64, 3), np.uint8))

    def detect(self, image_rgb: UInt8Array) -> "FaceLandmarkerResult":
        """The face of an (H, W, 3) uint8 image, as MediaPipe tells it."""
        return self._task.detect(self._image(image_rgb))


def _base_options(model: str) -> Any:
    from mediapipe.tasks.python import BaseOptions

    # By content: MediaPipe cannot open every path on Windows.
    return BaseOptions(model_asset_buffer=asset(model).read_bytes())


_STDERR = threading.Lock()


@contextlib.contextmanager
def quiet_native_stderr() -> Iterator[None]:
    """Swallow what MediaPipe's C++ writes to file descriptor 2 while it loads; it has no switch.

    One thread at a time: of two, the second would save the silence of the first and put that back.
    """
    with _STDERR:
        sys.stderr.flush()
        saved = os.dup(2)
        try:
            with Path(os.devnull).open("wb") as devnull:
                os.dup2(devnull.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
