"""Every way in: cameras, clips, streams, images, and what a person may choose among them.

OpenCV opens cameras, PyAV decodes video files and URLs, Pillow reads images. What a file is is told
by its content, and whether it has an end decides whether it is a clip or a stream.

May import `base` and `model` (for the demo clip). Promises that a source is read by one thread, and
that `read` returns a frame, returns None at the end, or raises an error with one clear line.
"""
