"""A line for each change of a face: python examples/webcam.py [CAMERA_OR_FILE]"""

import sys
import time

import cv2

from fer_live import Frame, Pipeline

source = sys.argv[1] if len(sys.argv) > 1 else "0"
capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
if not capture.isOpened():
    sys.exit(f"{source}: cannot be opened")

shown: dict[int, str] = {}  # track_id -> the label that was told last
with Pipeline.load() as pipeline:
    index = 0
    while True:
        is_read, image = capture.read()
        if not is_read:
            break
        # A camera's frames are told by a clock that never goes back; a file has times of its own.
        time_s = time.monotonic() if source.isdigit() else index / capture.get(cv2.CAP_PROP_FPS)
        result = pipeline.process(Frame(image_bgr=image, index=index, captured_at_s=time_s))
        for face in result.faces:
            label = face.shown_label or "unsure"
            if shown.get(face.track_id) != label:
                shown[face.track_id] = label
                print(f"{time_s:8.2f} s  face {face.track_id}: {label}", flush=True)
        index += 1
