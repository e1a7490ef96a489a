"""WebSocket, for web pages and robots. The server has a file of its own: asyncio loads slowly."""

import secrets
import sys

from fer_live.base.translation import mark
from fer_live.outputs.address import check_address, parse_address
from fer_live.outputs.kind import Opening, OutputKind
from fer_live.outputs.sink import ResultSink
from fer_live.plain_text import say


def _open(opening: Opening) -> ResultSink:
    from fer_live.outputs._websocket_server import WebSocketSink

    address = parse_address(opening.where)
    token = "" if address.is_loopback else secrets.token_urlsafe(16)
    sink = WebSocketSink(address, opening.labels, token, opening.markers_in)
    if token:
        say(f"fer-live: clients connect to {sink.address_to_copy}", to=sys.stderr)
    return sink


OUTPUT = OutputKind(
    name="websocket",
    title=mark("WebSocket and web page"),
    purpose=mark(
        "For web pages, robots and scripts: one message per frame. Its page shows every face in a "
        "browser, and lies over the video in OBS."
    ),
    metavar="[HOST:]PORT",
    help="one object per frame, and a page to watch; this machine alone without HOST",
    open=_open,
    check=check_address,
    suggest=lambda: "8765",
    extra="websocket",
    package="websockets",
    has_page=True,
    position=40,
)
