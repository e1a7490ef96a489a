"""Prints what `fer-live --websocket 8765` sends (pip install websockets)."""

import json

from websockets.sync.client import connect

with connect("ws://127.0.0.1:8765/") as socket:
    for message in socket:
        for face in json.loads(message)["faces"]:
            print(f"face {face['track_id']}: {face['shown_label'] or 'unsure'}", flush=True)
