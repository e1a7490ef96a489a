"""The body of a request, in memory alone and within its limits."""

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from fer_live.serve.limits import Limits
from fer_live.serve.refusal import Refusal, too_large

_NAME = "upload"
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Upload:
    """What was sent.

    Args:
        name: The file's name as the client gave it, or "upload"; the `source` of its rows.
        path: Where it can be opened, for as long as it is held.
    """

    name: str
    path: Path


@asynccontextmanager
async def received(request: Request, limits: Limits) -> AsyncGenerator[Upload]:
    """The image or clip of a request, held in memory until the block ends.

    It is the body itself, or the one file of a form (multipart/form-data).

    Raises:
        Refusal: 413 where it is too large, told before it is read whole; 408 where it comes too
            slowly; 400 where it is empty or a form with no file, or more than one.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.max_bytes:
        raise too_large(limits.max_mb)
    body = _within_limits(request, limits)
    content_type = request.headers.get("content-type", "")
    with _memory_file() as (file, path):
        if content_type.lower().startswith("multipart/form-data"):
            name = await _file_of_form(request, body, file, limits)
        else:
            name = _plain_name(request.query_params.get("name", ""))
            async for chunk in body:
                file.write(chunk)
        file.flush()
        if file.tell() == 0:
            raise Refusal(400, "the body is empty; send an image or a clip")
        yield Upload(name, path)


async def _within_limits(request: Request, limits: Limits) -> AsyncGenerator[bytes]:
    """The body as it comes; `Refusal` once it is too large or too slow."""
    n_bytes, began_s = 0, time.monotonic()
    chunks = request.stream().__aiter__()
    while True:
        allowed_s = limits.body_s + n_bytes / limits.min_bytes_a_second
        left_s = began_s + allowed_s - time.monotonic()
        try:
            chunk = await asyncio.wait_for(anext(chunks), max(left_s, 0.001))
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Refusal(408, "the body comes too slowly; send it again") from None
        except ClientDisconnect:
            raise Refusal(400, "the client went away") from None
        n_bytes += len(chunk)
        if n_bytes > limits.max_bytes:
            raise too_large(limits.max_mb)
        yield chunk


async def _file_of_form(
    request: Request, body: AsyncGenerator[bytes], into: BinaryIO, limits: Limits
) -> str:
    """Write the one file of a form; returns its name."""
    parser = MultiPartParser(request.headers, body, max_files=1, max_fields=8)
    # Starlette would move a file of more than a megabyte to the disk.
    parser.spool_max_size = limits.max_bytes + 1
    try:
        form = await parser.parse()
    except (MultiPartException, FormParserError) as error:
        why = str(getattr(error, "message", error)).rstrip(".")
        raise Refusal(400, f"the form cannot be read: {why}; send one file") from None
    uploaded = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    if not uploaded:
        raise Refusal(400, "the form holds no file; send an image or a clip in it")
    with contextlib.closing(uploaded[0].file) as file:
        while chunk := file.read(1 << 20):
            into.write(chunk)
    return _plain_name(uploaded[0].filename or "")


def _plain_name(name: str) -> str:
    """A client's name for a file, without a folder and without what no name has."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable())[:_MAX_NAME] or _NAME


@contextlib.contextmanager
def _memory_file() -> Iterator[tuple[BinaryIO, Path]]:
    """A file that decoders can open by a path.

    On Linux it lies in memory and has no name that outlives it, whatever happens to the process.
    Elsewhere it is a temporary file that is deleted when it is closed.
    """
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("fer-live-upload", os.MFD_CLOEXEC)
        with os.fdopen(descriptor, "w+b") as file:
            yield file, Path(f"/proc/self/fd/{descriptor}")
        return
    with tempfile.TemporaryDirectory(prefix="fer-live-") as folder:
        path = Path(folder) / _NAME
        with path.open("w+b") as file:
            yield file, path
