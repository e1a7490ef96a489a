import hashlib
from pathlib import Path

import pytest
import torch

from fer_live.errors import InputError, ModelError
from training.models.checkpoint import load_model
from training.study.weights import SUMS_FILE, keep_weights


def as_runs(models: list[Path], tmp_path: Path) -> list[Path]:
    runs = []
    for model in models:
        runs.append(tmp_path / "runs" / f"{model.stem}_0.1_1")
        runs[-1].mkdir(parents=True)
        model.rename(runs[-1] / "model.safetensors")
    return runs


def test_kept_weights_are_those_of_the_runs(small_models: list[Path], tmp_path: Path):
    runs = as_runs(small_models, tmp_path)
    kept = keep_weights(runs[:2], tmp_path / "kept")
    keep_weights(runs[2:], tmp_path / "kept")
    assert [file.name for file in kept] == ["one_0.1_1.safetensors", "two_0.1_1.safetensors"]
    for run, file in zip(runs, kept, strict=False):
        assert file.stat().st_size < 0.6 * (run / "model.safetensors").stat().st_size
        network, manifest = load_model(run)
        half, same = load_model(file)
        assert manifest == same
        faces = torch.rand(4, 1, 48, 48)
        torch.testing.assert_close(half(faces), network(faces), rtol=0.02, atol=0.02)
    lines = (tmp_path / "kept" / SUMS_FILE).read_text().splitlines()
    sums = dict(reversed(line.split()) for line in lines)
    assert len(sums) == 3
    for name, digest in sums.items():
        assert hashlib.sha256((tmp_path / "kept" / name).read_bytes()).hexdigest() == digest


def test_an_unfinished_run_has_no_weights(tmp_path: Path):
    (tmp_path / "run").mkdir()
    with pytest.raises(ModelError, match="no such checkpoint"):
        keep_weights([tmp_path / "run"], tmp_path / "kept")


def test_weights_of_two_runs_never_become_one_file(small_models: list[Path], tmp_path: Path):
    one, two = as_runs(small_models[:2], tmp_path)
    other = tmp_path / "elsewhere" / one.name
    other.parent.mkdir()
    two.rename(other)
    with pytest.raises(InputError, match=r"two run folders are called one_0\.1_1"):
        keep_weights([one, other], tmp_path / "kept")
    (kept,) = keep_weights([one], tmp_path / "kept")
    before = kept.read_bytes()
    with pytest.raises(InputError, match="holds other weights"):
        keep_weights([other], tmp_path / "kept")
    assert kept.read_bytes() == before
    assert keep_weights([one], tmp_path / "kept") == [kept], "the same run again"
    third = as_runs([small_models[2]], tmp_path)[0]
    with pytest.raises(InputError, match="holds other weights"):
        keep_weights([third, other], tmp_path / "kept")
    assert not (tmp_path / "kept" / f"{third.name}.safetensors").exists(), "all or none"


SUMS = [path.parent for path in Path("docs/results").glob(f"*/weights/{SUMS_FILE}")]


@pytest.mark.parametrize("folder", SUMS, ids=str)
def test_the_committed_weights_are_those_of_their_sums(folder: Path):
    lines = (folder / SUMS_FILE).read_text().splitlines()
    sums = dict(reversed(line.split()) for line in lines)
    files = sorted(folder.glob("*.safetensors"))
    assert [file.name for file in files] == sorted(sums)
    for file in files:
        assert hashlib.sha256(file.read_bytes()).hexdigest() == sums[file.name]
        assert load_model(file)[1].metrics
    assert sum(file.stat().st_size for file in files) < 20e6
