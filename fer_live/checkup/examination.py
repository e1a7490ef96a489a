"""What `fer-live doctor` tries: packages, screen, cameras, outputs, and the whole pipeline."""

import importlib.metadata
import platform
import time
from collections.abc import Callable
from typing import Any

import cpuinfo
import numpy as np

from fer_live.base.screen import screen_is_there
from fer_live.base.system_libraries import require_qt_libraries
from fer_live.errors import FerLiveError, InputError, SourceError
from fer_live.model.assets import asset
from fer_live.outputs.kind import OutputKind
from fer_live.outputs.registry import missing_extra, output_kinds
from fer_live.sources.camera import CameraSource
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
_CAMERAS = range(3)
_CLIP = "demo.mp4"
"""A third of the frames of the demo that the window shows, and as telling here."""
# As Linux, Windows and macOS call them; the last ones are those of ARM, whose int8 is quick too.
_VNNI = {"avx512_vnni", "avx512vnni", "avx_vnni", "avxvnni", "asimddp", "i8mm"}
_BF16 = {"avx512_bf16", "avx512bf16", "amx_bf16", "bf16"}


def examine() -> dict[str, Any]:
    """Try each part for real. `ok`: a clip can be read; a screen and a camera may be missing."""
    findings: dict[str, Any] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "packages": {name: _version(name) for name in _PACKAGES if _version(name)},
        "screen": _try(_screen),
        "cameras": [number for number in _CAMERAS if _camera_opens(number)],
        "outputs": {name: _output(kind) for name, kind in output_kinds().items()},
        "pipeline": _try(_pipeline),
    }
    findings["ok"] = findings["pipeline"]["ok"]
    return findings


def report(findings: dict[str, Any]) -> str:
    """The findings of `examine` as text, one line for each part."""
    packages = ", ".join(f"{name} {version}" for name, version in findings["packages"].items())
    cameras = ", ".join(str(number) for number in findings["cameras"]) or "none found"
    return "\n".join(
        [
            f"python    {findings['python']} on {findings['platform']}",
            f"processor {findings['processor']['name']}: {findings['processor']['detail']}",
            f"packages  {packages}",
            f"screen    {_line(findings['screen'])}",
            f"cameras   {cameras}",
            f"outputs   {_outputs_line(findings['outputs'])}",
            f"pipeline  {_line(findings['pipeline'])}",
        ]
    )


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


def _outputs_line(outputs: dict[str, dict[str, Any]]) -> str:
    ready = [name for name, finding in outputs.items() if finding["ok"]]
    missing = [f"{name} ({f['detail']})" for name, f in outputs.items() if not f["ok"]]
    return "; ".join([", ".join(ready), *(f"missing: {name}" for name in missing)])


def _screen() -> str:
    if not screen_is_there():
        raise InputError("none (fer-live analyze works without one)")
    require_qt_libraries()
    return "ready"


def _camera_opens(number: int) -> bool:
    try:
        CameraSource(number).close()
    except SourceError:
        return False
    return True


def _pipeline() -> str:
    with Pipeline.load() as pipeline:
        clip = ClipSource(asset(_CLIP))
        times_ms = []
        while (frame := clip.read()) is not None:
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


def _line(finding: dict[str, Any]) -> str:
    return ("ok: " if finding["ok"] else "NOT OK: ") + str(finding["detail"])


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
