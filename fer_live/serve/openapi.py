"""The service described for machines, and the page that shows it to people.

The page is Swagger UI with its files from this installation. Its policy lets a browser load nothing
from anywhere else.
"""

from typing import Any

from fer_live import __version__
from fer_live.model.assets import asset
from fer_live.outputs.face_rows import column_names
from fer_live.serve.answers import MEDIA_TYPES
from fer_live.serve.limits import Limits

PAGE_FILES = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "start.js": "text/javascript; charset=utf-8",
}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>FER Live: HTTP service</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = """SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  validatorUrl: null,
  defaultModelsExpandDepth: -1,
});
"""
_TAG = "Faces and their expressions"
_TEXT_COLUMNS = ("source", "utc", "label", "shown_label")
_WHOLE_COLUMNS = ("frame", "track_id")


def page_file(name: str) -> bytes:
    """A file of the page, by a name in `PAGE_FILES`."""
    return _START.encode() if name == "start.js" else asset(name).read_bytes()


def document(labels: tuple[str, ...], limits: Limits, *, needs_token: bool) -> dict[str, Any]:
    """The OpenAPI document of the service with this model."""
    described: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "FER Live",
            "version": __version__,
            "description": "Reads facial expressions in an image or a clip. What expressions look "
            "like to the model, not what anybody feels. Nothing that is sent is kept.",
        },
        "paths": {
            "/analyze": {"post": _analyze(limits)},
            "/model": {"get": _get("The model that reads, and the limits")},
            "/health": {"get": _get("Whether the service is up") | {"security": []}},
        },
        "components": {
            "schemas": {"Row": _row(labels), "Answer": _answer(), "Error": _ERROR},
        },
    }
    if needs_token:
        described["security"] = [{"token": []}]
        scheme = {"token": {"type": "http", "scheme": "bearer"}}
        described["components"]["securitySchemes"] = scheme
    return described


_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}


def _analyze(limits: Limits) -> dict[str, Any]:
    binary = {"schema": {"type": "string", "format": "binary"}}
    form = {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
    contents = {
        "application/json": {"schema": {"$ref": "#/components/schemas/Answer"}},
        MEDIA_TYPES["jsonl"]: {"schema": {"$ref": "#/components/schemas/Row"}},
        "text/csv": {"schema": {"type": "string"}},
    }
    return {
        "tags": [_TAG],
        "summary": "Read an image or a clip",
        "description": f"The body is the file itself, or a form with one file. At most "
        f"{limits.max_mb:g} MB, {limits.max_pixels / 1e6:g} million pixels, {limits.max_frames:,} "
        f"frames and {limits.max_seconds:g} s of reading. One row for each face of each frame, "
        "with the columns of `fer-live analyze`.",
        "operationId": "analyze",
        "parameters": [
            _parameter("format", {"enum": list(MEDIA_TYPES), "default": "json"}, "Of the answer"),
            _parameter(
                "every", {"type": "integer", "minimum": 1, "default": 1}, "Every K-th frame"
            ),
            _parameter(
                "name", {"type": "string"}, "The source of the rows, for a body without one"
            ),
        ],
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": {**form, "required": ["file"]}},
                "image/*": binary,
                "video/*": binary,
                "application/octet-stream": binary,
            },
        },
        "responses": {
            "200": {"description": "The rows", "content": contents},
            "400": _error("The request is wrong"),
            "401": _error("A token is needed"),
            "408": _error("The body came too slowly"),
            "413": _error("More than a limit allows"),
            "415": _error("Not an image or a video that can be read"),
            "503": _error("Too many at once; Retry-After says when to come back"),
        },
    }


def _get(summary: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    described = {"description": "As it is now", "content": content}
    return {"tags": [_TAG], "summary": summary, "responses": {"200": described}}


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _error(description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": description, "content": content}


def _row(labels: tuple[str, ...]) -> dict[str, Any]:
    def kind(name: str) -> str:
        if name in _WHOLE_COLUMNS:
            return "integer"
        return "string" if name in _TEXT_COLUMNS else "number"

    properties = {name: {"type": kind(name)} for name in column_names(labels)}
    return {"type": "object", "properties": properties}


def _answer() -> dict[str, Any]:
    whole, text = {"type": "integer"}, {"type": "string"}
    rows = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}
    labels = {"type": "array", "items": text}
    counts = dict.fromkeys(("frames", "frames_with_face", "faces"), whole)
    texts = {"source": text, "model": text, "labels": labels, **counts}
    return {"type": "object", "properties": {**texts, "warning": text, "rows": rows}}
