"""The service's four addresses: /analyze, /model, /health and /docs."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from fer_live import __version__
from fer_live.outputs.address import Address
from fer_live.outputs.face_rows import column_names
from fer_live.serve.answers import asked_format, encoded, response
from fer_live.serve.guard import Guard, answer
from fer_live.serve.limits import Limits
from fer_live.serve.openapi import PAGE, PAGE_FILES, PAGE_POLICY, document, page_file
from fer_live.serve.pool import PipelinePool
from fer_live.serve.refusal import Refusal
from fer_live.serve.uploads import received

_MAX_EVERY = 1_000_000


def make_app(pool: PipelinePool, address: Address, token: str, limits: Limits) -> ASGIApp:
    """The service as an ASGI application; `token` is empty where none is needed."""
    service = _Service(pool, token, limits)
    routes = [
        Route("/analyze", service.analyze, methods=["POST"]),
        Route("/model", service.model),
        Route("/health", service.health),
        Route("/openapi.json", service.openapi),
        Route("/docs", service.docs),
        Route("/docs/{name}", service.docs_file),
    ]
    handlers = {Refusal: _refused, HTTPException: _no_such, Exception: _failed}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
    app.router.redirect_slashes = False
    return Guard(app, address, token)


class _Service:
    """What each address does."""

    def __init__(self, pool: PipelinePool, token: str, limits: Limits) -> None:
        self._pool, self._token, self._limits = pool, token, limits

    async def analyze(self, request: Request) -> Response:
        """An image or a clip in, its rows out."""
        asked, every = asked_format(request), _asked_every(request)
        async with (
            self._pool.place(),
            received(request, self._limits) as upload,
            _noticing_departure(request) as has_gone,
        ):
            reading = await self._pool.read(upload, every, has_gone)
        name = self._pool.first.classifier.name
        body = await asyncio.to_thread(encoded, reading, asked, name)
        return response(body, asked, reading.warning)

    async def model(self, request: Request) -> Response:
        """What reads the faces, and what it may be asked."""
        pipeline = self._pool.first
        classifier = pipeline.classifier
        return JSONResponse(
            {
                "version": __version__,
                "model": classifier.name,
                "provider": classifier.provider,
                "detector": pipeline.detector.name,
                "labels": pipeline.labels,
                "own_labels": pipeline.own_labels,
                "readings": pipeline.answers.readings,
                "prior": pipeline.answers.prior,
                "columns": column_names(pipeline.labels),
                "limits": asdict(self._limits),
            }
        )

    async def health(self, request: Request) -> Response:
        """Whether it is up, and how busy."""
        reading = self._pool.n_reading
        waiting = self._pool.n_inside - reading
        busy = {"reading": reading, "waiting": waiting, "parallel": self._limits.parallel}
        return JSONResponse({"status": "ok", **busy})

    async def openapi(self, request: Request) -> Response:
        """The OpenAPI document."""
        labels = self._pool.first.labels
        return JSONResponse(document(labels, self._limits, needs_token=bool(self._token)))

    async def docs(self, request: Request) -> Response:
        """The page that shows it."""
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": PAGE_POLICY})

    async def docs_file(self, request: Request) -> Response:
        """A file of that page."""
        name = request.path_params["name"]
        if name not in PAGE_FILES:
            raise HTTPException(404)
        return Response(page_file(name), media_type=PAGE_FILES[name])


def _asked_every(request: Request) -> int:
    text = request.query_params.get("every", "1")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:8]) <= _MAX_EVERY):
        raise Refusal(400, f"every={text[:20]}: must be a whole number, 1 or more")
    return int(text)


@asynccontextmanager
async def _noticing_departure(request: Request) -> AsyncGenerator[threading.Event]:
    """An event that is set once the client has gone, whose upload need not be read further."""
    has_gone = threading.Event()

    async def notice() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        has_gone.set()

    noticing = asyncio.create_task(notice())
    try:
        yield has_gone
    finally:
        noticing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await noticing


async def _no_such(request: Request, error: HTTPException) -> Response:
    said = {404: "there is no such address; see /docs", 405: "this address takes another method"}
    text = said.get(error.status_code, error.detail)
    return JSONResponse({"error": text}, error.status_code, error.headers)


async def _failed(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": "the service failed; its own output says how"}, 500)


async def _refused(request: Request, refusal: Refusal) -> Response:
    return _Refused(refusal)


class _Refused(Response):
    """The answer to what is refused, whose connection is closed with care."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(status_code=refusal.status)
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await answer(self._refusal, scope, receive, send)
