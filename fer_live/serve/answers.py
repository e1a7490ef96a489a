"""Rows as a client asked for them: JSON, JSON lines or CSV."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fer_live.outputs.cells import plain_cell
from fer_live.outputs.face_rows import column_names
from fer_live.serve.reading import Reading
from fer_live.serve.refusal import Refusal

Format = Literal["json", "jsonl", "csv"]
MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
}
_CHUNK_BYTES = 64 * 1024


def asked_format(request: Request) -> Format:
    """What `?format=` says, else what `Accept` does, else JSON. Raises `Refusal` for another."""
    asked = request.query_params.get("format")
    if asked is None:
        accepted = request.headers.get("accept", "")
        formats = (name for name, kind in MEDIA_TYPES.items() if kind.split(";")[0] in accepted)
        return next(formats, "json")
    for name in MEDIA_TYPES:
        if asked == name:
            return name
    raise Refusal(400, f"format={asked[:20]}: unknown; there are {', '.join(MEDIA_TYPES)}")


def encoded(reading: Reading, asked: Format, model: str) -> bytes:
    """The body of the answer, UTF-8. JSON tells what was read besides the rows."""
    if asked == "jsonl":
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in reading.rows)
        return "".join(lines).encode()
    if asked == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, column_names(reading.labels), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: plain_cell(cell) for name, cell in row.items()} for row in reading.rows
        )
        return text.getvalue().encode()
    content = {
        "source": reading.source,
        "model": model,
        "labels": reading.labels,
        "frames": reading.frames,
        "frames_with_face": reading.frames_with_face,
        "faces": len(reading.rows),
        "warning": reading.warning,
        "rows": reading.rows,
    }
    return json.dumps(content, ensure_ascii=False).encode()


def response(body: bytes, asked: Format, warning: str) -> Response:
    """The answer, sent in pieces, so that a client that reads slowly holds up no more than one."""
    headers = {"Content-Length": str(len(body))}
    if warning:
        headers["FER-Live-Warning"] = warning.encode("ascii", "replace").decode()
    return StreamingResponse(_pieces(body), 200, headers, MEDIA_TYPES[asked])


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(body), _CHUNK_BYTES):
        yield body[begin : begin + _CHUNK_BYTES]
