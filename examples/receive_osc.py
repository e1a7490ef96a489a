"""Prints what `fer-live --osc 127.0.0.1:9000` sends (pip install python-osc)."""

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer


def on_face(address, track_id, x1, y1, x2, y2, label, confidence):
    print(f"face {track_id}: {label or 'unsure'} at {x1:.0f}, {y1:.0f}", flush=True)


dispatcher = Dispatcher()
dispatcher.map("/fer/face", on_face)
BlockingOSCUDPServer(("127.0.0.1", 9000), dispatcher).serve_forever()
