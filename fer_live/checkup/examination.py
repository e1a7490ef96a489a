"""What `fer-live doctor` tries: packages, screen, cameras, outputs, and the whole pipeline."""

import importlib.metadata
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cpuinfo
import numpy as np

from fer_live.base.screen import screen_is_there
from fer_live.base.system_libraries import require_qt_libraries
from fer_live.errors import FerLiveError, InputError, SourceError
from fer_live.model.assets import asset
from fer_live.outputs.kind import OutputKind
from fer_live.outputs.registry import missing_extra, output_kinds
from fer_live.sources.camera import CameraSource, list_cameras
from fer_live.sources.clip import ClipSource
from fer_live.vision.pipeline import Pipeline

_PACKAGES = (
    "onnxruntime-gpu",
    "onnxruntime",
    "mediapipe",
    "opencv-contrib-python",
    "opencv-python-headless",  # in the self-contained app
    "av",
    "pillow",
    "PyQt6",
    "numpy",
)
_NO_SCREEN = (
    "          do: start it on a desktop, or over ssh -X. Without a screen there are fer-live "
    "analyze and\n          fer-live --headless"
)
_NO_CAMERA = "          do: without a camera there are fer-live --demo and fer-live --source FILE"
_NO_PIPELINE = (
    "          do: install it again, in the project's folder: pip install --force-reinstall .\n"
    "          If that does not help, report it with this text"
)
_CLIP = "demo.mp4"
"""A third of the frames of the demo that the window shows, and as telling here."""
_FRAMES = 60
"""Of it that are read; their median is steady enough to tell a slow processor from a quick one."""
# As Linux, Windows and macOS call them; the last ones are those of ARM, whose int8 is quick too.
_VNNI = {"avx512_vnni", "avx512vnni", "avx_vnni", "avxvnni", "asimddp", "i8mm"}
_BF16 = {"avx512_bf16", "avx512bf16", "amx_bf16", "bf16"}


def examine() -> dict[str, Any]:
    """Try each part for real. `ok`: a clip can be read; a screen and a camera may be missing."""
    with ThreadPoolExecutor(1) as pool:
        processor = pool.submit(_processor)  # it waits for programs of the system
        cameras, no_camera = _cameras()
        findings: dict[str, Any] = {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "packages": {name: _version(name) for name in _PACKAGES if _version(name)},
            "screen": _try(_screen),
            "cameras": cameras,
            "no_camera": no_camera,
            "outputs": {name: _output(kind) for name, kind in output_kinds().items()},
            "pipeline": _try(_pipeline),
        }
        findings["processor"] = processor.result()
    findings["ok"] = findings["pipeline"]["ok"]
    return findings


def report(findings: dict[str, Any]) -> str:
    """The findings of `examine` as text: a line for each part, and what to do where one is missing.

    The last line says what the exit code of `doctor` says.
    """
    packages = ", ".join(f"{name} {version}" for name, version in findings["packages"].items())
    cameras = ", ".join(map(str, findings["cameras"]))
    outputs, screen, pipeline = (findings[name] for name in ("outputs", "screen", "pipeline"))
    ready = [name for name, finding in outputs.items() if finding["ok"]]
    missing = [f"{name}: {one['detail']}" for name, one in outputs.items() if not one["ok"]]
    lines = [
        f"python    {findings['python']} on {findings['platform']}",
        f"processor {findings['processor']['name']}: {findings['processor']['detail']}",
        f"packages  {packages}",
        f"screen    {'ok: ' if screen['ok'] else 'missing: '}{screen['detail']}",
        *([] if screen["ok"] else [_NO_SCREEN]),
        f"cameras   {cameras or 'missing: ' + findings['no_camera']}",
        *([] if findings["cameras"] else [_NO_CAMERA]),
        f"outputs   ok: {', '.join(ready)}",
        *(f"          missing: {line}" for line in missing),
        f"pipeline  {'ok: ' if pipeline['ok'] else 'NOT OK: '}{pipeline['detail']}",
        *([] if pipeline["ok"] else [_NO_PIPELINE]),
    ]
    can_read = "a clip can be read" if findings["ok"] else "not even a clip can be read"
    return "\n".join([*lines, f"result    {can_read}; exit code {0 if findings['ok'] else 1}"])


def _processor() -> dict[str, Any]:
    """What the processor has, and what that means for speed; its answers are the same on all."""
    found = cpuinfo.get_cpu_info()
    flags = set(found.get("flags", ()))
    int8 = "quick int8 (VNNI)" if flags & _VNNI else "slower int8 (no VNNI)"
    bf16 = "quick training (bf16)" if flags & _BF16 else "slow training (no bf16)"
    detail = f"{int8}, {bf16}" if flags else "its abilities are not known"
    return {
        "name": found.get("brand_raw", platform.machine()),
        "vnni": bool(flags & _VNNI) if flags else None,
        "bf16": bool(flags & _BF16) if flags else None,
        "detail": detail,
    }


def _output(kind: OutputKind) -> dict[str, Any]:
    extra = missing_extra(kind)
    trouble = f"pip install '.[{extra}]'" if extra else kind.trouble()
    return {"ok": not trouble, "detail": trouble or "ready"}


def _screen() -> str:
    if not screen_is_there():
        raise InputError("none is there")
    require_qt_libraries()
    return "ready"


def _cameras() -> tuple[list[int], str]:
    """The cameras that open, and why none does, empty where one does."""
    opened, why_not = [], ""
    for number in list_cameras() or (0,):
        try:
            CameraSource(number).close()
            opened.append(number)
        except SourceError as error:
            why_not = why_not or str(error)
    return opened, "" if opened else why_not


def _pipeline() -> str:
    with Pipeline.load() as pipeline:
        clip = ClipSource(asset(_CLIP))
        times_ms: list[float] = []
        while len(times_ms) < _FRAMES and (frame := clip.read()) is not None:
            start = time.perf_counter()
            result = pipeline.process(frame)
            times_ms.append((time.perf_counter() - start) * 1000)
        clip.close()
        if not result.faces:
            raise FerLiveError("no face found in the demo clip; install fer-live again")
        classifier = pipeline.classifier
        read = f"{classifier.name} on {classifier.provider}, {np.median(times_ms):.1f} ms a frame"
        return f"{read}; {classifier.warning}" if classifier.warning else read


def _try(check: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"ok": True, "detail": check()}
    except Exception as error:  # noqa: BLE001  # a check may fail in any way; that is its finding
        return {"ok": False, "detail": str(error) or type(error).__name__}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
