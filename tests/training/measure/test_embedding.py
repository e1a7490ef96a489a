from pathlib import Path

import numpy as np
import pytest

from fer_live.errors import DataError
from fer_live.model.manifest import EmbeddingStatistics
from tests.helpers.commands import fails
from training.cli import main
from training.data.labeled_images import LabeledImages
from training.measure.embedding import embedding_statistics
from training.models.checkpoint import load_model

CLASSES = ("a", "b")


def labeled(labels: np.ndarray) -> LabeledImages:
    images = np.zeros((len(labels), 2, 2), np.uint8)
    return LabeledImages("some", CLASSES, images, labels, np.arange(len(labels)).astype(str))


def test_means_and_covariance_are_those_of_the_classes_alike():
    """A class with nine times the faces does not decide how embeddings spread."""
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], [9000, 1000])
    mixing = generator.normal(size=(20, 20)) / 5
    deviation = np.where(labels[:, None] == 0, 1.0, 3.0)
    values = generator.normal(size=(10_000, 20)) @ mixing * deviation + 5 * labels[:, None]
    found = embedding_statistics(values.astype(np.float32), labeled(labels))
    np.testing.assert_allclose(np.mean(found.class_means, axis=1), [0, 5], atol=0.1)
    assert found.class_shares == (0.9, 0.1)
    directions = np.array(found.directions)
    covariance = np.diag(np.square(found.spread)) + directions.T @ directions
    expected = mixing.T @ mixing * (1 + 9) / 2
    np.testing.assert_allclose(np.diag(covariance), np.diag(expected), rtol=0.15)
    assert np.abs(covariance - expected).max() < 0.15 * np.abs(expected).max()


def test_a_class_without_faces_cannot_be_described():
    with pytest.raises(DataError, match="fewer than two faces of b"):
        embedding_statistics(np.zeros((4, 3), np.float32), labeled(np.zeros(4, np.int64)))


def test_sizes_that_disagree_are_refused():
    with pytest.raises(ValueError, match="disagree in size"):
        EmbeddingStatistics(
            class_means=((1.0, 2.0),), spread=(1.0,), class_shares=(1.0,), n=1, data=""
        )


def test_the_command_writes_them_into_the_manifest(
    small_models: list[Path], fer_tree, tmp_path: Path, run_cli, capsys
):
    for index in range(24):
        fer_tree.add("Training", load_model(small_models[0])[1].labels[index % 8], seed=index)
    data = f"fer2013:{fer_tree.write()}"
    out = tmp_path / "described.safetensors"
    command = ["fer-train", "embedding", str(small_models[0]), "--data", data]
    command += ["--split", "Training", "--labels", "ferplus-argmax", "--out", str(out)]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr("sys.argv", command)
        main()
    assert ended.value.code == 0
    assert "8 class means of 64 numbers" in capsys.readouterr().out
    found = load_model(out)[1].embedding
    assert found is not None and found.n == 24
    fails(run_cli(*command[:-1], tmp_path / "m.onnx"), 2, "unknown kind")
