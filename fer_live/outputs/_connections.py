"""How many connections a WebSocket server has open at once."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection


def counted_connection(most: int) -> "type[ServerConnection]":
    """The connections of one server, of which those above `most` are cut off at once."""
    from websockets.asyncio.server import ServerConnection

    n_open = 0

    class CountedConnection(ServerConnection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            nonlocal n_open
            n_open += 1
            super().connection_made(transport)
            if n_open > most:
                self.transport.abort()

        def connection_lost(self, exc: Exception | None) -> None:
            nonlocal n_open
            n_open -= 1
            super().connection_lost(exc)

    return CountedConnection
