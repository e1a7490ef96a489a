"""Reads expressions with ONNX Runtime, which no other file of the app imports."""

import contextlib
import ctypes
import io
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fer_live.base.deletion import delete_file, deleting
from fer_live.base.home import cache as cache_folder
from fer_live.base.regular_file import sha256_of
from fer_live.base.self_contained import is_self_contained
from fer_live.base.translation import tr
from fer_live.datatypes import FloatArray, Provider, UInt8Array
from fer_live.errors import ModelError
from fer_live.model.assets import CPU_MODEL, GPU_MODEL, asset
from fer_live.model.head import among_common
from fer_live.model.inspect import load_model_file, reading_graph
from fer_live.model.manifest import MANIFEST_KEY, parse_manifest
from fer_live.model.quantization import may_saturate
from fer_live.vision.answers import DEFAULT_ANSWERS, AnswerConfig

_MAX_BATCH = 16
_MAX_MODEL_BYTES = 3 << 29
"""What all models together may take of the processor's memory: a few lines in a model file can make
a step of it ask for any amount. Ours take some ten megabytes each."""
_MAX_FACES_OF_ONE_THREAD = 2
"""To hand a part of one face to a second thread costs more than that saves: 0.37 ms by one thread,
0.46 by two (int8; 1.30 and 1.47 for fp32; without VNNI 1.19 and 1.30)."""
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


@cache
def onnx_runtime() -> Any:
    """The package, set up. It takes a third of a second to import, so nothing imports it before a
    model is opened, on whichever thread does that."""
    import onnxruntime

    # On Windows; elsewhere the first lines of `fer_live` stop what it would upload.
    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(4)  # we report failed GPU providers, in one line
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu",
        onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR,
        0,
        onnxruntime.OrtMemType.DEFAULT,
    )
    usual = ("arena_extend_strategy", "initial_chunk_size_bytes", "max_dead_bytes_per_chunk")
    limits = {"max_mem": _MAX_MODEL_BYTES, **dict.fromkeys(usual, -1)}
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg(limits))
    return onnxruntime


class ExpressionClassifier:
    """An exported model: gray faces in, probabilities out.

    `model` is a file, or a folder that holds int8 for the CPU and fp32 for a GPU; None takes the
    shipped ones. `auto` uses CUDA where a
    driver is there and the provider loads. `provider` is what ONNX Runtime really loaded, which may
    not be what was asked for; `warning` then says so. `answers` says how often a face is read, and
    by which prior; it may be set from another thread, and holds from the next face on. Raises
    `ModelError` for a file that is no ONNX model, has no manifest, or contradicts it, and for a
    prior that the model has not.
    """

    def __init__(
        self,
        model: Path | None = None,
        provider: Provider = "auto",
        answers: AnswerConfig = DEFAULT_ANSWERS,
    ) -> None:
        self.may_use_two_threads = True
        """Whether many faces are read by two threads of the CPU; not where other processes have
        the other cores."""
        self._answers = DEFAULT_ANSWERS
        wanted: Provider = provider
        if provider == "auto":
            wanted = "cuda" if _cuda_may_load() else "cpu"
        self.warning = ""
        self._may_saturate = False
        reason = ""
        try:
            self._load(model, wanted)
        except ModelError as error:
            if wanted == "cpu":
                raise
            reason = str(error)  # a GPU that is full, or too old for the kernels
        if wanted != "cpu" and (reason or self.provider == "cpu"):
            # The GPU's model on one CPU thread would be several times slower than the CPU's own.
            self._load(model, "cpu")
        if wanted != self.provider:
            self.warning = _why_not(wanted, self.provider, reason)
        elif self._may_saturate:
            self.warning = tr("this model reads worse on some processors; export it again")
        self.answers = answers

    @property
    def answers(self) -> AnswerConfig:
        """How often a face is read, and by which prior."""
        return self._answers

    @answers.setter
    def answers(self, answers: AnswerConfig) -> None:
        names = self.manifest.prior_names
        if answers.prior not in names:
            raise ModelError(
                tr(
                    "{name}: has no prior {prior}; it has: {names}",
                    name=self.name,
                    prior=answers.prior,
                    names=", ".join(names),
                )
            )
        self._answers = answers

    @property
    def side(self) -> int:
        """Side of a face crop, pixels."""
        return self.manifest.input_side

    @property
    def labels(self) -> tuple[str, ...]:
        """The expressions, in the order of the probabilities."""
        return self.manifest.labels

    @property
    def has_heat_map(self) -> bool:
        """Whether the model tells where it looked."""
        return "attention" in (output.name for output in self._session.get_outputs())

    def classify(self, faces: UInt8Array) -> FloatArray:
        """(N, S, S) uint8 gray crops -> (N, C) float32 probabilities; N may be 0."""
        (probs,) = self._answer(faces, ("probs",))
        return probs

    def classify_with_heat_maps(self, faces: UInt8Array) -> tuple[FloatArray, FloatArray | None]:
        """As `classify`, and heat maps (N, h, w) float32, 0..1, over the crop; None without."""
        if not self.has_heat_map or len(faces) == 0:
            return self.classify(faces), None
        probs, heat_maps = self._answer(faces, ("probs", "attention"))
        return probs, heat_maps

    def _answer(self, faces: UInt8Array, outputs: tuple[str, ...]) -> list[FloatArray]:
        """Both readings go in one batch; the first output is probabilities, their mean. Of the
        others, that of the face itself is returned."""
        answers, n = self._answers, len(faces)
        if answers.readings == 1 or n == 0:
            probs, *others = self._read(faces, outputs)
        else:
            both = np.concatenate([faces, faces[:, :, ::-1]])
            probs, *others = self._read(both, outputs)
            probs = _joined(probs[:n], probs[n:], len(self.manifest.common_labels))
        return [self.manifest.with_prior(probs, answers.prior), *(o[:n] for o in others)]

    @property
    def has_embedding(self) -> bool:
        """Whether the model gives what its classifier reads."""
        return "embedding" in (output.name for output in self._session.get_outputs())

    def embed(self, faces: UInt8Array) -> FloatArray:
        """(N, S, S) uint8 gray crops -> (N, D) float32, what the classifier reads; N above 0.

        Raises `ModelError` where the model does not give it.
        """
        if not self.has_embedding:
            raise ModelError(tr("{name}: gives no embedding; export it again", name=self.name))
        (embedding,) = self._read(faces, ("embedding",))
        return embedding

    def _read(self, faces: UInt8Array, outputs: tuple[str, ...]) -> list[FloatArray]:
        if faces.shape[1:] != (self.side, self.side) or faces.dtype != np.uint8:
            raise ValueError(
                f"faces: expected (N, {self.side}, {self.side}) uint8, "
                f"got {faces.shape} {faces.dtype}"
            )
        if len(faces) == 0:
            return [np.zeros((0, len(self.labels)), np.float32)]
        size = self._batch_size or _MAX_BATCH
        batches = [self._run(faces[i : i + size], outputs) for i in range(0, len(faces), size)]
        return [np.concatenate(parts) for parts in zip(*batches, strict=True)]

    def _load(self, model: Path | None, wanted: Provider) -> None:
        variant = CPU_MODEL if wanted == "cpu" else GPU_MODEL
        file = model or asset(variant)
        if file.is_dir():
            file = file / variant
        if not file.is_file():
            raise ModelError(tr("{file}: no such model file", file=file))
        if model is not None:
            # Not the shipped ones: importing onnx would delay every start.
            with reading_graph(str(file)):
                self._may_saturate = may_saturate(load_model_file(file))
        self._session, self._file = _session(file, "cpu"), file
        self._session_of_two_threads: Any = None
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.manifest = parse_manifest(metadata.get(MANIFEST_KEY), str(file))
        if wanted != "cpu":
            self._session = _session(file, wanted, self._session.get_inputs()[0].shape)
        self.name = model.name if model else file.name
        self.provider = _loaded_provider(self._session)
        fixed = self._session.get_inputs()[0].shape[0]
        self._batch_size = fixed if isinstance(fixed, int) else None
        self._answers = DEFAULT_ANSWERS
        try:
            outputs = [output.name for output in self._session.get_outputs()]
            for n in (1, 2):  # this also warms it up
                faces = np.zeros((n, self.side, self.side), np.uint8)
                self._check(self._read(faces, tuple(outputs)), outputs, n)
        except ModelError as error:
            raise ModelError(f"{file}: {error}; export the model again") from None
        except Exception as error:  # noqa: BLE001  # onnxruntime's errors have no common type
            raise ModelError(f"{file}: cannot be run: {_first_line(error)}") from None

    def _check(self, answers: list[FloatArray], outputs: list[str], n: int) -> None:
        """What a graph says of its answers need not be so."""
        by_name = dict(zip(outputs, answers, strict=True))
        probs = by_name["probs"]
        if probs.shape != (n, len(self.labels)) or not np.isfinite(probs).all():
            raise ModelError(f"does not answer {len(self.labels)} probabilities for each face")
        n_axes = {"attention": 3, "embedding": 2}
        for name in n_axes.keys() & by_name.keys():
            if by_name[name].ndim != n_axes[name] or len(by_name[name]) != n:
                raise ModelError(f"its output `{name}` is not of a row for each face")

    def _run(self, faces: UInt8Array, outputs: tuple[str, ...]) -> list[FloatArray]:
        """One run of the network, which may take a fixed number of faces."""
        missing = max((self._batch_size or 0) - len(faces), 0)
        batch = np.pad(faces, ((0, missing), (0, 0), (0, 0))) if missing else faces
        session = self._session_for(len(batch))
        binding = session.io_binding()
        binding.bind_cpu_input("faces", np.ascontiguousarray(batch[:, None]))
        for name in outputs:
            binding.bind_output(name)
        session.run_with_iobinding(binding)
        results = binding.copy_outputs_to_cpu()
        return [np.asarray(result[: len(faces)], dtype=np.float32) for result in results]

    def _session_for(self, n_faces: int) -> Any:
        """On the CPU many faces have a session of their own, made when they first come."""
        is_one = n_faces <= _MAX_FACES_OF_ONE_THREAD or not self.may_use_two_threads
        if self.provider != "cpu" or is_one:
            return self._session
        if self._session_of_two_threads is None:
            self._session_of_two_threads = onnx_runtime().InferenceSession(
                str(self._file), _options(2), providers=_EXECUTION_PROVIDERS["cpu"]
            )
        return self._session_of_two_threads


def _joined(straight: FloatArray, mirrored: FloatArray, n_common: int) -> FloatArray:
    """The mean of two readings. An expression of the person's own is read as it is, for it may be
    one of a side, as "wink left" is; the others share what it leaves."""
    if straight.shape[1] == n_common:
        return np.asarray((straight + mirrored) / 2, dtype=np.float32)
    own = straight[:, n_common:]
    common = among_common(straight, n_common) + among_common(mirrored, n_common)
    share = straight[:, :n_common].sum(axis=1, keepdims=True)
    return np.asarray(np.concatenate([common / 2 * share, own], axis=1), dtype=np.float32)


def _why_not(wanted: Provider, provider: str, reason: str) -> str:
    if reason:
        return tr(
            "running on {provider}: {wanted} failed: {reason}",
            provider=provider,
            wanted=wanted,
            reason=reason,
        )
    if is_self_contained():
        return tr(
            "running on {provider}: this app is without {wanted}; install FER Live with pip",
            provider=provider,
            wanted=wanted,
        )
    if wanted == "tensorrt":
        return tr("running on {provider}: TensorRT's libraries did not load", provider=provider)
    return tr(
        "running on {provider}: {wanted} did not load; pip install '.[gpu]' adds what it needs",
        provider=provider,
        wanted=wanted,
    )


def _session(file: Path, wanted: Provider, shape: Sequence[int | str] = ()) -> Any:
    """An `InferenceSession`; a GPU's options need to know the shape of the model's input."""
    ort, options = onnx_runtime(), _options(1)
    present = ort.get_available_providers()
    providers = [
        (name, _provider_options(name, shape, file))
        for name in _EXECUTION_PROVIDERS[wanted]
        if name in present
    ]
    try:
        if wanted == "cpu":
            return ort.InferenceSession(str(file), options, providers=providers)
        # What it prints where a GPU's libraries are missing is no part of a command's output; the
        # window and `fer-live` say in one line of their own that the processor is used.
        with contextlib.redirect_stdout(io.StringIO()):
            ort.preload_dlls()
            return ort.InferenceSession(str(file), options, providers=providers)
    except Exception as error:  # noqa: BLE001  # a dozen unrelated types for a bad file
        raise ModelError(
            tr(
                "{file}: not a model that ONNX Runtime can load: {why}",
                file=file,
                why=_first_line(error),
            )
        ) from None


def _options(n_threads: int) -> Any:
    options = onnx_runtime().SessionOptions()
    options.intra_op_num_threads = n_threads
    options.add_session_config_entry("session.use_env_allocators", "1")
    # Threads that spin between frames would burn a core to gain microseconds.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _provider_options(name: str, shape: Sequence[int | str], file: Path) -> dict[str, str]:
    if name == "CUDAExecutionProvider":
        # The default tries every algorithm anew for each number of faces: a pause at each change.
        return {"cudnn_conv_algo_search": "HEURISTIC"}
    if name != "TensorrtExecutionProvider":
        return {}
    kept = {
        # Every installed model has the same file name, and TensorRT's own key knows no weights.
        "trt_engine_cache_prefix": _engine_prefix(file),
        "trt_engine_cache_enable": "True",
        "trt_timing_cache_enable": "True",
        "trt_engine_cache_path": str(_engines()),
        "trt_timing_cache_path": str(_engines()),
    }
    if isinstance(shape[0], int):
        return kept
    # One engine for every number of faces; it is fastest for one.
    face = "x".join(str(size) for size in shape[1:])
    return kept | {
        "trt_profile_min_shapes": f"faces:1x{face}",
        "trt_profile_opt_shapes": f"faces:1x{face}",
        "trt_profile_max_shapes": f"faces:{_MAX_BATCH}x{face}",
    }


def forget_engines(model: Path) -> None:
    """Delete the engines that TensorRT made of a model file: they hold the weights, and so what was
    learnt from a person. Raises `OutputError`."""
    with deleting(model):
        prefix = _engine_prefix(model)
    for engine in _engines().glob(f"{prefix}*"):
        delete_file(engine)


def _engines() -> Path:
    return cache_folder() / "tensorrt"


def _engine_prefix(file: Path) -> str:
    return sha256_of(file)[:16]


def _loaded_provider(session: Any) -> str:
    """What ONNX Runtime really uses: it falls back to the CPU in silence."""
    first: str = session.get_providers()[0]
    return _SHORT_NAMES.get(first, first)


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0][:200]


def _cuda_may_load() -> bool:
    """ONNX Runtime lists CUDA whether or not it can load; the driver's library tells. The
    self-contained app leaves CUDA out, so there it would only warn at every start."""
    if is_self_contained():
        return False
    providers = onnx_runtime().get_available_providers()
    if sys.platform == "darwin" or "CUDAExecutionProvider" not in providers:
        return False
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
