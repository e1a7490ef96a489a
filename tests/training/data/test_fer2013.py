import gzip
from pathlib import Path

import numpy as np
import pytest

from fer_live.errors import DataError
from fer_live.model.manifest import EXPRESSIONS
from tests.helpers.fer_tree import FerTree
from training.data.fer2013 import Fer2013, load_fer2013


def labels(tree: FerTree, rule: str, split: str = "Training") -> list[str]:
    selected = load_fer2013(tree.write()).select(split, rule)  # type: ignore[arg-type]
    return [EXPRESSIONS[label] for label in selected.labels]


def test_ferplus_rules(fer_tree: FerTree):
    fer_tree.add("Training", votes={"neutral": 6, "anger": 4}, seed=1)
    fer_tree.add("Training", votes={"neutral": 5, "anger": 5}, seed=2)
    fer_tree.add("Training", votes={"anger": 4, "sadness": 3, "fear": 3}, seed=3)
    fer_tree.add("Training", votes={"unknown": 6, "anger": 4}, seed=4)
    fer_tree.add("Training", votes={"NF": 10}, seed=5)
    fer_tree.add("Training", votes=dict.fromkeys(EXPRESSIONS, 1), seed=6)
    fer_tree.add("Training", votes={"surprise": 5, "fear": 4, "disgust": 1}, seed=7)
    # In the third row no column has more than half; in the last, the lone vote is dropped: 5 of 9.
    assert labels(fer_tree, "ferplus-argmax") == ["neutral", "neutral", "anger", "surprise"]
    assert labels(fer_tree, "ferplus-majority") == ["neutral", "surprise"]


def test_votes_are_the_raters_distribution_without_the_dropped_ones(fer_tree: FerTree):
    fer_tree.add("Training", votes={"surprise": 6, "fear": 3, "disgust": 1})
    selected = load_fer2013(fer_tree.write()).select("Training", "ferplus-argmax")
    expected = np.zeros((1, 8), np.float32)
    expected[0, EXPRESSIONS.index("surprise")] = 6 / 9
    expected[0, EXPRESSIONS.index("fear")] = 3 / 9
    np.testing.assert_allclose(selected.votes, expected)


def test_fer2013s_own_labels_by_our_names(fer_tree: FerTree):
    for emotion in range(7):
        fer_tree.add("Training", emotion=str(emotion), seed=emotion)
    assert labels(fer_tree, "fer2013") == [
        *("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    ]


def test_other_usages_are_ignored_and_rows_still_join_by_number(fer_tree: FerTree):
    fer_tree.add("Excluded", "anger", seed=1)
    fer_tree.add("Training", "fear", seed=2)
    fer_tree.add("Excluded", "anger", seed=3)
    fer_tree.add("PublicTest", "sadness", seed=4)
    assert labels(fer_tree, "ferplus-argmax") == ["fear"]
    assert labels(fer_tree, "ferplus-argmax", "PublicTest") == ["sadness"]


@pytest.mark.parametrize("split", ["PublicTest", "PrivateTest"])
def test_training_images_that_equal_an_evaluation_image_are_dropped(fer_tree: FerTree, split: str):
    image = np.random.default_rng(0).integers(0, 256, (48, 48))
    nearly = image.copy()
    nearly[0, 0] ^= 1
    fer_tree.add("Training", "anger", image=image)
    fer_tree.add("Training", "fear", image=nearly)
    fer_tree.add(split, "sadness", image=image)
    assert labels(fer_tree, "ferplus-argmax") == ["fear"]
    assert labels(fer_tree, "ferplus-argmax", split) == ["sadness"]


def test_blank_lines_do_not_count(fer_tree: FerTree):
    fer_tree.add("Training", "anger")
    path = fer_tree.write() / "fer2013.csv"
    path.write_text(path.read_text() + "\n\n")
    assert len(load_fer2013(fer_tree.folder).images) == 1


def test_votes_of_another_order_are_noticed(fer_tree: FerTree):
    fer_tree.add("Training", "anger", seed=1)
    fer_tree.add("PublicTest", "fear", seed=2)
    fer_tree.votes.reverse()
    with pytest.raises(DataError, match=r"line 2: is Training, but not so in fer2013new\.csv"):
        load_fer2013(fer_tree.write())


def test_rows_that_no_rater_can_name_leave_no_split(fer_tree: FerTree):
    fer_tree.add("Training", votes={"NF": 10})
    with pytest.raises(DataError, match="no Training row has a label"):
        load_fer2013(fer_tree.write()).select("Training", "ferplus-argmax")


def test_gzip_is_read_alike(fer_tree: FerTree):
    fer_tree.add("Training", "anger")
    folder = fer_tree.write()
    plain = load_fer2013(folder)
    content = (folder / "fer2013.csv").read_bytes()
    (folder / "fer2013.csv").unlink()
    (folder / "fer2013.csv.gz").write_bytes(gzip.compress(content))
    np.testing.assert_array_equal(load_fer2013(folder).images, plain.images)
    whole = gzip.compress(content)
    damaged = whole[:200] + bytes(50) + whole[250:]
    for broken in (whole[:-20], damaged):
        (folder / "fer2013.csv.gz").write_bytes(broken)
        with pytest.raises(DataError):
            load_fer2013(folder)


def break_row(tree: FerTree, column: int, value: str) -> None:
    tree.rows[1][column] = value


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        (1, "1 2 3", r"line 3: 3 pixels, expected 2304"),
        (1, " ".join(["300"] * 2304), "line 3: a pixel is outside 0..255"),
        (1, " ".join(["x"] * 2304), "line 3: a pixel is not a whole number"),
        (0, "7", "line 3: emotion '7' is not one of 0..6"),
        (2, "Training,", "line 3: 4 values, expected 3"),
    ],
)
def test_a_faulty_row_is_named(fer_tree: FerTree, column: int, value: str, says: str):
    for seed in range(3):
        fer_tree.add("Training", seed=seed)
    break_row(fer_tree, column, value)
    with pytest.raises(DataError, match=says):
        load_fer2013(fer_tree.write())


def test_faulty_files_are_named(fer_tree: FerTree, tmp_path: Path):
    with pytest.raises(DataError, match=r"neither fer2013.csv nor fer2013.csv.gz"):
        load_fer2013(tmp_path)
    fer_tree.add("Training")
    folder = fer_tree.write(with_votes=False)
    with pytest.raises(DataError, match=r"needs fer2013new.csv"):
        load_fer2013(folder).select("Training", "ferplus-argmax")
    with pytest.raises(DataError, match="no PublicTest rows"):
        load_fer2013(folder).select("PublicTest", "fer2013")
    fer_tree.votes.append(fer_tree.votes[0])
    with pytest.raises(DataError, match=r"2 rows, but fer2013\.csv has 1"):
        load_fer2013(fer_tree.write())
    for vote in ("many", "9" * 30, "9" * 5000):
        fer_tree.votes[1] = [*fer_tree.votes[0][:4], vote, *fer_tree.votes[0][5:]]
        with pytest.raises(DataError, match="line 3: a vote is not a whole number"):
            load_fer2013(fer_tree.write())
    (folder / "fer2013new.csv").unlink()
    (folder / "fer2013.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="line 1: expected the header"):
        load_fer2013(folder)
    (folder / "fer2013.csv").write_text("")
    with pytest.raises(DataError, match="line 1: expected the header"):
        load_fer2013(folder)


def test_the_real_files_have_the_counts_that_were_published_with_them(real_faces: Fer2013):
    counts = {
        rule: np.bincount(real_faces.select("PublicTest", rule).labels, minlength=8).tolist()  # type: ignore[arg-type]
        for rule in ("ferplus-argmax", "ferplus-majority")
    }
    assert counts == {
        "ferplus-argmax": [1321, 890, 426, 405, 311, 33, 69, 24],
        "ferplus-majority": [1170, 856, 386, 344, 279, 23, 57, 13],
    }
    training = real_faces.select("Training", "ferplus-argmax")
    public_test = real_faces.images[real_faces.usages == "PublicTest"]
    evaluation = {image.tobytes() for image in public_test}
    assert not any(image.tobytes() in evaluation for image in training.images)
    assert 27_000 < len(training) < 27_795
