"""Every face of a photo: python examples/photo.py photo.jpg"""

import sys

import cv2

from fer_live import Frame, Pipeline

image = cv2.imread(sys.argv[1])  # (H, W, 3) uint8, blue first; None where it cannot be read
if image is None:
    sys.exit(f"{sys.argv[1]}: not an image that OpenCV can read")

with Pipeline.load() as pipeline:
    result = pipeline.process(Frame(image_bgr=image, index=0, captured_at_s=0.0))
    for face in result.faces:
        x1, y1, x2, y2 = face.box_xyxy.round().astype(int)
        print(f"face at {x1}, {y1} to {x2}, {y2}: {face.label}, {face.confidence:.0%}")
        for label, prob in zip(pipeline.labels, face.probs, strict=True):
            print(f"  {label:10} {prob:.3f}")
