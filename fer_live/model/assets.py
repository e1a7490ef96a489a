"""Files that ship with the app: models, face detectors, the demo clips."""

from pathlib import Path

from fer_live.errors import FerLiveError

CPU_MODEL = "fer_live_int8.onnx"
GPU_MODEL = "fer_live_fp32.onnx"
CHECKPOINT = "fer_live.safetensors"
"""The variants of a model, in the assets and in the folder of each installed model."""

# In an installed wheel the folder lies inside the package, in a checkout beside it.
_FOLDERS = (Path(__file__).parents[1] / "assets", Path(__file__).parents[2] / "assets")


def asset(name: str) -> Path:
    """The path of a file that ships with the app; raises `FerLiveError` where it is missing."""
    for folder in _FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise FerLiveError(f"{name}: missing from this installation; install fer-live again")
