"""The live path on one page: find faces, follow and number them, cut them out, read them, smooth.

May import `base` and `model`. mediapipe and onnxruntime have one adapter file each, here. Promises
that `Pipeline` knows no Qt, no thread, and no clock but the frame's own.
"""
