"""Reads facial expressions from frames, live.

from fer_live import Frame, Pipeline

with Pipeline.load() as pipeline:
    result = pipeline.process(Frame(image_bgr=image, index=0, captured_at_s=0.0))
    for face in result.faces:
        print(face.track_id, face.box_xyxy, face.shown_label or "unsure")
"""

import os
from typing import TYPE_CHECKING, Any

# From 1.29 on, ONNX Runtime uploads usage statistics to Microsoft, the first after some seconds.
# Only this stops it altogether, and only before it is imported (microsoft/onnxruntime#27379).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from fer_live.base.circumplex import derived_valence_arousal
from fer_live.datatypes import FaceResult, Frame, FrameResult

if TYPE_CHECKING:
    from fer_live.vision.pipeline import Pipeline

__all__ = ["FaceResult", "Frame", "FrameResult", "Pipeline", "derived_valence_arousal"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # It brings OpenCV, for which whoever only wants a type, the version or --help need not wait.
    if name == "Pipeline":
        from fer_live.vision.pipeline import Pipeline

        return Pipeline
    raise AttributeError(f"module 'fer_live' has no attribute {name!r}")
