import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import fer_live.vision.classifier as classifier_module
from fer_live.errors import ModelError
from fer_live.model.assets import asset
from fer_live.model.manifest import EXPRESSIONS, MANIFEST_KEY
from fer_live.vision.classifier import ExpressionClassifier, _provider_options
from tests.helpers.models import MANIFEST, save_model


@pytest.mark.parametrize("n", [0, 1, 3])
@pytest.mark.parametrize("name", ["fer_live_int8.onnx", "fer_live_fp32.onnx"])
def test_shipped_models_answer_probabilities_for_any_number_of_faces(n: int, name: str):
    classifier = ExpressionClassifier(asset(name), "cpu")
    faces = np.random.default_rng(0).integers(0, 256, (n, 48, 48), dtype=np.uint8)
    probs = classifier.classify(faces)
    assert probs.shape == (n, 8)
    np.testing.assert_allclose(probs.sum(axis=1), np.ones(n), atol=1e-5)
    assert classifier.labels == EXPRESSIONS


def test_faces_of_another_size_are_refused():
    classifier = ExpressionClassifier(None, "cpu")
    with pytest.raises(ValueError, match=r"expected \(N, 48, 48\)"):
        classifier.classify(np.zeros((1, 64, 64), np.uint8))


def test_the_provider_named_is_the_one_that_loaded():
    """onnxruntime-gpu falls back to the CPU in silence where CUDA does not load."""
    classifier = ExpressionClassifier(None, "cuda")
    loaded = classifier._session.get_providers()[0]
    assert (
        classifier.provider
        == {"CPUExecutionProvider": "cpu", "CUDAExecutionProvider": "cuda"}[loaded]
    )
    assert bool(classifier.warning) == (classifier.provider != "cuda")


def test_the_self_contained_app_neither_tries_cuda_nor_names_an_extra(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(classifier_module, "is_self_contained", lambda: True)
    monkeypatch.setattr(classifier_module.ctypes, "CDLL", lambda name: None)  # a driver is there
    assert not classifier_module._cuda_may_load()
    assert classifier_module._why_not("cuda", "cpu", "") == (
        "running on cpu: this app is without cuda; install FER Live with pip"
    )


@pytest.mark.parametrize(
    ("wanted", "reason", "says"),
    [
        ("cuda", "out of memory", "running on cpu: cuda failed: out of memory"),
        ("tensorrt", "", "running on cpu: TensorRT's libraries did not load"),
        (
            "cuda",
            "",
            "running on cpu: cuda did not load; pip install '.[gpu]' adds what it needs",
        ),
    ],
)
def test_why_another_provider_runs_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, wanted, reason: str, says: str
):
    monkeypatch.setattr(classifier_module, "is_self_contained", lambda: False)
    assert classifier_module._why_not(wanted, "cpu", reason) == says


def test_a_model_that_reads_worse_on_some_processors_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    save_model(tmp_path / "a.onnx")
    assert ExpressionClassifier(tmp_path / "a.onnx", "cpu").warning == ""
    monkeypatch.setattr(classifier_module, "may_saturate", lambda model: True)
    assert ExpressionClassifier(tmp_path / "a.onnx", "cpu").warning == (
        "this model reads worse on some processors; export it again"
    )


@pytest.mark.parametrize("n", [1, 3, 20])
def test_an_embedding_is_what_the_model_gives_under_that_name(n: int):
    """Twenty go in two batches."""
    classifier = ExpressionClassifier(None, "cpu")
    faces = np.random.default_rng(0).integers(0, 256, (n, 48, 48), dtype=np.uint8)
    embedding = classifier.embed(faces)
    assert (embedding.shape, embedding.dtype) == ((n, 384), np.float32)
    (alone,) = classifier._session.run(["embedding"], {"faces": faces[-1:, None]})
    np.testing.assert_allclose(embedding[-1:], alone, atol=0.05 * np.abs(alone).max())


def test_a_model_without_an_embedding_is_refused_where_one_is_asked_for(tmp_path: Path):
    save_model(tmp_path / "a.onnx")
    classifier = ExpressionClassifier(tmp_path / "a.onnx", "cpu")
    assert not classifier.has_embedding and not classifier.has_heat_map
    with pytest.raises(ModelError) as caught:
        classifier.embed(np.zeros((1, 48, 48), np.uint8))
    assert str(caught.value) == "a.onnx: gives no embedding; export it again"


def test_heat_maps_are_those_that_the_model_gives_and_none_for_no_face():
    classifier = ExpressionClassifier(None, "cpu")
    faces = np.random.default_rng(0).integers(0, 256, (1, 48, 48), dtype=np.uint8)
    _, heat_maps = classifier.classify_with_heat_maps(faces)
    assert heat_maps is not None
    assert (heat_maps.shape, heat_maps.dtype) == ((1, 6, 6), np.float32)
    (alone,) = classifier._session.run(["attention"], {"faces": faces[:, None]})
    np.testing.assert_allclose(heat_maps, alone, atol=0.05)
    probs, heat_maps = classifier.classify_with_heat_maps(faces[:0])
    assert probs.shape == (0, 8) and heat_maps is None


def test_probabilities_are_float32():
    classifier = ExpressionClassifier(None, "cpu")
    for n in (0, 1):
        assert classifier.classify(np.zeros((n, 48, 48), np.uint8)).dtype == np.float32


def test_two_readings_share_what_an_expression_of_ones_own_leaves():
    """It is read as it is; the others are the mean of their shares, by hand."""
    straight = np.array([[0.3, 0.2, 0.5]], np.float32)
    mirrored = np.array([[0.1, 0.8, 0.1]], np.float32)
    joined = classifier_module._joined(straight, mirrored, 2)
    assert joined.dtype == np.float32
    shares = (3 / 5 + 1 / 9) / 2, (2 / 5 + 8 / 9) / 2
    np.testing.assert_allclose(joined, [[shares[0] / 2, shares[1] / 2, 0.5]], rtol=1e-5)
    plain = classifier_module._joined(straight, mirrored, 3)
    np.testing.assert_allclose(plain, [[0.2, 0.5, 0.3]], rtol=1e-5)


@pytest.mark.parametrize(
    ("n_faces", "two", "sessions"), [(2, True, 1), (3, True, 2), (3, False, 1)]
)
def test_more_than_two_faces_are_read_by_two_threads_where_they_may_be(
    n_faces: int, two: bool, sessions: int
):
    classifier = ExpressionClassifier(None, "cpu")
    classifier.may_use_two_threads = two
    session = classifier._session_for(n_faces)
    assert (session is not classifier._session) == (sessions == 2)
    assert session.get_session_options().intra_op_num_threads == sessions
    assert classifier._session_for(n_faces) is session, "made once"


def test_threads_do_not_spin_between_frames_and_memory_is_limited():
    options = classifier_module._options(1)
    assert options.intra_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert options.get_session_config_entry("session.use_env_allocators") == "1"


def test_cuda_does_not_try_every_algorithm_anew_and_the_cpu_has_no_option():
    file = asset("fer_live_int8.onnx")
    assert _provider_options("CUDAExecutionProvider", [], file) == {
        "cudnn_conv_algo_search": "HEURISTIC"
    }
    assert _provider_options("CPUExecutionProvider", [], file) == {}


def test_the_engines_of_a_model_are_forgotten_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path))
    options = {}
    for name in ("mine", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.onnx").write_text(name)
        shape = ["N", 1, 48, 48]
        file = tmp_path / name / "m.onnx"
        options[name] = _provider_options("TensorrtExecutionProvider", shape, file)
        engine = f"{options[name]['trt_engine_cache_prefix']}_sm90.engine"
        folder = Path(options[name]["trt_engine_cache_path"])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / engine).touch()
    classifier_module.forget_engines(tmp_path / "mine" / "m.onnx")
    (left,) = folder.iterdir()
    assert left.name.startswith(options["other"]["trt_engine_cache_prefix"])


def test_all_options_of_tensorrt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path))
    file = asset("fer_live_fp32.onnx")
    options = _provider_options("TensorrtExecutionProvider", ["N", 1, 48, 48], file)
    cache = str(tmp_path / "cache" / "tensorrt")
    assert options == {
        "trt_engine_cache_prefix": hashlib.sha256(file.read_bytes()).hexdigest()[:16],
        "trt_engine_cache_enable": "True",
        "trt_timing_cache_enable": "True",
        "trt_engine_cache_path": cache,
        "trt_timing_cache_path": cache,
        "trt_profile_min_shapes": "faces:1x1x48x48",
        "trt_profile_opt_shapes": "faces:1x1x48x48",
        "trt_profile_max_shapes": "faces:16x1x48x48",
    }


def test_a_model_made_elsewhere_is_taken(tmp_path: Path):
    save_model(tmp_path / "constant.onnx")
    classifier = ExpressionClassifier(tmp_path / "constant.onnx", "cpu")
    np.testing.assert_allclose(classifier.classify(np.zeros((2, 48, 48), np.uint8)), 1 / 8)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path):
    text = tmp_path / "text.onnx"
    text.write_text("no model")
    whole = asset("fer_live_int8.onnx").read_bytes()
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(whole[: len(whole) // 2])
    empty = tmp_path / "empty.onnx"
    empty.touch()
    for path, says in (
        (text, "not a model"),
        (cut, "not a model"),
        (empty, "not a model"),
        (tmp_path / "no.onnx", "no such"),
    ):
        with pytest.raises(ModelError, match=says) as caught:
            ExpressionClassifier(path, "cpu")
        assert "\n" not in str(caught.value)


def test_a_model_without_a_manifest_is_refused(tmp_path: Path):
    model = save_model(tmp_path / "a.onnx")
    del model.metadata_props[:]
    onnx.save(model, str(tmp_path / "a.onnx"))
    with pytest.raises(ModelError, match="no FER Live manifest"):
        ExpressionClassifier(tmp_path / "a.onnx", "cpu")


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"side": 32}, "input"), ({"classes": 7}, "output"), ({"name": "images"}, "input")],
)
def test_a_model_that_contradicts_its_manifest_is_refused(tmp_path: Path, changes, says: str):
    save_model(tmp_path / "a.onnx", **changes)
    with pytest.raises(ModelError, match=f"its {says} is not"):
        ExpressionClassifier(tmp_path / "a.onnx", "cpu")


def test_an_attention_output_that_is_no_map_is_refused(tmp_path: Path):
    model = save_model(tmp_path / "a.onnx")
    model.graph.node.append(helper.make_node("Identity", ["probs"], ["attention"]))
    output = helper.make_tensor_value_info("attention", TensorProto.FLOAT, ["N", 8])
    model.graph.output.append(output)
    onnx.save(model, str(tmp_path / "a.onnx"))
    with pytest.raises(ModelError, match="`attention` is not float32"):
        ExpressionClassifier(tmp_path / "a.onnx", "cpu")


def test_more_faces_than_one_batch_are_read_in_order():
    classifier = ExpressionClassifier(None, "cpu")
    faces = np.random.default_rng(0).integers(0, 256, (37, 48, 48), dtype=np.uint8)
    one_by_one = np.concatenate([classifier.classify(face[None]) for face in faces])
    np.testing.assert_allclose(classifier.classify(faces), one_by_one, atol=2e-2)


def test_engines_are_kept_in_the_cache_and_fit_any_number_of_faces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("FER_LIVE_HOME", str(tmp_path))
    file, other = tmp_path / "a" / "m.onnx", tmp_path / "b" / "m.onnx"
    for path in (file, other):
        path.parent.mkdir()
        path.write_bytes(path.parent.name.encode())
    options = _provider_options("TensorrtExecutionProvider", ["N", 1, 48, 48], file)
    assert (
        options["trt_engine_cache_prefix"]
        != _provider_options("TensorrtExecutionProvider", ["N", 1, 48, 48], other)[
            "trt_engine_cache_prefix"
        ]
    ), "two models of one name share no engine"
    assert options["trt_engine_cache_path"] == str(tmp_path / "cache" / "tensorrt")
    assert options["trt_profile_max_shapes"] == "faces:16x1x48x48"
    assert (tmp_path / "cache").is_dir()
    fixed = _provider_options("TensorrtExecutionProvider", [4, 1, 48, 48], file)
    assert not any("profile" in name for name in fixed)


def with_external_weights(path: Path) -> None:
    onnx.save(
        onnx.load(str(path)),
        str(path),
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )


def of_unknown_schema(path: Path) -> None:
    model = onnx.load(str(path))
    manifest = MANIFEST.to_json().replace('"schema":1', '"schema":9')
    helper.set_model_props(model, {MANIFEST_KEY: manifest})
    onnx.save(model, str(path))


def of_floats(path: Path) -> None:
    model = onnx.load(str(path))
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    onnx.save(model, str(path))


@pytest.mark.parametrize("provider", ["cpu", "tensorrt"])
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: save_model(path, side=32), "its input is not"),
        (of_floats, "its input is not"),
        (with_external_weights, "keeps weights in other files"),
        (of_unknown_schema, "unusable manifest, schema"),
        (lambda path: path.write_bytes(path.read_bytes()[:100]), "not a model"),
    ],
)
def test_a_bad_model_is_refused_before_anything_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider, spoil, says: str
):
    """A session reads external files, and TensorRT takes minutes to build an engine."""
    save_model(tmp_path / "a.onnx")
    spoil(tmp_path / "a.onnx")
    monkeypatch.setattr(
        classifier_module.onnx_runtime(),
        "InferenceSession",
        lambda *_, **__: pytest.fail("a session"),
    )
    with pytest.raises(ModelError, match=says) as caught:
        ExpressionClassifier(tmp_path / "a.onnx", provider)
    assert "\n" not in str(caught.value)


def test_weights_in_other_files_are_found_inside_a_branch_too(tmp_path: Path):
    """An `If` holds graphs of its own."""
    model = save_model(tmp_path / "a.onnx")
    branch = helper.make_graph(
        [helper.make_node("Identity", ["v"], ["o"])],
        "branch",
        [],
        [helper.make_tensor_value_info("o", TensorProto.FLOAT, [1])],
        [numpy_helper.from_array(np.zeros(1, np.float32), "v")],
    )
    onnx.external_data_helper.set_external_data(branch.initializer[0], "weights.bin")
    model.graph.node.append(
        helper.make_node("If", ["c"], ["x"], then_branch=branch, else_branch=branch)
    )
    (tmp_path / "a.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="keeps weights in other files"):
        ExpressionClassifier(tmp_path / "a.onnx", "cpu")


def test_a_gpu_that_fails_at_its_first_run_leaves_the_work_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch,
):
    """Its memory is full, or it is too old for the kernels."""
    on_gpu: list[object] = []
    real_session, real_run = classifier_module._session, ExpressionClassifier._run

    def session(file, wanted, shape=()):
        opened = real_session(file, "cpu", shape)
        if wanted == "cuda":
            on_gpu.append(opened)
        return opened

    def run(self, faces, outputs):
        if self._session in on_gpu:
            raise RuntimeError("CUDA out of memory")
        return real_run(self, faces, outputs)

    monkeypatch.setattr(classifier_module, "_session", session)
    monkeypatch.setattr(ExpressionClassifier, "_run", run)
    classifier = ExpressionClassifier(None, "cuda")
    assert (classifier.provider, classifier.name) == ("cpu", "fer_live_int8.onnx")
    assert "CUDA out of memory" in classifier.warning


def test_a_name_that_says_text_and_types_that_do_not_exist_are_refused_in_one_line(tmp_path: Path):
    text = tmp_path / "a.json"
    text.write_text("{}")
    model = save_model(tmp_path / "a.onnx")
    model.graph.input[0].type.tensor_type.elem_type = 99
    (tmp_path / "a.onnx").write_bytes(model.SerializeToString())
    for path, says in ((text, "not a model"), (tmp_path / "a.onnx", "its input is not")):
        with pytest.raises(ModelError, match=says):
            ExpressionClassifier(path, "cpu")


def test_what_the_library_prints_of_a_gpu_stays_off_the_terminal():
    """Both streams, also what its C++ writes to them. A process of its own, for it loads once."""
    code = """
from fer_live.model.assets import asset
from fer_live.vision.classifier import ExpressionClassifier
print("warning:", ExpressionClassifier(asset("fer_live_int8.onnx"), "cuda").warning)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True
    )
    (line,) = done.stdout.splitlines()
    assert line.startswith("warning:")
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("outputs", "says"),
    [
        ({"probs": np.zeros((1, 7))}, "does not answer 8 probabilities for each face"),
        ({"probs": np.zeros((2, 8))}, "does not answer 8 probabilities for each face"),
        ({"probs": np.full((1, 8), np.nan)}, "does not answer 8 probabilities for each face"),
        (
            {"probs": np.zeros((1, 8)), "attention": np.zeros((1, 36))},
            "its output `attention` is not of a row for each face",
        ),
        (
            {"probs": np.zeros((1, 8)), "embedding": np.zeros((2, 384))},
            "its output `embedding` is not of a row for each face",
        ),
    ],
)
def test_what_a_graph_answers_is_looked_at(outputs: dict[str, np.ndarray], says: str):
    classifier = ExpressionClassifier(None, "cpu")
    with pytest.raises(ModelError) as caught:
        classifier._check(list(outputs.values()), list(outputs), 1)
    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ModelError("answers nonsense"), "{file}: answers nonsense; export the model again"),
        (RuntimeError("no kernel\nat line 3"), "{file}: cannot be run: no kernel"),
        (RuntimeError("x" * 300), "{file}: cannot be run: " + "x" * 200),
    ],
)
def test_a_model_that_fails_at_its_first_run_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
):
    def fail(*_: object) -> None:
        raise error

    file = tmp_path / "a.onnx"
    save_model(file)
    monkeypatch.setattr(ExpressionClassifier, "_run", fail)
    with pytest.raises(ModelError) as caught:
        ExpressionClassifier(file, "cpu")
    assert str(caught.value) == says.format(file=file)


def test_a_model_for_a_fixed_number_of_faces_reads_any_number(tmp_path: Path):
    model = save_model(tmp_path / "a.onnx")
    for value in (model.graph.input[0], model.graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_value = 4
    onnx.save(model, str(tmp_path / "a.onnx"))
    classifier = ExpressionClassifier(tmp_path / "a.onnx", "cpu")
    for n in (1, 4, 6):
        probs = classifier.classify(np.zeros((n, 48, 48), np.uint8))
        np.testing.assert_allclose(probs, np.full((n, 8), 1 / 8))


@pytest.mark.parametrize(
    ("platform", "providers", "loads"),
    [
        ("linux", ["CUDAExecutionProvider"], True),
        ("linux", ["CPUExecutionProvider"], False),
        ("darwin", ["CUDAExecutionProvider"], False),
        ("win32", ["CUDAExecutionProvider"], True),
    ],
)
def test_cuda_is_tried_where_runtime_and_driver_are_there(
    monkeypatch: pytest.MonkeyPatch, platform: str, providers: list[str], loads: bool
):
    asked: list[str] = []
    runtime = classifier_module.onnx_runtime()
    monkeypatch.setattr(classifier_module, "is_self_contained", lambda: False)
    monkeypatch.setattr(runtime, "get_available_providers", lambda: providers)
    monkeypatch.setattr(classifier_module.ctypes, "CDLL", asked.append)
    monkeypatch.setattr(classifier_module.sys, "platform", platform)
    assert classifier_module._cuda_may_load() == loads
    driver = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}
    assert asked == ([driver[platform]] if loads else [])


def test_cuda_is_not_tried_without_a_driver(monkeypatch: pytest.MonkeyPatch):
    def missing(name: str) -> None:
        raise OSError(name)

    runtime = classifier_module.onnx_runtime()
    monkeypatch.setattr(classifier_module, "is_self_contained", lambda: False)
    monkeypatch.setattr(runtime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(classifier_module.ctypes, "CDLL", missing)
    assert not classifier_module._cuda_may_load()
