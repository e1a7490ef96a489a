"""Reads expressions with ONNX Runtime (the only file that imports it)."""

import ctypes
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort

from fer_live.assets import asset
from fer_live.datatypes import FloatArray, Provider, UInt8Array
from fer_live.errors import ModelError
from fer_live.manifest import MANIFEST_KEY, parse_manifest

_CPU_MODEL = "fer_live_int8.onnx"
_GPU_MODEL = "fer_live_fp32.onnx"
_EXECUTION_PROVIDERS: dict[Provider, list[str]] = {
    "cpu": ["CPUExecutionProvider"],
    "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"],
    "tensorrt": ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"],
}
_SHORT_NAMES = {
    "CPUExecutionProvider": "cpu",
    "CUDAExecutionProvider": "cuda",
    "TensorrtExecutionProvider": "tensorrt",
}

ort.set_default_logger_severity(4)  # failed GPU providers are reported by us, in one line


class ExpressionClassifier:
    """An exported model: gray faces in, probabilities out.

    `model` None takes the shipped one: int8 on the CPU, fp32 on a GPU. `auto` uses CUDA where a
    driver is there and the provider loads. `provider` is what ONNX Runtime really loaded, which may
    not be what was asked for; `warning` then says so. Raises `ModelError` for a file that is no
    ONNX model, has no manifest, or contradicts it.
    """

    def __init__(self, model: Path | None = None, provider: Provider = "auto") -> None:
        wanted: Provider = provider
        if provider == "auto":
            wanted = "cuda" if _cuda_driver_is_present() else "cpu"
        file, self._session = _open(model, wanted)
        if wanted != "cpu" and _loaded_provider(self._session) == "cpu":
            # The GPU's model on one CPU thread would be several times slower than the CPU's own.
            file, self._session = _open(model, "cpu")
        self.name = file.name
        self.provider = _loaded_provider(self._session)
        self.warning = ""
        if wanted != self.provider:
            self.warning = (
                f"running on {self.provider}: {wanted} did not load; pip install '.[gpu]' adds "
                "what it needs"
            )
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.manifest = parse_manifest(metadata.get(MANIFEST_KEY), str(file))
        self._check_signature(file)
        fixed = self._session.get_inputs()[0].shape[0]
        self._batch_size: int | None = fixed if isinstance(fixed, int) else None
        try:
            self.classify(np.zeros((1, self.side, self.side), np.uint8))  # warm up
        except Exception as error:  # noqa: BLE001  # onnxruntime's errors have no common type
            raise ModelError(f"{file}: cannot be run: {_first_line(error)}") from None

    @property
    def side(self) -> int:
        """Side of a face crop, pixels."""
        return self.manifest.input_side

    @property
    def labels(self) -> tuple[str, ...]:
        """The expressions, in the order of the probabilities."""
        return self.manifest.labels

    def classify(self, faces: UInt8Array) -> FloatArray:
        """(N, S, S) uint8 gray crops -> (N, C) float32 probabilities; N may be 0."""
        if faces.shape[1:] != (self.side, self.side) or faces.dtype != np.uint8:
            raise ValueError(
                f"faces: expected (N, {self.side}, {self.side}) uint8, "
                f"got {faces.shape} {faces.dtype}"
            )
        if len(faces) == 0:
            return np.zeros((0, len(self.labels)), np.float32)
        size = self._batch_size or len(faces)
        batches = [faces[i : i + size] for i in range(0, len(faces), size)]
        return np.concatenate([self._run(batch, size) for batch in batches])

    def _run(self, faces: UInt8Array, size: int) -> FloatArray:
        """At most `size` faces, by a model that may take exactly so many."""
        padding = np.zeros((size - len(faces), self.side, self.side), np.uint8)
        batch = np.concatenate([faces, padding])[:, None] if len(padding) else faces[:, None]
        (probs,) = self._session.run(["probs"], {"faces": batch})
        return np.asarray(probs[: len(faces)], dtype=np.float32)

    def _check_signature(self, file: Path) -> None:
        side, n_classes = self.side, len(self.labels)
        inputs = {item.name: item for item in self._session.get_inputs()}
        outputs = {item.name: item for item in self._session.get_outputs()}
        faces, probs = inputs.get("faces"), outputs.get("probs")
        if (
            set(inputs) != {"faces"}
            or faces is None
            or faces.type != "tensor(uint8)"
            or list(faces.shape[1:]) != [1, side, side]
        ):
            raise ModelError(
                f"{file}: its input is not `faces` uint8 (N, 1, {side}, {side}) as its manifest "
                "says; export the model again"
            )
        attention = outputs.get("attention")
        if attention is not None and (
            attention.type != "tensor(float)" or len(attention.shape) != 3
        ):
            raise ModelError(
                f"{file}: its output `attention` is not float32 (N, h, w); export the model again"
            )
        if probs is None or probs.type != "tensor(float)" or list(probs.shape[1:]) != [n_classes]:
            raise ModelError(
                f"{file}: its output is not `probs` float32 (N, {n_classes}) as its manifest says; "
                "export the model again"
            )


def _open(model: Path | None, wanted: Provider) -> tuple[Path, ort.InferenceSession]:
    """Open `model`, or the shipped one for this provider; its file and session."""
    file = model or asset(_CPU_MODEL if wanted == "cpu" else _GPU_MODEL)
    if not file.is_file():
        raise ModelError(f"{file}: no such model file")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2 if wanted == "cpu" else 1
    # Threads that spin between frames would burn a core to gain microseconds.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if wanted != "cpu":
        ort.preload_dlls()
    try:
        session = ort.InferenceSession(
            str(file), options, providers=_available(_EXECUTION_PROVIDERS[wanted])
        )
    except Exception as error:  # noqa: BLE001  # a dozen unrelated types for a bad file
        raise ModelError(
            f"{file}: not a model that ONNX Runtime can load: {_first_line(error)}"
        ) from None
    return file, session


def _loaded_provider(session: ort.InferenceSession) -> str:
    """What ONNX Runtime really uses: it falls back to the CPU in silence."""
    first: str = session.get_providers()[0]
    return _SHORT_NAMES.get(first, first)


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0][:200]


def _available(providers: list[str]) -> list[str]:
    present = ort.get_available_providers()
    return [name for name in providers if name in present]


def _cuda_driver_is_present() -> bool:
    """ONNX Runtime lists CUDA whether or not it can load; the driver's library tells."""
    if sys.platform == "darwin" or "CUDAExecutionProvider" not in ort.get_available_providers():
        return False
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
