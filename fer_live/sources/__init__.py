"""Every way in: cameras, clips, streams, images, and what a person may choose among them.

May import `base` and `model` (for the demo clip). Promises that a source is read by one thread, and
that `read` returns a frame, returns None at the end, or raises an error with one clear line.
"""
